"""Encrypted PKCS#8 (RFC 5958) as it is written here: PBES2 (RFC 8018) of scrypt (RFC 7914) and AES-256-CBC.

    SEQUENCE                                     EncryptedPrivateKeyInfo
      SEQUENCE  PBES2
        SEQUENCE
          SEQUENCE  scrypt                       SEQUENCE  salt (16 bytes), N = 16384, r = 8, p = 5
          SEQUENCE  AES-256-CBC                  OCTET STRING  initial vector (16 bytes)
      OCTET STRING                               the PrivateKeyInfo, padded as CBC is (PKCS#7)

The library would write PBKDF2 with 2,048 rounds, of which a graphics card tries a million passphrases a second. So
derived, each takes 16 MiB of memory and a tenth of a second; OpenSSL allows twice that memory, and reads it as the
library does. It is armoured as PEM, `ENCRYPTED PRIVATE KEY`. How another program's file is encrypted stands in the same
place, under other names.
"""

from __future__ import annotations

import secrets
from base64 import b64decode, b64encode
from typing import Final

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

SCRYPT_N: Final = 16_384
SCRYPT_R: Final = 8
SCRYPT_P: Final = 5
_SALT_BYTES: Final = 16
_BLOCK_BYTES: Final = 16
_KEY_BYTES: Final = 32
_LINE: Final = 64
_ALGORITHM_BYTES_MAX: Final = 160  # what names it stands before the key, with a salt and a vector
_ARMOUR: Final = "ENCRYPTED PRIVATE KEY"

_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
_OCTETS: Final = 0x04
_PBES2: Final = bytes.fromhex("06092a864886f70d01050d")  # 1.2.840.113549.1.5.13
_SCRYPT: Final = bytes.fromhex("06092b06010401da47040b")  # 1.3.6.1.4.1.11591.4.11
_AES_256_CBC: Final = bytes.fromhex("060960864801650304012a")  # 2.16.840.1.101.3.4.1.42
_NAMES: Final = {
    _SCRYPT: "scrypt",
    bytes.fromhex("06092a864886f70d01050c"): "PBKDF2",  # 1.2.840.113549.1.5.12
    _AES_256_CBC: "AES-256",
    bytes.fromhex("0609608648016503040116"): "AES-192",
    bytes.fromhex("0609608648016503040102"): "AES-128",
}


def encryption_of(pem: bytes) -> str:
    """How an encrypted key is encrypted, as `scrypt, AES-256`, as far as the parts have names here; empty where none
    has, or it is no PEM.
    """
    try:
        algorithm = b64decode(b"".join(pem.splitlines()[1:-1]), validate=True)[:_ALGORITHM_BYTES_MAX]
    except ValueError:
        return ""
    return ", ".join(name for part, name in _NAMES.items() if part in algorithm)


def encrypt_key(key: PrivateKeyTypes, passphrase: bytes) -> bytes:
    """A private key under a passphrase, PEM."""
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    salt, vector = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_BLOCK_BYTES)
    wrapping = Scrypt(salt, _KEY_BYTES, SCRYPT_N, SCRYPT_R, SCRYPT_P).derive(passphrase)
    padder, encryptor = PKCS7(8 * _BLOCK_BYTES).padder(), Cipher(AES(wrapping), CBC(vector)).encryptor()
    sealed = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    costs = [_der(_INTEGER, _whole(number)) for number in (SCRYPT_N, SCRYPT_R, SCRYPT_P)]
    derivation = _der(_SEQUENCE, _SCRYPT, _der(_SEQUENCE, _der(_OCTETS, salt), *costs))
    encryption = _der(_SEQUENCE, _AES_256_CBC, _der(_OCTETS, vector))
    algorithm = _der(_SEQUENCE, _PBES2, _der(_SEQUENCE, derivation, encryption))
    return _armoured(_der(_SEQUENCE, algorithm, _der(_OCTETS, sealed)))


def _der(tag: int, *parts: bytes) -> bytes:
    """Tag, length, contents."""
    contents = b"".join(parts)
    if len(contents) < 0x80:
        return bytes([tag, len(contents)]) + contents
    length = len(contents).to_bytes((len(contents).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + contents


def _whole(number: int) -> bytes:
    """A positive number in as few bytes as keep its sign."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _armoured(der: bytes) -> bytes:
    text = b64encode(der).decode()
    lines = [text[at : at + _LINE] for at in range(0, len(text), _LINE)]
    return "\n".join([f"-----BEGIN {_ARMOUR}-----", *lines, f"-----END {_ARMOUR}-----", ""]).encode()
