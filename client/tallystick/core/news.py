"""What of all that one holds is news to another, by a line a checkpoint.

Two who swap say in short what they hold of the ledgers they speak of. A checkpoint travels whole

  1. to whoever holds a smaller one of that ledger, or none, or another one of the same size;
  2. to whoever holds the same with fewer cosignatures, or older ones;
  3. where it is kept apart, to whoever does not hold it at all: somebody has the proof that settles it;
  4. whatever its size, and with those that were held before it, to whoever holds what is doubted here, which is what
     was kept apart and nobody could settle: it may be he who has the proof, or held another of one of these sizes;

and evidence to whoever has none against that ledger's key, where checkpoints of it no longer matter. So it is always
the one behind who is shown more, and a swap is bounded by the number of ledgers it is of, never by their sizes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tallystick.core.checkpoint import Checkpoint
from tallystick.core.hashing import chain_hash
from tallystick.core.limits import ANSWER_BYTES_MAX
from tallystick.core.reconciling import Seen
from tallystick_proto.v1.gossip_pb2 import Line

ROOT_BYTES: Final = 16
"""How much of a root a line shows: enough that nobody finds two histories that look alike in it."""


def ledger_number(origin: str) -> int:
    """What a line calls a ledger."""
    return int.from_bytes(chain_hash(origin.encode())[:8], "big")


@dataclass(frozen=True, slots=True)
class Holding:
    """What one holds of a ledger: the newest checkpoint, those kept apart, the evidence against its key, what was held
    before, and which of those apart are doubted.
    """

    held: Seen | None = None
    apart: tuple[Seen, ...] = ()
    evidence: bytes | None = None
    past: tuple[Seen, ...] = ()
    doubted: frozenset[Checkpoint] = frozenset()

    def lines(self, ledger: int) -> Iterator[Line]:
        """All the checkpoints in short; where there is none, a line that only names the ledger."""
        if self.held is not None:
            yield _line(ledger, self.held, apart=False)
        elif not self.apart:
            yield Line(ledger=ledger)
        for seen in self.apart:
            yield _line(ledger, seen, apart=True)


@dataclass(frozen=True, slots=True)
class News:
    """The notes and files that are news to somebody."""

    notes: tuple[bytes, ...] = ()
    evidence: tuple[bytes, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.notes or self.evidence)


def lines_of(mine: Mapping[int, Holding]) -> list[Line]:
    """All that is held, in short."""
    return [line for ledger, holding in mine.items() for line in holding.lines(ledger)]


def proven_of(mine: Mapping[int, Holding]) -> list[int]:
    """The ledgers against whose key evidence is held."""
    return [ledger for ledger, holding in mine.items() if holding.evidence is not None]


def news(mine: Mapping[int, Holding], lines: Iterable[Line], proven: Iterable[int]) -> News:
    """What of mine, by ledger, is news to whoever holds these lines and evidence. What is too much waits."""
    theirs: dict[int, list[Line]] = {}
    for line in lines:
        theirs.setdefault(line.ledger, []).append(line)
    known = set(proven)
    files = [held.evidence for ledger, held in mine.items() if held.evidence is not None and ledger not in known]
    notes = [
        seen.note
        for ledger, holding in mine.items()
        if holding.evidence is None and ledger not in known
        for seen in _news_of(holding, theirs.get(ledger, []))
    ]
    room = ANSWER_BYTES_MAX
    chosen: tuple[list[bytes], list[bytes]] = ([], [])
    for place, data in [*((1, file) for file in files), *((0, note) for note in notes)]:
        room -= len(data)
        if room < 0:
            break
        chosen[place].append(data)
    return News(tuple(chosen[0]), tuple(chosen[1]))


def _news_of(holding: Holding, theirs: list[Line]) -> Iterator[Seen]:
    by_checkpoint = {(line.size, line.root): line for line in theirs}
    largest = max((line.size for line in theirs if not line.apart), default=-1)
    doubted = {_short(seen) for seen in holding.apart if seen.checkpoint in holding.doubted} & {
        key for key, line in by_checkpoint.items() if not line.apart
    }
    if doubted:  # 4
        yield from (
            seen for seen in (*holding.past, holding.held) if seen is not None and _short(seen) not in by_checkpoint
        )
    for seen in (holding.held, *holding.apart):
        if seen is None:
            continue
        line = by_checkpoint.get(_short(seen))
        if line is not None:
            if len(seen.said) > line.cosignatures or seen.newest_s > line.newest_s:  # 2
                yield seen
        elif seen is not holding.held or (seen.size >= largest and not doubted):  # 3, 1
            yield seen


def _short(seen: Seen) -> tuple[int, bytes]:
    return seen.size, seen.checkpoint.root[:ROOT_BYTES]


def _line(ledger: int, seen: Seen, *, apart: bool) -> Line:
    return Line(
        ledger=ledger,
        size=seen.size,
        root=seen.checkpoint.root[:ROOT_BYTES],
        newest_s=seen.newest_s,
        cosignatures=len(seen.said),
        apart=apart,
    )
