"""Who answers for something on a day: for a resource, a version, a system, a matter or a bureau, duty by duty.

    {"asked": "310115-GH-03", "day": "2027-03-09", "over": [{"what": "matter", "value": "310115-GH-03",
     "answers": [{"duty": "approver", "bureau": "planning", "unit": "审批处" or "", "how": "accepted", "standing":
      "proven", "since": "2027-03-09" or null, "references": ["planning#5", "planning#6"], "closed": {"bureau":
      "planning", "version": 3, "successor": "planning-2" or null} or null}],
     "assigned": [{"duty", "holder", "by", "unit", "since", "until", "ended", "assigned": "planning#5", "accepted":
      "planning#6" or null, "declined", "released"}]}]}

`how` somebody answers is *accepted*, in their own words; *assigned*, in another's, when no acceptance was shown;
*until-accepted*: it ended, and nobody was shown to have accepted it since, for nobody is released before; *instead*:
nobody was shown to supervise what is approved, so the steward's bureau answers, its chief's, or the bureau; *declared*,
*provided* and *registered*, by who says of itself that it did. Who is `closed` by then answers no more, its successor
once that says so itself. `assigned` is every duty over it, in the order in which they were assigned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any, Final

from tallystick.audit.entry import On
from tallystick.audit.finding import Standing
from tallystick.audit.inquiry import Find, Inquiry, answers_to
from tallystick.audit.questions.entries import closing_json, reference_json
from tallystick.audit.seen import Seen
from tallystick.audit.views.duties import Duty, Scope, scope_of
from tallystick.core.identifiers import check_resource_code, parse_version_ref
from tallystick_proto.v1.statement_pb2 import (
    DutyAnswered,
    DutyAssigned,
    DutyReleased,
    ResourceDeclared,
    ResourceWithdrawn,
    SystemRegistered,
    SystemRetired,
    VersionProvided,
)

_CHAIN: Final = (
    DutyAssigned.PRODUCER,
    DutyAssigned.STEWARD,
    DutyAssigned.APPROVER,
    DutyAssigned.SUPERVISOR,
    DutyAssigned.CHIEF,
)


class How(Enum):
    """By what somebody answers."""

    ACCEPTED = "accepted"
    ASSIGNED = "assigned"
    UNTIL_ACCEPTED = "until-accepted"
    INSTEAD = "instead"
    DECLARED = "declared"
    PROVIDED = "provided"
    REGISTERED = "registered"


@dataclass(frozen=True, slots=True)
class Named:
    """What was asked about: a name that may be several things' at once. `version` is "" where none was named."""

    text: str
    code: str
    version: str

    @classmethod
    def parse(cls, text: str) -> Named:
        """A code, a system, a matter, a bureau, or `CODE@VERSION`. Raises InvalidIdentifier."""
        if "@" in text:
            return cls(text, parse_version_ref(text).code, text)
        return cls(text, check_resource_code(text), "")

    def scopes(self) -> tuple[Scope, ...]:
        """Everything of that name that a duty may be over."""
        if self.version:
            return (Scope("resource", self.code),)
        return tuple(Scope(what, self.text) for what in ("resource", "system", "matter", "bureau"))


@dataclass(frozen=True, slots=True)
class Answering:
    """Who answers for one duty, by what, how far that is proven, and the entries that say so, the oldest first."""

    duty: DutyAssigned.Duty.ValueType
    bureau: str
    how: How
    standing: Standing
    references: tuple[str, ...]
    unit: str = ""
    since: date | None = None

    @property
    def duty_name(self) -> str:
        """The duty, as its enum calls it, in lower case."""
        return DutyAssigned.Duty.Name(self.duty).lower()


@dataclass(frozen=True, slots=True)
class Over:
    """One thing of the name that was asked about: who answers for it, and every duty over it."""

    scope: Scope
    answers: tuple[Answering, ...]
    assigned: tuple[Duty, ...]


def inquire(named: Named) -> Inquiry:
    """The duties over what is named and what became of them, who says it is theirs, and who answers in their stead."""
    approving: dict[str, None] = {}
    for what, value in named.scopes():
        found = () if what == "bureau" else (yield Find.of(DutyAssigned, **{what: value}))
        yield from _answers(found)
        approving.update((each.head.counterparty, None) for each in found if each.said.duty == DutyAssigned.APPROVER)
    yield Find.of(ResourceDeclared, ResourceWithdrawn, resource=named.code)
    if named.version:
        yield Find.of(VersionProvided, version=named.version)
    else:
        yield Find.of(SystemRegistered, SystemRetired, system=named.text)
        approving[named.text] = None
    for bureau in sorted(approving):
        held = yield Find.of(DutyAssigned, counterparty=bureau)
        yield from _answers(each for each in held if scope_of(each.head).what == "bureau")


def _answers(assigned: Iterable[On[Any]]) -> Inquiry:
    for each in assigned:
        yield answers_to(each, DutyAnswered, DutyReleased)


def who(named: Named, seen: Seen) -> tuple[Over, ...]:
    """Who answers on the day of the question for each thing of that name: a bureau, or what anything was shown of."""
    found = (Over(scope, tuple(_chain(named, scope, seen)), seen.duties.over(scope)) for scope in named.scopes())
    bureaus = {Scope("bureau", bureau.id) for bureau in seen.charter.bureau}
    return tuple(over for over in found if over.answers or over.assigned or over.scope in bureaus)


def _chain(named: Named, scope: Scope, seen: Seen) -> Iterator[Answering]:
    """Duty by duty, from who produces it to whose chief it is."""
    for duty in _CHAIN:
        own = _by_duty(scope, duty, seen)
        if own is not None:
            yield own
        elif duty == DutyAssigned.PRODUCER:
            yield from _by_own_word(named, scope, seen)
        elif duty == DutyAssigned.SUPERVISOR:
            yield from _instead(scope, seen)


def _by_duty(scope: Scope, duty: DutyAssigned.Duty.ValueType, seen: Seen) -> Answering | None:
    held, last = seen.duties.holding(scope, duty, seen.day), seen.duties.last_over(scope, duty, seen.day)
    if held is not None and held.accepted is not None:
        return _answering(held, How.ACCEPTED, Standing.PROVEN, held.entry, held.accepted)
    over = last is None or last.is_abolished or _is_instead(scope, duty, seen)
    if last is not None and last.accepted is not None and not over:
        ended = () if last.released is None else (last.released,)
        return _answering(last, How.UNTIL_ACCEPTED, Standing.NOT_COVERED, last.entry, last.accepted, *ended)
    if held is not None:
        standing = Standing.PROVEN if held.entry.bureau == held.holder else Standing.ONE_SIDE
        return _answering(held, How.ASSIGNED, standing, held.entry)
    return None


def _answering(duty: Duty, how: How, standing: Standing, *entries: On[Any]) -> Answering:
    references = tuple(entry.reference for entry in entries)
    return Answering(duty.duty, duty.holder, how, standing, references, duty.entry.said.unit, duty.since)


def _is_instead(scope: Scope, duty: DutyAssigned.Duty.ValueType, seen: Seen) -> bool:
    """Whether others answer where a supervisor is missing: for what is approved, not the last who supervised it."""
    approved = seen.duties.held_by_own_word(scope, DutyAssigned.APPROVER, seen.day) is not None
    return duty == DutyAssigned.SUPERVISOR and approved


def _instead(scope: Scope, seen: Seen) -> Iterator[Answering]:
    approver = seen.duties.held_by_own_word(scope, DutyAssigned.APPROVER, seen.day)
    if approver is not None:
        by = seen.duties.stands_in(scope, approver.holder, seen.day)
        last = seen.duties.last_over(scope, DutyAssigned.SUPERVISOR, seen.day)
        released = None if last is None else last.released
        said = (approver.entry, released, None if by is None else by.entry)
        references = tuple(entry.reference for entry in said if entry is not None)
        ended = None if last is None else last.ended_on(seen.day)
        since = approver.since if ended is None else max(approver.since, ended)
        bureau = (by or approver).holder
        yield Answering(DutyAssigned.SUPERVISOR, bureau, How.INSTEAD, Standing.NOT_COVERED, references, since=since)


def _by_own_word(named: Named, scope: Scope, seen: Seen) -> Iterator[Answering]:
    """Who produces data answers for it, and who registered a system for that: each said so of itself."""

    def own(bureau: str, how: How, reference: str, since_us: int, unit: str = "") -> Answering:
        since = seen.rulebook.calendar.day_of(since_us)
        return Answering(DutyAssigned.PRODUCER, bureau, how, Standing.PROVEN, (reference,), unit, since)

    if scope.what == "resource":
        for bureau in seen.catalogue.declarers(scope.value):
            declared = seen.catalogue.declared(bureau, scope.value)
            assert declared is not None
            yield own(bureau, How.DECLARED, declared.reference, declared.since_us, declared.said.steward)
        version = seen.catalogue.versions.get(named.version)
        if version is not None:
            yield own(version.bureau, How.PROVIDED, version.reference, version.provided_at_us)
    elif scope.what == "system":
        for system in seen.systems.systems.values():
            if system.code == scope.value and system.retired is None:
                said = system.entry
                yield own(system.bureau, How.REGISTERED, said.reference, said.since_us, said.said.operator)


def who_json(named: Named, found: Iterable[Over], seen: Seen) -> dict[str, Any]:
    """The answer for programs."""
    return {
        "asked": named.text,
        "day": seen.day.isoformat(),
        "over": [
            {
                "what": over.scope.what,
                "value": over.scope.value,
                "answers": [_answering_json(each, seen) for each in over.answers],
                "assigned": [_duty_json(each, seen) for each in over.assigned],
            }
            for over in found
        ],
    }


def _answering_json(answering: Answering, seen: Seen) -> dict[str, Any]:
    return {
        "duty": answering.duty_name,
        "bureau": answering.bureau,
        "unit": answering.unit,
        "how": answering.how.value,
        "standing": answering.standing.key,
        "since": _day(answering.since),
        "references": list(answering.references),
        "closed": closing_json(seen.closings.before(answering.bureau, seen.as_of.at_us)),
    }


def _duty_json(duty: Duty, seen: Seen) -> dict[str, Any]:
    return {
        "duty": duty.duty_name,
        "holder": duty.holder,
        "by": duty.entry.bureau,
        "unit": duty.entry.said.unit,
        "since": _day(duty.since),
        "until": _day(duty.until),
        "ended": _day(duty.ended_on(seen.day)),
        "assigned": duty.entry.reference,
        "accepted": reference_json(duty.accepted),
        "declined": reference_json(duty.declined),
        "released": reference_json(duty.released),
    }


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
