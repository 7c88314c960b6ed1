"""What is owed: every answer that one bureau owes another and has not given, by when it is due.

    {"owed": [{"bureau": "market-regulation", "to": "taxation" or null, "rule": "request-overdue",
     "reference": "taxation#1042", "resource": "SCJG-0012" or null, "version", "derived", "exchange", "since": "…Z",
     "served": "cosigned", "due": "2027-03-23" or null, "late": true, "late_days": 2,
     "paused_by": ["market-regulation#9"], "standing": "absent",
     "closed": {"bureau": "market-regulation", "version": 3, "successor": "market-2" or null} or null,
     "suspended": 4 or null}]}

`served` says how it is known since when its clock runs: cosigned, acknowledged, deemed, witnessed, as-recorded, by-word
or brought-in. `rule` is the finding it becomes when it is late, and `standing` how far that would be proven: that
something was sent is one side's word, that no answer came an absence within the coverage. `derived` is a version that
must be corrected because `version` was recalled. `closed` is set where who owes was closed, and can answer no more, or
whom it is owed to, and can be answered no more: `late` says whether it was late then, and of the latter what was not is
left out. `suspended` is the version of the charter by which who owes can record nothing now: its clock stands still,
and `late` says whether it was late before. Nothing is said of a bureau whose ledger was not read whole, since its
answer may stand there.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from tallystick.audit.questions.entries import closing_json
from tallystick.audit.rule import RULES
from tallystick.audit.seen import Seen
from tallystick.audit.views.owed import Owed
from tallystick.core.moments import moment_json


def owing(seen: Seen, bureau: str = "", to: str = "") -> list[Owed]:
    """What is owed by one bureau, to one, or by and to all: the earliest due first, what has no deadline last."""
    found = [
        owed
        for owed in seen.obligations.open()
        if owed.bureau in seen.as_of.covered
        and _stands(owed)
        and bureau in ("", owed.bureau)
        and to in ("", owed.creditor)
    ]
    return sorted(
        found, key=lambda owed: (owed.deadline_us is None, owed.deadline_us or 0, owed.opened.place, owed.bureau)
    )


def due_day(owed: Owed, seen: Seen) -> date | None:
    """The last day on which an answer is in time; None where there is no deadline, or its clock stands still."""
    return None if owed.deadline_us is None else seen.rulebook.calendar.day_of(owed.deadline_us - 1)


def paused_by(owed: Owed, seen: Seen) -> list[str]:
    """The open clarifications for which the clock stands still; none where it ran out before they were asked."""
    if owed.late or owed.closing is not None:
        return []
    return [seen.reference(place.origin, place.index) for place in owed.pauses.open]


def owed_json(owed: Owed, seen: Seen) -> dict[str, Any]:
    """One answer that is owed."""
    head, due = owed.opened.head, due_day(owed, seen)
    return {
        "bureau": owed.bureau,
        "to": owed.creditor or None,
        "rule": owed.rule,
        "reference": owed.opened.reference,
        "resource": owed.opened.code or None,
        "version": head.version or None,
        "derived": owed.derived_version or None,
        "exchange": head.exchange.hex() or None,
        "since": moment_json(owed.served_us),
        "served": owed.served.name.lower().replace("_", "-"),
        "due": None if due is None else due.isoformat(),
        "late": owed.late,
        "late_days": owed.late_days,
        "paused_by": paused_by(owed, seen),
        "standing": RULES[owed.rule].standing.name.lower().replace("_", "-"),
        "closed": closing_json(owed.closing),
        "suspended": None if owed.suspended is None else owed.suspended.version,
    }


def _stands(owed: Owed) -> bool:
    """A promise of updates goes with the declaration that made it; whatever else was opened is owed until it is met, or
    lapses."""
    return not owed.lapsed and (owed.obligation.within is not None or owed.deadline_us is not None)
