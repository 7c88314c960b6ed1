"""Who was shown what: of a ledger, of one entry, of what opens a subject's commitments, or by whom it was seen.

    {"shown": [{"at": "…Z", "to": "audit-office", "what": "data_used.subject", "ledger": "taxation", "first": 0,
     "count": 900, "how": "found", "entry": "taxation#5" or null, "bureau": "taxation", "reference": "taxation#1099"}],
     "opened": [{"bureau": "taxation", "committed": 12, "matching": 1, "opened": 12, "unopened": 0}] or null}

`what` is `entries`, or the path of the field that was opened. `how` is

    read       the entries themselves
    opened     what opens the field of the one entry
    searched   whether the field of any of these entries holds a value that the reader knew
    found      and that one of them does: `entry`, where the node that showed it opened which; else it is committed

Each line is the word of the `bureau` whose node showed it, at the entry `reference`; `ledger` is another's where it
showed a copy. `opened`, where one entry or a subject was asked about, says for each node that was asked which of its
commitments open to that, as `lookups` has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tallystick.audit.entry import On
from tallystick.audit.questions.lookups import SUBJECT
from tallystick.core.kinds import BY_NAME
from tallystick.core.moments import moment_json
from tallystick_proto.v1.statement_pb2 import DataUsed, RecordsShown

ENTRIES: Final = "entries"
FOUND: Final = f"{BY_NAME['RecordsShown'].field}.found"


@dataclass(frozen=True, slots=True)
class Showing:
    """What a node says that it showed: something of `count` entries of a bureau's ledger, from `first` on."""

    bureau: str
    reference: str
    to: str
    what: str
    ledger: str
    first: int
    count: int
    at_us: int
    how: str
    index: int | None = None  # of the one entry that was found, where that is known

    @property
    def range(self) -> range:
        """The entries of which something was shown."""
        return range(self.first, self.first + self.count)

    @property
    def entry(self) -> str | None:
        """The one entry of which something was opened or found; None where it is not one, or not known which."""
        if self.index is not None:
            return f"{self.ledger}#{self.index}"
        return f"{self.ledger}#{self.first}" if self.how == "opened" else None


def showings(entry: On[RecordsShown]) -> Iterator[Showing]:
    """What one entry says."""
    for each in entry.said.shown:
        if each.what == ENTRIES:
            how = "read"
        elif not each.searched:
            how = "opened"
        else:
            how = "found" if entry.said.found else "searched"
        yield Showing(
            entry.bureau,
            entry.reference,
            each.to,
            each.what,
            each.ledger or entry.bureau,
            each.first,
            each.count,
            each.at_us or entry.recorded_at_us,
            how,
        )


@dataclass(slots=True)
class Showings:
    """Keeps what was shown, as a pass goes by: of one ledger, of one entry in it, to one reader, or all of it.

    `to` is a reader as recorded (`taxation:clerk`), or a party, all of whose readers are meant. With `subject`, only
    what opened the subjects of lookups, until `only` says whose those were. What was found in a search, where one entry
    is asked about, is kept apart as `candidates` until their node opens which it was.

    By bureau: `committed` counts what is committed to in a field, by its path, and `ends` is the size up to which the
    ledger was folded.
    """

    ledger: str = ""
    index: int | None = None
    to: str = ""
    subject: bool = False
    kept: list[Showing] = field(default_factory=list)
    candidates: list[Showing] = field(default_factory=list)
    committed: dict[str, Counter[str]] = field(default_factory=lambda: {FOUND: Counter(), SUBJECT: Counter()})
    ends: dict[str, int] = field(default_factory=dict)

    def __call__(self, record: object) -> None:
        """See one record of the pass."""
        if not isinstance(record, On):
            return
        # A declaration is shown when it is settled, after what was recorded since.
        self.ends[record.bureau] = max(self.ends.get(record.bureau, 0), record.place.index + 1)
        if isinstance(record.said, DataUsed):
            self.committed[SUBJECT][record.bureau] += bool(record.said.subject)
        elif isinstance(record.said, RecordsShown):
            self.committed[FOUND][record.bureau] += bool(record.said.found)
            for each in showings(record):
                if self._is_wanted(each):
                    may_be = each.how == "found" and (self.subject or self.index is not None)
                    (self.candidates if may_be else self.kept).append(each)

    def only(self, entries: Collection[tuple[str, int]]) -> None:
        """Of what was opened, keep what was of these entries, by ledger and index."""
        self.kept = [each for each in self.kept if (each.ledger, each.first) in entries]

    def may_be(self, ledger: str, index: int) -> bool:
        """Whether any of the candidates may be of an entry."""
        return any(each.ledger == ledger and index in each.range for each in self.candidates)

    def open(self, references: Collection[str], index: int) -> None:
        """The statements at `references` are proven to be of the entry at an index."""
        self.kept += [replace(each, index=index) for each in self.candidates if each.reference in references]
        self.candidates = [each for each in self.candidates if each.reference not in references]

    def drop(self, bureau: str) -> None:
        """What a bureau's node found and was not proven to be of what is asked about is of something else."""
        self.candidates = [each for each in self.candidates if each.bureau != bureau]

    @property
    def found(self) -> list[Showing]:
        """What is kept, and what may be of what was asked about, in the order in which it was shown."""
        return sorted([*self.kept, *self.candidates], key=lambda each: (each.at_us, each.bureau, each.reference))

    def _is_wanted(self, each: Showing) -> bool:
        return (
            self.ledger in ("", each.ledger)
            and (self.index is None or self.index in each.range)
            and self.to in ("", each.to, each.to.partition(":")[0])
            and not (self.subject and (each.what != SUBJECT or each.how not in ("opened", "found")))
        )


def shown_json(found: Iterable[Showing]) -> list[dict[str, Any]]:
    """What was shown, for programs."""
    return [
        {
            "at": moment_json(each.at_us),
            "to": each.to,
            "what": each.what,
            "ledger": each.ledger,
            "first": each.first,
            "count": each.count,
            "how": each.how,
            "entry": each.entry,
            "bureau": each.bureau,
            "reference": each.reference,
        }
        for each in found
    ]
