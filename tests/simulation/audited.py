"""What an auditor finds on the ledgers that a history leaves: nothing proven against a bureau that is honest and was
not put back, and nobody's word against it.

He reads every ledger whole, by all rules, under the newest version of the charter. Of a liar's he is shown one history.
"""

from __future__ import annotations

from datetime import UTC, datetime

from tallystick.audit.coverage import Coverage, LedgerCoverage
from tallystick.audit.finding import Finding, Standing
from tallystick.audit.inquiry import HeldLeaves
from tallystick.audit.judge import judge
from tallystick.audit.pass_ import Pass
from tallystick.audit.rule import Bench as Rules
from tallystick.audit.seen import Seen
from tallystick.audit.strand import Strand
from tallystick.core.charter import Bureau
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.hashing import leaf_hash
from tallystick.sdk.rulebook import rulebook_of
from tallystick_node.ledger import Ledger
from tests.simulation.bench import Bench
from tests.simulation.world import EPOCH_US

_ACCUSES = (Standing.PROVEN, Standing.ONE_SIDE)


def check_audit(bench: Bench) -> None:
    """Hold what an audit finds against who is honest and has all it ever signed."""
    whole = {each.id for each in bench.honest() if each.put_back_at is None and not each.lost}
    for finding in findings(bench):
        if finding.bureau in whole and finding.standing in _ACCUSES:
            bench.fail(f"an audit accuses {finding.bureau}: {finding.rule} {' '.join(finding.references)}")


def findings(bench: Bench) -> list[Finding]:
    """An audit, the day after a history is over."""
    charter = bench.versions[-1].charter
    seen = Seen(charter, rulebook_of(charter))
    until_us = EPOCH_US + int(bench.loop.time() * 1e6) + 24 * 3600 * 1_000_000
    day = datetime.fromtimestamp(until_us / 1e6, UTC).date()
    ledgers = [LedgerCoverage(bureau.id, bureau.origin) for bureau in charter.ledgers]
    coverage = Coverage(charter.name, charter.version, "", day, True, ledgers)
    strands = [_strand(bench, bureau, each) for bureau, each in zip(charter.ledgers, ledgers, strict=True)]
    return judge(Pass(strands, HeldLeaves()).records(), seen, coverage, Rules(), until_us)


def _strand(bench: Bench, bureau: Bureau, coverage: LedgerCoverage) -> Strand:
    machine = bench.machines[bureau.id]
    if machine.lost:
        coverage.gap = "its disk is lost"
        return Strand(bureau, coverage, (), lambda index: None)
    ledger = Ledger.open(machine.disk.store.reopened(), bureau.origin)
    size = ledger.state.size
    coverage.checkpoint, coverage.settled = Checkpoint(bureau.origin, size, ledger.state.root), size
    raws = list(ledger.entries(0, size))
    return Strand(bureau, coverage, raws, lambda index: leaf_hash(raws[index]))
