"""Certificates, authorities and requests, as the other end of a connection, a charter or a file brings them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tallystick.core.certificate import parse_authorities, parse_issued
from tallystick.core.certified import certified
from tallystick.core.charter import Charter
from tallystick.core.holder import Holder
from tallystick.sdk.certificates import make_request, new_key, read_request
from tests.fuzz.proofs import MARKET
from tests.fuzz.target import Target, tried
from tests.harness.authorities import authority_of, bent, issued, pinning
from tests.harness.ledger_maker import START_US, charter_of

_AUTHORITY = authority_of(MARKET.id)
_CLERK = f"{MARKET.id}:clerk"


@cache
def _charter() -> Charter:
    return charter_of(pinning(MARKET, _AUTHORITY))


def certificates(data: bytes) -> None:
    """A certificate names one holder or is refused, bytes as they came or armoured here; an authority is the same when
    it is written again, and only who an authority's key signed for is let in.
    """
    for pem in (data, _armoured("CERTIFICATE", data)):
        text = pem.decode(errors="replace")
        certificate = tried(parse_issued, pem)
        if certificate is not None:
            assert Holder.parse(certificate.holder.id) == certificate.holder
            assert certificate.fingerprint
            holder = tried(certified, _charter(), pem, START_US)
            assert holder is None or certificate.issued_by(_AUTHORITY.authority)
        for authority in tried(parse_authorities, text, MARKET.id) or ():
            assert authority.party == MARKET.id
            assert authority.public
    for pem in (data, _armoured("CERTIFICATE REQUEST", data)):
        tried(read_request, pem, "request")


def _armoured(what: str, der: bytes) -> bytes:
    encoded = b64encode(der).decode()
    lines = "\n".join(encoded[start : start + 64] for start in range(0, len(encoded), 64))
    return f"-----BEGIN {what}-----\n{lines}\n-----END {what}-----\n".encode()


def _seeds() -> Iterator[bytes]:
    pems = [
        issued(_AUTHORITY, _CLERK),
        issued(_AUTHORITY, f"{MARKET.id}:node"),
        bent(_AUTHORITY, x509.UniformResourceIdentifier("tallystick:taxation:clerk")),
        _AUTHORITY.pem.encode(),
    ]
    yield from pems
    yield from (x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER) for pem in pems)
    request = make_request(Holder.parse(_CLERK), new_key())
    yield request
    yield x509.load_pem_x509_csr(request).public_bytes(Encoding.DER)


TARGETS = (Target("certificates", certificates, _seeds),)
