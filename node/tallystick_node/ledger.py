"""One bureau's ledger on a `Store`, its own or the copy of another's: the second half of the write path, every read.

`build` turns prepared submissions into one batch and the state that holds once the batch is durable; it writes
nothing and changes nothing, so that a commit may fail. The caller writes the batch and then calls `adopt`. Readers
hold a `State`, which never changes; what it speaks of is on disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import DecodeError

from tallystick.core.entry import Entry, decode_entry, encode_submission
from tallystick.core.errors import BehindSigned, NotFound, StoreDamaged, TallystickError, VerificationFailed
from tallystick.core.hashing import chain_hash, leaf_hashes
from tallystick.core.history import Recorded
from tallystick.core.kinds import TERM_FIELDS
from tallystick.core.limits import (
    LEDGER_ENTRIES_MAX,
    SEGMENT_BYTES_MAX,
    SEGMENT_ENTRIES_MAX,
    TILE_HEIGHT,
    TILE_WIDTH,
)
from tallystick.core.merkle import Reader, root_at
from tallystick.core.submission import Prepared
from tallystick.core.terms import Term, Terms, pack_term, terms_of
from tallystick.core.tree import FullTiles
from tallystick_node import keyspace
from tallystick_node.index import Index
from tallystick_node.ledger_state import State, empty_state, read_state
from tallystick_node.newest import Newest
from tallystick_node.signed_size import SignedSize
from tallystick_node.store.store import Batch, Store
from tallystick_proto.v1.storage_pb2 import Segment

_SUBMISSION: Final = TERM_FIELDS["submission"]


@dataclass(frozen=True, slots=True)
class Commit:
    """A batch ready to be written, the state once it is, its entries, and where each submission begins."""

    batch: Batch
    state: State
    entries: list[bytes]
    firsts: list[int]


class Ledger:
    """A ledger and its current state. One writer; any number of readers."""

    def __init__(self, store: Store, origin: str, state: State) -> None:
        self.store = store
        self.origin = origin
        self.state = state
        self._tiles = FullTiles(self._tile)
        self._newest = Newest()

    @classmethod
    def create(cls, store: Store, origin: str) -> Ledger:
        """An empty ledger in a new database."""
        state = empty_state(origin)
        batch = Batch()
        batch.put(keyspace.STATE, state.encode(origin))
        store.write(batch)
        return cls(store, origin, state)

    @classmethod
    def open(cls, store: Store, origin: str) -> Ledger:
        """The ledger of a database; costs the same at any size. Raises StoreDamaged."""
        return cls(store, origin, read_state(store, origin))

    # Writing.

    def build(self, submissions: Sequence[Prepared], now_us: int, state: State | None = None) -> Commit:
        """Place submissions after `state` (the current one if none is given), in their order, in one batch."""
        before = state or self.state
        at_us = before.dated(now_us)
        index, prev = before.size, before.prev
        if index + sum(submission.count for submission in submissions) > LEDGER_ENTRIES_MAX:
            raise StoreDamaged("the ledger is full", expected=f"at most {LEDGER_ENTRIES_MAX} entries")
        entries: list[bytes] = []
        terms: list[Terms] = []
        firsts: list[int] = []
        batch = Batch()
        for submission in submissions:
            first = index
            firsts.append(first)
            chained, prev = encode_submission(first, prev, at_us, submission.statements, submission.signature)
            entries += chained
            index += submission.count
            terms.append((*submission.terms[0], pack_term(_SUBMISSION, submission.submission_id)))
            terms += submission.terms[1:]
        after = self._place(batch, before, entries, terms, prev, at_us)
        return Commit(batch, after, entries, firsts)

    def build_copy(self, checked: Sequence[Recorded]) -> Commit:
        """Place another ledger's next entries, checked and ending with a submission, in one batch."""
        entries = [recorded.entry.raw for recorded in checked]
        terms: list[Terms] = []
        for recorded in checked:
            carried = [pack_term(*term) for term in terms_of(recorded.read.statement)]
            if recorded.entry.signed is not None:
                carried.append(pack_term(_SUBMISSION, recorded.entry.signed.submission_id))
            terms.append(tuple(carried))
        batch = Batch()
        at_us = checked[-1].entry.recorded_at_us
        after = self._place(batch, self.state, entries, terms, chain_hash(entries[-1]), at_us)
        return Commit(batch, after, [], [])  # few ask for what is newest in a copy

    def _place(
        self, batch: Batch, before: State, entries: list[bytes], terms: list[Terms], prev: bytes, at_us: int
    ) -> State:
        """Put entries after `before`, with their tiles, postings and the state record, into a batch."""
        self._put_segments(batch, before.size, entries)
        tree = before.tree.copy()
        for tile in tree.append(leaf_hashes(entries)):
            batch.put(keyspace.tile(tile.level, tile.number), tile.data)
        indexed = Index(before.index).build(before.size, terms, batch, self.store.get)
        after = State(before.size + len(entries), tree.root(), prev, at_us, tree, indexed)
        batch.put(keyspace.STATE, after.encode(self.origin))
        return after

    def adopt(self, commit: Commit) -> None:
        """A commit is durable."""
        self.state = commit.state
        if commit.entries:
            self._newest.add(commit.state.size - len(commit.entries), commit.entries)

    @staticmethod
    def _put_segments(batch: Batch, first: int, entries: list[bytes]) -> None:
        start = 0
        while start < len(entries):
            stop = min(len(entries), start + SEGMENT_ENTRIES_MAX - (first + start) % SEGMENT_ENTRIES_MAX)
            total = 0
            for position in range(start, stop):
                total += len(entries[position])
                if total > SEGMENT_BYTES_MAX and position > start:
                    stop = position
                    break
            batch.put(keyspace.segment(first + start), Segment(entry=entries[start:stop]).SerializeToString())
            start = stop

    # Reading.

    def entries(self, first: int, end: int) -> Iterator[bytes]:
        """The bytes of entries [first, end). Raises NotFound outside the ledger, StoreDamaged where one is not
        there.
        """
        if not 0 <= first <= end <= self.state.size:
            raise NotFound(f"entries {first} to {end}", where=self.origin, expected=f"0 to {self.state.size}")
        at_hand = self._newest.entries(first, end)
        if len(at_hand) < end - first:
            yield from self._stored(first, end - len(at_hand))
        yield from at_hand

    def _stored(self, first: int, end: int) -> Iterator[bytes]:
        wanted = first
        for key, value in self.store.range(keyspace.segments_from(first), keyspace.segment(end)):
            begins = keyspace.segment_first(key)
            segment = self.decode_segment(begins, value)
            if begins + len(segment) <= wanted:
                continue
            if begins > wanted:
                break
            for raw in segment[wanted - begins : end - begins]:
                yield raw
                wanted += 1
        if wanted < end:
            raise StoreDamaged("the entry is not in the database", where=f"{self.origin}#{wanted}", expected="an entry")

    def entry(self, index: int) -> bytes:
        """The bytes of one entry. Raises as `entries`."""
        return next(self.entries(index, index + 1))

    def decoded(self, index: int) -> Entry:
        """One entry, decoded. Raises as `decoded_all`."""
        return self.decoded_all(index, index + 1)[0]

    def decoded_all(self, first: int, end: int) -> list[Entry]:
        """Entries [first, end), decoded. Raises as `entries`, and StoreDamaged where one does not read."""
        found = []
        for index, raw in enumerate(self.entries(first, end), first):
            try:
                found.append(decode_entry(raw))
            except VerificationFailed as error:
                raise self.damaged(index, error) from None
        return found

    def damaged(self, index: int, error: TallystickError) -> StoreDamaged:
        """What an entry that does not read says of the disk it came from."""
        return StoreDamaged(error.what, where=f"{self.origin}#{index}", expected="the entry that was stored")

    def decode_segment(self, first: int, data: bytes) -> Sequence[bytes]:
        """The entries of a stored segment. Raises StoreDamaged."""
        try:
            segment = Segment.FromString(data)
            segment.DiscardUnknownFields()
        except DecodeError:
            segment = None
        if segment is None or segment.SerializeToString() != data or not 1 <= len(segment.entry) <= SEGMENT_ENTRIES_MAX:
            raise StoreDamaged("the segment does not parse", where=f"{self.origin}#{first}", expected="1 to 64 entries")
        return segment.entry

    def reader(self, state: State | None = None) -> Reader:
        """The hashes of the tree's complete nodes."""
        return (state or self.state).tree.reader(self._tiles)

    def root_at(self, size: int) -> bytes:
        """The root the ledger had at an earlier size. Raises NotFound."""
        if size > self.state.size:
            raise NotFound(f"size {size}", where=self.origin, expected=f"at most {self.state.size}")
        return root_at(size, self.reader())

    def _tile(self, level: int, number: int) -> bytes:
        data = self.store.get(keyspace.tile(level, number))
        if data is None or len(data) != TILE_WIDTH * 32:
            first = number << (TILE_HEIGHT * (level + 1))
            raise StoreDamaged(
                f"tile {level}/{number}, which covers #{first} onwards, is {'missing' if data is None else 'cut'}",
                where=self.origin,
                expected="256 hashes",
            )
        return data

    def candidates(
        self, terms: Sequence[Term], start: int, stop: int, *, newest_first: bool, state: State | None = None
    ) -> Iterator[int]:
        """Indexes in [start, stop) that may carry all the terms; the caller looks, since the index knows hashes
        only.
        """
        index = Index((state or self.state).index)
        return index.candidates_all(self.store, terms, start=start, stop=stop, newest_first=newest_first)


def check_against_signed(ledger: Ledger, signed: SignedSize) -> None:
    """The database holds everything that was ever noted for signing. Raises BehindSigned or StoreDamaged."""
    size, root = signed.value
    if ledger.state.size < size:
        raise BehindSigned(
            f"the database holds {ledger.state.size} entries, and {size} were signed",
            where=ledger.origin,
            expected="at least what was signed; this node must not write on: restore its database from the disk it "
            "was lost from, or recover it from its witnesses",
            known=size,
        )
    found = ledger.root_at(size)
    if found != root:
        raise StoreDamaged(
            f"its first {size} entries have root {found.hex()}",
            where=ledger.origin,
            expected=f"{root.hex()}, which was signed; run tallyd fsck",
        )
