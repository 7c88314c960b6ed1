"""Who may have a resource, and who had it: how it is shared, what was asked for and granted, and what last moved.

    {"resource": "SCJG-0012", "declared": [{"bureau": "market-regulation", "reference": "market-regulation#1",
     "sharing": "conditional", "public": false, "ground": "…"}],
     "grants": [{"provider", "to": "taxation", "state": "in-force", "standing": "proven", "grant":
      "market-regulation#4", "request": "taxation#3" or null, "purpose": "tax-registration", "system", "fields": […],
      "conditions": […], "until": "2028-01-01" or null, "ended": "market-regulation#9" or null}],
     "requests": [{"by": "planning", "provider", "request": "planning#2", "purpose", "state": "denied", "standing",
      "answer": "market-regulation#5" or null}],
     "exchanges": [{… as in `questions.holders`, "grant": "market-regulation#4" or null}]}

`ground` is the condition, or the basis on which it is withheld. A grant is *in-force*, *ended* or *expired* on the day;
`requests` are those that were not granted: *denied*, *ended* by either side, or *unanswered*, as far as was shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tallystick.audit.entry import On
from tallystick.audit.finding import Standing
from tallystick.audit.inquiry import Cited, Find, Inquiry, answers_to
from tallystick.audit.questions.entries import reference_json
from tallystick.audit.questions.holders import exchange_json, last_moved, moved
from tallystick.audit.seen import Seen
from tallystick.audit.views.exchanges import Exchange, Half
from tallystick.audit.views.grants import Grant, Request
from tallystick.core.charter import Charter
from tallystick.core.kinds import enum_label
from tallystick_proto.v1.statement_pb2 import (
    AccessDenied,
    AccessEnded,
    AccessGranted,
    AccessRequested,
    ResourceDeclared,
    ResourceWithdrawn,
)


@dataclass(frozen=True, slots=True)
class Access:
    """What was shown of a resource; `requests` are those that were not granted."""

    code: str
    declared: tuple[On[ResourceDeclared], ...]
    grants: tuple[Grant, ...]
    requests: tuple[Request, ...]
    exchanges: tuple[Exchange, ...]

    @property
    def is_known(self) -> bool:
        """Whether anything was shown of it."""
        return bool(self.declared or self.grants or self.requests or self.exchanges)


def inquire(code: str, charter: Charter) -> Inquiry:
    """How it is declared, what was asked for, granted, denied and ended, and the last exchange of any two bureaus."""
    yield Find.of(ResourceDeclared, ResourceWithdrawn, resource=code)
    # What denies or ends need not name the resource; what was sent and used under a grant is not asked for by it.
    for request in (yield Find.of(AccessRequested, resource=code)):
        yield answers_to(request, AccessGranted, AccessDenied, AccessEnded)
    for grant in (yield Find.of(AccessGranted, resource=code)):
        yield Cited(grant.head.about)
        yield answers_to(grant, AccessEnded)
    yield from moved(charter, resource=code)


def access(code: str, seen: Seen) -> Access:
    """Who may have it and who had it on the day of the question, as far as was shown."""
    declared = (seen.catalogue.declared(bureau, code) for bureau in sorted(seen.catalogue.declarers(code)))
    requests = (each for each in seen.grants.requests.values() if each.entry.head.resource == code)
    return Access(
        code,
        tuple(each for each in declared if each is not None),
        tuple(each for each in seen.grants.grants.values() if each.resource == code),
        tuple(each for each in requests if each.granted is None),
        last_moved(seen.exchanges.remembered(), lambda half: _code(half) == code),
    )


def _code(half: Half) -> str:
    return half.resource or half.version.rpartition("@")[0]


def grant_state(grant: Grant, seen: Seen) -> str:
    """Whether a grant is `in-force`, `ended` or `expired` at the end of the day of the question."""
    at_us = seen.as_of.at_us - 1
    if grant.in_force(at_us, seen.day_of(at_us)):
        return "in-force"
    return "expired" if grant.ended is None else "ended"


def request_answer(request: Request) -> tuple[str, On[Any] | None]:
    """How a request that was not granted was answered, and the entry that did it."""
    if request.denied is not None:
        return "denied", request.denied
    return ("unanswered", None) if request.ended is None else ("ended", request.ended)


def request_standing(request: Request) -> Standing:
    """How far a request's state is proven: an answer is its giver's own word, and none shown is none at all."""
    return Standing.NOT_COVERED if request_answer(request)[1] is None else Standing.PROVEN


def granted_by(exchange: Exchange, seen: Seen) -> Iterator[str]:
    """The grants that the halves of an exchange cite, each once, by reference."""
    cited = dict.fromkeys(half.grant for half in (exchange.sent, exchange.received) if half is not None)
    yield from (seen.reference(place.origin, place.index) for place in cited if place is not None)


def ground(declared: On[ResourceDeclared]) -> str:
    """The condition on which a resource is shared, or the basis on which it is withheld; "" where none is given."""
    said = declared.said
    basis = said.condition if said.sharing == ResourceDeclared.CONDITIONAL else said.basis
    return " ".join(filter(None, (basis.code, basis.words)))


def access_json(answer: Access, seen: Seen) -> dict[str, Any]:
    """The answer for programs."""
    return {
        "resource": answer.code,
        "declared": [
            {
                "bureau": each.bureau,
                "reference": each.reference,
                "sharing": enum_label(ResourceDeclared.Sharing.DESCRIPTOR, each.said.sharing, "en"),
                "public": each.said.public,
                "ground": ground(each),
            }
            for each in answer.declared
        ],
        "grants": [_grant_json(each, seen) for each in answer.grants],
        "requests": [_request_json(each) for each in answer.requests],
        "exchanges": [
            {**exchange_json(each, seen), "grant": next(granted_by(each, seen), None)} for each in answer.exchanges
        ],
    }


def _grant_json(grant: Grant, seen: Seen) -> dict[str, Any]:
    said = grant.entry.said
    return {
        "provider": grant.provider,
        "to": grant.to,
        "state": grant_state(grant, seen),
        "standing": Standing.PROVEN.key,
        "grant": grant.entry.reference,
        "request": None if grant.request is None else grant.request.entry.reference,
        "purpose": grant.purpose,
        "system": grant.system,
        "fields": sorted(grant.fields),
        "conditions": list(said.conditions),
        "until": said.until or None,
        "ended": reference_json(grant.ended),
    }


def _request_json(request: Request) -> dict[str, Any]:
    state, answer = request_answer(request)
    return {
        "by": request.entry.bureau,
        "provider": request.entry.head.counterparty,
        "request": request.entry.reference,
        "purpose": request.entry.said.purpose,
        "state": state,
        "standing": request_standing(request).key,
        "answer": reference_json(answer),
    }
