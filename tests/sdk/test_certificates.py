"""A party's own authority: it issues for its party alone, and what it needs lies in files for its owner alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.certificate import authority_name, parse_issued
from tallystick.core.errors import ConfigInvalid, MalformedCertificate, NotAllowed
from tallystick.core.holder import Holder
from tallystick.core.limits import CERTIFICATE_BYTES_MAX, CERTIFICATE_DAYS_MAX
from tallystick.sdk.certificates import (
    AUTHORITY_DAYS_MAX,
    CertificateAuthority,
    load_tls_key,
    make_request,
    new_key,
    read_request,
)
from tallystick.sdk.key_file import generate_key, load_key, save_private
from tallystick.sdk.passphrase import Passphrase
from tests.harness.authorities import authority_of
from tests.harness.ledger_maker import START_US
from tests.harness.passphrases import told

DAY_US = 86_400 * 1_000_000
CLERK = Holder("taxation", "clerk")
TAXATION = authority_of("taxation")


def test_an_authority_is_kept_in_two_files(tmp_path: Path) -> None:
    """What was saved is loaded again and issues what counts as the first one's; the key is its owner's alone."""
    certificate, key = tmp_path / "tls" / "authority.crt", tmp_path / "tls" / "authority.key"
    made = CertificateAuthority.make("taxation", START_US)
    made.save(certificate, key)
    loaded = CertificateAuthority.load(certificate, key, "taxation")
    assert (loaded.authority, loaded.pem) == (made.authority, made.pem)
    assert parse_issued(loaded.issue(CLERK, new_key().public_key(), START_US)).issued_by(made.authority)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    with pytest.raises(MalformedCertificate, match=r"authority\.crt: .*not that of an authority of this party"):
        CertificateAuthority.load(certificate, key, "market-regulation")


def test_an_authority_is_never_overwritten(tmp_path: Path) -> None:
    """Where either file is there already, both stay as they are."""
    certificate, key = tmp_path / "authority.crt", tmp_path / "authority.key"
    for there, absent in ((certificate, key), (key, certificate)):
        there.write_bytes(b"precious")
        with pytest.raises(ConfigInvalid, match="already"):
            TAXATION.save(certificate, key)
        assert there.read_bytes() == b"precious"
        assert not absent.exists()
        there.unlink()


def test_an_authority_needs_its_own_key(tmp_path: Path) -> None:
    """Another P-256 key, one of another kind, and one under a passphrase that nobody gives are refused by name."""
    certificate = tmp_path / "authority.crt"
    certificate.write_text(TAXATION.pem)
    save_private(tmp_path / "other.key", new_key())
    with pytest.raises(ConfigInvalid, match=r"other\.key: it is the key of another certificate"):
        CertificateAuthority.load(certificate, tmp_path / "other.key", "taxation")
    generate_key(tmp_path / "signing.key")
    with pytest.raises(ConfigInvalid, match=r"signing\.key: not a P-256 key; expected a PKCS#8 PEM"):
        CertificateAuthority.load(certificate, tmp_path / "signing.key", "taxation")
    TAXATION.save(tmp_path / "again.crt", tmp_path / "sealed.key", b"secret")
    with pytest.raises(ConfigInvalid, match="nobody is there to ask"):
        CertificateAuthority.load(certificate, tmp_path / "sealed.key", "taxation")
    with pytest.raises(ConfigInvalid, match="the passphrase does not open the key"):
        load_tls_key(tmp_path / "sealed.key", Passphrase(told("wrong\n")))
    opened = CertificateAuthority.load(certificate, tmp_path / "sealed.key", "taxation", Passphrase(told("secret\n")))
    assert opened.authority == TAXATION.authority
    with pytest.raises(ConfigInvalid, match="not an Ed25519 key"):
        load_key(tmp_path / "other.key")


def test_an_authority_issues_for_its_own_party_in_its_own_term() -> None:
    """Not for another's, not after its own end, and never beyond it."""
    public = new_key().public_key()
    with pytest.raises(NotAllowed, match="market-regulation:clerk is not of taxation"):
        TAXATION.issue(Holder("market-regulation", "clerk"), public, START_US)
    short = CertificateAuthority.make("taxation", START_US, 10)
    assert parse_issued(short.issue(CLERK, public, START_US)).ends_us == short.authority.ends_us
    with pytest.raises(NotAllowed, match="not in its term"):
        short.issue(CLERK, public, START_US + 10 * DAY_US)


@pytest.mark.parametrize("days", [0, -1, AUTHORITY_DAYS_MAX + 1])
def test_a_term_has_a_day_and_an_end(days: int) -> None:
    """Less than a day, or more than a century, is a slip."""
    with pytest.raises(ConfigInvalid, match=f"{days} days"):
        TAXATION.issue(CLERK, new_key().public_key(), START_US, days)
    with pytest.raises(ConfigInvalid, match=f"{days} days"):
        CertificateAuthority.make("taxation", START_US, days)
    with pytest.raises(ConfigInvalid, match=f"1 to {CERTIFICATE_DAYS_MAX}"):
        TAXATION.issue(CLERK, new_key().public_key(), START_US, CERTIFICATE_DAYS_MAX + 1)


@pytest.mark.parametrize("holder", ["taxation:clerk", "taxation:node", "audit-office"])
def test_a_request_asks_for_what_it_is_issued(holder: str) -> None:
    """It names its holder and carries the key that signed it."""
    key = new_key()
    assert read_request(make_request(Holder.parse(holder), key), "") == (Holder.parse(holder), key.public_key())


def test_a_request_that_its_key_did_not_sign_is_refused() -> None:
    """Changed anywhere, it does not read, or was not signed by the key it asks for; garbage raises nothing else."""
    pem = make_request(CLERK, new_key())

    @given(st.integers(0, len(pem) - 1), st.binary(max_size=3))
    def check(at: int, junk: bytes) -> None:
        bent = pem[:at] + junk + pem[at + 1 :]
        try:
            assert read_request(bent, "") == read_request(pem, "")
        except MalformedCertificate:
            return

    check()


def test_what_is_no_request_of_ours_is_refused() -> None:
    """Other keys, no names, and more than any request holds."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(authority_name("taxation"))
    nameless = builder.sign(new_key(), SHA256()).public_bytes(Encoding.PEM)
    other = builder.sign(ed25519.Ed25519PrivateKey.generate(), None).public_bytes(Encoding.PEM)
    for pem, what in (
        (nameless, "it does not read"),
        (other, "its key is of another kind"),
        (b"x" * (CERTIFICATE_BYTES_MAX + 1), "bytes"),
        (TAXATION.pem.encode(), "it does not read"),
    ):
        with pytest.raises(MalformedCertificate, match=what):
            read_request(pem, "clerk.csr")
