"""A report as plain data: everything any of its pages, tables or documents says, a pure function of what an audit saw.

The same charter, coverage and day make the same report, and the same report the same bytes. No clock, file name or
order in which ledgers were read is part of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from tallystick.audit.coverage import Coverage
from tallystick.audit.finding import Finding
from tallystick.audit.life import Lives
from tallystick.audit.report.provenance import Provenance, provenance
from tallystick.audit.report.ratios import Ratio, ratios
from tallystick.audit.report.tables import (
    Dealings,
    GaveAndTook,
    Pair,
    Sharing,
    SystemLine,
    SystemStock,
    dealings,
    gave_and_took,
    ordered,
    pairs,
    sharing,
    systems,
)
from tallystick.audit.report.watched import Watched
from tallystick.audit.rulebook import Severity
from tallystick.audit.seen import Seen


@dataclass(frozen=True, slots=True)
class Imprint:
    """What a report's foot prints of how it was made: the software's version, the command in its canonical form, and,
    where an earlier audit was compared with, that file's digest."""

    software: str
    command: str
    since: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """The findings of one rule about one bureau."""

    severity: Severity
    bureau: str
    rule: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit found, and the tables beside it. `lives` is None where no earlier audit was given."""

    imprint: Imprint
    seen: Seen
    coverage: Coverage
    findings: Sequence[Finding]
    lives: Lives | None
    sharing: Sequence[Sharing]
    ratios: Mapping[str, Mapping[str, Ratio]]
    dealings: Sequence[Dealings]
    pairs: Sequence[Pair]
    gave_and_took: Sequence[GaveAndTook]
    systems: Sequence[SystemStock]
    system_lines: Sequence[SystemLine]
    provenance: Provenance | None

    @property
    def bureaus(self) -> list[str]:
        """Every bureau the report has a ratio of, in its order."""
        return [bureau for bureau in next(iter(self.ratios.values())) if bureau]

    def groups(self) -> list[Group]:
        """The findings by severity, bureau and rule, as they are ordered."""
        by_rule = groupby(self.findings, key=lambda finding: (finding.severity, finding.bureau, finding.rule))
        return [Group(*key, tuple(some)) for key, some in by_rule]

    def of_bureau(self, bureau: str) -> list[Finding]:
        """What one bureau answers for."""
        return [finding for finding in self.findings if finding.bureau == bureau]


def report_of(
    findings: Sequence[Finding],
    seen: Seen,
    coverage: Coverage,
    watched: Watched,
    imprint: Imprint,
    *,
    lives: Lives | None = None,
    resource: str | None = None,
) -> Report:
    """The report of an audit; `resource` is whose provenance it draws. Raises NotFound where there is none of it."""
    # However the ledgers were read, they stand in the charter's order.
    place = {bureau.id: number for number, bureau in enumerate(seen.charter.ledgers)}
    ledgers = sorted(coverage.ledgers, key=lambda ledger: place[ledger.bureau])
    shared, dealt, exchanged = sharing(seen), dealings(seen, watched), pairs(seen, watched)
    bureaus = ordered([*place, *(each.bureau for each in dealt)], seen)
    stock, lines = systems(seen, findings)
    return Report(
        imprint,
        seen,
        replace(coverage, ledgers=ledgers),
        findings,
        lives,
        shared,
        ratios(bureaus, seen, watched, shared, dealt),
        dealt,
        exchanged,
        gave_and_took(seen, exchanged),
        stock,
        lines,
        provenance(seen, resource),
    )
