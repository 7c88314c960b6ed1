"""The inventory of systems: what bureaus run, and whether anybody is recorded to use it.

    {"systems": [{"bureau": "data-office", "system": "OLD-PORTAL", "name", "project", "operator", "approved_on",
     "accepted_on", "replaces", "reference": "data-office#5", "use": "unused", "known_since": "2026-05-01",
     "used_until": null, "operations": 0, "exchanged_on": null, "retired": "data-office#9" or null}]}

`use` is `retired`, `used`, `unused` (an absence within the coverage, since `known_since`) or `not-covered`: nothing is
said of the use of a system whose bureau's ledger was not read whole. Registration and use alike are the bureau's own
word; days are local days.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from tallystick.audit.seen import Seen
from tallystick.audit.views.systems import System


def systems(seen: Seen, bureau: str = "") -> list[System]:
    """The systems of one bureau or all, by bureau and code."""
    return [system for _, system in sorted(seen.systems.systems.items()) if bureau in ("", system.bureau)]


def use(system: System, seen: Seen) -> str:
    """How it stands, in one word."""
    if system.retired is not None:
        return "retired"
    if system.used_until is not None:
        return "used"
    return "unused" if system.bureau in seen.as_of.covered else "not-covered"


def system_json(system: System, seen: Seen) -> dict[str, Any]:
    """One system."""
    said = system.entry.said
    return {
        "bureau": system.bureau,
        "system": system.code,
        "name": said.name,
        "project": said.project or None,
        "operator": said.operator or None,
        "approved_on": said.approved_on or None,
        "accepted_on": said.accepted_on or None,
        "replaces": said.replaces or None,
        "reference": system.entry.reference,
        "use": use(system, seen),
        "known_since": system.known_since.isoformat(),
        "used_until": _day(system.used_until),
        "operations": system.operations,
        "exchanged_on": _day(system.exchanged_on),
        "retired": None if system.retired is None else system.retired.reference,
    }


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
