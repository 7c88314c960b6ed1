"""What must be true of a history: while it goes on, when it has calmed down, and of the disks it leaves.

1. no honest bureau is ever accused (`Bench.written`, at every step)
2. what an honest ledger acknowledged, it has; what was witnessed, it has
3. in the end every honest ledger is witnessed to its last entry
4. every disk is what `tallyd fsck` calls sound
"""

from __future__ import annotations

from dataclasses import dataclass

from tallystick.core.checkpoint import Checkpoint, parse_checkpoint
from tallystick.core.note import parse_note
from tallystick.core.witnessing import open_cosigned
from tallystick_node import doctor
from tallystick_node.ledger import Ledger
from tallystick_proto.v1.ledger_pb2 import Receipt
from tests.simulation.bench import Bench
from tests.simulation.nodes import Machine


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A submission's place, and a checkpoint that its ledger signed over it."""

    first: int
    count: int
    submission_id: bytes
    checkpoint: Checkpoint
    witnessed: bool


class Judges:
    """They look on, and say what is broken to the bench."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.acknowledged: dict[str, list[Acknowledged]] = {}
        self.witnessed: dict[str, dict[int, bytes]] = {}

    def receipt(self, machine: Machine, receipt: Receipt) -> None:
        """A client was given a receipt."""
        checkpoint = parse_checkpoint(parse_note(receipt.checkpoint).text)
        witnessed = receipt.standing == Receipt.WITNESSED
        if witnessed:
            found = open_cosigned(receipt.checkpoint, self._bench.world.charter, machine.office.bureau)
            if not found.enough(self._bench.world.charter):
                self._bench.fail(f"{machine.name} calls witnessed what {found.count} cosigned")
            self._keep(machine.id, checkpoint)
        said = Acknowledged(receipt.first, receipt.count, receipt.submission_id, checkpoint, witnessed)
        self.acknowledged.setdefault(machine.id, []).append(said)

    def look(self) -> None:
        """Now and then."""
        for machine in self._bench.honest():
            if machine.process is not None and machine.process.handlers:
                witnessed = machine.process.engine.gathering.witnessed
                if witnessed is not None:
                    self._keep(machine.id, witnessed.checkpoint)

    def settled(self) -> bool:
        """Whether everything that is to come has come."""
        return all(map(self._is_settled, self._bench.honest()))

    def end(self) -> None:
        """When it has calmed down."""
        for machine in self._bench.honest():
            if not self._is_settled(machine):
                self._bench.fail(f"{machine.name} is not witnessed in the end: {self._standing(machine)}")

    def disks(self) -> None:
        """What each history leaves on its disks."""
        bureaus = self._bench.world.charter.bureau
        for machine in self._bench.honest():
            own = machine.office.bureau
            others = [bureau for bureau in bureaus if bureau.id != own.id]
            store = machine.disk.store.reopened()
            report = doctor.check(store, machine.disk.noted(), own, others)
            for difference in report.differences:
                self._bench.fail(f"{machine.name} has a disk that is not sound: {difference}")
            if not report.differences:
                self._kept(machine, Ledger.open(store, own.origin))

    def _kept(self, machine: Machine, ledger: Ledger) -> None:
        for size, root in self.witnessed.get(machine.id, {}).items():
            if ledger.state.size < size or ledger.root_at(size) != root:
                self._bench.fail(f"{machine.name} lost what was witnessed up to {size}")
        for said in self.acknowledged.get(machine.id, []):
            entry = ledger.decoded(said.first) if said.first < ledger.state.size else None
            signed = entry.signed if entry is not None else None
            if signed is None or signed.submission_id != said.submission_id:
                self._bench.fail(f"{machine.name} lost #{said.first}, which it acknowledged")

    def _keep(self, bureau: str, checkpoint: Checkpoint) -> None:
        kept = self.witnessed.setdefault(bureau, {})
        if kept.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
            self._bench.fail(f"two histories of {bureau} were witnessed at {checkpoint.size}")

    def _is_settled(self, machine: Machine) -> bool:
        process = machine.process
        if process is None or not process.handlers:
            return bool(machine.refused)
        if process.engine.sequencer.not_recording is not None:
            return False
        witnessed = process.engine.gathering.witnessed
        return witnessed is not None and witnessed.checkpoint.size == process.engine.sequencer.published.state.size

    def _standing(self, machine: Machine) -> str:
        process = machine.process
        if process is None or not process.handlers:
            return "it does not run"
        if process.engine.sequencer.not_recording is not None:
            return str(process.engine.sequencer.not_recording)
        witnessed, size = process.engine.gathering.witnessed, process.engine.sequencer.published.state.size
        return f"{0 if witnessed is None else witnessed.checkpoint.size} of {size}"
