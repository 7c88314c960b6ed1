"""Private keys in files: PKCS#8 PEM, readable by their owner alone.

A key file that others may read is refused, not fixed: whoever could read it may have.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tallystick.core.errors import ConfigInvalid
from tallystick.core.keys import SigningKey

_KEY_BYTES_MAX = 16 * 1024


def generate_key(path: Path) -> SigningKey:
    """A new Ed25519 key in a new file of mode 0600. Raises ConfigInvalid where the file exists or cannot be made."""
    seed = secrets.token_bytes(32)
    pem = Ed25519PrivateKey.from_private_bytes(seed).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
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
    return SigningKey(seed)


def load_key(path: Path) -> SigningKey:
    """The key in a file. Raises ConfigInvalid where there is none, it is none, or others may read it."""
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
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigInvalid("not an Ed25519 key", where=str(path), expected="an unencrypted PKCS#8 PEM")
    return SigningKey(key.private_bytes_raw())
