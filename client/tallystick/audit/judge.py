"""An audit: one causal pass in which every record is shown to its rules, and what is found is weighed by the charter.

Judged as of a moment, the end of a day: what was recorded later is verified and not folded. The same charter, coverage
and day give the same findings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator

import tallystick.audit.rules as _rules
from tallystick.audit.coverage import Coverage
from tallystick.audit.entry import On
from tallystick.audit.finding import Absence, Finding, Standing
from tallystick.audit.pass_ import BrokenReference
from tallystick.audit.rule import Bench
from tallystick.audit.seen import Seen
from tallystick.audit.views.view import AsOf
from tallystick_proto.v1.statement_pb2 import ResourceDeclared

__all__ = ["folded", "judge"]

assert _rules  # importing them enters them

# What a later entry of the same supersedes is judged as it stands at the end: a view yields it then.
_JUDGED_AT_THE_END = (ResourceDeclared,)


def folded(records: Iterable[object], seen: Seen, until_us: int) -> Iterator[object]:
    """Fold what was recorded before a moment; every record for the rules, those the end settles aside."""
    for record in records:
        if not isinstance(record, On):
            if not isinstance(record, BrokenReference) or record.entry.recorded_at_us < until_us:
                yield record
        elif record.recorded_at_us < until_us:
            if not isinstance(record.said, _JUDGED_AT_THE_END):
                yield record
            yield from seen.fold(record)


def judge(
    records: Iterable[object],
    seen: Seen,
    coverage: Coverage,
    bench: Bench,
    until_us: int,
    *,
    watching: Callable[[object], None] | None = None,
) -> list[Finding]:
    """Everything the rules find, the worst first. `coverage` is filled as the records are taken.

    `watching` is shown every record the rules are shown, for who keeps more of them than the views do.
    """
    seen.as_of = AsOf(until_us, frozenset(), {})  # nothing is covered yet
    for view in (
        seen.closings,
        seen.suspensions,
        seen.witness_times,
        seen.histories,
        seen.charters,
        seen.recoveries,
    ):
        view.begin(coverage)
    found: dict[Hashable, Finding] = {}
    absent: dict[Hashable, Absence] = {}

    def show(record: object) -> None:
        if watching is not None:
            watching(record)
        for rule, each in bench.judge(record, seen):
            finding = Finding.of(rule.id, seen.rulebook.severity(rule.id), rule.standing, each)
            key = finding.id if each.once is None else (rule.id, finding.bureau, each.once, each.absent_on)
            if key in found:
                found[key].times += 1
            else:
                found[key] = finding
                if each.absent_on is not None:
                    absent[key] = each.absent_on

    for record in folded(_counting(records, coverage, until_us), seen, until_us):
        show(record)
    seen.histories.disbelieve()
    settled = {ledger.origin: ledger.settled for ledger in coverage.ledgers}
    sizes = {ledger.bureau: ledger.size for ledger in coverage.ledgers}
    as_of = AsOf(until_us, coverage.complete, settled, sizes)
    for record in seen.finish(as_of):
        show(record)
    for key, absence in absent.items():
        if absence.index >= sizes.get(absence.bureau, 0) and absence.by is not None and as_of.is_settled(absence.by):
            found[key].standing, absence = Standing.ABSENT, Absence(absence.bureau)
        if not as_of.covers(found[key].rule, absence.bureau, absence.index):
            del found[key]
    coverage.left_open = dict(seen.obligations.left_open)
    coverage.unjudged = _unjudged(as_of, coverage)
    uncovered = {year for year in seen.obligations.years if not seen.rulebook.calendar.covers(year)}
    coverage.years = tuple(sorted(uncovered.union(coverage.years)))
    return sorted(found.values(), key=lambda finding: finding.order)


def _counting(records: Iterable[object], coverage: Coverage, until_us: int) -> Iterator[object]:
    """The records, of which those are counted that were recorded too late to be folded."""
    by_origin = {ledger.origin: ledger for ledger in coverage.ledgers}
    for record in records:
        if isinstance(record, On) and record.recorded_at_us >= until_us:
            by_origin[record.place.origin].later += 1
        yield record


def _unjudged(as_of: AsOf, coverage: Coverage) -> dict[tuple[str, str], int]:
    """What was not judged, by rule and bureau; under "" that of all names for which the charter has no ledger."""
    known = {ledger.bureau for ledger in coverage.ledgers}
    counted: Counter[tuple[str, str]] = Counter()
    for (rule, bureau), count in as_of.unjudged.items():
        counted[rule, bureau if bureau in known else ""] += count
    return dict(counted)
