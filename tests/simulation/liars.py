"""Bureaus that lie, together: each lies with the nodes' own code, and keeps to none of their rules.

Two faces: from a chosen entry on, a liar's node runs twice under one key, each on a disk of its own, and every other
bureau is shown one of the two. What is recorded there differs. Now and then everybody is shown a face of his own.
Liars that lie together split the others alike, so that each cosigns all histories of the other. A face calls nobody who
is not to know of it.

Lies: whatever leaves the node may be bent. Old checkpoints are shown again; cosignatures are invented; what is said of
others is altered; entries and proofs are withheld; evidence is made up.

Nothing holds a liar back that holds back an honest node (`NodeProcess.unbind`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final

from tallystick.core.equivocation import TwoNotes, format_equivocation
from tallystick.core.note import Note, NoteSignature, format_note, parse_note
from tests.simulation.bench import Bench
from tests.simulation.nodes import Machine, NodeProcess

Bend = Callable[[bytes], bytes]

SECOND: Final = "b"
"""The face that a liar shows beside its first; further ones are "c", "d", …"""

TO_EACH_ANOTHER: Final = 0.2
"""In how many of the forks everybody is shown a history of his own."""

_NOTES: Final = ("checkpoint", "note", "witnessed", "newest")
_PROOFS: Final = ("ReadEntries", "ProveConsistency", "ProveInclusion", "Held", "GetHeld")


class Liars:
    """All that lie in a history, and how."""

    def __init__(self, bench: Bench, *, lies: bool = True) -> None:
        self._bench = bench
        self._rng = bench.chance("liars")
        self._first_shown: dict[str, bytes] = {}
        self._earlier: dict[str, Any] = {}
        self.forked = False
        self._lies = lies and bool(bench.liars)
        if self._lies:
            bench.lie = self._lie
            self._habits = {liar: self._rng.sample(_HABITS, self._rng.randint(0, 2)) for liar in sorted(bench.liars)}
            for liar, habits in self._habits.items():
                if habits:
                    bench.say(liar, f"lies: {', '.join(said for said, _ in habits)}")

    # Faces.

    def remember(self) -> None:
        """What the liars' disks hold now is where their histories may part later."""
        self._earlier = {liar: self._bench.faces[liar][""].disk.copy() for liar in sorted(self._bench.liars)}

    def fork(self, side: Sequence[str] = ()) -> None:
        """From now on there are two of each liar, or more: the second is shown to those on a `side`, else by chance."""
        bench, rng = self._bench, self._rng
        if self.forked or not bench.liars:
            return
        self.forked = True
        others = [id for id in bench.faces if id not in bench.liars]
        side = side or rng.sample(others, rng.randint(1, len(others) - 1))
        chance = bench.chance("faces")
        if apart := self._lies and chance.random() < TO_EACH_ANOTHER:
            side = chance.sample(others, len(others) - 1)  # and the first face to who is left
        shown = {other: chr(ord(SECOND) + place * apart) for place, other in enumerate(side)}
        for liar in sorted(bench.liars):
            first = bench.faces[liar][""]
            disk = self._earlier[liar] if self._earlier and rng.random() < 0.3 else first.disk
            for face in sorted(set(shown.values())):
                machine = Machine(bench, first.office, disk.copy(), bench.chance(f"machine {liar} {face}"), face)
                bench.place(machine)
                for other in side:
                    if shown[other] == face:
                        bench.shown[liar, other] = face
                machine.boot()
                if face > SECOND:  # on the first two is recorded at any time
                    more = partial(bench.clients.record, liar, chance.randint(1, 3), 0, face)
                    bench.loop.call_later(chance.uniform(0.1, 5.0), more)
        another = "each another history" if apart else "another history"
        bench.say("liars", f"fork: {', '.join(sorted(bench.liars))} show {', '.join(side)} {another} from now on")
        for other in side:  # whoever was connected to the first face is not any more
            for liar in sorted(bench.liars):
                bench.network.break_all(liar, other)

    # Lies.

    def _lie(self, process: NodeProcess, path: str, message: Any) -> Iterable[Any]:
        sent = type(message)()
        sent.CopyFrom(message)  # what the node has at hand stays as it is
        for _, habit in self._habits[process.id]:
            bent = habit(self, process, path, sent)
            if bent is not None and not bent:
                return bent
        return (sent,)

    def _withhold(self, process: NodeProcess, path: str, message: Any) -> Sequence[Any] | None:
        """Entries and proofs are asked for in vain."""
        return () if path.rpartition("/")[2] in _PROOFS and self._rng.random() < 0.7 else None

    def _replay(self, process: NodeProcess, path: str, message: Any) -> Sequence[Any] | None:
        """Checkpoints as they once were."""

        def old(note: bytes) -> bytes:
            origin = note.partition(b"\n")[0].decode(errors="replace")
            first = self._first_shown.setdefault(f"{process.machine.name} {origin}", note)
            return first if self._rng.random() < 0.5 else note

        return self._each_note(message, old)

    def _invent(self, process: NodeProcess, path: str, message: Any) -> Sequence[Any] | None:
        """Cosignatures that nobody made, under the names of those who might have."""

        def crowned(note: bytes) -> bytes:
            parsed = parse_note(note)
            names = {each.name for each in parsed.signatures}
            invented = [
                NoteSignature(key.name, key.key_id, (1_900_000_000).to_bytes(8, "big") + self._rng.randbytes(64))
                for bureau in self._bench.world.charter.bureau
                if (key := bureau.witness_verifier).name not in names
            ]
            return format_note(Note(parsed.text, (*parsed.signatures, *invented[:4])))

        return self._each_note(message, crowned)

    def _slander(self, process: NodeProcess, path: str, message: Any) -> Sequence[Any] | None:
        """What is shown of others is made to contradict what they signed, and evidence against them is made up."""
        shown: list[bytes] = []

        def altered(note: bytes) -> bytes:
            origin = note.partition(b"\n")[0].decode(errors="replace")
            if origin.endswith(process.id):
                return note
            shown.append(note)
            origin_line, size, root, rest = note.split(b"\n", 3)
            return b"\n".join((origin_line, str(int(size) + self._rng.randint(0, 3)).encode(), root[::-1], rest))

        bent = self._each_note(message, altered)
        if bent is not None and shown and "evidence" in message.DESCRIPTOR.fields_by_name:
            one = Note(parse_note(shown[0]).text, parse_note(shown[0]).signatures[:1])
            note = format_note(one)
            message.evidence.append(format_equivocation(TwoNotes(note, note, self._rng.randbytes(32), ())))
        return bent

    def _babble(self, process: NodeProcess, path: str, message: Any) -> Sequence[Any] | None:
        """Bytes that are no note, or half of one."""
        return self._each_note(message, lambda note: note[: self._rng.randint(0, len(note))])

    def _each_note(self, message: Any, bend: Bend) -> Sequence[Any] | None:
        """A message with every checkpoint in it bent now and then; None where it carries none."""
        if not hasattr(message, "DESCRIPTOR"):
            return None
        found = False
        for name in _NOTES:
            if name not in message.DESCRIPTOR.fields_by_name:
                continue
            value = getattr(message, name)
            if isinstance(value, bytes):
                if value and self._rng.random() < 0.5:
                    setattr(message, name, _bent(bend, value))
                    found = True
            else:
                for place, each in enumerate(value):
                    if self._rng.random() < 0.5:
                        value[place] = _bent(bend, each)
                        found = True
        return (message,) if found else None


def _bent(bend: Bend, note: bytes) -> bytes:
    try:
        return bend(note)
    except Exception:  # it was bent already, and is no note any more
        return note


Habit = Callable[[Liars, NodeProcess, str, Any], Sequence[Any] | None]

_HABITS: Final[tuple[tuple[str, Habit], ...]] = (
    ("withholds entries and proofs", Liars._withhold),
    ("replays old checkpoints", Liars._replay),
    ("invents cosignatures", Liars._invent),
    ("slanders others", Liars._slander),
    ("babbles", Liars._babble),
)
