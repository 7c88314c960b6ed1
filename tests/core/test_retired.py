"""A ledger whose keys were replaced: all of it verifies under the later version, and no key vouches past its end."""

from __future__ import annotations

import msgspec
import pytest

from tallystick.core.bureau import Retired
from tallystick.core.charter import Bureau, Floor
from tallystick.core.checkpoint import Checkpoint, sign_checkpoint
from tallystick.core.equivocation import make_equivocation, verify_equivocation
from tallystick.core.errors import CharterMismatch, ProofFailed, RolledBack, SignatureInvalid
from tallystick.core.evidence import actors_of, format_presence, verify_presence
from tallystick.core.history import History
from tallystick.core.note import VerifierKey, encode_base64
from tallystick.core.trusted_ledger import TrustedLedger
from tests.harness.ledger_maker import LedgerMaker, charter_of, key_of

END = 4


def ledger(*, late: str = "") -> tuple[LedgerMaker, Bureau]:
    """Eight entries, the first four under the first keys, and the bureau with its new ones.

    Whoever is `late`, `node` or `registrar`, goes on signing with the old key.
    """
    maker = LedgerMaker().found()
    maker.record([maker.use()], "gateway")
    old = maker.bureau
    root = encode_base64(maker.root(END))
    node, registrar = key_of("new node"), key_of("new registrar")
    for name, key in (("node", node), ("registrar", registrar)):
        if name != late:
            maker.keys[name] = key
    maker.record([maker.say("adopt_charter", "node", version=2, digest=bytes(32))], "node")
    maker.record([maker.registers("carol")], "registrar")
    maker.record([maker.use("carol")], "carol")
    maker.record([maker.use()], "gateway")
    maker.keys |= {"node": node, "registrar": registrar}
    return maker, msgspec.structs.replace(
        old,
        ledger_key=VerifierKey.of(old.origin, node.public).format(),
        registrar_key=VerifierKey.of(f"{old.origin}/registrar", registrar.public).format(),
        floor=Floor(END, root),
        retired=(Retired(old.ledger_key, END), Retired(old.registrar_key, END), Retired(old.witness_key)),
        witness_key=VerifierKey.of(f"{old.origin}/witness", key_of("new witness").public, 4).format(),
    )


MAKER, BUREAU = ledger()
OLD = LedgerMaker().bureau
CHARTER = charter_of(BUREAU)


def old_note(size: int, root: bytes | None = None) -> bytes:
    """A checkpoint by the retired key."""
    return sign_checkpoint(Checkpoint(MAKER.origin, size, root or MAKER.root(size)), key_of(OLD.id, "node"))


def trusting(note: bytes | None = None, bureau: Bureau = BUREAU) -> TrustedLedger:
    return TrustedLedger(bureau.id, bureau.ledger_verifier, note, ends=bureau.ends, floor=bureau.pinned)


def test_the_whole_history_verifies_under_the_later_version() -> None:
    """What the old keys signed up to their end and the new ones after it is one history; the old charter ends there."""
    history = History(actors_of(BUREAU))
    history.extend(MAKER.entries)
    assert (history.size, history.complete) == (8, True)
    with pytest.raises(CharterMismatch, match=f"#{END}: .*this charter does not name"):
        History(actors_of(OLD)).extend(MAKER.entries)


@pytest.mark.parametrize(("late", "index"), [("node", END), ("registrar", END + 1)])
def test_a_retired_key_signs_no_entry_past_its_end(late: str, index: int) -> None:
    """What the old key of the node says beyond the floor, and whom the old registrar's registers there, is refused by
    its number.
    """
    maker, bureau = ledger(late=late)
    with pytest.raises(SignatureInvalid, match=f"#{index}: .*vouches up to #{END - 1}"):
        History(actors_of(bureau)).extend(maker.entries)


@pytest.mark.parametrize("index", range(8))
def test_every_entry_stays_provable(index: int) -> None:
    """Evidence made now proves under the later version; what was made before the keys changed does as well."""
    assert verify_presence(MAKER.evidence(index), CHARTER).entry.index == index
    if index < END:
        before = format_presence(MAKER.presence(index, END), index, MAKER.inclusion(index, END), old_note(END))
        assert verify_presence(before, CHARTER).entry.index == index
        assert verify_presence(before, charter_of(OLD)).entry.index == index


def test_evidence_under_a_retired_key_ends_with_it() -> None:
    """A checkpoint past the floor, or another than the floor at its size, proves nothing under the retired key."""
    past = format_presence(MAKER.presence(0, 5), 0, MAKER.inclusion(0, 5), old_note(5))
    with pytest.raises(SignatureInvalid, match="a checkpoint of 5 entries, by a key that the charter ends at 4"):
        verify_presence(past, CHARTER)
    other = format_presence(MAKER.presence(0, END), 0, MAKER.inclusion(0, END), old_note(END, bytes(32)))
    with pytest.raises(ProofFailed, match="is not the one the charter pins"):
        verify_presence(other, CHARTER)


@pytest.mark.parametrize(("size", "proven"), [(3, True), (END, True), (5, False)])
def test_two_histories_under_a_retired_key_are_proven_as_far_as_it_vouches(size: int, proven: bool) -> None:
    """Evidence against a key outlives the key, up to the floor; beyond it, whoever has the old key proves nothing."""
    old = OLD.ledger_verifier
    data = make_equivocation(old_note(size), old_note(size, bytes(32)), old)
    if proven:
        bureau, found = verify_equivocation(data, CHARTER)
        assert (bureau.id, found.key, found.smaller.size) == (OLD.id, old, size)
    else:
        with pytest.raises((ProofFailed, SignatureInvalid), match="ends at 4"):
            verify_equivocation(data, CHARTER)
    assert verify_equivocation(data, charter_of(OLD))[1].key == old


def test_a_closed_ledger_ends_at_its_floor() -> None:
    """Its own key vouches for no more than the charter closed it at."""
    closed = msgspec.structs.replace(BUREAU, state="closed", floor=Floor(5, encode_base64(MAKER.root(5))))
    assert trusting(MAKER.note(5), closed).size == 5
    with pytest.raises(SignatureInvalid, match="ends at 5"):
        trusting(None, closed).advance(MAKER.note(6), MAKER.consistency(5, 6))


def test_a_floor_counts_as_trusted_where_nothing_was_shown_yet() -> None:
    """A new client accepts what extends the floor, by a proof from there, and neither less nor anything else."""
    client = trusting()
    assert (client.size, client.checkpoint, client.note) == (END, BUREAU.pinned, None)
    with pytest.raises(RolledBack, match="answers with 3 entries, and the charter pins 4") as less:
        client.advance(MAKER.note(3), [])
    assert less.value.known == END
    for note, proof in (
        (MAKER.note(6), []),
        (MAKER.note(END, bytes(32)), []),
        (MAKER.note(6), MAKER.consistency(3, 6)),
    ):
        with pytest.raises(ProofFailed, match="does not extend the 4 entries the charter pins"):
            client.advance(note, proof)
    assert client.note is None
    assert client.advance(MAKER.note(6), MAKER.consistency(END, 6)).size == 6
    assert client.advance(MAKER.note(8), MAKER.consistency(6, 8)).size == 8


@pytest.mark.parametrize("size", [2, END, 6])
def test_what_was_trusted_before_must_extend_the_floor_too(size: int) -> None:
    """A client that trusted a checkpoint under an earlier version asks for the proof from the floor, once."""
    client = trusting(MAKER.note(size))
    assert client.floor_to_prove == BUREAU.pinned
    client.advance(MAKER.note(8), MAKER.consistency(size, 8))
    with pytest.raises(ProofFailed, match="does not extend"):
        client.prove_floor([])
    assert client.floor_to_prove == BUREAU.pinned
    client.prove_floor(MAKER.consistency(END, 8))
    assert client.floor_to_prove is None
