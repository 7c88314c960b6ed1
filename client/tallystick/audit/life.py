"""The life of a finding from audit to audit: found, answered, closed (问题 → 整改 → 销号).

A finding keeps its id (`audit.finding`), so an earlier audit's JSON is enough to say what became of each: *new* where
the earlier one has none of that id, *still open* where it does, *answered* where the bureau that answers has also said
so on its ledger. One that is found no more is *closed*, provided that this audit could have found it: its rule was
judged, and the ledgers of its bureau and of the entries that showed it were read whole, and hold those entries. Else it
is *not judged*, never closed. Nor is what nobody put right: what a closed bureau left open, or what a key once signed.

Of an earlier document only this is read, and nothing that is not so passes (`report.json` says the rest):

    {"coverage": {"charter": "pudong", "day": "2027-03-31", …}, "findings": [{"id", "rule", "bureau", "references", …}]}
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from typing import Final

import msgspec

import tallystick.audit.rules as _rules
from tallystick.audit.coverage import Coverage, LedgerCoverage
from tallystick.audit.finding import Finding, Standing, concerns
from tallystick.audit.rule import RULES
from tallystick.audit.seen import Seen
from tallystick.core.errors import InvalidIdentifier, Refused, Usage
from tallystick.core.identifiers import NOBODY, check_bureau_id, check_finding_id, parse_entry_ref

assert _rules  # importing them enters them

_EXPECTED: Final = "the JSON of an earlier audit or report"

# What a key signed stays signed. Where it is found no more its proof is not at hand, or the charter gave the key up.
_FOR_GOOD: Final = frozenset({"equivocation", "witness-inconsistent", "acknowledged-lost"})


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


class OldFinding(msgspec.Struct, frozen=True):
    """A finding of an earlier audit, as far as it is needed here; `sentence` is by language, and may be empty."""

    id: str
    rule: str
    bureau: str
    references: tuple[str, ...]
    severity: str = ""
    sentence: dict[str, str] = {}


class _OldCoverage(msgspec.Struct, frozen=True):
    charter: str
    day: date


class OldReport(msgspec.Struct, frozen=True):
    """An earlier audit: its day and charter, and what it found."""

    coverage: _OldCoverage
    findings: tuple[OldFinding, ...]


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


def read_report(data: bytes, where: str) -> OldReport:
    """The earlier audit in a JSON file, named `where` in errors. Raises Refused where anything in it does not read."""
    try:
        report = msgspec.json.decode(data, type=OldReport)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(f"it does not read: {error}", where=where, expected=_EXPECTED) from None
    for number, finding in enumerate(report.findings):
        try:
            check_finding_id(finding.id)
            check_bureau_id(finding.bureau)
            for reference in finding.references:
                parse_entry_ref(reference)
        except InvalidIdentifier as error:
            raise Refused(f"finding {number}: {error.what}", where=where, expected=error.expected) from None
        if finding.rule not in RULES:
            raise Refused(f"finding {number}: no rule is called {finding.rule[:80]!r}", where=where, expected=_EXPECTED)
    if len({finding.id for finding in report.findings}) < len(report.findings):
        raise Refused("a finding stands twice", where=where, expected=_EXPECTED)
    return report


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
    old = {finding.id: finding for finding in before.findings}
    found = {finding.id: _life(finding, old, seen) for finding in now}
    gone = sorted((each for each in before.findings if each.id not in found), key=_order)
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
    needed = {finding.bureau, *(at.bureau for at in shown_by)} - {NOBODY}
    if not needed <= seen.as_of.covered or not (rules is None or finding.rule in rules):
        return False
    ledgers = {ledger.bureau: ledger for ledger in coverage.ledgers}
    if finding.rule in _FOR_GOOD or any(at.index >= ledgers[at.bureau].size for at in shown_by):
        return False
    if RULES[finding.rule].standing is Standing.OBSERVED:
        return all(_could_observe(finding.rule, ledgers[bureau], seen, coverage) for bureau in needed)
    # Of what a rule left open on a ledger that was not read, any may be this; a name without a ledger never comes back.
    return not any(
        rule == finding.rule and bureau and bureau not in seen.as_of.covered for rule, bureau in coverage.unjudged
    )


def _left_open(seen: Seen, coverage: Coverage) -> Iterator[tuple[str, str, str]]:
    """By rule, bureau and entry, what a closing ended: nobody can put it right any more, and nobody did."""
    for owed in seen.obligations.open():
        if owed.closing is not None:
            yield owed.rule, owed.bureau, owed.opened.reference
    closed = {closing.bureau for closing in coverage.closings}
    for system in seen.systems.systems.values():
        if system.bureau in closed and system.retired is None:
            for rule in ("zombie-system", "island-system"):
                yield rule, system.bureau, system.entry.reference


def _could_observe(rule: str, ledger: LedgerCoverage, seen: Seen, coverage: Coverage) -> bool:
    """Whether this audit asked those who would have shown it: a ledger's own node, which answered, and for what is held
    against what others hold, every node. A copy shows what the ledger holds, and nothing of that.
    """
    if ledger.keeper or ledger.bureau in coverage.silent_nodes:
        return False
    if rule in ("not-witnessed", "silent-ledger"):
        return seen.witness_times.looked_at(ledger.origin)
    return rule != "unreconciled" or not coverage.silent_nodes


def _order(finding: OldFinding) -> tuple[str, str, str]:
    return finding.bureau, finding.rule, finding.id
