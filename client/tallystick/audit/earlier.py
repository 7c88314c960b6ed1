"""An earlier audit, as its JSON tells a later one of it: what it found, and what it takes to judge that again.

Only this is read of it, and nothing that is not so passes (`report.json` says the rest):

    {"coverage": {"charter": "pudong", "day": "2027-03-31", "ledgers": [{"bureau", "size", "root"}, …], …},
     "findings": [{"id", "rule", "bureau", "references", "checkpoints": [{"size", "root"}, …], …}, …],
     "carried": [{…, "found": "2027-02-28", "ledgers": [{"bureau", "size", "root"}, …]}, …],
     "selected": ["--bureau", "planning"]}

`carried` are findings of audits before it that it did not judge: `found` is the day as of which one was last found, and
`ledgers` what the ledgers were then. `checkpoints` are those of its bureau's ledger that no proof joined, where a
finding is of what a node showed as such. `selected` are the options by which only some of it is shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from msgspec.structs import replace

import tallystick.audit.rules as _rules
from tallystick.audit.rule import RULES
from tallystick.core.errors import InvalidIdentifier, Refused, Usage
from tallystick.core.identifiers import check_bureau_id, check_finding_id, parse_entry_ref
from tallystick.core.limits import LEDGER_ENTRIES_MAX

assert _rules  # importing them enters them

_EXPECTED: Final = "the JSON of an earlier audit or report"

_Size = Annotated[int, Meta(ge=0, le=LEDGER_ENTRIES_MAX)]
_Root = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class OldCheckpoint(msgspec.Struct, frozen=True):
    """So many entries of a ledger, and their root in hex."""

    size: _Size
    root: _Root


class OldLedger(msgspec.Struct, frozen=True):
    """A ledger as it was read; no root where none was shown."""

    bureau: str
    size: _Size = 0
    root: _Root | None = None


class OldFinding(msgspec.Struct, frozen=True):
    """A finding of an earlier audit, as far as it is needed; `sentence` is by language, and may be empty.

    `found` and `ledgers` stand in the document where it was carried on, and are else that document's.
    """

    id: str
    rule: str
    bureau: str
    references: tuple[str, ...]
    severity: str = ""
    sentence: dict[str, str] = {}
    checkpoints: tuple[OldCheckpoint, ...] = ()
    found: date | None = None
    ledgers: tuple[OldLedger, ...] = ()

    @property
    def shown_on(self) -> set[str]:
        """Whose ledgers showed it."""
        return {parse_entry_ref(reference).bureau for reference in self.references}

    def document(self) -> dict[str, Any]:
        """It as a later audit carries it on."""
        return dict(msgspec.to_builtins(self))


class _OldCoverage(msgspec.Struct, frozen=True):
    charter: str
    day: date
    ledgers: tuple[OldLedger, ...] = ()


class OldReport(msgspec.Struct, frozen=True):
    """An earlier audit: its day and charter, what it found, and what it carried on; `selected` are the options by which
    only some of that was shown.
    """

    coverage: _OldCoverage
    findings: tuple[OldFinding, ...]
    carried: tuple[OldFinding, ...] = ()
    selected: tuple[str, ...] = ()

    @property
    def known(self) -> Iterator[OldFinding]:
        """Every finding of this audit and of those before it that was not judged since."""
        for finding in self.findings:
            ledgers = [each for each in self.coverage.ledgers if each.bureau in {finding.bureau, *finding.shown_on}]
            yield replace(finding, found=self.coverage.day, ledgers=tuple(ledgers))
        yield from self.carried

    def sizes(self, bureau: str) -> Collection[int]:
        """The sizes of a bureau's ledger whose roots must be known to judge its findings again."""
        ledgers = (each for each in (*self.coverage.ledgers, *(one for old in self.carried for one in old.ledgers)))
        sizes = {each.size for each in ledgers if each.bureau == bureau}
        for finding in (*self.findings, *self.carried):
            if finding.bureau == bureau:
                sizes.update(each.size for each in finding.checkpoints)
        return sizes


def read_report(data: bytes, where: str, selected: tuple[str, ...] = ()) -> OldReport:
    """The earlier audit in a JSON file, named `where` in errors. Raises Refused where anything in it does not read.

    Where that shows only some of what was found, and this audit is to be `selected` otherwise, Usage: what it left out
    would pass for new.
    """
    try:
        report = msgspec.json.decode(data, type=OldReport)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(f"it does not read: {error}", where=where, expected=_EXPECTED) from None
    for part in ("findings", "carried"):
        for number, finding in enumerate(getattr(report, part)):
            _check(finding, f"{part}[{number}]", where)
    known = (*report.findings, *report.carried)
    if len({finding.id for finding in known}) < len(known):
        raise Refused("a finding stands twice", where=where, expected=_EXPECTED)
    if report.selected not in ((), selected):
        raise Usage(
            f"the earlier audit shows only some of its findings: {' '.join(report.selected)[:200]}",
            where=where,
            expected="the same options now, or the JSON of an audit without them",
        )
    return report


def _check(finding: OldFinding, place: str, where: str) -> None:
    """Raises Refused where its names are none."""
    try:
        check_finding_id(finding.id)
        check_bureau_id(finding.bureau)
        for reference in finding.references:
            parse_entry_ref(reference)
    except InvalidIdentifier as error:
        raise Refused(f"{place}: {error.what}", where=where, expected=error.expected) from None
    if finding.rule not in RULES:
        raise Refused(f"{place}: no rule is called {finding.rule[:80]!r}", where=where, expected=_EXPECTED)
