"""What the index holds against what the entries' heads say.

Sums over the (term hash, index) pairs are compared first, per bucket of terms and in flat memory; only buckets that
differ are gone through pair by pair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from blake3 import blake3

from tallystick.core.actors import Actors
from tallystick.core.history import History, Recorded
from tallystick.core.terms import terms_of
from tallystick_node.doctor.report import Report
from tallystick_node.index import Index, term_hash
from tallystick_node.ledger import Ledger

_BUCKETS = 4_096
_BATCH = 1_024


class PostingCheck:
    """Sums up what must be there as the entries go by, then holds the index against it."""

    def __init__(self, ledger: Ledger, actors: Actors, report: Report) -> None:
        self._ledger = ledger
        self._store = ledger.store
        self._state = ledger.state
        self._actors = actors
        self._report = report
        self._sums = [0] * _BUCKETS

    def see(self, recorded: Recorded) -> None:
        """Take note of an entry's terms."""
        for term, index in _pairs(recorded):
            self._sums[_bucket(term)] += _pair_sum(term, index)

    def compare(self) -> None:
        """After the last entry: is the index the one they give?"""
        stored = [0] * _BUCKETS
        for term, index in Index(self._state.index).stored_postings(self._store):
            stored[_bucket(term)] += _pair_sum(term, index)
        differing = {bucket for bucket in range(_BUCKETS) if stored[bucket] != self._sums[bucket]}
        if differing:
            self._name_postings(differing)

    def _name_postings(self, buckets: set[int]) -> None:
        """Go through the differing buckets pair by pair."""
        expected: Counter[tuple[bytes, int]] = Counter()
        history = History(self._actors.copy())
        batch: list[bytes] = []
        for raw in self._ledger.entries(0, self._state.size):
            batch.append(raw)
            if len(batch) == _BATCH:
                expected.update(self._pairs_in(history, batch, buckets))
                batch = []
        expected.update(self._pairs_in(history, batch, buckets))
        for pair in Index(self._state.index).stored_postings(self._store):
            if _bucket(pair[0]) in buckets:
                expected[pair] -= 1
        for (term, index), count in sorted(expected.items(), key=lambda item: item[0][1]):
            place = f"index: {self._ledger.origin}#{index} under term {term.hex()}"
            if count > 0:
                self._report.add(place, "a posting", "none")
            elif count < 0:
                self._report.add(place, "no posting: the entry does not carry that term", "one")

    @staticmethod
    def _pairs_in(history: History, batch: list[bytes], buckets: set[int]) -> Iterator[tuple[bytes, int]]:
        for recorded in history.extend(batch):
            for term, index in _pairs(recorded):
                if _bucket(term) in buckets:
                    yield term, index


def _pairs(recorded: Recorded) -> Iterator[tuple[bytes, int]]:
    """The (term hash, index) pairs an entry must have in the index."""
    terms = terms_of(recorded.read.statement)
    if recorded.entry.signed is not None:
        terms.append((0, recorded.entry.signed.submission_id))
    for hashed in {term_hash(number, value) for number, value in terms}:
        yield hashed, recorded.entry.index


def _pair_sum(term: bytes, index: int) -> int:
    """A pair as a number whose sums differ where the pairs do, but for a chance of 2^-128."""
    return int.from_bytes(blake3(term + index.to_bytes(8, "big")).digest()[:16], "big")


def _bucket(term: bytes) -> int:
    return (term[0] << 8 | term[1]) % _BUCKETS
