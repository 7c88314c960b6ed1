"""The life of a finding from audit to audit: found, answered, closed (问题 → 整改 → 销号).

A finding keeps its id (`audit.finding`), so an earlier audit's JSON (`audit.earlier`) is enough to say what became of
each: *new* where the earlier one has none of that id, *still open* where it does, *answered* where the bureau that
answers has also said so on its ledger. One that is found no more is *closed*, provided that this audit could have found
it: its rule was judged, and the ledgers of its bureau and of the entries that showed it were read whole, and are those
that it was found on, grown. Else it is *not judged*, never closed, and carried on to the next audit as it was found.
Nor is what nobody put right ever closed: what is owed and was not answered, what a key once signed, an entry's date.

What is wrong with what a node showed as its ledger (`rollback`, `unreconciled`) is no matter of entries, and another
client may never be shown it again. So such a finding says which checkpoints no proof joined, and is closed by who reads
one ledger that has them all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from typing import Final

from tallystick.audit.coverage import Coverage, LedgerCoverage
from tallystick.audit.earlier import OldFinding, OldReport
from tallystick.audit.finding import OF_CHECKPOINTS, Finding, Standing, concerns
from tallystick.audit.obligations import OBLIGATIONS
from tallystick.audit.roots import Roots
from tallystick.audit.rule import RULES
from tallystick.audit.seen import Seen
from tallystick.audit.views.duties import Gap
from tallystick.core.errors import Usage
from tallystick.core.identifiers import NOBODY, EntryRef, parse_entry_ref

# By rule, the deadline without which it does not judge, by the rulebook's name for it.
_WITHIN: Final = {row.rule: row.within for row in OBLIGATIONS}

# What a key signed stays signed, and an entry dated as it is. Where that is found no more its proof is not at hand, the
# charter gave the key up, or what is shown of cosignatures now bounds the entry's moment less tightly.
_FOR_GOOD: Final = frozenset({"equivocation", "witness-inconsistent", "acknowledged-lost", "clock-skew"})


class Life(Enum):
    """Where a finding stands since an earlier audit."""

    NEW = ("new", "新增")
    OPEN = ("still open", "未整改")
    ANSWERED = ("answered, still found", "已答复，仍存在")
    CLOSED = ("closed", "已销号")
    UNJUDGED = ("not judged this time", "本次未判断")

    def label(self, language: str) -> str:
        """What it is called, in `zh` or `en`."""
        return self.value[1] if language == "zh" else self.value[0]


@dataclass(frozen=True, slots=True)
class Lives:
    """What became of findings. `closed` and `unjudged` are those of the earlier audit that are not found now."""

    day: date
    closed: tuple[OldFinding, ...]
    unjudged: tuple[OldFinding, ...]
    _found: Mapping[str, Life]

    def of(self, finding: Finding) -> Life:
        """Where a finding of this audit stands."""
        return self._found[finding.id]

    def about(self, bureaus: Collection[str]) -> Lives:
        """The same, of what is gone only what concerned these bureaus."""
        closed, unjudged = (
            tuple(old for old in gone if concerns(old.bureau, old.references, bureaus))
            for gone in (self.closed, self.unjudged)
        )
        return replace(self, closed=closed, unjudged=unjudged)


def compare(
    now: Sequence[Finding],
    before: OldReport,
    seen: Seen,
    coverage: Coverage,
    rules: Collection[str] | None = None,
) -> Lives:
    """What became of the findings of an earlier audit, and which are new.

    `now` is everything this audit found, not a part of it, or what was left out would pass for closed; `rules` are
    those that judged, all where None. Raises Usage where the earlier audit is of another charter or a later day.
    """
    if before.coverage.charter != seen.charter.name:
        raise Usage(f"the earlier audit is of charter {before.coverage.charter[:80]!r}", expected=seen.charter.name)
    if before.coverage.day > seen.day:
        raise Usage(f"the earlier audit is as of {before.coverage.day}", expected=f"{seen.day} or before")
    old = {finding.id: finding for finding in before.known}
    found = {finding.id: _life(finding, old, seen) for finding in now}
    gone = sorted((each for each in old.values() if each.id not in found), key=_order)
    left_open = set(_left_open(seen, coverage))
    judged = {
        each.id
        for each in gone
        if _was_judged(each, seen, coverage, rules)
        and not any((each.rule, each.bureau, reference) in left_open for reference in each.references)
    }
    closed = tuple(each for each in gone if each.id in judged)
    unjudged = tuple(each for each in gone if each.id not in judged)
    return Lives(before.coverage.day, closed, unjudged, found)


def _life(finding: Finding, old: Mapping[str, OldFinding], seen: Seen) -> Life:
    if finding.id not in old:
        return Life.NEW
    return Life.ANSWERED if seen.answers.to(finding.id, finding.bureau) else Life.OPEN


def _was_judged(finding: OldFinding, seen: Seen, coverage: Coverage, rules: Collection[str] | None) -> bool:
    shown_by = [parse_entry_ref(reference) for reference in finding.references]
    needed = {finding.bureau, *finding.shown_on} - {NOBODY}
    if not needed <= seen.as_of.covered or not (rules is None or finding.rule in rules):
        return False
    if not {_WITHIN.get(finding.rule), *RULES[finding.rule].set_by}.isdisjoint(seen.rulebook.unset()):
        return False
    ledgers = {ledger.bureau: ledger for ledger in coverage.ledgers}
    if finding.rule in _FOR_GOOD or any(at.index >= ledgers[at.bureau].size for at in shown_by):
        return False
    if not _is_still_there(finding, shown_by, ledgers, seen):
        return False
    if RULES[finding.rule].standing is Standing.OBSERVED:
        return all(_could_observe(finding.rule, ledgers[bureau], seen, coverage) for bureau in needed)
    # Of what a rule left open on a ledger that was not read, any may be this; a name without a ledger never comes back.
    return not any(
        rule == finding.rule and bureau and bureau not in seen.as_of.covered for rule, bureau in coverage.unjudged
    )


def _is_still_there(
    finding: OldFinding, shown_by: Sequence[EntryRef], ledgers: Mapping[str, LedgerCoverage], seen: Seen
) -> bool:
    """Whether the ledgers read now have all that they had when it was found, by their roots at the sizes they had.

    What a ledger lost that was recovered, it lost above what the charter pins, and nothing below that.
    """
    if finding.rule in OF_CHECKPOINTS:
        roots = ledgers[finding.bureau].roots
        return bool(finding.checkpoints) and all(_has(roots, each.size, each.root) for each in finding.checkpoints)
    for was in finding.ledgers:
        if was.bureau in ledgers and was.root and not _has(ledgers[was.bureau].roots, was.size, was.root):
            floor = seen.charter.by_id(was.bureau).pinned
            if floor is None or any(at.index >= floor.size for at in shown_by if at.bureau == was.bureau):
                return False
    return True


def _has(roots: Roots, size: int, root: str) -> bool:
    return roots.at(size) == bytes.fromhex(root)


def _left_open(seen: Seen, coverage: Coverage) -> Iterator[tuple[str, str, str]]:
    """By rule, bureau and entry, what nobody put right: an answer that is owed still, though by the rulebook as it is
    now it is not late, and what a closing ended.
    """
    for owed in seen.obligations.open():
        if owed.closing is not None or owed.obligation.within is not None:
            yield owed.rule, owed.bureau, owed.opened.reference
    for found in seen.duties.left_open:
        duty, rule = (
            (found.last, "duty-gap") if isinstance(found, Gap) else (found.approver, "approver-without-supervisor")
        )
        yield rule, found.answers, duty.entry.reference
    closed = {closing.bureau for closing in coverage.closings}
    for grant in seen.grants.grants.values():
        if grant.provider in closed and grant.ended is None:
            yield "grant-outlives-system", grant.provider, grant.entry.reference
    for system in seen.systems.systems.values():
        if system.bureau in closed and system.retired is None:
            for rule in ("zombie-system", "island-system"):
                yield rule, system.bureau, system.entry.reference


def _could_observe(rule: str, ledger: LedgerCoverage, seen: Seen, coverage: Coverage) -> bool:
    """Whether this audit asked who would have shown it: a ledger's own node, which answered. A copy shows what the
    ledger holds, and nothing of that.
    """
    if ledger.keeper or ledger.bureau in coverage.silent_nodes:
        return False
    return rule not in ("not-witnessed", "silent-ledger") or seen.witness_times.looked_at(ledger.origin)


def _order(finding: OldFinding) -> tuple[str, str, str]:
    return finding.bureau, finding.rule, finding.id
