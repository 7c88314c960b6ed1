"""Whom a certificate speaks for: its party's own pinned authority issued it, and nobody else's counts."""

from __future__ import annotations

import msgspec
import pytest
from cryptography.x509 import UniformResourceIdentifier

from tallystick.core.auditor import Auditor
from tallystick.core.certified import certified
from tallystick.core.charter import Bureau, Charter, Floor
from tallystick.core.charter_chain import read_version
from tallystick.core.charter_draft import changes, draft
from tallystick.core.charter_note import format_charter, parse_charter
from tallystick.core.errors import MalformedCertificate, MalformedCharter, NotAuthentic
from tallystick.core.holder import Holder
from tallystick.core.limits import CERTIFICATE_DAYS_MAX
from tallystick.core.note import VerifierKey, encode_base64
from tests.harness.authorities import authority_of, bent, issued, pinning
from tests.harness.ledger_maker import START_US, LedgerMaker, charter_of, key_of, signed

DAY_US = 86_400 * 1_000_000
AUDITOR_KEY = VerifierKey.of("pudong.example/audit", key_of("auditor").public).format()


def bureau(name: str) -> Bureau:
    return pinning(LedgerMaker(bureau=name).bureau, authority_of(name))


MARKET, TAXATION = bureau("market-regulation"), bureau("taxation")
AUDIT = pinning(Auditor("audit-office", AUDITOR_KEY), authority_of("audit-office"))
CHARTER = msgspec.structs.replace(charter_of(MARKET, TAXATION), auditor=(AUDIT,))


def with_taxation(**changed: object) -> Charter:
    return msgspec.structs.replace(CHARTER, bureau=(MARKET, msgspec.structs.replace(TAXATION, **changed)))


@pytest.mark.parametrize("holder", ["taxation:clerk", "taxation:node", "market-regulation:gateway", "audit-office"])
def test_a_party_s_own_authority_certifies_whom_it_names(holder: str) -> None:
    """Actors and nodes of a bureau and the auditor are who their certificates say."""
    assert certified(CHARTER, issued(authority_of(holder.partition(":")[0]), holder), START_US).id == holder


@pytest.mark.parametrize("issuer", ["taxation", "market-regulation"])
def test_another_party_s_authority_certifies_nobody_of_this_one(issuer: str) -> None:
    """Signed by a pinned authority, under its own name or the other's, it is refused: each speaks for its own alone."""
    claimed = bent(
        authority_of("market-regulation"), UniformResourceIdentifier("tallystick:taxation:clerk"), issuer=issuer
    )
    with pytest.raises(NotAuthentic, match="no authority pinned for it issued it"):
        certified(CHARTER, claimed, START_US)


@pytest.mark.parametrize(
    "holder", ["taxation", "audit-office:clerk", "archives:clerk", "archives"], ids=lambda name: name
)
def test_a_holder_that_the_charter_does_not_know_is_nobody(holder: str) -> None:
    """A bureau without a name, an auditor with one, and who stands nowhere in the roster are refused."""
    with pytest.raises(NotAuthentic, match="no authority pinned"):
        certified(CHARTER, issued(authority_of(holder.partition(":")[0]), holder), START_US)


def test_a_certificate_counts_in_its_term_alone() -> None:
    """Before it, after it, and after its authority's own, it is refused."""
    pem = issued(authority_of("taxation"), "taxation:clerk")
    for now_us in (START_US - DAY_US, START_US + 90 * DAY_US):
        with pytest.raises(NotAuthentic, match="not in its term"):
            certified(CHARTER, pem, now_us)
    short = authority_of("taxation", START_US, 1)
    lasting = issued(short, "taxation:clerk")
    with pytest.raises(NotAuthentic, match="not in its term"):
        certified(with_taxation(certificate_authority=short.pem), lasting, START_US + DAY_US)


def test_no_authority_makes_a_certificate_last_beyond_a_year() -> None:
    """The longest that is issued counts; one that an authority's key signed for longer counts at no moment of it."""
    taxation = authority_of("taxation")
    assert certified(CHARTER, issued(taxation, "taxation:clerk", days=CERTIFICATE_DAYS_MAX), START_US).name == "clerk"
    clerk = UniformResourceIdentifier("tallystick:taxation:clerk")
    lasting = bent(taxation, clerk, days=CERTIFICATE_DAYS_MAX + 1)
    for day in (0, 200, CERTIFICATE_DAYS_MAX):
        with pytest.raises(NotAuthentic, match=r"its term is too long.*made for 366 days at most"):
            certified(CHARTER, lasting, START_US + day * DAY_US)


def test_a_closed_bureau_s_certificates_end_with_it() -> None:
    """A suspended one's still say who is there; a closed one's nobody."""
    pem = issued(authority_of("taxation"), "taxation:node")
    assert certified(with_taxation(state="suspended"), pem, START_US) == Holder("taxation", "node")
    closed = with_taxation(state="closed", floor=Floor(1, encode_base64(bytes(32))))
    with pytest.raises(NotAuthentic):
        certified(parse_charter(format_charter(closed)), pem, START_US)


def test_a_bureau_without_an_authority_has_no_certificates() -> None:
    """What nothing is pinned for is nobody's."""
    with pytest.raises(NotAuthentic):
        certified(with_taxation(certificate_authority=""), issued(authority_of("taxation"), "taxation:node"), START_US)
    with pytest.raises(MalformedCertificate):
        certified(CHARTER, b"", START_US)


def test_while_one_authority_takes_the_other_s_place_both_count() -> None:
    """Two pinned: what either issued is taken; the first gone: what it issued is refused."""
    old, new = authority_of("taxation"), authority_of("taxation", START_US + 1)
    both, after = with_taxation(certificate_authority=old.pem + new.pem), with_taxation(certificate_authority=new.pem)
    first, second = issued(old, "taxation:clerk"), issued(new, "taxation:clerk")
    assert certified(both, first, START_US) == certified(both, second, START_US) == Holder("taxation", "clerk")
    assert certified(after, second, START_US) == Holder("taxation", "clerk")
    with pytest.raises(NotAuthentic):
        certified(after, first, START_US)


def test_a_charter_pins_authorities_and_reads_back() -> None:
    """A bureau's and an auditor's, one or two, are written and read; what names none is written as before."""
    again = authority_of("taxation", START_US + 1)
    rolling = with_taxation(certificate_authority=authority_of("taxation").pem + again.pem)
    for charter in (CHARTER, rolling):
        assert parse_charter(format_charter(charter)) == charter
    plain = format_charter(
        msgspec.structs.replace(
            charter_of(), bureau=(LedgerMaker().bureau,), auditor=(Auditor("audit-office", AUDITOR_KEY),)
        )
    )
    assert "certificate_authority" not in plain


@pytest.mark.parametrize(
    ("charter", "what"),
    [
        (with_taxation(certificate_authority=MARKET.certificate_authority), "not that of an authority of this party"),
        (with_taxation(certificate_authority="-----BEGIN CERTIFICATE-----\nMII\n"), "it does not read"),
        (msgspec.structs.replace(CHARTER, auditor=(pinning(AUDIT, authority_of("taxation")),)), "not that of an auth"),
    ],
    ids=["another's", "no certificate", "an auditor's"],
)
def test_what_cannot_be_pinned_is_refused(charter: Charter, what: str) -> None:
    """A stanza's authority is one, and its own party's."""
    with pytest.raises(MalformedCharter, match=what) as caught:
        parse_charter(format_charter(charter))
    assert caught.value.where.startswith("charter: certificate authority of ")


def test_no_two_parties_share_an_authority_s_key() -> None:
    """One key under two parties' names would issue for either; one that is prolonged takes its own place."""
    from tallystick.sdk.certificates import CertificateAuthority

    taxation = authority_of("taxation")
    posing = CertificateAuthority.make("market-regulation", START_US, key=taxation.key)
    shared = msgspec.structs.replace(CHARTER, bureau=(pinning(MARKET, posing), TAXATION))
    with pytest.raises(MalformedCharter, match="one certificate authority stands twice"):
        parse_charter(format_charter(shared))
    prolonged = CertificateAuthority.make("taxation", START_US + 1, key=taxation.key)
    alone = with_taxation(certificate_authority=prolonged.pem)
    assert parse_charter(format_charter(alone)) == alone
    assert certified(alone, issued(taxation, "taxation:clerk"), START_US).id == "taxation:clerk"


def test_a_change_of_authority_is_shown_by_fingerprint_and_term() -> None:
    """Whoever is to sign a version is shown a line to compare, not a certificate's text."""
    before = read_version(signed(CHARTER)[0])
    new = authority_of("taxation", START_US + 1)
    edits = f'[[bureau]]\nid = "taxation"\ncertificate_authority = """\n{TAXATION.certificate_authority}{new.pem}"""\n'
    after = parse_charter(draft(before, edits, CHARTER.issued))
    assert after.by_id("taxation").authorities == (authority_of("taxation").authority, new.authority)
    found = {change.place: (change.before, change.after) for change in changes(CHARTER, after)}
    assert found["bureau taxation certificate_authority 2"] == (
        "",
        f"{new.authority.fingerprint} until 2037-01-12T08:00:00Z",
    )
    assert "bureau taxation certificate_authority 1" not in found
