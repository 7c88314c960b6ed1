"""Encrypted PKCS#8 as it is written here: what others read, under the passphrase and under no other."""

from __future__ import annotations

import shutil
import subprocess
from base64 import b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tallystick.sdk.pkcs8 import encrypt_key

KINDS: dict[str, PrivateKeyTypes] = {
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
    "P-256": ec.generate_private_key(ec.SECP256R1()),
    "X25519": x25519.X25519PrivateKey.generate(),
}


def raw(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize("kind", KINDS)
def test_the_library_reads_what_is_written(kind: str) -> None:
    """Every kind of key comes back under its passphrase, and under no other."""
    pem = encrypt_key(KINDS[kind], "芝麻开门".encode())
    assert raw(load_pem_private_key(pem, "芝麻开门".encode())) == raw(KINDS[kind])
    for wrong in (b"", b"sesame"):
        with pytest.raises((ValueError, TypeError)):
            load_pem_private_key(pem, wrong)
    with pytest.raises(TypeError):
        load_pem_private_key(pem, None)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is not installed")
def test_openssl_reads_what_is_written_and_names_scrypt() -> None:
    """Another program reads it, with the memory it allows by itself, and finds in it what the format says."""
    pem = encrypt_key(KINDS["Ed25519"], b"sesame")
    read = subprocess.run(
        ["openssl", "pkey", "-passin", "pass:sesame", "-outform", "DER"], input=pem, capture_output=True, check=True
    )
    assert read.stdout == raw(KINDS["Ed25519"])
    parsed = subprocess.run(["openssl", "asn1parse"], input=pem, capture_output=True, check=True).stdout.decode()
    lines = [line for line in parsed.splitlines() if "OBJECT" in line or "INTEGER" in line]
    assert [line.rpartition(":")[2] for line in lines] == ["PBES2", "scrypt", "4000", "08", "05", "aes-256-cbc"]


def test_nothing_of_the_key_stands_in_the_file_and_no_two_are_alike() -> None:
    """Neither the key nor the passphrase is found in what is written, and the same key is never written the same."""
    secret = ed25519.Ed25519PrivateKey.generate()
    pems = [encrypt_key(secret, b"open sesame") for _ in range(2)]
    assert pems[0] != pems[1]
    for pem in pems:
        der = b64decode(b"".join(pem.splitlines()[1:-1]))
        assert secret.private_bytes_raw() not in der
        assert b"open sesame" not in der + pem
