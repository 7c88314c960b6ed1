"""The index beside a naive one: whatever was committed, it names the same entries, and damage shows."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.core.errors import StoreDamaged
from tallystick.core.limits import COMMIT_ENTRIES_MAX
from tallystick.core.terms import Term, pack_term
from tallystick_node import index as module
from tallystick_node.index import NEAR_UNIQUE_FIELDS, Index, IndexState, term_hash
from tallystick_node.runs import RETIRED_COMMITS
from tallystick_node.store.leveldb import LevelDbStore
from tallystick_node.store.memory import MemoryStore
from tallystick_node.store.store import Batch, Store

NEAR_UNIQUE = sorted(NEAR_UNIQUE_FIELDS)
TERMS = st.tuples(st.sampled_from([1, 3, NEAR_UNIQUE[0], NEAR_UNIQUE[-1]]), st.sampled_from([b"", b"a", b"b", b"c"]))
COMMITS = st.lists(st.lists(st.lists(TERMS, max_size=5), max_size=9), max_size=12)


def packed(terms: list[list[Term]]) -> list[tuple[bytes, ...]]:
    """The terms of each entry as the index takes them."""
    return [tuple(pack_term(*term) for term in carried) for carried in terms]


class Indexed:
    """An index in a store, grown commit by commit, beside the plain list of each entry's terms."""

    def __init__(self, store: Store | None = None) -> None:
        self.store = store or MemoryStore()
        self.state = IndexState()
        self.entries: list[list[Term]] = []

    def commit(self, terms: list[list[Term]]) -> None:
        batch = Batch()
        self.state = Index(self.state).build(len(self.entries), packed(terms), batch, self.store.get)
        keys = [key for key, _ in batch.puts] + batch.deletes
        assert len(set(keys)) == len(keys), "a key stands twice in one batch"
        self.store.write(batch)
        self.entries += terms
        self.state = IndexState.from_bytes(self.state.to_bytes())

    def expected(self, wanted: set[Term], start: int, stop: int) -> list[int]:
        return [index for index in range(start, min(stop, len(self.entries))) if wanted <= set(self.entries[index])]

    def pairs(self) -> Counter[tuple[bytes, int]]:
        return Counter(
            (hashed, index)
            for index, terms in enumerate(self.entries)
            for hashed in {term_hash(*term) for term in terms}
        )


@given(COMMITS, st.lists(TERMS, min_size=1, max_size=3), st.integers(0, 110), st.integers(0, 110), st.booleans())
def test_candidates_are_what_a_naive_index_finds(
    commits: list[list[list[Term]]], terms: list[Term], start: int, stop: int, newest_first: bool
) -> None:
    """One term or several, any range, either order: exactly the entries that carry them, each once."""
    indexed = Indexed()
    for commit in commits:
        indexed.commit(commit)
    index, step = Index(indexed.state), -1 if newest_first else 1
    found = index.candidates_all(indexed.store, terms, start=start, stop=stop, newest_first=newest_first)
    assert list(found) == indexed.expected(set(terms), start, stop)[::step]
    number, value = terms[0]
    one = index.candidates(indexed.store, number, value, start=start, stop=stop, newest_first=newest_first)
    assert list(one) == indexed.expected({terms[0]}, start, stop)[::step]
    assert Counter(index.stored_postings(indexed.store)) == indexed.pairs()


def random_terms(random: Random, index: int) -> list[Term]:
    """Some terms in every entry, some in few, some in one."""
    terms: list[Term] = [
        (1, b"kind"),
        (3, b"resource-%d" % random.randrange(9)),
        (3, b"rare-%d" % random.randrange(500)),
    ]
    terms.append((NEAR_UNIQUE[0], b"own-%d" % index))
    terms.append((NEAR_UNIQUE[1], b"case-%d" % random.randrange(1 + index // 3)))
    if random.random() < 0.05:
        terms.append((NEAR_UNIQUE[1], b"popular"))
    return terms


@pytest.mark.parametrize("sizes", [[1], [1, 1, 1, 40], [700, 1, 30]], ids=str)
@pytest.mark.parametrize("kind", ["memory", "leveldb"])
def test_long_ledgers_of_mixed_commits_are_indexed_whole(
    sizes: list[int], kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Thousands of commits of one entry, or commits of very different sizes: look-ups and full reading agree."""
    random = Random(8)
    store = MemoryStore() if kind == "memory" else LevelDbStore.create(tmp_path_factory.mktemp("index") / "db")
    indexed = Indexed(store)
    commits = 0
    while len(indexed.entries) < (2_500 if kind == "memory" else 1_000):
        first = len(indexed.entries)
        indexed.commit([random_terms(random, index) for index in range(first, first + sizes[commits % len(sizes)])])
        commits += 1
    index, end = Index(indexed.state), len(indexed.entries)
    assert Counter(index.stored_postings(store)) == indexed.pairs()
    everything = sorted({term for terms in indexed.entries for term in terms})
    always = [(1, b"kind"), (3, b"resource-1"), (NEAR_UNIQUE[1], b"popular")]
    for terms in [always, always[1:], always[:2], *([term] for term in always)] + [
        random.sample(everything, random.choice([1, 1, 2])) for _ in range(60)
    ]:
        start, stop = sorted(random.randrange(end + 9) for _ in range(2)) if random.random() < 0.7 else (0, end)
        expected = indexed.expected(set(terms), start, stop)
        assert list(index.candidates_all(store, terms, start=start, stop=stop)) == expected
        newest = index.candidates_all(store, terms, start=start, stop=stop, newest_first=True)
        assert list(newest) == expected[::-1]
    store.close()


def test_a_commit_of_the_greatest_size_is_one_list_a_term() -> None:
    """The first and the last of 32,768 entries are found under one key, and one entry more is our bug."""
    indexed = Indexed()
    indexed.commit([[]] * 5)
    both = [(1, b"both"), (NEAR_UNIQUE[0], b"both")]
    indexed.commit([both, *[[(3, b"x")]] * (COMMIT_ENTRIES_MAX - 2), both])
    last = 5 + COMMIT_ENTRIES_MAX - 1
    index = Index(indexed.state)
    for number, value in both:
        assert list(index.candidates(indexed.store, number, value, start=0, stop=last + 1)) == [5, last]
        assert list(index.candidates(indexed.store, number, value, start=6, stop=last + 9, newest_first=True)) == [last]
    assert len(list(index.candidates(indexed.store, 3, b"x", start=0, stop=last))) == COMMIT_ENTRIES_MAX - 2
    with pytest.raises(RuntimeError):
        index.build(last + 1, [()] * (COMMIT_ENTRIES_MAX + 1), Batch(), indexed.store.get)
    with pytest.raises(RuntimeError):
        index.build(last, [()], Batch(), indexed.store.get)
    with pytest.raises(RuntimeError):
        index.candidates_all(indexed.store, [], start=0, stop=1)


def test_an_iterator_goes_on_while_commits_follow() -> None:
    """What was begun on a state ends with that state's entries, whatever is committed meanwhile."""
    indexed = Indexed()
    term = (NEAR_UNIQUE[1], b"case")
    for size in (1, 6, 1, 2, 9):
        indexed.commit([[term]] * size)
    begun = Index(indexed.state)
    found = begun.candidates(indexed.store, *term, start=0, stop=10**6)
    taken = [next(found) for _ in range(3)]
    for _ in range(4 * RETIRED_COMMITS):
        indexed.commit([[term]])
    assert [*taken, *found] == list(range(19))


class Colliding:
    """A hasher of which only two digests come."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = data

    def update(self, data: bytes) -> None:
        self.data += data

    def reset(self) -> None:
        self.data = b""

    def digest(self) -> bytes:
        return bytes([sum(self.data) % 2]) * 32


@settings(max_examples=50)
@given(COMMITS)
def test_terms_of_one_hash_cost_false_candidates_only(commits: list[list[list[Term]]]) -> None:
    """Where different terms have one hash every entry is still named, once, and no pair is stored twice."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "blake3", Colliding)
        indexed, state = Indexed(), IndexState()
        for commit in commits:
            batch = Batch()
            state = Index(state).build(len(indexed.entries), packed(commit), batch, indexed.store.get)
            indexed.store.write(batch)
            indexed.entries += commit
        index = Index(state)
        assert Counter(index.stored_postings(indexed.store)) == indexed.pairs()
        for term in {term for terms in indexed.entries for term in terms if term[0] in NEAR_UNIQUE_FIELDS}:
            found = list(index.candidates(indexed.store, *term, start=0, stop=state.end))
            assert set(indexed.expected({term}, 0, state.end)) <= set(found)
            assert len(set(found)) == len(found)


def test_every_altered_byte_and_dropped_key_shows() -> None:
    """A change anywhere under the index's keys is refused by name, or gives other postings than the entries have."""
    random = Random(9)
    indexed = Indexed()
    for size in [1] * 20 + [30, 3] + [1] * 20:
        first = len(indexed.entries)
        indexed.commit([random_terms(random, index) for index in range(first, first + size)])
    index, pairs = Index(indexed.state), indexed.pairs()
    assert Counter(index.stored_postings(indexed.store)) == pairs
    assert isinstance(indexed.store, MemoryStore)
    items = list(indexed.store.range(b"p", b"s"))
    assert {key[:1] for key, _ in items} == {b"p", b"r"}
    for key, value in items:
        changes: list[bytes | None] = [None, value + b"\x00", value[:-1] + b"\x01\x02"]
        for position in range(min(len(value), 64)):
            changed = bytearray(value)
            changed[position] ^= 1 << random.randrange(8)
            changes.append(bytes(changed))
        for change in changes:
            batch = Batch()
            if change is None:
                batch.delete(key)
            else:
                batch.put(key, change)
            indexed.store.write(batch)
            try:
                assert Counter(index.stored_postings(indexed.store)) != pairs, (key.hex(), change)
            except StoreDamaged as error:
                assert error.where  # noqa: PT017
        restored = Batch()
        restored.put(key, value)
        indexed.store.write(restored)


def test_the_state_reads_back_and_every_altered_byte_of_it_is_refused() -> None:
    """Its checksum covers all: each truncation and each changed byte is StoreDamaged."""
    indexed = Indexed()
    for number in range(30):
        indexed.commit([[(NEAR_UNIQUE[0], b"%d" % number)]])
    data = indexed.state.to_bytes()
    assert IndexState.from_bytes(data) == indexed.state
    assert IndexState.from_bytes(IndexState().to_bytes()) == IndexState()
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1
        for broken in (data[:position], bytes(changed)):
            with pytest.raises(StoreDamaged):
                IndexState.from_bytes(broken)
