"""Which entries may carry a term: the index over one ledger.

A *term* is (field number of the statement's head, value), field 0 being the entry's submission id. The index knows only

    term hash   the first 8 bytes of BLAKE3(field, u8 ‖ value)

so an index it names is a *candidate*: whoever asks reads the entry and looks. It names every entry that carries the
term, and where two terms have one hash, some others too.

Within a commit a term's indexes become one posting list (`postings`). Where the field is near-unique and the term
occurs fewer than 4 times they become records of a sorted run (`runs`) instead, unless a list of that very hash is there
to join: so no pair of hash and index is stored twice.

The state is a value that the caller keeps in its state record:

    end, u64 BE: the index covers the entries before it ‖ the runs ‖ the first 8 bytes of the BLAKE3 of all before
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import chain
from typing import Final

from blake3 import blake3

from tallystick.core.errors import StoreDamaged
from tallystick.core.kinds import TERM_FIELDS
from tallystick.core.limits import COMMIT_ENTRIES_MAX, LEDGER_ENTRIES_MAX
from tallystick.core.terms import Term, Terms, pack_term
from tallystick_node import index_check, postings
from tallystick_node.postings import HASH_BYTES
from tallystick_node.runs import Runs
from tallystick_node.sorted_run import Get
from tallystick_node.store.store import Batch, Store

NEAR_UNIQUE_FIELDS: Final = frozenset(TERM_FIELDS[name] for name in ("submission", "exchange", "case", "about"))
RUN_OCCURRENCES_MAX: Final = 3
_END_BYTES: Final = 8
_CHECKSUM_BYTES: Final = 8
_STEPS_MAX: Final = 4
_SOUGHT_MAX: Final = 256
_BEFORE_ALL: Final = -LEDGER_ENTRIES_MAX


@dataclass(frozen=True, slots=True)
class IndexState:
    """The index of the entries before `end`."""

    end: int = 0
    runs: Runs = field(default_factory=Runs)

    def to_bytes(self) -> bytes:
        """The state as the module's docstring says."""
        body = self.end.to_bytes(_END_BYTES, "big") + self.runs.to_bytes()
        return body + blake3(body).digest()[:_CHECKSUM_BYTES]

    @classmethod
    def from_bytes(cls, data: bytes) -> IndexState:
        """Read the state back. Raises StoreDamaged."""
        body = data[:-_CHECKSUM_BYTES]
        where = "the index in the state record"
        if blake3(body).digest()[:_CHECKSUM_BYTES] != data[-_CHECKSUM_BYTES:]:
            raise StoreDamaged("it does not match its checksum", where=where, expected="what the last commit wrote")
        end = int.from_bytes(body[:_END_BYTES], "big")
        runs = Runs.from_bytes(body[_END_BYTES:])
        if end > LEDGER_ENTRIES_MAX or (runs.live and runs.live[-1].end > end):
            raise StoreDamaged(f"it ends at {end}", where=where, expected="where its runs end, or after")
        return cls(end, runs)


def term_hash(number: int, value: bytes) -> bytes:
    """What the index knows of a term."""
    return blake3(pack_term(number, value)).digest()[:HASH_BYTES]


class Index:
    """The index at one state. `build` gives the next state and changes nothing; the rest reads."""

    def __init__(self, state: IndexState) -> None:
        self.state = state

    def build(self, first: int, terms: Sequence[Terms], batch: Batch, get: Get) -> IndexState:
        """Add a commit: the terms of each of the adjacent entries from `first` on. Raises StoreDamaged.

        `get` reads the store as the commits before left it. The state returned holds once the batch is durable.
        """
        if first != self.state.end or len(terms) > COMMIT_ENTRIES_MAX:
            raise RuntimeError(f"{len(terms)} entries at {first}, after {self.state.end}")
        grouped: defaultdict[bytes, list[int]] = defaultdict(list)
        for index, carried in enumerate(terms, first):
            for term in carried:
                grouped[term].append(index)
        lists: defaultdict[bytes, list[int]] = defaultdict(list)
        records: list[bytes] = []
        hasher = blake3()
        update, digest, reset = hasher.update, hasher.digest, hasher.reset
        for term, indexes in grouped.items():
            update(term)
            hashed = digest()[:HASH_BYTES]
            reset()
            if term[0] in NEAR_UNIQUE_FIELDS and len(indexes) <= RUN_OCCURRENCES_MAX:
                for index in indexes:
                    records.append(hashed + index.to_bytes(8, "big"))
            else:
                lists[hashed] += indexes
        records = sorted(set(records))
        for hashed, indexes in lists.items():
            at = bisect_left(records, hashed)
            while at < len(records) and records[at].startswith(hashed):  # another term of that hash
                indexes.append(int.from_bytes(records.pop(at)[HASH_BYTES:], "big"))
            # An index stands twice where an entry carries a term twice, or two terms of one hash.
            postings.put(batch, hashed, sorted(set(indexes)))
        end = first + len(terms)
        return IndexState(end, self.state.runs.advance(records, end, batch, get))

    def candidates(
        self, store: Store, number: int, value: bytes, *, start: int, stop: int, newest_first: bool = False
    ) -> Iterator[int]:
        """Indexes in [start, stop) that may carry a term, each once, ascending, or descending with `newest_first`.

        Runs are looked up in this call, posting lists as the iterator goes, which may be kept while commits go on. When
        this is called, no more than 16 commits may have followed the state. Raises StoreDamaged.
        """
        cursor = _Cursor(store, self.state, (number, value), start, stop, newest_first)
        return map(abs, cursor)

    def candidates_all(
        self, store: Store, terms: Sequence[Term], *, start: int, stop: int, newest_first: bool = False
    ) -> Iterator[int]:
        """Indexes in [start, stop) that may carry all of the terms, at least one; else as `candidates`."""
        if not terms:
            raise RuntimeError("no terms")
        # The rarer first: it says where the others have to be looked at.
        distinct = sorted(dict.fromkeys(terms), key=lambda term: term[0] not in NEAR_UNIQUE_FIELDS)
        cursors = [_Cursor(store, self.state, term, start, stop, newest_first) for term in distinct]
        return map(abs, cursors[0] if len(cursors) == 1 else _common(cursors))

    def stored_postings(self, store: Store) -> Iterator[tuple[bytes, int]]:
        """Every (term hash, index) the index holds, each once, its structure checked on the way; in no useful order.

        Raises StoreDamaged, naming the key, also after the last pair: only who comes to the end has checked all.
        """
        yield from postings.stored(store, self.state.end)
        yield from index_check.stored_records(store, self.state.runs)


class _Cursor:
    """The indexes of one term in order, with a way to skip. Newest first is oldest first over negated indexes."""

    def __init__(self, store: Store, state: IndexState, term: Term, start: int, stop: int, newest_first: bool) -> None:
        number, value = term
        self._store = store
        self._hash = term_hash(number, value)
        self._start = max(0, start)
        self._stop = min(stop, state.end)
        self._newest_first = newest_first
        found: list[int] = []
        if number in NEAR_UNIQUE_FIELDS and self._start < self._stop:
            found = state.runs.find(self._hash, self._start, self._stop, store.get)
        self._found = self._signed(found)
        self._lists: Iterator[list[int]] | None = None
        self._list: list[int] = []

    def __iter__(self) -> Iterator[int]:
        return merge(self._found, chain.from_iterable(self._lists_from(_BEFORE_ALL)))

    def seek(self, target: int) -> int | None:
        """The first (signed) index at or after a (signed) target; targets must not descend."""
        steps = 0
        while not self._list or self._list[-1] < target:
            if self._lists is None or steps == _STEPS_MAX:  # far off: jump instead of reading what lies between
                self._lists = self._lists_from(target)
            steps += 1
            following = next(self._lists, None)
            if following is None:
                self._list = []
                self._lists = iter(())
                break
            self._list = following
        options = [
            indexes[at] for indexes in (self._found, self._list) if (at := bisect_left(indexes, target)) < len(indexes)
        ]
        return min(options, default=None)

    def _lists_from(self, target: int) -> Iterator[list[int]]:
        start, stop = self._start, self._stop
        if self._newest_first:
            stop = min(stop, 1 - target)
        else:
            start = max(start, target)
        for indexes in postings.lists(self._store, self._hash, start, stop, newest_first=self._newest_first):
            inside = indexes[bisect_left(indexes, start) : bisect_left(indexes, stop)]
            if inside:
                yield self._signed(inside)

    def _signed(self, indexes: list[int]) -> list[int]:
        return [-index for index in reversed(indexes)] if self._newest_first else indexes


def _common(cursors: Sequence[_Cursor]) -> Iterator[int]:
    """What all cursors name: each in turn is asked for the least index that the others may still name.

    After each `_SOUGHT_MAX` that one names and another does not, it is given for a candidate all the same, so that who
    goes through them is not kept for as long as two long lists have nothing in common.
    """
    sought = 0
    target: int | None = cursors[0].seek(_BEFORE_ALL)
    while target is not None:
        for cursor in cursors:
            reached = cursor.seek(target)
            if reached is None:
                return
            if reached > target:
                sought += 1
                if sought % _SOUGHT_MAX == 0:
                    yield target
                target = reached
                break
        else:
            yield target
            target = cursors[0].seek(target + 1)
