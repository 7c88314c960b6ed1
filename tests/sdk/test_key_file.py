"""Private keys in files: made once, readable by their owner alone, and refused otherwise."""

from __future__ import annotations

import stat
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import ConfigInvalid
from tallystick.sdk.key_file import generate_key, is_encrypted, load_key
from tallystick.sdk.passphrase import Passphrase

PKCS8 = (Encoding.PEM, PrivateFormat.PKCS8)
ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(32))


def write(path: Path, data: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(data)
    path.chmod(mode)
    return path


def test_a_generated_key_is_the_one_loaded(tmp_path: Path) -> None:
    """What was made is read back, from a file of mode 0600 in a folder made for it."""
    path = tmp_path / "keys" / "clerk.key"
    made = generate_key(path)
    assert load_key(path).public == made.public
    assert load_key(path).sign(b"x") == made.sign(b"x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert generate_key(tmp_path / "other.key").public != made.public


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    """Where there is a file already it stays as it is."""
    path = write(tmp_path / "clerk.key", b"precious")
    with pytest.raises(ConfigInvalid, match=r"already"):
        generate_key(path)
    assert path.read_bytes() == b"precious"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o666, 0o700 | 0o010, 0o601, 0o602, 0o777])
def test_a_key_that_others_may_touch_is_refused_and_not_mended(tmp_path: Path, mode: int) -> None:
    """Any bit for group or others is refused, with the mode shown; the file is left as it was."""
    path = tmp_path / "clerk.key"
    generate_key(path)
    path.chmod(mode)
    with pytest.raises(ConfigInvalid, match=f"{mode:04o}"):
        load_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_key_of_its_owner_alone_is_taken(tmp_path: Path, mode: int) -> None:
    """Whatever the owner may do does not matter."""
    made = generate_key(tmp_path / "clerk.key")
    (tmp_path / "clerk.key").chmod(mode)
    assert load_key(tmp_path / "clerk.key").public == made.public


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"not a key",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ED25519.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        ec.generate_private_key(ec.SECP256R1()).private_bytes(*PKCS8, NoEncryption()),
        b"-----BEGIN PRIVATE KEY-----\n"
        + b64encode(bytes.fromhex("302e020100300506032b657f04220420") + bytes(32))
        + b"\n-----END PRIVATE KEY-----\n",
        rsa.generate_private_key(65537, 2048).private_bytes(*PKCS8, NoEncryption()),
        x25519.X25519PrivateKey.generate().private_bytes(*PKCS8, NoEncryption()),
    ],
    ids=["empty", "text", "cut", "public", "P-256", "unheard of", "RSA", "X25519"],
)
def test_what_is_no_ed25519_key_is_refused(tmp_path: Path, pem: bytes) -> None:
    """Other keys and what is no key are ConfigInvalid with the file's name."""
    with pytest.raises(ConfigInvalid, match=r"clerk\.key: not an Ed25519 key"):
        load_key(write(tmp_path / "clerk.key", pem))


def test_a_key_that_another_program_encrypted_is_opened(tmp_path: Path) -> None:
    """Whatever the library can open will do, not only what is written here."""
    write(tmp_path / "clerk.key", ED25519.private_bytes(*PKCS8, BestAvailableEncryption(b"sesame")))
    assert is_encrypted(tmp_path / "clerk.key")
    passphrase = Passphrase()
    passphrase._known = b"sesame"
    assert load_key(tmp_path / "clerk.key", passphrase).public == ED25519.public_key().public_bytes_raw()


def test_garbage_never_leaks_another_error(tmp_path: Path) -> None:
    """Any bytes in a key's armour are a key or ConfigInvalid."""
    path = tmp_path / "clerk.key"
    pem = ED25519.private_bytes(*PKCS8, NoEncryption())

    @given(st.integers(0, len(pem) - 1), st.binary(max_size=4))
    def check(at: int, junk: bytes) -> None:
        write(path, pem[:at] + junk + pem[at + 1 :])
        try:
            load_key(path)
        except ConfigInvalid:
            return

    check()


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    """No file, or a folder in its place, is ConfigInvalid with the path; so is a place where none can be made."""
    with pytest.raises(ConfigInvalid, match="none"):
        load_key(tmp_path / "none.key")
    with pytest.raises(ConfigInvalid, match=str(tmp_path)):
        load_key(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigInvalid, match="cannot be written"):
        generate_key(tmp_path / "file" / "keys" / "clerk.key")
