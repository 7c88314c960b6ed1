"""Private keys in files: PKCS#8 PEM, their owner's alone (`secret_file`), under a passphrase where one is chosen
(`pkcs8`, `passphrase`). Instead of a signing key a file may name one in a device (`hardware_key`).
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from tallystick.core.errors import ConfigInvalid
from tallystick.core.keys import Signer, SigningKey
from tallystick.sdk.files import write_whole
from tallystick.sdk.hardware_key import SCHEME, open_hardware_key
from tallystick.sdk.passphrase import Passphrase
from tallystick.sdk.pkcs8 import encrypt_key, encryption_of
from tallystick.sdk.secret_file import read_secret, write_new_secret

_KEY_BYTES_MAX: Final = 16 * 1024
_ENCRYPTED: Final = b"-----BEGIN ENCRYPTED"
_WHAT: Final = "key"


def generate_key(path: Path, passphrase: bytes = b"") -> SigningKey:
    """A new Ed25519 key in a new file of mode 0600. Raises ConfigInvalid where the file exists or cannot be made."""
    seed = secrets.token_bytes(32)
    save_private(path, Ed25519PrivateKey.from_private_bytes(seed), passphrase)
    return SigningKey(seed)


def generate_key_like(path: Path, like: Path, passphrase: Passphrase) -> SigningKey:
    """A new key beside another: under the passphrase that opens `like`, or under none where that is. Raises
    ConfigInvalid as `generate_key` and `load_private`.
    """
    return generate_key(path, passphrase_like(path, like, passphrase))


def passphrase_like(path: Path, like: Path, passphrase: Passphrase) -> bytes:
    """What a new key at `path` is put under beside another: the passphrase that opens `like`, or none where that is
    under none, or is not there. Raises ConfigInvalid as `load_private`.
    """
    if not (like.exists() and is_encrypted(like)):
        return b""
    load_private(like, passphrase)
    return passphrase.chosen(str(path))


def key_for(path: Path, passphrase: Passphrase, *, encrypt: bool) -> Signer:
    """A new key; or, where a file is there that names one in a device, that. Raises ConfigInvalid as `generate_key` and
    `load_key`.
    """
    if path.exists() and names_device(path):
        return load_key(path, passphrase)
    return generate_key(path, passphrase.chosen(str(path)) if encrypt else b"")


def load_key(path: Path, passphrase: Passphrase | None = None) -> Signer:
    """The Ed25519 key in a file, or that it names. Raises ConfigInvalid as `load_private` and `open_hardware_key`, and
    where it is another kind of key.
    """
    if names_device(path):
        return open_hardware_key(read_secret(path, _WHAT, _KEY_BYTES_MAX), passphrase or Passphrase(), str(path))
    key = load_private(path, passphrase)
    if not isinstance(key, Ed25519PrivateKey):
        raise not_such_a_key(path, "an Ed25519 key")
    return SigningKey(key.private_bytes_raw())


def save_private(path: Path, key: PrivateKeyTypes, passphrase: bytes = b"") -> None:
    """A private key of any kind in a new file of mode 0600. Raises ConfigInvalid where the file exists or cannot be
    made.
    """
    write_new_secret(path, _WHAT, _pem(key, passphrase))


def load_private(path: Path, passphrase: Passphrase | None = None) -> PrivateKeyTypes | None:
    """The private key in a file, of whatever kind; None where it holds none. An encrypted one's passphrase is asked of
    `passphrase`, where that is None of one that remembers nothing.

    Raises ConfigInvalid where there is no file, others may touch it, or nothing that is there or was said opens it.
    """
    pem = read_secret(path, _WHAT, _KEY_BYTES_MAX)
    if not pem.startswith(_ENCRYPTED):
        return _load(pem, None)
    for word in (passphrase or Passphrase()).opening(str(path)):
        key = _load(pem, word)
        if key is not None:
            return key
    raise ConfigInvalid("the passphrase does not open the key", where=str(path), expected="the one it was made with")


def names_device(path: Path) -> bool:
    """Whether a key's file names a key in a device. Raises ConfigInvalid as `load_private`."""
    return read_secret(path, _WHAT, _KEY_BYTES_MAX).startswith(SCHEME)


def is_encrypted(path: Path) -> bool:
    """Whether a key's file is under a passphrase. Raises ConfigInvalid as `load_private`."""
    return read_secret(path, _WHAT, _KEY_BYTES_MAX).startswith(_ENCRYPTED)


def encrypted_how(path: Path) -> str:
    """How an encrypted key's file is encrypted, as `pkcs8.encryption_of`. Raises ConfigInvalid as `load_private`."""
    return encryption_of(read_secret(path, _WHAT, _KEY_BYTES_MAX))


def replace_private(path: Path, key: PrivateKeyTypes, passphrase: bytes) -> None:
    """Write a key in the place of its file, under a passphrase; at any moment the one or the other is there. Where
    `path` is a link, that is what it leads to: else the key would still be there as it was. Raises ConfigInvalid.
    """
    write_whole(path.resolve(), encrypt_key(key, passphrase), 0o600)


def public_half(key: PrivateKeyTypes) -> tuple[str, str]:
    """A key's kind and its public half: 32 bytes in hex, or of another kind its SubjectPublicKeyInfo in base64."""
    public = key.public_key()
    if isinstance(public, Ed25519PublicKey):
        return "Ed25519", public.public_bytes_raw().hex()
    if isinstance(public, X25519PublicKey):
        return "X25519", public.public_bytes_raw().hex()
    kind = "P-256" if isinstance(public, EllipticCurvePublicKey) and public.curve.name == "secp256r1" else "another"
    return kind, b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def not_such_a_key(path: Path, kind: str) -> ConfigInvalid:
    """What is said of a file that holds no private key, or one of another kind."""
    return ConfigInvalid(f"not {kind}", where=str(path), expected="a PKCS#8 PEM")


def _pem(key: PrivateKeyTypes, passphrase: bytes) -> bytes:
    if passphrase:
        return encrypt_key(key, passphrase)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _load(pem: bytes, passphrase: bytes | None) -> PrivateKeyTypes | None:
    try:
        return load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
