"""Lawful stories of what is shared on conditions: declared, asked for, granted, sent, received, used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.audit.finding import Finding
from tests.harness.district import District, Said
from tests.harness.stories import CODE, VERSION, digest_of

PURPOSE = "tax-registration"


def spoken(where: District, finding: Finding) -> tuple[str, str]:
    """What a person reads, in English and in Chinese."""
    return where.sentence(finding, "en"), where.sentence(finding, "zh")


def declared_as(where: District, sharing: str, code: str = CODE, by: str = "market", /, **said: object) -> Said:
    """A resource as it stands in the catalogue; without a ground, unless `said` gives one."""
    return where[by].say("declare", resource=code, scheme="local", title=code, sharing=sharing, **said)


def restricted(where: District, code: str = CODE, by: str = "market") -> Said:
    """A resource that may not be had without a grant, and why."""
    return declared_as(where, "conditional", code, by, condition="a law of the place")


@dataclass(frozen=True, slots=True)
class Allowed:
    """The market's restricted resource, the tax office's request and the grant."""

    resource: Said
    request: Said
    grant: Said


def allowed(where: District, system: str = "", asked: Sequence[str] = (), until: str = "") -> Allowed:
    """A restricted resource is asked for and granted: for a system, of some fields, up to a day, where given."""
    resource = restricted(where)
    request = where["tax"].request(CODE, provider="market", purpose=PURPOSE, system=system, fields=asked)
    grant = where["market"].grant(request, to="tax", resource=CODE, until=until)
    return Allowed(resource, request, grant)


def delivered(where: District, grant: Said | None, by: str = "market", via: str = "", exchange: str = "x-1") -> Said:
    """A version sent to the tax office, which notes that it received it."""
    sent = where[by].send(exchange, to="tax", version=VERSION, grant=grant, digest=digest_of(), via=via)
    where["tax"].receive(exchange, sender=by, version=VERSION, sent=sent, digest=digest_of())
    return sent


def used(where: District, **said: object) -> Said:
    """The tax office uses the version for a case; `said` says it otherwise."""
    return where["tax"].say("use", **{"version": VERSION, "purpose": PURPOSE, "case": "c-1", **said})
