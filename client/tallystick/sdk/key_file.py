"""Private keys in files: PKCS#8 PEM, readable by their owner alone; encrypted where a passphrase is given.

A key file that others may read is refused, not fixed: whoever could read it may have.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tallystick.core.errors import ConfigInvalid
from tallystick.core.keys import SigningKey

_KEY_BYTES_MAX = 16 * 1024
_ENCRYPTED = b"-----BEGIN ENCRYPTED"


def generate_key(path: Path, passphrase: bytes = b"") -> SigningKey:
    """A new Ed25519 key in a new file of mode 0600. Raises ConfigInvalid where the file exists or cannot be made."""
    seed = secrets.token_bytes(32)
    save_private(path, Ed25519PrivateKey.from_private_bytes(seed), passphrase)
    return SigningKey(seed)


def load_key(path: Path, passphrase: Callable[[], bytes] | None = None) -> SigningKey:
    """The key in a file; for an encrypted one the passphrase is asked for, where there is somebody to ask.

    Raises ConfigInvalid where there is none, it is none, others may read it, or the passphrase does not open it.
    """
    key = load_private(path, passphrase)
    if not isinstance(key, Ed25519PrivateKey):
        raise not_such_a_key(path, "an Ed25519 key", passphrase)
    return SigningKey(key.private_bytes_raw())


def save_private(path: Path, key: PrivateKeyTypes, passphrase: bytes = b"") -> None:
    """A private key of any kind in a new file of mode 0600. Raises ConfigInvalid where the file exists or cannot be
    made.
    """
    how = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise ConfigInvalid("there is a key already", where=str(path), expected="a path without one") from None
    except OSError as error:
        raise ConfigInvalid(f"the key cannot be written: {error.strerror}", where=str(path)) from None


def load_private(path: Path, passphrase: Callable[[], bytes] | None = None) -> PrivateKeyTypes | None:
    """The private key in a file, of whatever kind; None where it holds none. Raises ConfigInvalid as `load_key`."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            pem = file.read(_KEY_BYTES_MAX)
    except OSError as error:
        raise ConfigInvalid(
            f"the key cannot be read: {error.strerror}", where=str(path), expected="a key file"
        ) from None
    if mode & 0o077:
        raise ConfigInvalid(
            f"its mode is {mode:04o}", where=str(path), expected="0600: a key that others may read is no secret"
        )
    password = passphrase() if passphrase is not None and pem.startswith(_ENCRYPTED) else None
    try:
        return load_pem_private_key(pem, password)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        if password is None:
            return None
    raise ConfigInvalid("the passphrase does not open the key", where=str(path), expected="the one it was made with")


def not_such_a_key(path: Path, kind: str, passphrase: Callable[[], bytes] | None) -> ConfigInvalid:
    """What is said of a file that holds no private key, or one of another kind."""
    expected = "an unencrypted PKCS#8 PEM" if passphrase is None else "a PKCS#8 PEM"
    return ConfigInvalid(f"not {kind}", where=str(path), expected=expected)
