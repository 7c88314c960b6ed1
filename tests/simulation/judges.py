"""What must be true of a history: while it goes on, and when it has calmed down.

  1. at every write: no honest node writes down an accusation of an honest bureau, of its ledger's key or its witness's,
     and no witness has forgotten what it cosigned, unless its disk was put back (`put_back_witnesses`)
  2. two histories of one size are never both witnessed; what is called witnessed has a quorum
  3. in the end every fork that can be proven is proven at every honest node: one of them holds a note of one history,
     and an honest witness has the other at least up to that note's size, or one of them has the proof (`provable`);
     so is every one that could be at any time before, unless a disk was put back since; and once it is calm, within
     PROVEN_ROUNDS_MAX rounds of gossip
  4. in the end every honest ledger is witnessed to its last entry, if enough honest witnesses are at work
  5. in the end every honest node goes by the newest version of the charter that one of them holds
  6. in the end every honest node is at work, or will not start, or waits to sign for more witnesses than are honest and
     up: so long it is not calm

What must be true of the disks that it leaves, `remains` says.

A bureau whose snapshot was put back, and that signed on all the same, is two writers under one key, by nobody's lie but
not to be told from one: what is proven against its key is no false accusation. A bureau that noticed records no more
until it is recovered; until then what it lacks is with its witnesses.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Final

from tallystick.core.charter import Charter
from tallystick.core.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from tallystick.core.equivocation import verify_equivocation
from tallystick.core.errors import VerificationFailed
from tallystick.core.note import parse_note
from tallystick.core.witnessing import Witnessed, open_cosigned
from tallystick_node import keyspace
from tallystick_node.copies import COSIGNING
from tallystick_node.gossip import INTERVAL_S
from tallystick_node.ledger import Ledger
from tallystick_node.starting_rule import is_prefix
from tallystick_node.store.store import Batch
from tallystick_proto.v1.ledger_pb2 import Receipt
from tallystick_proto.v1.storage_pb2 import Cosigning
from tests.simulation.bench import Bench
from tests.simulation.nodes import Machine, NodeProcess
from tests.simulation.put_back_witnesses import PutBackWitnesses

PROVEN_ROUNDS_MAX: Final = 15


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A submission's place on a face of a ledger."""

    face: str
    first: int
    submission_id: bytes
    witnessed: bool


class Judges:
    """They look on, and say what is broken to the bench."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._stops = {keyspace.copy(each.origin) + COSIGNING: each.id for each in bench.charter.bureau}
        self._proofs = {keyspace.proven(each.origin): each.id for each in bench.charter.bureau}
        self.put_back = PutBackWitnesses(bench)
        self.acknowledged: dict[str, list[Acknowledged]] = {}
        self.witnessed: dict[str, dict[int, bytes]] = {}
        self.noticed: set[str] = set()
        self.provable_at_s: dict[str, float] = {}
        self.proven_at_s: dict[str, float] = {}
        self.unreconciled: set[str] = set()
        self.calm_at_s: float | None = None
        """Since when all who can are at work, after the last misfortune; None while one adopts a version, or waits."""

    @property
    def _charter(self) -> Charter:
        return self._bench.charter

    # As it happens.

    def recovered(self, machine: Machine, floor: Checkpoint) -> None:
        """A ledger goes on from a floor. What was recorded above and never witnessed is lost, and may be."""
        kept = self.witnessed.get(machine.id, {})
        if any(size > floor.size for size in kept) or kept.get(floor.size, floor.root) != floor.root:
            self._bench.fail(f"{machine.name} goes on from {floor.size} entries, and {max(kept)} were witnessed")
        said = self.acknowledged.get(machine.id, [])
        self.acknowledged[machine.id] = [each for each in said if each.first < floor.size]
        for each in said:
            if each.witnessed and each.first >= floor.size:
                self._bench.fail(f"{machine.name} goes on from {floor.size} entries without #{each.first}")

    def written(self, machine: Machine, batch: Batch) -> None:
        """A node made something durable."""
        for key, value in batch.puts if machine.honest else ():
            if key in self._stops and (record := Cosigning.FromString(value)).stopped:
                if record.behind_key:  # it is the witness itself that forgot
                    self._bench.say(machine.name, f"cosigns {self._stops[key]} no more: {record.stopped}")
                    if not machine.was_put_back:
                        self._bench.fail(f"{machine.name} forgot what it cosigned of {self._stops[key]}")
                else:
                    self._accused(machine, self._stops[key], f"cosigns it no more: {record.stopped}")
            elif key in self._stops and machine.was_put_back:
                self.put_back.cosigns(machine, self._stops[key])
            elif key in self._proofs:
                bureau, proven = verify_equivocation(value, self._charter)
                sizes = f"{proven.smaller.size} and {proven.larger.size}"
                self.put_back.proven(proven.cosigners)
                self._accused(machine, bureau.id, f"proves that its key signed two histories, of {sizes} entries")

    def _accused(self, by: Machine, bureau: str, how: str) -> None:
        self._bench.say(by.name, f"{bureau}: {how}")
        if bureau not in self._bench.liars and not self._bench.machines[bureau].two_writers:
            self._bench.fail(f"{by.name} accuses {bureau}, which is honest: {how}")

    def two_writers(self, machine: Machine) -> None:
        """A snapshot put back was signed on from: then no witness that had cosigned more was in reach while it asked.

        One that came in reach only after the rule had let it sign has the node's next swap to say so.
        """
        put_back_at, asked = machine.put_back_at or 0, machine.process
        for other in self._bench.honest():
            answers = other.process
            if other is machine or asked is None or answers is None or not answers.handlers:
                continue
            fair_since_s = self._bench.network.fair_since_s(machine.id, other.id)
            if fair_since_s is None or max(fair_since_s, answers.serves_from_s) > asked.serves_from_s:
                continue
            copy = answers.engine.shelf.open(machine.bureau)
            cosigned = parse_checkpoint(parse_note(copy.cosigning.note).text).size if copy.cosigning.note else 0
            if cosigned > put_back_at:
                self._bench.fail(f"{machine.name} signed on, and {other.name}, which had cosigned more, was in reach")

    def receipt(self, machine: Machine, receipt: Receipt) -> None:
        """A client was given a receipt."""
        found: list[tuple[Witnessed, Charter]] = []
        for charter in (version.charter for version in machine.disk.versions):  # it was given under one of them
            try:
                found.append((open_cosigned(receipt.checkpoint, charter, charter.by_id(machine.id)), charter))
            except VerificationFailed as error:
                failed = error
        if not found:
            (self._bench.fail if machine.honest else partial(self._bench.say, machine.name))(
                f"a receipt fails: {failed}"
            )
            return
        witnessed = receipt.standing == Receipt.WITNESSED
        if witnessed and any(each.enough(charter) for each, charter in found):
            self._keep(machine.id, found[0][0].checkpoint)
        elif witnessed and machine.honest:
            self._bench.fail(f"{machine.name} calls witnessed what {found[-1][0].count} cosigned")
        said = Acknowledged(machine.face, receipt.first, receipt.submission_id, witnessed)
        self.acknowledged.setdefault(machine.id, []).append(said)

    def look(self, *, calm: bool = False) -> None:
        """Now and then; `calm` once the last misfortune is over."""
        bench = self._bench
        if not calm or not all(map(self._is_back, bench.honest())):
            self.calm_at_s = None
        elif self.calm_at_s is None:
            self.calm_at_s = bench.loop.time()
        for machine in bench.machines.values():
            if machine.process is not None and machine.process.handlers:
                writer = machine.process.writer
                if writer is not None and writer.gathering.witnessed is not None:
                    self._keep(machine.id, writer.gathering.witnessed.checkpoint)
            if machine.put_back_at is not None and self._notices(machine):
                self.noticed.add(machine.id)
        for liar in sorted(self._forked()):
            if liar not in self.provable_at_s and self.provable(liar):
                self.provable_at_s[liar] = bench.loop.time()
            everybody = all(map(self._is_back, bench.honest()))  # who is down has yet to be told
            if liar not in self.proven_at_s and everybody and self.proven_everywhere(liar):
                self.proven_at_s[liar] = bench.loop.time()
                self.provable_at_s.setdefault(liar, bench.loop.time())

    def _is_back(self, machine: Machine) -> bool:
        process = machine.process
        return bool(machine.refused) or (process is not None and process.at_work)

    def _waits_in_vain(self, machine: Machine) -> bool:
        """Whether a node waits to sign for more witnesses than are honest and up. Others wait for its proofs then."""
        process = machine.process
        if process is None or not process.handlers or process.writer is None:
            return False
        named = {each.id: each.credit_code for each in machine.version.charter.witnesses_of(machine.bureau)}
        up = [each.id for each in self._bench.honest() if each.process is not None and each.process.handlers]
        return len({named[id] for id in up if id in named}) < process.writer.asking.needed

    def _notices(self, machine: Machine) -> bool:
        """Whether a machine knows that its ledger lacks what its key signed."""
        process = machine.process
        if process is None or not process.handlers:  # one that was started a moment ago has no engine yet
            return bool(machine.refused)
        return process.writer is not None and process.writer.sequencer.stopped is not None

    def _keep(self, bureau: str, checkpoint: Checkpoint) -> None:
        kept = self.witnessed.setdefault(bureau, {})
        if kept.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
            self._bench.fail(f"two histories of {bureau} were witnessed at {checkpoint.size}")

    # When it has calmed down.

    def settled(self) -> bool:
        """Whether everything that is to come has come."""
        return self.calm_at_s is not None and not (
            any(map(self._is_owed, self._bench.honest()))
            or self._unproven()
            or self._once_provable()
            or self._unseen()
            or self._doubts()
            or self._behind()
        )

    def end(self) -> None:
        """When it has calmed down. Whether a lost disk had to be recovered by then its remains say."""
        whole = [machine for machine in self._bench.honest() if not machine.lost]
        for machine in whole:
            if self._is_owed(machine):
                self._bench.fail(f"{machine.name} is not witnessed in the end: {self._standing(machine)}")
        for liar in self._unproven():
            self._bench.fail(f"the fork of {liar} can be proven, and is not proven everywhere")
        for liar in self._once_provable():
            self._bench.fail(f"the fork of {liar} could be proven once, and is not proven everywhere")
        for liar in sorted(self.provable_at_s):
            if (rounds := self.rounds_from_calm(liar)) is not None and rounds > PROVEN_ROUNDS_MAX:
                self._bench.fail(f"the fork of {liar} is proven everywhere only after {rounds:.0f} rounds of calm")
        for liar in self._unseen():
            self._bench.fail(f"the fork of {liar} was shown, and somebody does not suspect it")
        for machine in whole:
            if not (self._is_back(machine) or self._waits_in_vain(machine)):
                self._bench.fail(f"{machine.name} is not at work in the end: {self._standing(machine)}")
        for by, bureau in self._doubts() if self.calm_at_s is not None else ():
            self._bench.fail(f"{by} still suspects {bureau}, which is honest and has shown all it has")
        for machine in self._behind():
            self._bench.fail(f"{machine.name} goes by version {machine.version.number} of the charter in the end")
        self.unreconciled = {liar for liar in self._forked() if self._seen(liar) and not self.proven_everywhere(liar)}

    def rounds_from_calm(self, liar: str) -> float | None:
        """How long a fork that could be proven took to be proven everywhere, counted from when nothing went wrong; None
        where it never was calm.
        """
        if self.calm_at_s is None:
            return None
        began_s = max(self.provable_at_s[liar], self.calm_at_s)
        return max(0.0, self.proven_at_s.get(liar, began_s) - began_s) / INTERVAL_S

    def _put_back_since(self, at_s: float) -> bool:
        return any(machine.put_back_at_s >= at_s for machine in self._bench.honest())

    def _forked(self) -> list[str]:
        return [id for id, faces in self._bench.faces.items() if len(faces) > 1]

    def _unproven(self) -> list[str]:
        return [id for id in self._forked() if self.provable(id) and not self.proven_everywhere(id)]

    def _once_provable(self) -> list[str]:
        """The forks that could be proven once, and are not; for as long as no disk was put back since, they will be."""
        return [
            id
            for id, at_s in sorted(self.provable_at_s.items())
            if not self.proven_everywhere(id) and not self._put_back_since(at_s)
        ]

    def provable(self, bureau: str) -> bool:
        """Whether one honest node holds a note of one history, and an honest witness another up to its size; or one of
        them has the proof already, from whomever.
        """
        named = self._charter.by_id(bureau)
        if any(process.engine.proven.against(named) is not None for process in self._at_work()):
            return True
        copies = [process.engine.shelf.open(named).ledger for process in self._at_work()]
        return any(
            note.size <= copy.state.size and copy.root_at(note.size) != note.root
            for note in self._notes(bureau)
            for copy in copies
        )

    def _notes(self, bureau: str) -> list[Checkpoint]:
        """What honest nodes at work hold that a ledger's key signed."""
        named = self._charter.by_id(bureau)
        notes: set[Checkpoint] = set()
        for process in self._at_work():
            account = process.engine.heard.accounts[named.origin]
            held = [each.note for each in (account.held, *account.apart) if each is not None]
            cosigning = process.engine.shelf.open(named).cosigning
            held += [note for note in (cosigning.note, cosigning.shown) if note]
            notes |= {open_checkpoint(note, named.ledger_verifier) for note in held}
        return sorted((note for note in notes if note.size), key=lambda each: (each.size, each.root))

    def _seen(self, bureau: str) -> bool:
        """Whether honest nodes hold notes of two histories, each beyond what the two have in common."""
        disks = [machine.disk.store.reopened() for machine in self._bench.faces[bureau].values()]
        ledgers = [Ledger.open(disk, self._charter.by_id(bureau).origin) for disk in disks]
        of = [
            {number for number, each in enumerate(ledgers) if is_prefix(note, each.state.size, each.root_at)}
            for note in self._notes(bureau)
        ]
        return any(one and other and one.isdisjoint(other) for one, other in combinations(of, 2))

    def proven_everywhere(self, bureau: str) -> bool:
        """Whether every honest node at work holds evidence against a ledger; every one that serves, where all of them
        wait for more witnesses than there are.
        """
        named, asked = self._charter.by_id(bureau), self._at_work() or self._serving()
        return bool(asked) and all(process.engine.proven.against(named) is not None for process in asked)

    def _unseen(self) -> list[str]:
        """The forks of which not every honest node at work has at least a suspicion."""
        return [
            id for id in self._forked() if self._seen(id) and not all(self._suspects(id, by) for by in self._at_work())
        ]

    def _suspects(self, bureau: str, by: NodeProcess) -> bool:
        named = self._charter.by_id(bureau)
        return bool(by.engine.heard.accounts[named.origin].apart) or by.engine.proven.against(named) is not None

    def _doubts(self) -> list[tuple[str, str]]:
        """Which honest nodes suspect whom, that is honest and lost nothing."""
        ledgers = {ledger.id for ledger in self._charter.ledgers}
        whole = [each for each in self._bench.honest() if each.put_back_at is None and each.id in ledgers]
        return [
            (by.id, machine.id)
            for by in self._at_work()
            for machine in whole
            if machine.id != by.id and self._suspects(machine.id, by)
        ]

    def _behind(self) -> list[Machine]:
        """The honest nodes at work that go by an earlier version of the charter than one of them holds."""
        machines = [process.machine for process in self._at_work()]
        newest = max((heard.number for each in machines for heard in each.disk.later), default=0)
        return [each for each in machines if each.version.number < newest]

    def _at_work(self) -> list[NodeProcess]:
        """The honest nodes that follow and cosign."""
        return [each for each in self._serving() if each.at_work]

    def _serving(self) -> list[NodeProcess]:
        """The honest nodes that answer."""
        processes = [machine.process for machine in self._bench.honest()]
        return [each for each in processes if each is not None and each.handlers]

    def _is_owed(self, machine: Machine) -> bool:
        """Whether an honest ledger is still to be witnessed."""
        bureau = self._charter.by_id(machine.id)
        if machine.refused or machine.put_back_at is not None or bureau.state != "active":
            return False
        quorum, named = self._charter.quorum_of(bureau), {each.id for each in self._charter.witnesses_of(bureau)}
        there = (each for each in self._bench.honest() if not (each.was_put_back or each.lost))
        witnesses = [each for each in there if each.id in named]
        if quorum is None or len(witnesses) < quorum.needed:
            return False
        process = machine.process
        if process is None or not process.handlers or not process.at_work or process.writer is None:
            return True
        witnessed = process.writer.gathering.witnessed
        return witnessed is None or witnessed.checkpoint.size < process.writer.sequencer.published.state.size

    def _standing(self, machine: Machine) -> str:
        process = machine.process
        if process is None or not process.handlers:
            return "it does not run"
        if not process.at_work or process.writer is None:
            return f"it never came to work: {process.writer and process.writer.sequencer.not_recording}"
        witnessed, size = process.writer.gathering.witnessed, process.writer.sequencer.published.state.size
        return f"{0 if witnessed is None else witnessed.checkpoint.size} of {size}"
