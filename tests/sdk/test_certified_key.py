"""A certificate and its key change together: a reader at any moment, and after any crash, finds a pair."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tallystick.core.errors import ConfigInvalid, MalformedCertificate, NotAllowed
from tallystick.core.holder import Holder
from tallystick.sdk import certified_key
from tallystick.sdk.certificates import read_pem, read_request
from tallystick.sdk.certified_key import CertifiedFiles, CertifiedKey
from tallystick.sdk.passphrase import Passphrase
from tests.harness.authorities import authority_of
from tests.harness.ledger_maker import START_US
from tests.harness.passphrases import told

CLERK, NODE = Holder("taxation", "clerk"), Holder("taxation", "node")
TAXATION = authority_of("taxation")


def files(folder: Path) -> CertifiedFiles:
    return CertifiedFiles(folder / "tls" / "clerk.crt", folder / "tls" / "clerk.key")


def asked(pair: CertifiedFiles) -> bytes:
    """The certificate that a request of these files is answered with."""
    holder, public = read_request(pair.request(CLERK), "")
    return TAXATION.issue(holder, public, START_US)


def test_a_renewed_pair_has_a_new_key(tmp_path: Path) -> None:
    """Made where nothing was, and again: each time another key, of mode 0600, and nothing is left waiting."""
    pair = files(tmp_path)
    first = pair.renew(TAXATION, NODE, START_US)
    assert pair.load().certificate == first
    again = pair.renew(TAXATION, NODE, START_US)
    assert pair.load().certificate == again
    assert first.public != again.public
    assert stat.S_IMODE(pair.key.stat().st_mode) == 0o600
    assert sorted(path.name for path in pair.key.parent.iterdir()) == ["clerk.crt", "clerk.key"]


def test_a_new_key_waits_for_its_certificate(tmp_path: Path) -> None:
    """Until it comes the old pair stands; asked for again, the same key is asked for; then both are replaced."""
    pair = files(tmp_path)
    pair.renew(TAXATION, CLERK, START_US)
    before = pair.load()
    pem = asked(pair)
    assert pair.load() == before
    assert read_request(pair.request(CLERK), "")[1] == pair.install(pem, CLERK, START_US).public
    assert pair.load().certificate_pem == pem


def test_a_certificate_of_another_key_is_not_installed(tmp_path: Path) -> None:
    """One that no key waits for leaves everything as it was."""
    pair = files(tmp_path)
    with pytest.raises(ConfigInvalid, match="no key waits"):
        pair.install(TAXATION.issue(CLERK, TAXATION.authority.public, START_US), CLERK, START_US)
    pem = asked(pair)
    with pytest.raises(ConfigInvalid, match="no key waits"):
        pair.install(TAXATION.issue(CLERK, TAXATION.authority.public, START_US), CLERK, START_US)
    with pytest.raises(MalformedCertificate):
        pair.install(b"", CLERK, START_US)
    assert not pair.certificate.exists()
    pair.install(pem, CLERK, START_US)


@pytest.mark.parametrize("renewing", [True, False], ids=["again", "reading"])
def test_a_crash_between_the_two_files_leaves_a_pair(tmp_path: Path, renewing: bool) -> None:
    """The certificate is in place and its key still waits: it is taken from there, and the next renewal clears up."""
    pair = files(tmp_path)
    pair.renew(TAXATION, CLERK, START_US)
    pem = asked(pair)
    pair.certificate.write_bytes(pem)
    assert pair.load().certificate_pem == pem
    if renewing:
        installed = pair.renew(TAXATION, CLERK, START_US)
        assert pair.load().certificate == installed
        assert not pair.next_key.exists()


def test_a_reader_while_it_is_renewed_finds_a_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaced between the reader's two files, what it is given belongs together."""
    pair = files(tmp_path)
    pair.renew(TAXATION, CLERK, START_US)
    renewals: list[Path] = []

    def read_while_renewed(path: Path) -> bytes:
        pem = read_pem(path)
        if not renewals:
            renewals.append(path)
            pair.renew(TAXATION, CLERK, START_US)
        return pem

    monkeypatch.setattr(certified_key, "read_pem", read_while_renewed)
    found = pair.load()
    assert renewals
    assert found.certificate_pem == pair.certificate.read_bytes()


def test_what_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    """A key of another certificate, a missing key, a missing certificate, and a key that others may read."""
    pair, other = files(tmp_path), files(tmp_path / "other")
    pair.renew(TAXATION, CLERK, START_US)
    other.renew(TAXATION, CLERK, START_US)
    pair.key.chmod(0o640)
    with pytest.raises(ConfigInvalid, match="0640"):
        pair.load()
    os.replace(other.key, pair.key)
    with pytest.raises(ConfigInvalid, match="not the key of the certificate"):
        pair.load()
    pair.key.unlink()
    with pytest.raises(ConfigInvalid, match=r"clerk\.key: the key cannot be read"):
        pair.load()
    pair.certificate.unlink()
    with pytest.raises(ConfigInvalid, match=r"clerk\.crt: cannot be read"):
        pair.load()


def test_an_authority_that_refuses_leaves_the_pair(tmp_path: Path) -> None:
    """Asked for another party's certificate nothing changes, and the key waits on."""
    pair = files(tmp_path)
    with pytest.raises(NotAllowed):
        pair.renew(TAXATION, Holder("market-regulation", "clerk"), START_US)
    assert not pair.certificate.exists()


def test_a_key_is_not_printed(tmp_path: Path) -> None:
    """What is loaded shows its certificate, and its key to nobody."""
    pair = files(tmp_path)
    pair.renew(TAXATION, CLERK, START_US)
    loaded = pair.load()
    assert isinstance(loaded, CertifiedKey)
    assert loaded.key_pem.decode() not in repr(loaded)
    assert "PRIVATE" not in repr(loaded)


def test_a_key_under_a_passphrase_is_renewed_under_it(tmp_path: Path) -> None:
    """The new key is encrypted too, as the one before was, and opened by whoever knows the passphrase."""
    pair = files(tmp_path)
    pair.renew(TAXATION, CLERK, START_US, secret=b"secret", passphrase=Passphrase(told("secret\n")))
    made = pair.renew(TAXATION, CLERK, START_US, passphrase=Passphrase(told("secret\n")))
    assert pair.load(Passphrase(told("secret\n"))).certificate == made
    assert pair.key.read_bytes().startswith(b"-----BEGIN ENCRYPTED")
    with pytest.raises(ConfigInvalid):
        pair.load()
