"""What is found: exactly the entries that carry all the terms, each in a bundle that proves it."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from tallystick.core.entry import decode_entry
from tallystick.core.errors import InvalidIdentifier, NotFound, StoreDamaged
from tallystick.core.hashing import leaf_hash
from tallystick.core.kinds import TERM_FIELDS
from tallystick.core.limits import ANSWER_BYTES_MAX
from tallystick.core.merkle import check_range
from tallystick.core.statement import read
from tallystick.core.terms import terms_of
from tallystick_node import keyspace
from tallystick_node.answers import bundles, find
from tallystick_node.ledger import Ledger
from tallystick_node.store.memory import MemoryStore
from tallystick_node.store.store import Batch
from tallystick_proto.v1.ledger_pb2 import Bundle, FindRequest
from tallystick_proto.v1.ledger_pb2 import Term as WireTerm
from tests.harness.collisions import collide
from tests.harness.office import NOW_US, Office

OFFICE = Office()
Term = tuple[int, bytes]
EXCHANGES = [bytes([number]) * 16 for number in range(4)]


def varied(random: Random) -> bytes:
    """A statement of one of several kinds, its terms drawn from few values."""
    about = {"origin": OFFICE.origin, "index": random.randrange(3), "leaf": bytes(32)}
    code, version = f"R-{random.randrange(3)}", f"R-{random.randrange(3)}@v{random.randrange(2)}"
    common = {"system": f"s{random.randrange(2)}", "matter": f"m{random.randrange(2)}"}
    case = {"case": EXCHANGES[random.randrange(4)]} if random.random() < 0.5 else {}
    officer = {"officer": f"market:o-{random.randrange(2)}"}
    match random.randrange(5):
        case 0:
            return OFFICE.declare(code)
        case 1:
            return OFFICE.say("grant", request=about, to="taxation", resource=code, **common, **case, **officer)
        case 2:
            return OFFICE.say(
                "send", exchange=random.choice(EXCHANGES), to="planning", version=version, **common, **case
            )
        case 3:
            digest = f"blake3:{'00' * 32}"
            return OFFICE.say("provide_version", version=version, digest=digest, derived_from=["R-1@v1", "X@1"])
        case _:
            return OFFICE.say("use", version=version, purpose="p", provider="planning", **common, **case, **officer)


def ledger_of(seed: int, entries: int, most: int = 12) -> Ledger:
    random = Random(seed)
    ledger = Ledger.create(MemoryStore(), OFFICE.origin)
    submissions = OFFICE.founding()
    while ledger.state.size < entries:
        built = ledger.build(submissions, NOW_US)
        ledger.store.write(built.batch)
        ledger.adopt(built)
        submissions = [
            OFFICE.prepared([varied(random) for _ in range(random.randint(1, most))])
            for _ in range(random.randint(1, 3))
        ]
    return Ledger.open(ledger.store, OFFICE.origin)


def carried(raw: bytes) -> set[Term]:
    entry = decode_entry(raw)
    terms = set(terms_of(read(entry.statement).statement))
    return terms | ({(0, entry.signed.submission_id)} if entry.signed is not None else set())


def answer(ledger: Ledger, size: int | None = None, **fields: object) -> list[Bundle]:
    size = ledger.state.size if size is None else size
    terms = fields.pop("terms", ())
    request = FindRequest(**fields)  # type: ignore[arg-type]
    request.term.extend(WireTerm(field=number, value=value) for number, value in terms)  # type: ignore[attr-defined]
    found = find(ledger, request, request.first, request.end or size, size)
    return [bundle for bundle in found if bundle is not None]


def unfolded(ledger: Ledger, answered: list[Bundle], size: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Index and bytes of each entry, every bundle proven to be in the tree of `size`."""
    size = ledger.state.size if size is None else size
    for bundle in answered:
        if bundle.entry:
            assert bundle.ByteSize() <= ANSWER_BYTES_MAX
            leaves = [leaf_hash(raw) for raw in bundle.entry]
            check_range(bundle.first, leaves, size, ledger.root_at(size), bundle.path)
            yield from enumerate(bundle.entry, bundle.first)


def indexes(ledger: Ledger, answered: list[Bundle]) -> list[int]:
    return [index for index, _ in unfolded(ledger, answered)]


def test_every_term_of_every_entry_finds_it() -> None:
    """For each term that occurs, of any field of the head: exactly the entries that carry it, both ways round."""
    ledger = ledger_of(1, 250)
    everything = [carried(raw) for raw in ledger.entries(0, ledger.state.size)]
    terms = set().union(*everything)
    assert {number for number, _ in terms} == set(TERM_FIELDS.values())
    for term in terms:
        expected = [index for index, has in enumerate(everything) if term in has]
        assert indexes(ledger, answer(ledger, terms=[term])) == expected
        assert indexes(ledger, answer(ledger, terms=[term], newest_first=True)) == expected[::-1]


def test_several_terms_ranges_limits_and_pages_agree_with_looking_at_everything() -> None:
    """Any terms, range, order and limit give what a look at every entry gives, and pages put together are the whole."""
    ledger, random = ledger_of(2, 200), Random(3)
    size = ledger.state.size
    everything = [carried(raw) for raw in ledger.entries(0, size)]
    for _ in range(150):
        wanted = random.sample(sorted(random.choice(everything)), random.randint(0, 3))
        first = random.randrange(size)
        end = random.choice([0, random.randrange(size), size])
        newest_first, limit = random.random() < 0.5, random.randint(1, 9)
        expected = [i for i in range(first, end or size) if set(wanted) <= everything[i]]
        expected = expected[::-1] if newest_first else expected
        pages: list[int] = []
        while True:
            page = answer(ledger, terms=wanted, first=first, end=end, newest_first=newest_first, limit=limit)
            found = indexes(ledger, page)
            assert len(found) <= limit
            pages += found
            going_on = page[-1].next if page else 0
            if not going_on:
                break
            first, end = (first, going_on) if newest_first else (going_on, end)
        assert pages == expected


def test_an_answer_speaks_of_the_size_it_was_asked_for() -> None:
    """Entries recorded after that size are left out, and the proofs lead to its root."""
    ledger = ledger_of(4, 120)
    for size in (0, 1, 3, 64, 100):
        for newest_first in (False, True):
            answered = answer(ledger, size=size, newest_first=newest_first)
            found = [index for index, _ in unfolded(ledger, answered, size)]
            assert found == (list(range(size))[::-1] if newest_first else list(range(size)))


def test_ranges_come_in_bundles_of_a_mebibyte() -> None:
    """Large entries are split over bundles no larger than an answer may be, each adjacent to the one before."""
    ledger = ledger_of(5, 3)
    said = OFFICE.say(
        "declare", resource="L", scheme="s", title="x", sharing="unconditional", premises=["y" * 400] * 32
    )
    for _ in range(3):
        built = ledger.build([OFFICE.prepared([said] * 100)], NOW_US)
        ledger.store.write(built.batch)
        ledger.adopt(built)
    size = ledger.state.size
    for answered in (list(bundles(ledger, range(1, size), size)), answer(ledger, first=1)):
        assert len(answered) > 3
        assert indexes(ledger, answered) == list(range(1, size))
    assert not list(bundles(ledger, range(5, 5), size))
    with pytest.raises(NotFound):
        list(bundles(ledger, range(size, size + 1), size))


def test_colliding_terms_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an index of one-byte hashes, answers carry what was asked for and nothing else."""
    collide(monkeypatch)
    ledger = ledger_of(6, 150)
    everything = [carried(raw) for raw in ledger.entries(0, ledger.state.size)]
    candidates = 0
    for term in set().union(*everything):
        candidates += len(list(ledger.candidates([term], 0, ledger.state.size, newest_first=False)))
        assert indexes(ledger, answer(ledger, terms=[term])) == [i for i, has in enumerate(everything) if term in has]
    assert candidates > sum(map(len, everything)), "nothing collided"


def test_a_term_that_is_none_is_refused() -> None:
    """A field of the head that is no index term, or no field at all, is the asker's mistake."""
    ledger = ledger_of(7, 3)
    for number in (9, 14, 15, 99):
        with pytest.raises(InvalidIdentifier, match=f"field {number}"):
            answer(ledger, terms=[(number, b"x")])


def test_what_cannot_be_read_is_not_left_out_in_silence() -> None:
    """An entry that is missing, or does not read, is StoreDamaged where an answer needs it."""
    ledger = ledger_of(8, 100)
    batch = Batch()
    batch.delete(keyspace.segment(64))
    ledger.store.write(batch)
    with pytest.raises(StoreDamaged):
        answer(ledger)
    with pytest.raises(StoreDamaged):
        answer(ledger, terms=[(TERM_FIELDS["actor"], b"market:clerk")])
