"""What only the writer decides: an author's standing, an id's history, and what is said of actors."""

from __future__ import annotations

import pytest

from tallystick.core.errors import NotAllowed, NotAuthentic, StoreDamaged, SubmissionConflict
from tallystick.core.limits import SUBMISSION_AHEAD_MAX_US
from tallystick_node import keyspace
from tallystick_node.admission import Recent, admit, find_recorded, load_actors, touches_actors
from tallystick_node.ledger import Ledger
from tallystick_node.store.memory import MemoryStore
from tallystick_node.store.store import Batch
from tallystick_proto.v1.meta_pb2 import Role
from tallystick_proto.v1.storage_pb2 import Segment
from tests.harness.collisions import collide
from tests.harness.faulty_store import FaultyStore
from tests.harness.office import NOW_US, Office, key_of

OFFICE = Office()


def ledger_of(*submissions: object) -> Ledger:
    ledger = Ledger.create(MemoryStore(), OFFICE.origin)
    for submission in [*OFFICE.founding(), *submissions]:
        built = ledger.build([submission], NOW_US)  # type: ignore[list-item]
        ledger.store.write(built.batch)
        ledger.adopt(built)
    return Ledger.open(ledger.store, OFFICE.origin)


def test_actors_loaded_from_the_index_are_those_folded_along_the_way() -> None:
    """Registrations and revocations found in a database give the very keys that recording gave."""
    second = key_of("second")
    said = [
        OFFICE.prepared([OFFICE.registers("clerk", second), OFFICE.revokes("gateway")], "registrar"),
        OFFICE.prepared(OFFICE.declares(3)),
        OFFICE.prepared([OFFICE.revokes("clerk", second, since_us=2 * NOW_US)], "registrar"),
    ]
    ledger, actors, first = ledger_of(*said), OFFICE.actors(), 0
    for submission in [*OFFICE.founding(), *said]:
        admit(submission, first, actors, NOW_US)
        first += submission.count
    loaded = load_actors(ledger, OFFICE.actors())
    assert list(loaded) == list(actors)
    assert loaded.compromised_us("market:clerk") == actors.compromised_us("market:clerk") == NOW_US
    found = loaded.by_key(second.public)
    assert found is not None
    assert (found.index, found.revoked) == (3, 8)


def test_an_altered_registration_does_not_pass_for_another() -> None:
    """Where the stored registration no longer reads, opening is refused as damage of the disk at that entry."""
    ledger = ledger_of()
    key = keyspace.segment(1)
    segment = Segment.FromString(ledger.store.get(key) or b"")
    segment.entry[0] = segment.entry[0][:-3]
    batch = Batch()
    batch.put(key, segment.SerializeToString())
    ledger.store.write(batch)
    with pytest.raises(StoreDamaged, match="market#1"):
        load_actors(ledger, OFFICE.actors())


def test_only_submissions_that_speak_of_actors_touch_them() -> None:
    """A registration or revocation among others is noticed; anything else is not."""
    assert touches_actors(OFFICE.prepared([OFFICE.registers("x")], "registrar"))
    assert touches_actors(OFFICE.prepared([OFFICE.revokes("clerk")], "registrar"))
    assert not touches_actors(OFFICE.prepared(OFFICE.declares(2)))


def test_what_may_be_registered_is_bounded() -> None:
    """No foreign actor, no charter name, no second name for a key, no other role, no proof by another key."""
    ledger = ledger_of()
    fresh = key_of("fresh")
    wrong_proof = OFFICE.say(
        "register_actor",
        "registrar",
        registered="market:x",
        key=fresh.public,
        role=Role.OFFICER,
        possession=OFFICE.keys["clerk"].sign(b"anything"),
    )
    bad = [
        (wrong_proof, "new key"),
        (OFFICE.registers("clerk", OFFICE.keys["gateway"]), "key of its own"),
        (OFFICE.registers("node", fresh), "may register"),
        (OFFICE.registers("x", fresh, Role.REGISTRAR), "system or officer"),
    ]
    for said, says in bad:
        with pytest.raises(NotAuthentic, match=says):
            admit(OFFICE.prepared([said], "registrar"), 3, load_actors(ledger, OFFICE.actors()), NOW_US)
    with pytest.raises(NotAllowed, match="may not record"):
        admit(
            OFFICE.prepared([OFFICE.say("revoke_actor", revoked="market:clerk", key=fresh.public)]),
            3,
            load_actors(ledger, OFFICE.actors()),
            NOW_US,
        )


def test_a_recorded_submission_is_found_by_id_actor_and_bytes() -> None:
    """The same is found where it stands, another actor's id is not, and other bytes are a conflict."""
    id = OFFICE.new_id()
    mine = OFFICE.prepared(OFFICE.declares(3), id=id)
    ledger = ledger_of(OFFICE.prepared(OFFICE.declares(2)), mine)
    recent = Recent(ledger.state)
    assert find_recorded(ledger, mine, recent) == 5
    assert find_recorded(ledger, OFFICE.prepared(OFFICE.declares(3)), recent) is None
    assert find_recorded(ledger, OFFICE.prepared([OFFICE.declare("A", "gateway")], "gateway", id=id), recent) is None
    with pytest.raises(SubmissionConflict, match="#5"):
        find_recorded(ledger, OFFICE.prepared(OFFICE.declares(3)[::-1], id=id), recent)


def test_an_id_is_looked_for_only_where_its_time_allows() -> None:
    """Later than all since the start, and than 5 minutes after what was there before: the store is not read."""
    before = OFFICE.prepared(OFFICE.declares(2))
    ledger = ledger_of(before)
    recent = Recent(ledger.state)
    bound_us = ledger.state.recorded_at_us + SUBMISSION_AHEAD_MAX_US
    ids = [OFFICE.new_id(at_us) for at_us in (bound_us + 1_000, bound_us + 2_000, bound_us + 3_000)]
    since, between, after = (OFFICE.prepared(OFFICE.declares(2), id=id) for id in ids)
    recent.note(between)
    commit = ledger.build([between], NOW_US)
    ledger.store.write(commit.batch)
    ledger.adopt(commit)
    store = ledger.store = FaultyStore(ledger.store)
    assert find_recorded(ledger, after, recent) is None
    assert store.reads == 0
    assert find_recorded(ledger, since, recent) is None
    assert find_recorded(ledger, between, recent) == 5
    assert find_recorded(ledger, before, recent) == 3
    assert store.reads > 0


def test_a_submission_is_found_although_terms_collide(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an index of one-byte hashes, repeats are found and new ones are not mistaken for them."""
    collide(monkeypatch)
    submissions = [OFFICE.prepared(OFFICE.declares(2, f"S{number}")) for number in range(300)]
    ledger = ledger_of(*submissions)
    recent = Recent(ledger.state)
    assert [find_recorded(ledger, each, recent) for each in submissions] == list(range(3, 603, 2))
    assert find_recorded(ledger, OFFICE.prepared(OFFICE.declares(1)), recent) is None
