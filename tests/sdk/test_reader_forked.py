"""A ledger whose key signed two histories is proven to be two where that can be shown, and not read from then on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tallystick.core.charter import Charter
from tallystick.core.equivocation import Equivocation, verify_equivocation
from tallystick.core.errors import (
    ConfigInvalid,
    Forked,
    MalformedEntry,
    Refused,
    RolledBack,
    TallystickError,
    Unreconciled,
)
from tallystick.core.hashing import leaf_hash
from tallystick.core.kinds import TERM_FIELDS
from tallystick.core.merkle import prove_consistency, root_of
from tallystick.sdk.node import Node
from tallystick.sdk.reader import LedgerReader
from tallystick.sdk.wire import Wire
from tallystick_proto.v1.ledger_pb2 import Bundle, CheckpointAnswer
from tests.harness.desk import Desk, desk_in
from tests.harness.ledger_maker import charter_of, reader_of

CLERK = (TERM_FIELDS["actor"], b"market:clerk")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_in(tmp_path) as made:
        yield made


def trusting(desk: Desk, note: bytes) -> LedgerReader:
    """A reader that was shown this note before."""
    with desk.trust.replacing(desk.office.origin):
        desk.trust.save(desk.office.origin, note)
    return desk.reader()


def evidence(desk: Desk) -> list[Path]:
    return list(desk.trust.folder.glob("*.equivocation"))


def conflicts(desk: Desk) -> list[Path]:
    return list(desk.trust.folder.glob("*+conflict-*.note"))


def proven_by(desk: Desk, path: Path) -> Equivocation:
    """What the kept file proves with nothing but the charter."""
    charter: Charter = charter_of(desk.office.bureau)
    bureau, proven = verify_equivocation(path.read_bytes(), charter)
    assert bureau.id == "market"
    return proven


def shows(note: bytes) -> Callable[[CheckpointAnswer], None]:
    def lie(answer: CheckpointAnswer) -> None:
        answer.checkpoint = note

    return lie


def forked(call: Callable[[], object]) -> Forked:
    with pytest.raises(Forked) as caught:
        call()
    assert "\n" not in str(caught.value)
    return caught.value


def test_another_history_of_the_same_size_is_proven_and_the_file_named(desk: Desk) -> None:
    """Both notes go into one file, which the sentence names; what was trusted before stays."""
    reader = desk.reader()
    reader.refresh()
    note = reader.trusted.note
    desk.node.lies["GetCheckpoint"] = shows(desk.forged(23))
    error = forked(reader.refresh)
    (path,) = evidence(desk)
    assert error.what == f"the key of market signed two different histories of 23 entries, proven by {path}"
    proven = proven_by(desk, path)
    assert (proven.smaller.size, proven.larger.size) == (23, 23)
    assert error.evidence == path.read_bytes()
    assert (reader.trusted.note, desk.trust.load(desk.office.origin)) == (note, note)
    assert not conflicts(desk)


@pytest.mark.parametrize("known", range(1, 23))
def test_a_node_that_proves_its_other_branch_proves_the_fork(desk: Desk, known: int) -> None:
    """Whatever size this client was shown of the one history, the proof of the other is proof of both.

    Of a power of two the proof leaves the old root out, and the node shows it with the entry that comes next.
    """
    error = forked(trusting(desk, desk.forged(known)).refresh)
    (path,) = evidence(desk)
    assert error.what == f"the key of market signed two different histories of {known} and 23 entries, proven by {path}"
    proven = proven_by(desk, path)
    assert (proven.smaller.size, proven.larger.size) == (known, 23)
    assert proven.root == desk.node.sequencer.ledger.root_at(known)
    assert not conflicts(desk)


def no_proof(answer: CheckpointAnswer) -> None:
    answer.ClearField("consistency")


def bent_proof(answer: CheckpointAnswer) -> None:
    answer.consistency[-1] = bytes(32)


def bent_path(bundle: Bundle) -> None:
    for at in range(len(bundle.path)):
        bundle.path[at] = bytes(32)


LIES: dict[str, tuple[str, Any]] = {
    "no proof": ("GetCheckpoint", no_proof),
    "a bent proof": ("GetCheckpoint", bent_proof),
    "no path": ("ReadEntries", lambda bundle: bundle.ClearField("path")),
    "a bent path": ("ReadEntries", bent_path),
    "no entries": ("ReadEntries", lambda bundle: ()),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_a_node_does_not_show_is_no_evidence(desk: Desk, lie: str) -> None:
    """A proof or root that is refused or wrong leaves a suspicion: both notes are kept, and nobody is convicted."""
    call, change = LIES[lie]
    desk.node.lies[call] = change
    reader = trusting(desk, desk.forged(16))
    with pytest.raises(Unreconciled, match="market does not show that its 23 entries extend the 16"):
        reader.refresh()
    assert not evidence(desk)
    assert len(conflicts(desk)) == 1


def suspected(desk: Desk, note: bytes, lie: Callable[[CheckpointAnswer], None] | None = None) -> LedgerReader:
    """A reader that trusts 23 entries, and was shown a note that contradicts them and proves nothing."""
    reader = desk.reader()
    reader.refresh()
    desk.node.lies["GetCheckpoint"] = lie or shows(note)
    with pytest.raises((RolledBack, Unreconciled)):
        reader.refresh()
    desk.node.lies.clear()
    assert not evidence(desk)
    assert [path.read_bytes() for path in conflicts(desk)] == [note]
    return reader


def test_a_later_good_proof_clears_a_suspicion(desk: Desk) -> None:
    """A node that refused its proof, or showed an older state, and then proves that it fits is read on as ever."""
    desk.record()
    later = desk.signed(24)
    for note, lie in ((desk.signed(20), None), (desk.signed(16), None), (desk.signed(0), None), (later, no_proof)):
        reader = trusting(desk, desk.signed(23))
        desk.node.lies["GetCheckpoint"] = lie or shows(note)
        with pytest.raises((RolledBack, Unreconciled)):
            reader.refresh()
        desk.node.lies.clear()
        assert [path.read_bytes() for path in conflicts(desk)] == [note]
        assert reader.refresh().size == 24
        assert len(list(reader.entries())) == 24
        assert not evidence(desk)
        assert not conflicts(desk)


@pytest.mark.parametrize("size", [1, 16, 20, 22, 24, 32])
def test_a_later_proof_turns_a_suspicion_into_evidence(desk: Desk, size: int) -> None:
    """Another history shown in passing, smaller or larger, is proven once the node shows how this one grew past it."""
    reader = suspected(desk, desk.forged(size))
    if size > 23:
        assert reader.refresh().size == 23
        desk.record(size - 23)
    error = forked(reader.refresh)
    (path,) = evidence(desk)
    assert str(path) in error.what
    proven = proven_by(desk, path)
    assert (proven.smaller.size, proven.larger.size) == (size, max(size, 23))


def test_a_suspicion_without_a_proof_stays_one(desk: Desk) -> None:
    """A node that shows no proof from the note it is suspected by is read on, and not accused."""
    reader = suspected(desk, desk.forged(20))
    for lie in (lambda proof: proof.ClearField("hashes"), lambda proof: proof.hashes.append(bytes(32))):
        desk.node.lies["ProveConsistency"] = lie
        assert reader.refresh().size == 23
        assert not evidence(desk)
        assert len(conflicts(desk)) == 1


def test_a_ledger_that_is_two_is_not_read_until_the_file_is_removed(desk: Desk) -> None:
    """By any session, whatever its node shows now: each says the same sentence, and none asks the node anything."""
    said = str(forked(trusting(desk, desk.forged(11)).refresh))
    (path,) = evidence(desk)
    with desk.trust.replacing(desk.office.origin):
        desk.trust.save(desk.office.origin, desk.signed(20))
    desk.node.calls.clear()
    reader = desk.reader()
    for ask in (
        reader.refresh,
        lambda: list(reader.entries()),
        lambda: list(reader.find([CLERK])),
        lambda: reader.show(9),
        lambda: reader.prove(9),
        lambda: next(reader.watch()),
    ):
        assert str(forked(ask)) == said
    assert desk.node.calls == []
    path.unlink()
    assert reader.refresh().size == 23


def test_nothing_is_recorded_on_a_ledger_that_is_two(desk: Desk) -> None:
    """Before anything is sent: a receipt of either history would promise nothing."""
    forked(trusting(desk, desk.forged(11)).refresh)
    key = desk.office.keys["clerk"]
    node = Node(Wire(desk.node.bureau), desk.trust, "market:clerk", key, desk.trust.folder)
    desk.open.append(node)
    desk.node.calls.clear()
    for record in (lambda: node.declare("X", scheme="local", title="X", sharing="unconditional"), node.recorder):
        forked(record)
    assert desk.node.calls == []


def test_the_first_evidence_stays(desk: Desk) -> None:
    """One piece a ledger: a later fork does not replace it."""
    other = desk.reader()
    other.refresh()
    forked(trusting(desk, desk.forged(11)).refresh)
    (path,) = evidence(desk)
    first = path.read_bytes()
    error = forked(lambda: other.follow(other.known(), desk.forged(23), ()))
    assert str(path) in error.what
    assert (evidence(desk), path.read_bytes()) == ([path], first)


@pytest.mark.parametrize("kept", [b"", b"tallystick/equivocation/v1\n", b"\xff"])
def test_kept_evidence_that_proves_nothing_is_this_clients_own_fault(desk: Desk, kept: bytes) -> None:
    """A file that was cut or is something else is ConfigInvalid naming it, and accuses nobody."""
    reader = desk.reader()
    reader.refresh()
    reader.remember()
    path = desk.trust.folder / f"{quote(desk.office.origin, safe='')}.equivocation"
    path.write_bytes(kept)
    with pytest.raises(ConfigInvalid, match="proves nothing") as raised:
        reader.refresh()
    assert str(path) in str(raised.value)


def test_a_fork_between_two_commands_is_proven(desk: Desk) -> None:
    """Two sessions of one client, each shown another history: the second to write it down finds out."""
    honest, misled = desk.reader(), desk.reader()
    desk.node.lies["GetCheckpoint"] = shows(desk.forged(23))
    misled._remembered_at = float("inf")
    misled.refresh()
    desk.node.lies.clear()
    honest.refresh()
    forked(misled.remember)
    forked(misled.close)
    desk.open.remove(misled)
    assert desk.trust.load(desk.office.origin) == honest.trusted.note
    assert proven_by(desk, *evidence(desk)).smaller.size == 23


@pytest.mark.parametrize("ahead", [24, 32, 40])
def test_a_fork_ahead_of_another_command_is_proven(desk: Desk, ahead: int) -> None:
    """One session was shown a larger history than another: once the node has grown past it, it proves that."""
    slow = desk.reader()
    slow.refresh()
    slow._remembered_at = float("inf")
    with desk.trust.replacing(desk.office.origin):
        desk.trust.save(desk.office.origin, desk.forged(ahead))
    desk.record(ahead + 3 - 23)
    answer = slow.wire.checkpoint(23)
    slow.follow(slow.known(), answer.checkpoint, answer.consistency)
    forked(slow.remember)
    forked(slow.close)
    desk.open.remove(slow)
    proven = proven_by(desk, *evidence(desk))
    assert (proven.smaller.size, proven.larger.size) == (ahead, ahead + 3)


def test_a_fork_along_a_stream_is_proven(desk: Desk) -> None:
    """A later checkpoint of a stream that extends another root than the one before is proof as well."""
    reader = trusting(desk, desk.signed(23))
    stream = reader.find([CLERK], first=22, follow=True)
    next(stream)
    reader._ledger = reader._trusting(desk.forged(23))
    desk.record(2)
    forked(lambda: list(stream))
    assert evidence(desk)


@pytest.mark.parametrize("late", [24, 28])
def test_a_fork_in_a_late_answer_is_proven(desk: Desk, late: int) -> None:
    """It extends what was known when it was asked for, and not what was shown since: both are held to one history."""
    reader = desk.reader()
    reader.refresh()
    known = reader.known()
    leaves = [leaf_hash(raw) for raw in desk.node.sequencer.ledger.entries(0, 23)]
    leaves += [leaf_hash(b"another")] * (late - 23)
    note = desk.office.note(late, root_of(leaves))
    desk.record(5)
    assert reader.refresh().size == 28
    forked(lambda: reader.follow(known, note, prove_consistency(23, late, reader_of(leaves))))
    proven = proven_by(desk, *evidence(desk))
    assert (proven.smaller.size, proven.larger.size) == (late, 28)


@pytest.mark.parametrize("kind", [Forked, MalformedEntry])
def test_a_nodes_own_word_is_no_proof(desk: Desk, kind: type[TallystickError]) -> None:
    """A node that calls its own ledger forked or malformed shows nothing that its key signed: it only refuses."""

    def lie(_: Any) -> None:
        raise kind("market signed two histories", where="market#3", expected="one", known=4)

    reader = desk.reader()
    desk.node.lies |= {"GetCheckpoint": lie, "ReadEntries": lie}
    with pytest.raises(Refused, match="market signed two histories"):
        reader.refresh()
    assert not evidence(desk)
