"""New versions of the charter in a history: one operator is handed each, the others' nodes hear of it, all adopt it.

A version pins some ledgers where they were witnessed, though not all who follow them have come so far; it may suspend a
bureau, which the next one has go on. Every operator looks at what his node heard when he finds the time, has the node
stop, and starts it again under the version. Liars may never do so.
"""

from __future__ import annotations

from typing import Final

from tallystick.core.charter_chain import Version
from tallystick.core.note import encode_base64
from tests.harness.versions import after
from tests.simulation.bench import Bench
from tests.simulation.nodes import Machine

_PATIENCE_MAX_S: Final = 15.0
"""How long an operator lets a version lie that his node heard of."""


class Adopting:
    """Who publishes versions, and the operators."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._rng = bench.chance("adopting")
        self._looks_at_s: dict[tuple[str, int], float] = {}
        self._suspended = ""
        self._late = {liar for liar in sorted(bench.liars) if self._rng.random() < 0.3}
        """The liars that go by the first version for ever."""

    def publish(self) -> None:
        """A version is signed, and handed to the operator of an honest node at work."""
        bench, rng = self._bench, self._rng
        at_work = [each for each in bench.honest() if each.process is not None and each.process.at_work]
        if not at_work:
            return
        floors = {id: max(kept.items()) for id, kept in bench.judges.witnessed.items() if id not in bench.liars}
        edits = {id: floor_edit(*floors[id]) for id in sorted(floors) if rng.random() < 0.5 and self._rises(id, floors)}
        if suspended := self._suspended:
            edits[suspended] = edits.get(suspended, "") + self.resumed(suspended)
        elif rng.random() < 0.4:
            self._suspended = rng.choice([each.id for each in bench.charter.bureau])
            edits[self._suspended] = edits.get(self._suspended, "") + 'state = "suspended"\n'
        self.sign(edits, rng.choice(at_work))
        if self._suspended:
            bench.say("holders", f"{self._suspended} is suspended")

    def resumed(self, id: str) -> str:
        """What a version says to have a bureau go on, where it is suspended."""
        if id != self._suspended:
            return ""
        self._suspended = ""
        return 'state = "active"\n'

    def sign(self, edits: dict[str, str], to: Machine) -> Version:
        """The next version, which says this of bureaus; one operator has it from now on, with those before it."""
        bench = self._bench
        text = "".join(f'[[bureau]]\nid = "{id}"\n{said}' for id, said in edits.items())
        version = after(bench.versions[-1], text)
        bench.versions.append(version)
        bench.say("holders", f"version {version.number}: {', '.join(edits) or 'the same again'}")
        self._hand(to)
        return version

    def _hand(self, to: Machine) -> None:
        to.disk.heard = tuple(each.note for each in self._bench.versions[1:])

    def look(self) -> None:
        """The operators that found the time stop their nodes, and start those that are stopped under the version."""
        self._hand_again()
        now_s = self._bench.loop.time()
        for machine in self._bench.machines.values():
            version = self._next(machine)
            if version is None or now_s < self._when(machine, version):
                continue
            if machine.process is not None:
                machine.halt()
            elif machine.adopt(version):
                machine.boot()

    def _hand_again(self) -> None:
        """Who was handed the newest version may have been put back before anybody heard of it, or start no more."""
        newest = self._bench.versions[-1].number
        whole = [each for each in self._bench.honest() if not (each.lost or each.refused)]
        if any(version.number == newest for each in whole for version in (*each.disk.versions, *each.disk.later)):
            return
        if at_work := [each for each in whole if each.process is not None and each.process.at_work]:
            self._hand(at_work[0])

    def _next(self, machine: Machine) -> Version | None:
        if machine.lost or machine.id in self._late:
            return None
        return next((each for each in machine.disk.later if each.number == machine.version.number + 1), None)

    def _rises(self, id: str, floors: dict[str, tuple[int, bytes]]) -> bool:
        floor = self._bench.charter.by_id(id).floor
        return floor is None or floors[id][0] > floor.size

    def _when(self, machine: Machine, version: Version) -> float:
        at_s = self._bench.loop.time() + self._rng.uniform(0.0, _PATIENCE_MAX_S)
        return self._looks_at_s.setdefault((machine.name, version.number), at_s)


def floor_edit(size: int, root: bytes) -> str:
    """What a version says to pin a ledger."""
    return f'floor = {{ size = {size}, root = "{encode_base64(root)}" }}\n'
