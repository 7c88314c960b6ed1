"""Whom a certificate speaks for under a charter, or why for nobody.

gRPC takes a certificate that *any* authority of its bundle issued, whomever it names; that the party's own one did is
checked here. In order:

  1. the certificate reads, and is in its term, which is of a year at most;
  2. the party it names stands in the charter and is not closed: a bureau's certificate names somebody of the bureau, an
     auditor's the auditor alone;
  3. one of the authorities pinned in that party's stanza issued it directly, and is in its own term.

Whether a bureau's actor is registered is its ledger's matter, and not known here.
"""

from __future__ import annotations

from tallystick.core.bureau import Bureau
from tallystick.core.certificate import Authority, Issued, parse_issued
from tallystick.core.charter import Charter
from tallystick.core.errors import NotAuthentic
from tallystick.core.holder import Holder
from tallystick.core.limits import CERTIFICATE_DAYS_MAX, CERTIFICATE_TERM_MAX_US


def certified(charter: Charter, pem: bytes, now_us: int) -> Holder:
    """Whom the certificate at the other end of a connection names. Raises NotAuthentic or MalformedCertificate."""
    certificate = parse_issued(pem)
    check_certified(charter, certificate, now_us)
    return certificate.holder


def check_certified(charter: Charter, certificate: Issued, now_us: int) -> None:
    """Raises NotAuthentic where a charter does not vouch for a certificate now."""
    _check(certificate, _authorities(charter, certificate.holder), now_us)


def check_own_node(bureau: Bureau, certificate: Issued, now_us: int) -> None:
    """Raises NotAuthentic where those who dial a bureau's node would not take a certificate now: they look at the
    bureau's authorities alone. Of a closed one, whose certificates let nobody in, the ledger is read still.
    """
    _check(certificate, bureau.authorities if certificate.holder.party == bureau.id else (), now_us)


def _check(certificate: Issued, authorities: tuple[Authority, ...], now_us: int) -> None:
    holder = certificate.holder
    where = f"certificate of {holder.id}"
    if not certificate.valid(now_us):
        raise NotAuthentic("it is not in its term", where=where, expected="a renewed one")
    if certificate.ends_us - certificate.begins_us > CERTIFICATE_TERM_MAX_US:
        raise NotAuthentic(
            "its term is too long", where=where, expected=f"one made for {CERTIFICATE_DAYS_MAX} days at most"
        )
    if not any(certificate.issued_by(each) and each.valid(now_us) for each in authorities):
        raise NotAuthentic(
            "no authority pinned for it issued it", where=where, expected=f"one by the authority of {holder.party}"
        )


def _authorities(charter: Charter, holder: Holder) -> tuple[Authority, ...]:
    """Whose signature counts for a holder; nobody's where the charter knows no such holder."""
    for bureau in charter.bureau:
        if bureau.id == holder.party and holder.name and bureau.state != "closed":
            return bureau.authorities
    for auditor in charter.auditor:
        if auditor.id == holder.party and not holder.name:
            return auditor.authorities
    return ()
