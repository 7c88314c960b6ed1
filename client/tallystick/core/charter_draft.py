"""The next version of a charter, from the one before and what is to change; and what changes from one to another.

Edits are TOML in the charter's own form. A table is merged into the one that stands there, anything else takes its
place; bureaus are merged by id, and none can be taken out. Version, `previous` and the retired keys follow from the
version before and are not edited. `issued` is now, where the edits say nothing else.

    expires = 2028-11-01T00:00:00+08:00

    [[bureau]]                                          # an id that is there: only what changes
    id = "market-regulation"
    ledger_key = "pudong.example/market-regulation+…"   # the old key is retired, at the floor
    floor = { size = 88120, root = "…" }
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from tallystick.core.charter import Bureau, Charter, Floor
from tallystick.core.charter_chain import Version, check_next, retired_between
from tallystick.core.charter_note import HEADER, format_charter, parse_charter
from tallystick.core.errors import MalformedCharter
from tallystick.core.quorum import Quorum
from tallystick.core.toml_text import parse_toml

_BY_ID = ("bureau", "auditor")


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs: where it stands, and what stood and stands there; empty for nothing."""

    place: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class QuorumChange:
    """A ledger whose quorum is another than before, which no line of the charter need say; None for none."""

    ledger: Bureau
    before: Quorum | None
    after: Quorum | None


def draft(before: Version, edits: str, issued: datetime, floors: Mapping[str, Floor] | None = None) -> str:
    """The text of the version after `before`, not yet signed. Raises MalformedCharter or CharterMismatch, saying what
    does not read or cannot follow.

    `floors`, by bureau, are pinned where the edits do not pin another.
    """
    raw = tomllib.loads(format_charter(before.charter).removeprefix(HEADER))
    try:
        asked = parse_toml(edits)
    except ValueError as error:
        raise MalformedCharter(str(error), where="edits", expected="TOML, in the charter's own form") from None
    given: list[str] = [name for name in ("version", "previous") if name in asked]
    bureaus = asked.pop("bureau", [])
    if not isinstance(bureaus, list) or not all(isinstance(each, dict) and "id" in each for each in bureaus):
        raise MalformedCharter("a bureau without an id", where="edits", expected="[[bureau]] with an id")
    given += [f"retired of {each['id']}" for each in bureaus if "retired" in each]
    if given:
        raise MalformedCharter(
            f"{', '.join(given)}: not edited", where="edits", expected="what the version before says"
        )
    raw["issued"] = issued
    _merge(raw, asked)
    raw["version"] = before.number + 1
    raw["previous"] = before.digest
    roster = {bureau["id"]: bureau for bureau in raw["bureau"]}
    for bureau, floor in (floors or {}).items():
        roster[before.charter.by_id(bureau).id]["floor"] = msgspec.to_builtins(floor)
    for each in bureaus:
        if not isinstance(each["id"], str):
            raise MalformedCharter("a bureau's id is no text", where="edits", expected="an id")
        _merge(roster.setdefault(each["id"], {}), each)
    raw["bureau"] = list(roster.values())
    try:
        charter = msgspec.convert(raw, Charter)
    except msgspec.ValidationError as error:
        raise MalformedCharter(str(error), where="edits", expected="what a charter has") from None
    text = format_charter(_retiring(before.charter, charter))
    check_next([before], parse_charter(text))
    return text


def _retiring(before: Charter, after: Charter) -> Charter:
    known = {bureau.id: bureau for bureau in before.bureau}
    roster = []
    for bureau in after.bureau:
        was = known.get(bureau.id)
        gone = [] if was is None else retired_between(was, bureau)
        roster.append(msgspec.structs.replace(bureau, retired=(*bureau.retired, *gone)))
    return msgspec.structs.replace(after, bureau=tuple(roster))


def _merge(into: dict[str, Any], edits: dict[str, Any]) -> None:
    for key, value in edits.items():
        there = into.get(key)
        if isinstance(value, dict) and isinstance(there, dict):
            _merge(there, value)
        else:
            into[key] = value


def changes(before: Charter, after: Charter) -> list[Change]:
    """What differs, in the order of the later charter, then what is gone; bureaus and auditors go by their ids.

    A certificate authority goes by its fingerprint, and is said with its term.
    """
    old, new = dict(_values("", _raw(before))), dict(_values("", _raw(after)))
    places = [*new, *(place for place in old if place not in new)]
    return [
        Change(place, old.get(place, ""), new.get(place, ""))
        for place in places
        if old.get(place, "") != new.get(place, "")
    ]


def quorum_changes(before: Charter, after: Charter) -> list[QuorumChange]:
    """The ledgers of the later charter whose quorum differs, in its order. One that is new had none."""
    known = {bureau.id: before.quorum_of(bureau) for bureau in before.bureau}
    found = [QuorumChange(each, known.get(each.id), after.quorum_of(each)) for each in after.ledgers]
    return [change for change in found if change.before != change.after]


def _raw(charter: Charter) -> dict[str, Any]:
    raw = tomllib.loads(format_charter(charter))
    for each, party in zip((*raw["bureau"], *raw.get("auditor", [])), charter.parties, strict=True):
        if party.authorities:
            each["certificate_authority"] = [str(authority) for authority in party.authorities]
    return raw


def _values(place: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _values(f"{place} {key}" if place else key, inner)
    elif isinstance(value, list) and place in _BY_ID:
        for each in value:
            yield from _values(f"{place} {each['id']}", each)
    elif isinstance(value, list):
        for position, each in enumerate(value, 1):
            yield from _values(f"{place} {position}", each)
    else:
        yield place, value.isoformat() if hasattr(value, "isoformat") else str(value)
