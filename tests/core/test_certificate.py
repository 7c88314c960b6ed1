"""Certificates: whom one names, what an authority is, and that whatever else is refused with its own sentence."""

from __future__ import annotations

import ipaddress
from base64 import b64encode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA384
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.certificate import parse_authorities, parse_issued
from tallystick.core.errors import InvalidIdentifier, MalformedCertificate
from tallystick.core.holder import NODE_HOST, Holder
from tallystick.core.limits import CERTIFICATE_BYTES_MAX
from tallystick.sdk.certificates import CertificateAuthority
from tests.harness.authorities import CLIENT, SERVER, authority_of, bent, issued
from tests.harness.ledger_maker import START_US

TAXATION, MARKET = authority_of("taxation"), authority_of("market-regulation")
URI, DNS = x509.UniformResourceIdentifier, x509.DNSName
CLERK = URI("tallystick:taxation:clerk")
NODE = URI("tallystick:taxation:node")
PEM = issued(TAXATION, "taxation:clerk")
LONGEST = f"{'a' * 64}:{'b' * 31}"


@pytest.mark.parametrize("holder", ["taxation:clerk", "taxation:node", "taxation:registrar", "audit-office", LONGEST])
def test_a_certificate_names_whom_it_was_issued_to(holder: str) -> None:
    """Actors, nodes and auditors, of the longest names too, are read back from what their authority issued."""
    authority = authority_of(holder.partition(":")[0])
    certificate = parse_issued(issued(authority, holder))
    assert certificate.holder == Holder.parse(holder)
    assert certificate.holder.id == holder
    assert certificate.issued_by(authority.authority)


def test_a_certificate_is_of_the_authority_that_signed_it_and_no_other() -> None:
    """Neither another party's, nor another key under the same party's name, issued it."""
    certificate = parse_issued(issued(TAXATION, "taxation:clerk"))
    second = authority_of("taxation", START_US + 1)
    assert certificate.issued_by(TAXATION.authority)
    assert not certificate.issued_by(second.authority)
    assert not certificate.issued_by(MARKET.authority)
    for issuer in ("taxation", "market-regulation"):
        claimed = parse_issued(bent(MARKET, CLERK, issuer=issuer))
        assert claimed.holder.party == "taxation"
        assert not claimed.issued_by(TAXATION.authority)
        assert not claimed.issued_by(MARKET.authority)


def test_a_term_ends_before_its_last_moment() -> None:
    """Valid an hour before it was made, and no more at its end."""
    certificate = parse_issued(issued(TAXATION, "taxation:clerk", days=1))
    day_us = 86_400 * 1_000_000
    assert certificate.ends_us == START_US + day_us
    assert certificate.valid(START_US)
    assert certificate.valid(certificate.begins_us)
    assert not certificate.valid(certificate.begins_us - 1)
    assert certificate.valid(certificate.ends_us - 1)
    assert not certificate.valid(certificate.ends_us)


@pytest.mark.parametrize(
    ("pem", "what"),
    [
        (bent(TAXATION), "its names, its use or its issuer's key are missing"),
        (bent(TAXATION, CLERK, usages=()), "its names, its use or its issuer's key are missing"),
        (bent(TAXATION, DNS(NODE_HOST)), "its URI names nobody"),
        (bent(TAXATION, CLERK, NODE), "its URI names nobody"),
        (bent(TAXATION, CLERK, CLERK), "its URI names nobody"),
        (bent(TAXATION, URI("tallystick:taxation:")), "its URI names nobody"),
        (bent(TAXATION, URI("tallystick::clerk")), "its URI names nobody"),
        (bent(TAXATION, URI("tallystick:taxation:clerk:x")), "its URI names nobody"),
        (bent(TAXATION, URI("tallystick:Taxation")), "its URI names nobody"),
        (bent(TAXATION, URI("Tallystick:taxation:clerk")), "its URI names nobody"),
        (bent(TAXATION, URI("spiffe://taxation/clerk")), "its URI names nobody"),
        (bent(TAXATION, CLERK, DNS(NODE_HOST)), "it has other names than tallystick:taxation:clerk"),
        (bent(TAXATION, CLERK, x509.RFC822Name("a@b.example")), "it has other names"),
        (bent(TAXATION, NODE, usages=(CLIENT, SERVER)), "it has other names than tallystick:taxation:node"),
        (bent(TAXATION, NODE, DNS("localhost"), usages=(CLIENT, SERVER)), "it has other names"),
        (bent(TAXATION, NODE, DNS(NODE_HOST), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))), "other names"),
        (bent(TAXATION, NODE, DNS(NODE_HOST)), "it does not serve what a certificate of taxation:node serves"),
        (bent(TAXATION, CLERK, usages=(CLIENT, SERVER)), "it does not serve what a certificate of taxation:clerk"),
        (bent(TAXATION, CLERK, usages=(SERVER,)), "it does not serve"),
        (bent(TAXATION, CLERK, identified=False), "its names, its use or its issuer's key are missing"),
        (bent(TAXATION, CLERK, ca=True), "its names, its use or its issuer's key are missing"),
        (bent(TAXATION, CLERK, key=rsa.generate_private_key(65537, 2048)), "its key is of another kind"),
        (bent(TAXATION, CLERK, key=ed25519.Ed25519PrivateKey.generate()), "its key is of another kind"),
        (bent(TAXATION, CLERK, key=ec.generate_private_key(ec.SECP384R1())), "its key is of another kind"),
        (bent(TAXATION, CLERK, algorithm=SHA384()), "it is signed in another way"),
        (TAXATION.pem.encode(), "it is an authority's"),
        (issued(TAXATION, "taxation:clerk") + TAXATION.pem.encode(), "2 certificates"),
        (b"", "it does not read"),
        (b"x" * (CERTIFICATE_BYTES_MAX + 1), f"{CERTIFICATE_BYTES_MAX + 1} bytes"),
    ],
    ids=lambda value: value.replace(" ", "-")[:40] if isinstance(value, str) else "",
)
def test_what_is_no_certificate_of_ours_is_refused(pem: bytes, what: str) -> None:
    """Other names, uses, keys, signatures and what does not read at all each have a sentence."""
    with pytest.raises(MalformedCertificate, match=what):
        parse_issued(pem)


@given(at=st.integers(0, 600), junk=st.binary(max_size=3))
def test_a_changed_certificate_is_refused_or_issued_by_nobody(at: int, junk: bytes) -> None:
    """Bytes put in the place of others anywhere give a certificate nobody issued, or the same one, or a refusal."""
    pem = PEM[:at] + junk + PEM[at + 1 :]
    try:
        certificate = parse_issued(pem)
    except MalformedCertificate:
        return
    assert certificate == parse_issued(PEM) or not certificate.issued_by(TAXATION.authority)


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_a_serial_number_is_positive() -> None:
    """One that the library warns of, and reads all the same, is refused."""
    der = bytearray(parse_issued(PEM).der)
    version = b"\xa0\x03\x02\x01\x02"  # and after it the serial number: its tag, its length, its bytes
    der[der.index(version) + len(version) + 2] = 0xA5
    with pytest.raises(MalformedCertificate, match="its serial number is not positive"):
        parse_issued(armoured(bytes(der)))


def armoured(der: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE-----\n" + b64encode(der) + b"\n-----END CERTIFICATE-----\n"


@given(st.binary(max_size=200))
def test_garbage_raises_nothing_else(junk: bytes) -> None:
    """Arbitrary bytes, bare or in a certificate's armour, are no certificate."""
    for pem in (junk, armoured(junk)):
        with pytest.raises(MalformedCertificate):
            parse_issued(pem)
        with pytest.raises(MalformedCertificate):
            parse_authorities(pem.decode(errors="replace"), "taxation")


@given(st.text(max_size=40))
def test_a_holder_is_well_formed_or_refused(text: str) -> None:
    """Whatever is read as a holder is written the same."""
    try:
        holder = Holder.parse(text)
    except InvalidIdentifier:
        return
    assert holder.id == text


def test_a_stanza_pins_one_authority_or_two() -> None:
    """Two while one takes the other's place; none and three are refused, and so is anything beside them."""
    second, third = authority_of("taxation", START_US + 1), authority_of("taxation", START_US + 2)
    assert parse_authorities(TAXATION.pem, "taxation") == (TAXATION.authority,)
    assert parse_authorities(TAXATION.pem + second.pem, "taxation") == (TAXATION.authority, second.authority)
    for pem, what in (
        ("", "it does not read"),
        (TAXATION.pem + second.pem + third.pem, "3 certificates"),
        (TAXATION.pem + CertificateAuthority.make("taxation", START_US, 9, TAXATION.key).pem, "both have one key"),
        (TAXATION.pem + TAXATION.pem, "both have one key"),
        (TAXATION.pem + "\n", "there is more than certificates"),
        ("# ours\n" + TAXATION.pem, "there is more than certificates"),
        (TAXATION.pem.replace("\n", "\r\n"), "there is more than certificates"),
    ):
        with pytest.raises(MalformedCertificate, match=what):
            parse_authorities(pem, "taxation")


@pytest.mark.parametrize(
    ("pem", "what"),
    [
        (MARKET.pem, "it is not that of an authority of this party"),
        (issued(TAXATION, "taxation:node").decode(), "it is not that of an authority"),
        (bent(TAXATION, ca=True).decode(), "it is not that of an authority"),
        (bent(TAXATION, ca=True, subject="taxation").decode(), "it is no authority that signed itself"),
        (
            bent(TAXATION, ca=True, subject="taxation", key=rsa.generate_private_key(65537, 2048)).decode(),
            "another kind",
        ),
        (bent(TAXATION, CLERK, subject="taxation").decode(), "it is not that of an authority"),
    ],
    ids=["another party's", "a node's", "no name", "without rights", "RSA", "no authority"],
)
def test_what_is_no_authority_of_a_party_is_refused(pem: str, what: str) -> None:
    """An authority is named for its party alone, signs itself, and may sign certificates and no authorities."""
    with pytest.raises(MalformedCertificate, match=what):
        parse_authorities(pem, "taxation")
