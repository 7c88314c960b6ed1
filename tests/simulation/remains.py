"""What must be true of the disks that a history leaves.

1. every disk of an honest bureau is what `tallyd fsck` calls sound
2. what an honest ledger acknowledged, it has; what was witnessed, it has, and an honest witness too, unless as many
   witnesses lied or lost what they held as a quorum is
"""

from __future__ import annotations

from math import inf

from tallystick_node import doctor
from tallystick_node.copies import open_copy
from tallystick_node.doctor import Report
from tallystick_node.ledger import Ledger
from tests.simulation.bench import Bench
from tests.simulation.nodes import Machine


def check_remains(bench: Bench) -> None:
    """Hold the disks of a history that is over against what was said in it."""
    for machine in bench.honest():
        if machine.lost:
            if not bench.liars:  # who says nothing of what he holds keeps it from being rebuilt, until he is removed
                bench.fail(f"{machine.name} was not recovered")
            continue
        report = _fsck(machine)
        for difference in report.differences:
            bench.fail(f"{machine.name} has a disk that is not sound: {difference}")
        if not report.differences and machine.put_back_at is None:
            _check_kept(bench, machine)
        _check_held(bench, machine)


def _fsck(machine: Machine) -> Report:
    own = machine.bureau
    others = [ledger for ledger in machine.version.charter.ledgers if ledger.id != own.id]
    store, noted = machine.disk.store.reopened(), machine.disk.noted()
    if own.is_observer:
        return doctor.check_observer(store, noted, own, others)
    return doctor.check(store, noted, own, others, disclosures=machine.office.disclosures())


def _check_kept(bench: Bench, machine: Machine) -> None:
    ledger = Ledger.open(machine.disk.store.reopened(), machine.bureau.origin)
    for size, root in bench.judges.witnessed.get(machine.id, {}).items():
        if ledger.state.size < size or ledger.root_at(size) != root:
            bench.fail(f"{machine.name} lost what was witnessed up to {size}")
    for said in bench.judges.acknowledged.get(machine.id, []):
        entry = ledger.decoded(said.first) if said.first < ledger.state.size else None
        signed = entry.signed if entry is not None else None
        if signed is None or signed.submission_id != said.submission_id:
            bench.fail(f"{machine.name} lost #{said.first}, which it acknowledged")


def _check_held(bench: Bench, machine: Machine) -> None:
    """What was witnessed of a ledger is with an honest witness, whatever became of the ledger."""
    witnessed = bench.judges.witnessed.get(machine.id)
    if not witnessed or _may_be_forgotten(bench, machine):
        return
    size = max(witnessed)
    for other in bench.honest():
        if other is not machine:
            copy = open_copy(other.disk.store.reopened(), machine.bureau)
            if copy.state.size >= size and copy.root_at(size) == witnessed[size]:
                return
    bench.fail(f"no honest witness holds what was witnessed of {machine.name} up to {size}")


def _may_be_forgotten(bench: Bench, machine: Machine) -> bool:
    """Whether a quorum by some version of the charter, which need not count who is suspended, may be of such alone."""
    for charter in (version.charter for version in bench.versions):
        bureau = charter.by_id(machine.id)
        quorum, witnesses = (
            charter.quorum_of(bureau),
            [bench.machines[each.id] for each in charter.witnesses_of(bureau)],
        )
        unsound = [each for each in witnesses if each.id in bench.liars or each.put_back_at_s > -inf]
        if quorum is not None and len(unsound) >= quorum.needed:
            return True
    return False
