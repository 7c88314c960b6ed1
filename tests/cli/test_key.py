"""`tally key`: what is in key files, and the passphrase they are under."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from tallystick.sdk.key_file import generate_key, is_encrypted, save_private
from tallystick.sdk.profile import Profile
from tallystick_node.cluster.local import LocalCluster
from tests.cli.conftest import Tally
from tests.harness.passphrases import told


def test_it_says_what_a_key_file_holds(tally: Tally, tmp_path: Path) -> None:
    """Kind, public half and whether it is encrypted are shown of every kind of key, and the private half never."""
    made = generate_key(tmp_path / "a.key", b"sesame")
    save_private(tmp_path / "b.key", ec.generate_private_key(ec.SECP256R1()))
    save_private(tmp_path / "c.key", x25519.X25519PrivateKey.generate())
    files = [tmp_path / f"{name}.key" for name in "abc"]
    said = tally("key", "show", *files, "--passphrase-fd", told("sesame\n"), "--json").json["keys"]
    assert [each["kind"] for each in said] == ["Ed25519", "P-256", "X25519"]
    assert [each["encrypted"] for each in said] == [True, False, False]
    assert said[0]["public"] == made.public.hex()
    shown = tally("key", "show", files[0], "--passphrase-fd", told("sesame\n"), "--lang", "zh")
    assert made.public.hex() in shown.out
    assert "是" in shown.out


def test_what_is_under_a_passphrase_is_told_without_it(tally: Tally, tmp_path: Path) -> None:
    """That it is, and how; nobody is asked, and kind and public half are shown only when it is opened."""
    key, sealed, foreign = ec.generate_private_key(ec.SECP256R1()), tmp_path / "a.key", tmp_path / "b.key"
    save_private(sealed, key, b"sesame")
    foreign.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"sesame")))
    foreign.chmod(0o600)
    said = tally("key", "show", sealed, foreign, "--json")
    assert said.code == 0
    assert [each["encryption"] for each in said.json["keys"]] == ["scrypt, AES-256", "PBKDF2, AES-256"]
    assert {(each["kind"], each["public"], each["encrypted"]) for each in said.json["keys"]} == {(None, None, True)}
    shown = tally("key", "show", sealed)
    assert shown.lines == [f"{sealed}\t-\t-\tyes (scrypt, AES-256)"]
    assert "--open" in shown.err
    assert "nobody is there to ask" in tally("key", "show", sealed, "--open").err
    opened = tally("key", "show", sealed, foreign, "--passphrase-fd", told("sesame\n"), "--json").json["keys"]
    assert [each["kind"] for each in opened] == ["P-256", "P-256"]


def test_key_files_are_put_under_a_passphrase_and_under_another(tally: Tally, tmp_path: Path) -> None:
    """Encrypted, the same keys open with the passphrase alone; changed, with the new one alone; never with none."""
    files = [tmp_path / name for name in ("a.key", "b.key")]
    publics = [generate_key(file).public.hex() for file in files]
    assert tally("key", "encrypt", *files, "--passphrase-fd", told("sesame\n")).code == 0
    assert all(is_encrypted(file) and file.stat().st_mode & 0o777 == 0o600 for file in files)
    assert "nobody is there to ask" in tally("key", "show", *files, "--open").err
    said = tally("key", "change", *files, "--passphrase-fd", told("sesame\n"), "--new-passphrase-fd", told("barley\n"))
    assert said.code == 0
    assert "does not open" in tally("key", "show", *files, "--passphrase-fd", told("sesame\n")).err
    shown = tally("key", "show", *files, "--passphrase-fd", told("barley\n"), "--json").json["keys"]
    assert [each["public"] for each in shown] == publics


def test_a_key_behind_a_link_is_encrypted_where_it_is(tally: Tally, tmp_path: Path) -> None:
    """The link leads where it did, and there is no file that still has the key under no passphrase."""
    target, link = tmp_path / "target.key", tmp_path / "link.key"
    generate_key(target)
    link.symlink_to(target.name)
    assert tally("key", "encrypt", link, "--passphrase-fd", told("sesame\n")).code == 0
    assert link.is_symlink()
    assert is_encrypted(target)


def test_nothing_is_written_unless_all_files_can_be(tally: Tally, tmp_path: Path) -> None:
    """One file that is not as the command takes it, or does not open, leaves every other as it was."""
    plain, other = tmp_path / "plain.key", tmp_path / "other.key"
    sealed, junk = tmp_path / "sealed.key", tmp_path / "junk.key"
    generate_key(plain)
    generate_key(sealed, b"sesame")
    generate_key(other, b"barley")
    junk.write_bytes(b"no key")
    junk.chmod(0o600)
    before = {path: path.read_bytes() for path in (plain, sealed, other, junk)}
    for arguments, why in (
        (("encrypt", plain, sealed), "under a passphrase already"),
        (("encrypt", plain, junk), "not a private key"),
        (("encrypt", plain, tmp_path / "none"), "the key cannot be read"),
        (("change", sealed, plain), "under no passphrase"),
        (("change", sealed, other, "--new-passphrase-fd", told("x\n")), "does not open the key"),
        (("change", sealed), "nobody is there to ask"),
    ):
        said = tally("key", *arguments, "--passphrase-fd", told("sesame\n"))
        assert said.code in (2, 5)
        assert why in said.err
    assert before == {path: path.read_bytes() for path in before}


def test_a_clients_state_goes_over_to_its_next_key(cluster: LocalCluster, tally: Tally, tmp_path: Path) -> None:
    """Under a new key the kept salt does not open, the error says what to do, and once that is done it is sent."""
    member = cluster["taxation"]
    profile, key = member.profile, tmp_path / "clerk-2"
    (tmp_path / "data").write_bytes(b"few")
    tally("declare", "R-1", "--title", "t", "--scheme", "local", "--sharing", "withheld", profile=profile)
    assert tally("provide", "R-1", tmp_path / "data", "--version", "v1", profile=profile).code == 0
    made = tally("identity", "init", "--actor", "taxation:clerk", "--dir", key, "--json", profile=profile).json
    assert tally("identity", "register", made["request"], profile=profile).code == 0
    old = Profile.load(profile)
    old_key = old.path.parent / old._identity().key
    second = profile.with_name("second.toml")
    second.write_text(profile.read_text().replace(old._identity().key, made["key_file"]))
    sending = ("send", "R-1@v1", "--to", "market-regulation", "--json")
    refused = tally(*sending, profile=second)
    assert refused.code == 2
    assert "tally key reseal" in refused.err
    assert tally("key", "reseal", old_key, "--json", profile=second).json["resealed"] >= 1
    assert tally(*sending, profile=second).code == 0
    assert "sealed under" in tally(*sending, profile=profile).err
    assert tally("key", "reseal", made["key_file"], profile=profile).code == 0
    assert tally(*sending, profile=profile).code == 0
