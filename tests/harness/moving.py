"""Versions on the move in a district: provided, exchanged, used; each said a second after what was said before."""

from __future__ import annotations

from tests.harness.district import District, Said
from tests.harness.stories import digest_of

SECOND_US = 1_000_000


def said(where: District, bureau: str, kind: str, **values: object) -> Said:
    """Anything, a second later."""
    where.now_us += SECOND_US
    return where[bureau].say(kind, **values)


def provided(where: District, bureau: str, version: str, *sources: str) -> Said:
    """A version, made from others where any are named."""
    digest = digest_of(sum(version.encode()))
    return said(where, bureau, "provide_version", version=version, digest=digest, derived_from=sources)


def moved(
    where: District, exchange: str, version: str, sender: str, to: str, *, received: bool = True, **more: object
) -> list[Said]:
    """Both halves of an exchange that carries a version, or the first alone."""
    digest = digest_of(sum(version.encode()))
    sent = said(where, sender, "send", exchange=exchange, to=to, version=version, digest=digest, **more)
    if not received:
        return [sent]
    carried = {"exchange": exchange, "sender": sender, "version": version, "digest": digest}
    return [sent, said(where, to, "receive", sent=sent, **carried)]


def used(where: District, bureau: str, version: str, **more: object) -> Said:
    """A use of a version, for a case."""
    return said(where, bureau, "use", **{"version": version, "purpose": "tax-registration", "case": "c-1", **more})
