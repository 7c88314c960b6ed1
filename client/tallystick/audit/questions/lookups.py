"""Lookups: who used data, when, for what; of one officer, within some hours, of one subject.

    {"lookups": [{"reference": "taxation#1042", "bureau", "happened_at": "…Z", "officer": "taxation:o-7f3a" or null,
     "actor": "taxation:gateway", "resource", "version", "purpose", "case", "system", "rows", "subject": true}],
     "subject": [{"bureau": "taxation", "committed": 150, "matching": 1, "opened": 150, "unopened": 0}] or null}

Each is its bureau's own word, by the officer a system acted for, or by whoever signed for himself; when it happened is
theirs to say. `subject` of a lookup says whether it was about somebody at all. Asked for one subject, only entries are
listed that were opened and hold it; what the node says of the others, `opened` less `matching` of other subjects and
`unopened` with nothing to open them, is its word, held against `committed`, the count of a full pass.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import time
from typing import Any, Final, NamedTuple, Self

from tallystick.audit.entry import On
from tallystick.audit.inquiry import Find, Inquiry
from tallystick.audit.rulebook import within
from tallystick.core.calendar import Calendar
from tallystick.core.errors import Usage
from tallystick.core.identifiers import split_actor
from tallystick.core.kinds import BY_NAME
from tallystick.core.moments import moment_json
from tallystick_proto.v1.statement_pb2 import DataUsed

SUBJECT: Final = f"{BY_NAME['DataUsed'].field}.subject"

_HOURS: Final = re.compile(r"([01]?[0-9]|2[0-3])(?::([0-5][0-9]))?")


class Hours(NamedTuple):
    """Some hours of every day, which may pass midnight; the end is not among them."""

    begin: time
    end: time

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `22-06` or `22:30-06:00`; 24 is midnight. Raises Usage."""
        parts = [_HOURS.fullmatch("0" if part == "24" else part) for part in text.split("-")]
        times = [time(int(part[1]), int(part[2] or 0)) for part in parts if part is not None]
        if len(parts) != 2 or len(times) != 2 or times[0] == times[1]:
            raise Usage(f"{text[:40]!r} are no hours", where="--hours", expected="two times of day as 22-06")
        return cls(*times)

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"


def inquire(officer: str) -> Inquiry:
    """Everything an officer looked up: systems for him, or he himself, which stands on his own bureau's ledger."""
    yield Find.of(DataUsed, officer=officer)
    yield Find.of(DataUsed, bureau=split_actor(officer).bureau, actor=officer)


def officer_of(entry: On[DataUsed]) -> str:
    """Who looked: the officer a system acted for, else whoever signed."""
    return entry.head.officer or entry.head.actor


@dataclass(slots=True)
class Lookups:
    """Keeps the lookups wanted as a pass goes by, and counts, by bureau, those that commit to a subject.

    With `keep` off only the counts are kept: which are of one subject, no ledger says. `ends` is the size up to which
    each ledger was folded.
    """

    calendar: Calendar
    officer: str = ""
    hours: Hours | None = None
    keep: bool = True
    entries: list[On[DataUsed]] = field(default_factory=list)
    committed: Counter[str] = field(default_factory=Counter)
    ends: dict[str, int] = field(default_factory=dict)
    of_officer: int = 0

    def __call__(self, record: object) -> None:
        """See one record of the pass."""
        if not isinstance(record, On):
            return
        # A declaration is shown when it is settled, after what was recorded since.
        self.ends[record.bureau] = max(self.ends.get(record.bureau, 0), record.place.index + 1)
        if isinstance(record.said, DataUsed):
            self.committed[record.bureau] += bool(record.said.subject)
            if self.keep:
                self.take(record)

    def take(self, entry: On[DataUsed]) -> None:
        """Keep a lookup if it is wanted."""
        if self.officer in ("", officer_of(entry)):
            self.of_officer += 1
            at = self.calendar.hour_of(entry.happened_at_us)
            if self.hours is None or within(at, *self.hours):
                self.entries.append(entry)

    @property
    def found(self) -> list[On[DataUsed]]:
        """The lookups wanted, as they happened."""
        return sorted(self.entries, key=lambda entry: (entry.happened_at_us, entry.place))


def lookups_json(found: Iterable[On[DataUsed]]) -> list[dict[str, Any]]:
    """The lookups for programs."""
    return [
        {
            "reference": entry.reference,
            "bureau": entry.bureau,
            "happened_at": moment_json(entry.happened_at_us),
            "officer": entry.head.officer or None,
            "actor": entry.head.actor,
            "resource": entry.code or None,
            "version": entry.head.version or None,
            "purpose": entry.said.purpose,
            "case": entry.head.case.hex() or None,
            "system": entry.head.system or None,
            "rows": entry.said.rows,
            "subject": bool(entry.said.subject),
        }
        for entry in found
    ]
