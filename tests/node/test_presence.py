"""Everything that proves one entry and its author, for every entry of a small ledger."""

from __future__ import annotations

import pytest

from tallystick.core.charter_note import open_charter
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.errors import StoreDamaged
from tallystick.core.evidence import check_presence, format_presence, verify_presence
from tallystick.core.hashing import leaf_hash
from tallystick.core.merkle import check_consistency, check_inclusion, prove_consistency, prove_inclusion
from tallystick_node import keyspace
from tallystick_node.admission import load_actors
from tallystick_node.ledger import Ledger
from tallystick_node.presence import presence_of
from tallystick_node.store.memory import MemoryStore
from tallystick_node.store.store import Batch
from tallystick_proto.v1.storage_pb2 import Segment
from tests.harness.office import NOW_US, Office

OFFICE = Office()


@pytest.fixture
def ledger() -> Ledger:
    """Seven submissions of three authors, 30 entries; a key registered late and revoked later."""
    made = Ledger.create(MemoryStore(), OFFICE.origin)
    used = OFFICE.say("use", "gateway", resource="A", purpose="p", system="s")
    registers = OFFICE.registers("deputy")
    for submission in [
        *OFFICE.founding(),
        OFFICE.prepared(OFFICE.declares(1)),
        OFFICE.prepared([used] * 5, "gateway"),
        OFFICE.prepared([registers], "registrar"),
        OFFICE.prepared([OFFICE.declare(f"D-{number}", "deputy") for number in range(13)], "deputy"),
        OFFICE.prepared([OFFICE.revokes("deputy")], "registrar"),
        OFFICE.prepared(OFFICE.declares(6)),
    ]:
        built = made.build([submission], NOW_US)
        made.store.write(built.batch)
        made.adopt(built)
    return Ledger.open(made.store, OFFICE.origin)


def test_every_entry_is_proven_with_its_author_under_every_checkpoint(ledger: Ledger) -> None:
    """For each index and each size beyond it: presence, author and registration verify against the charter alone."""
    actors = load_actors(ledger, OFFICE.actors())
    charter = open_charter(*OFFICE.charter())
    for size in (3, 10, 23, 24, ledger.state.size):
        checkpoint = Checkpoint(OFFICE.origin, size, ledger.root_at(size))
        for index in range(size):
            presence = presence_of(ledger, actors, index, size)
            inclusion = prove_inclusion(index, size, ledger.reader())
            proven = check_presence(presence, index, inclusion, OFFICE.bureau, checkpoint)
            assert proven.entry.raw == ledger.entry(index)
            assert proven.author.actor == proven.read.statement.head.actor
            registered = proven.author.actor not in ("market:node", "market:registrar")
            assert presence.HasField("registration") == registered
            file = format_presence(presence, index, inclusion, OFFICE.note(size, checkpoint.root))
            assert verify_presence(file, charter).reference == f"market#{index}"


def test_every_inclusion_and_every_consistency_is_proven(ledger: Ledger) -> None:
    """For all indexes and all pairs of sizes of a small ledger, the proofs made are accepted."""
    size = ledger.state.size
    roots = [ledger.root_at(each) for each in range(size + 1)]
    for new in range(size + 1):
        for old in range(new + 1):
            check_consistency(old, roots[old], new, roots[new], prove_consistency(old, new, ledger.reader()))
        for index in range(new):
            path = prove_inclusion(index, new, ledger.reader())
            check_inclusion(leaf_hash(ledger.entry(index)), index, new, roots[new], path)


def test_a_damaged_submission_is_not_proven_over(ledger: Ledger) -> None:
    """Where an entry of the submission, or its first, is not what was stored, the disk is blamed."""
    actors = load_actors(ledger, OFFICE.actors())
    first = next(index for index in range(ledger.state.size) if b"D-0" in ledger.entry(index))
    for damaged, says in ((first, "market#"), (first + 4, f"market#{first + 4}")):
        key = keyspace.segment(first)
        kept = ledger.store.get(key) or b""
        segment = Segment.FromString(kept)
        segment.entry[damaged - first] = segment.entry[damaged - first][:-2]
        for value in (segment.SerializeToString(), kept):
            batch = Batch()
            batch.put(key, value)
            ledger.store.write(batch)
            if value is not kept:
                with pytest.raises(StoreDamaged, match=says):
                    presence_of(ledger, actors, first + 7, ledger.state.size)
