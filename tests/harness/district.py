"""A district in memory: bureaus that say things on the days a test chooses, and an audit of all they said.

Entries are composed, chained and read as a lawful ledger's are, and folded by the audit's own pass; only signatures are
left out, which `audit/strand` checks and its own tests are about. Everything that a test does not choose is lawful.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from itertools import islice
from typing import Any

from msgspec.structs import replace

from tallystick.audit.coverage import CharterFork, Coverage, LedgerCoverage
from tallystick.audit.entry import On, Place, on_entry
from tallystick.audit.finding import Finding
from tallystick.audit.inquiry import Cited, Find, HeldLeaves, Inquiry, answer
from tallystick.audit.judge import judge
from tallystick.audit.pass_ import Pass
from tallystick.audit.roots import Roots
from tallystick.audit.rule import Bench
from tallystick.audit.rulebook import Rulebook
from tallystick.audit.seen import EXCHANGES_KEPT, Seen
from tallystick.audit.strand import Fault
from tallystick.audit.suspension import Suspension
from tallystick.audit.words import Words
from tallystick.core.acknowledged import Acknowledged
from tallystick.core.charter import Bureau, Name
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.closing import Closing
from tallystick.core.compose import compose, place
from tallystick.core.entry import decode_entry, encode_at, encode_entry, encode_signed
from tallystick.core.hashing import chain_hash, genesis_hash, leaf_hash
from tallystick.core.history import Recorded
from tallystick.core.merkle import root_of
from tallystick.core.statement import read
from tallystick.core.terms import Term, terms_of
from tallystick.core.witnessing import Witnessed
from tallystick.sdk.verbs import Verbs
from tallystick_node.cluster.roster import credit_code
from tallystick_proto.v1.entry_pb2 import Signature
from tallystick_proto.v1.statement_pb2 import Ref, Statement
from tests.harness.ledger_maker import LedgerMaker, charter_of
from tests.harness.rosters import observing

ZONE = timezone(timedelta(hours=8))
BEGIN = date(2027, 3, 1)  # a Monday
RULEBOOK: dict[str, Any] = {
    "time_zone": "UTC",
    "holidays": [date(2027, 4, 5)],
    "deadlines": {
        "answer_request": 10,
        "serve_grant": 5,
        "acknowledge_delivery": 2,
        "answer_concern": 10,
        "heed_recall": 2,
        "accept_duty": 5,
        "deemed_service": 2,
    },
    "purposes": ["tax-registration", "joint-supervision"],
    "hollow_words": ["private", "NA", "无"],
    "thresholds": {
        "late_record_hours": 72,
        "period_days": 180,
        "never_granted_requests": 3,
        "bulk_uses_per_day": 20,
        "zombie_days": 180,
        "night": {"from": time(22), "until": time(6)},
    },
    "rule": {"sent-not-received": {"severity": "serious"}, "night-use": {"severity": "note"}},
}


@dataclass(frozen=True, slots=True)
class Said:
    """Something a bureau said, to be cited by what answers it."""

    reference: str
    ref: Ref
    version_ref: str


class Desk(Verbs[Said]):
    """One bureau of a district: every verb puts an entry on its ledger at the district's moment."""

    def __init__(self, district: District, bureau: Bureau) -> None:
        self.district = district
        self.bureau = bureau
        self.entries: list[bytes] = []
        self._prev = genesis_hash(bureau.origin)
        self._indexed: list[tuple[On[Any], frozenset[Term]]] = []

    def _say(self, kind: str, values: dict[str, object]) -> Said:
        draft = compose(kind, f"{self.bureau.id}:{values.pop('by', 'clerk')}", values)
        place(draft, self.bureau.origin, self._submission, 0, lambda: bytes(32))
        return self.put(draft.statement.SerializeToString())

    @property
    def _submission(self) -> bytes:
        return len(self.entries).to_bytes(16, "big")

    def put(self, statement: bytes) -> Said:
        """Any statement's bytes, as who has the ledger's keys and its disk may put them there."""
        index = len(self.entries)
        signature = Signature(submission_id=self._submission, count=1, key=bytes(32), signature=bytes(64))
        at = encode_at(self.district.now_us)
        entry = encode_entry(index, self._prev, at, statement, encode_signed(signature))
        self._prev = chain_hash(entry)
        self.entries.append(entry)
        ref = Ref(origin=self.bureau.origin, index=index, leaf=leaf_hash(entry))
        return Said(f"{self.bureau.id}#{index}", ref, Statement.FromString(statement).head.version)

    def say(self, kind: str, **values: object) -> Said:
        """Any kind, by name or verb; `by` names the actor, the clerk unless given."""
        return self._say(kind, values)

    def indexed(self) -> list[tuple[On[Any], frozenset[Term]]]:
        """What stands on its ledger, each entry with the terms that an index knows it by."""
        for entry in self.on_entries(len(self._indexed)):
            assert isinstance(entry, On)
            self._indexed.append((entry, frozenset(terms_of(entry.read.statement))))
        return self._indexed

    def on_entries(self, first: int = 0) -> Iterator[On[Any] | Fault]:
        """What stands on its ledger, as the audit's pass takes it."""
        for raw in self.entries[first:]:
            entry = decode_entry(raw)
            found = on_entry(self.bureau.id, self.bureau.origin, Recorded(entry, read(entry.statement)))
            if found is not None:
                yield found


class District:
    """Bureaus by id, and the moment at which they speak: `on("2027-03-09")`, `on("2027-03-09", 23)`.

    An audit reads nothing of the ledgers `uncovered`, and of those in `read_up_to` only so many entries; what stands
    above `settled_up_to` was recorded after the other ledgers were read. `observers` are bureaus without a ledger. An
    audit that asks at `asked_us` is shown what is `cosigned`; `versions`, `closings`, `suspensions`, `charter_forks`,
    `acknowledged` are what the auditor's client keeps. Ledgers name `witnesses`, or are witnessed by everybody.
    """

    def __init__(
        self,
        *bureaus: str,
        rulebook: dict[str, Any] | None = None,
        observers: Sequence[str] = (),
        witnesses: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.rulebook = Rulebook.parse(RULEBOOK if rulebook is None else rulebook, ZONE)
        offices = [
            replace(_called(bureau, number), witnesses=(witnesses or {}).get(bureau, ()))
            for number, bureau in enumerate((*bureaus, *observers), 1)
        ]
        self.charter = charter_of(*offices[: len(bureaus)], *map(observing, offices[len(bureaus) :]))
        self.desks = {bureau.id: Desk(self, bureau) for bureau in self.charter.ledgers}
        self.uncovered: set[str] = set()
        self.read_up_to: dict[str, int] = {}
        self.settled_up_to: dict[str, int] = {}
        self.exchanges_kept = EXCHANGES_KEPT
        self.versions: dict[int, str] = {}
        self.charter_forks: tuple[CharterFork, ...] = ()
        self.closings: tuple[Closing, ...] = ()
        self.suspensions: tuple[Suspension, ...] = ()
        self.acknowledged: dict[str, tuple[Acknowledged, ...]] = {}
        self.cosigned: dict[str, tuple[Witnessed, ...]] = {}
        self.asked_us: int | None = None
        self.now_us = 0
        self.on(BEGIN)

    def __getitem__(self, bureau: str) -> Desk:
        return self.desks[bureau]

    def on(self, day: str | date, hour: int = 10) -> None:
        """What is said from now on is recorded on that day, at that hour of the district's clock."""
        chosen = date.fromisoformat(day) if isinstance(day, str) else day
        self.now_us = round(datetime.combine(chosen, time(hour), ZONE).timestamp()) * 1_000_000

    def after(self, days: int) -> None:
        """So many days later, at the same hour."""
        self.now_us += days * 24 * 3600 * 1_000_000

    def look(
        self,
        on: str | date,
        rules: Iterable[str] | None = None,
        watching: Callable[[object], None] | None = None,
    ) -> tuple[list[Finding], Seen, Coverage]:
        """An audit as of the end of a day: findings, what was seen, and the coverage."""
        day = date.fromisoformat(on) if isinstance(on, str) else on
        covered = [desk for desk in self.desks.values() if desk.bureau.id not in self.uncovered]
        coverage = self._coverage(day, full=True)
        seen = Seen(self.charter, self.rulebook, self.exchanges_kept)
        roots = {ledger.bureau: ledger.roots for ledger in coverage.ledgers}
        strands = [_Strand(desk, self.read_up_to.get(desk.bureau.id), roots[desk.bureau.id]) for desk in covered]
        records = Pass(strands, HeldLeaves()).records()
        end_us = self.rulebook.calendar.end_us(day)
        found = judge(records, seen, coverage, Bench(rules), end_us, watching=watching)
        return found, seen, coverage

    def find(self, wanted: Find | Cited, until_us: int) -> Iterator[On[Any]]:
        """What honest indexes answer of what was recorded before a moment."""
        for desk in self.desks.values():
            if desk.bureau.id in self.uncovered:
                continue
            if isinstance(wanted, Cited):
                here = Place(wanted.ref.origin, wanted.ref.index)
                there = (entry for entry, _ in desk.indexed() if entry.place == here)
                yield from (entry for entry in there if entry.recorded_at_us < until_us)
            elif wanted.bureau in ("", desk.bureau.id):
                for terms in wanted.each_kind():
                    carrying = [entry for entry, carried in desk.indexed() if carried.issuperset(terms)]
                    if wanted.newest_first:
                        carrying.reverse()
                    yield from wanted.taken(carrying, until_us)

    def ask(
        self, inquiry: Inquiry, on: str | date, watching: Callable[[object], None] | None = None
    ) -> tuple[Seen, Coverage]:
        """What honest indexes answer to an inquiry as of the end of a day: what was seen, and the coverage."""
        day = date.fromisoformat(on) if isinstance(on, str) else on
        coverage = self._coverage(day, full=False)
        seen = Seen(self.charter, self.rulebook, None)
        end_us = self.rulebook.calendar.end_us(day)
        answer(inquiry, lambda wanted: self.find(wanted, end_us), seen, coverage, end_us, watching)
        return seen, coverage

    def audit(self, on: str | date, rules: Iterable[str] | None = None) -> list[Finding]:
        """The findings of an audit as of the end of a day."""
        return self.look(on, rules)[0]

    def sentence(self, finding: Finding, language: str) -> str:
        """What a finding says."""
        return Words(self.charter, language).sentence(finding)

    def _coverage(self, day: date, *, full: bool) -> Coverage:
        ledgers = [self._ledger(desk) for desk in self.desks.values()]
        for ledger in ledgers:
            ledger.acknowledged = self.acknowledged.get(ledger.bureau, ())
            ledger.cosigned = None if self.asked_us is None else self.cosigned.get(ledger.bureau)
        coverage = Coverage(self.charter.name, 1, "", day, full, ledgers, asked_us=self.asked_us)
        coverage.versions, coverage.charter_forks = self.versions, self.charter_forks
        coverage.closings, coverage.suspensions = self.closings, self.suspensions
        return coverage

    def _ledger(self, desk: Desk) -> LedgerCoverage:
        size = len(desk.entries)
        if desk.bureau.id in self.uncovered:
            return LedgerCoverage(desk.bureau.id, desk.bureau.origin, gap="nobody answers")
        checkpoint = Checkpoint(desk.bureau.origin, size, root_of([leaf_hash(raw) for raw in desk.entries]))
        read = self.read_up_to.get(desk.bureau.id)
        if read is not None:
            return LedgerCoverage(desk.bureau.id, desk.bureau.origin, checkpoint, checked=read, gap="it stops there")
        settled = self.settled_up_to.get(desk.bureau.id, size)
        return LedgerCoverage(desk.bureau.id, desk.bureau.origin, checkpoint, settled=settled, checked=size)


def _called(bureau: str, number: int) -> Bureau:
    """Told apart in both languages, and by the organisation."""
    name = Name(zh=f"{bureau}局", en=f"Bureau of {bureau}")
    return replace(LedgerMaker(bureau=bureau).bureau, name=name, credit_code=credit_code(number))


@dataclass(frozen=True, slots=True)
class _Strand:
    desk: Desk
    read_up_to: int | None
    roots: Roots

    def entries(self) -> Iterator[On[Any] | Fault]:
        for raw in self.desk.entries:
            self.roots.add(leaf_hash(raw))
        return islice(self.desk.on_entries(), self.read_up_to)

    def leaf(self, index: int) -> bytes | None:
        return leaf_hash(self.desk.entries[index]) if index < len(self.desk.entries) else b""
