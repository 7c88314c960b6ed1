"""A node that starts signs nothing before its witnesses let it, answers meanwhile, and never signs on an older copy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tallystick.core.bureau import Retired
from tallystick.core.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from tallystick.core.cosignature import make_cosignature
from tallystick.core.equivocation import make_equivocation
from tallystick.core.errors import BehindSigned, MalformedNote, SignatureInvalid, Starting, TallystickError
from tallystick.core.keys import SigningKey
from tallystick.core.note import VerifierKey, add_signatures
from tallystick_node import signing, starting
from tallystick_node.engine import Engine
from tallystick_node.ledger import Ledger
from tallystick_node.signed_size import SignedSize
from tallystick_node.starting import read_answer
from tallystick_proto.v1.witness_pb2 import HeldAnswer
from tests.harness.asked_witnesses import NONE, AskedWitnesses, until
from tests.harness.home import Home
from tests.harness.office import NOW_US, Office, key_of
from tests.harness.witnesses import WAIT_S, text_of


@pytest.fixture
def witnesses(tmp_path: Path) -> AskedWitnesses:
    """Four witnesses, of which three are a quorum; the ledger has three entries, and signed them."""
    made = AskedWitnesses(tmp_path, 4)
    sign_last(made.home)
    return made


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch) -> list[Checkpoint]:
    """Every checkpoint that is signed, as it is signed."""
    made: list[Checkpoint] = []

    def sign(checkpoint: Checkpoint, key: SigningKey) -> bytes:
        made.append(checkpoint)
        return sign_checkpoint(checkpoint, key)

    monkeypatch.setattr(signing, "sign_checkpoint", sign)
    return made


def sign_last(home: Home) -> bytes:
    """The note of all the home's disk holds, kept as the one it signed last."""
    state = home.ledger().state
    note = home.office.note(state.size, state.root)
    kept = SignedSize.open(home.noted, home.office.origin)
    kept.note(state.size, state.root)
    kept.keep(note)
    kept.close()
    return note


def holding(note: bytes) -> HeldAnswer:
    return HeldAnswer(note=[note])


async def refused(engine: Engine, office: Office) -> TallystickError:
    """What a submission is refused with."""
    with pytest.raises(TallystickError) as refusal:
        await engine.sequencer.record(office.prepared(office.declares(1)))
    return refusal.value


async def test_it_signs_once_a_quorum_has_answered(witnesses: AskedWitnesses, signed: list[Checkpoint]) -> None:
    """Until then it signs and notes nothing, and says how many are missing; then it records, though one is away."""
    noted = witnesses.home.noted.read_bytes()
    async with witnesses.starting() as (engine, begun):
        for answered, name in enumerate(witnesses.names[:3]):
            waits = f"{answered} of the 3 witnesses needed have answered"
            await until(lambda waits=waits: waits in str(engine.sequencer.not_yet))  # type: ignore[misc]
            assert isinstance(await refused(engine, witnesses.home.office), Starting)
            assert not signed
            assert witnesses.home.noted.read_bytes() == noted
            witnesses.answers[name] = NONE
        await begun
        placed = await engine.sequencer.record(witnesses.home.office.prepared(witnesses.home.office.declares(1)))
        assert placed.first == 3
        assert [checkpoint.size for checkpoint in signed] == [3, 4]


async def test_who_is_slower_than_the_quorum_is_heard_before_it_signs(
    witnesses: AskedWitnesses, signed: list[Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no quorum cosigned may be with one witness alone: if it answers in time, the ledger is behind."""
    monkeypatch.setattr(starting, "PATIENCE_S", WAIT_S)
    async with witnesses.starting() as (engine, begun):
        witnesses.answers.update(dict.fromkeys(witnesses.names[:3], NONE))
        await until(lambda: "the others have a moment longer" in str(engine.sequencer.not_yet))
        assert isinstance(await refused(engine, witnesses.home.office), Starting)
        witnesses.answers[witnesses.names[3]] = holding(witnesses.home.office.note(4, b"\7" * 32))
        with pytest.raises(BehindSigned, match="4 entries signed with its key"):
            await begun
        assert not signed


async def test_reads_go_on_meanwhile_under_what_was_signed_last(
    witnesses: AskedWitnesses, signed: list[Checkpoint]
) -> None:
    """The last note is shown, byte for byte; who knows more is told to wait, and not that there is less."""
    home = witnesses.home
    home.disk.write(home.ledger().build([home.office.prepared(home.office.declares(2))], home.now_us).batch)
    shown = home.office.note(3, home.ledger().root_at(3))
    async with witnesses.starting() as (engine, begun):
        held = engine.shelf.at(home.office.origin)
        assert (held.size, held.note) == (3, shown)
        held.check_known(3)
        with pytest.raises(Starting):
            held.check_known(4)
        assert not signed
        witnesses.answers.update(dict.fromkeys(witnesses.names, NONE))
        await begun
        assert held.size == 5
        held.check_known(9)


async def test_who_lost_its_last_note_shows_nothing_until_it_may_sign(tmp_path: Path) -> None:
    """Where no note is kept, or one the ledger does not have, readers are told to wait."""
    for number, note in enumerate((b"", b"junk", Office().note(3, b"\7" * 32), Office().note(9, b"\7" * 32))):
        folder = tmp_path / str(number)
        folder.mkdir()
        witnesses = AskedWitnesses(folder, 2)
        kept = SignedSize.open(witnesses.home.noted, witnesses.home.office.origin)
        kept.keep(note)
        kept.close()
        async with witnesses.starting() as (engine, begun):
            with pytest.raises(Starting):
                _ = engine.shelf.at(witnesses.home.office.origin).size
            witnesses.answers.update(dict.fromkeys(witnesses.names, NONE))
            await begun
            assert engine.shelf.at(witnesses.home.office.origin).size == 3


@pytest.mark.parametrize("size", [2, 3, 4])
async def test_one_witness_that_holds_other_entries_ends_it(
    witnesses: AskedWitnesses, signed: list[Checkpoint], size: int
) -> None:
    """More, or another history: it stops, names the witness, both sizes and what to do, and has signed nothing."""
    names = witnesses.names
    witnesses.answers = {names[0]: NONE, names[1]: holding(witnesses.home.office.note(size, b"\7" * 32))}
    async with witnesses.starting() as (engine, begun):
        with pytest.raises(BehindSigned) as behind:
            await begun
        said = str(behind.value)
        assert f"{names[1]} shows {size} entries" in said
        assert "3 " in said
        assert "tallyd recover" in said
        witnesses.answers.update(dict.fromkeys(names, NONE))
        assert await refused(engine, witnesses.home.office) is behind.value
        assert not signed


async def test_a_witness_that_connects_first_is_heard_too(witnesses: AskedWitnesses, signed: list[Checkpoint]) -> None:
    """What a witness says on its own stream, before this node may sign, ends the start as an answer does."""
    office, witness = witnesses.home.office, witnesses.offices[0]
    note = office.note(9, b"\7" * 32)
    line = make_cosignature(text_of(note), NOW_US // 1_000_000, witness.keys["witness"], f"{witness.origin}/witness")
    async with witnesses.starting() as (engine, begun):
        with pytest.raises(BehindSigned):
            engine.gathering.take(witness.bureau.id, add_signatures(note, line))
        with pytest.raises(BehindSigned, match=witness.bureau.id):
            await begun
        assert not signed


async def test_evidence_against_its_own_key_is_known_at_its_start(
    witnesses: AskedWitnesses, signed: list[Checkpoint]
) -> None:
    """Who was told of two histories under its key, both unknown to its witnesses, signs nothing after a restart."""
    office = witnesses.home.office
    two = [office.note(9, bytes([number]) * 32) for number in range(2)]
    file = make_equivocation(two[0], two[1], office.bureau.ledger_verifier)
    async with witnesses.starting() as (engine, _):
        await engine.heard.take((), [file], "taxation")
        assert isinstance(await refused(engine, office), BehindSigned)
    witnesses.answers = dict.fromkeys(witnesses.names, NONE)
    async with witnesses.starting() as (_, begun):
        with pytest.raises(BehindSigned, match="evidence shows 9 entries"):
            await begun
        assert not signed


def unsigned(office: Office) -> HeldAnswer:
    return holding(sign_checkpoint(Checkpoint(office.origin, 3, b"\7" * 32), key_of("another")))


def of_another(office: Office) -> HeldAnswer:
    return holding(sign_checkpoint(Checkpoint("pudong.example/tax", 3, b"\7" * 32), office.keys["node"]))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (unsigned, SignatureInvalid),
        (of_another, SignatureInvalid),
        (lambda office: holding(b"junk"), MalformedNote),
        (lambda office: HeldAnswer(), MalformedNote),
        (lambda office: HeldAnswer(note=[office.note(3, b"\7" * 32)], none=True), MalformedNote),
    ],
)
async def test_what_proves_nothing_is_no_answer(
    witnesses: AskedWitnesses, answer: Callable[[Office], HeldAnswer], error: type[Exception]
) -> None:
    """Another's signature, another ledger's, junk, nothing said: the witness is asked again, and not counted."""
    home = witnesses.home
    with pytest.raises(error):
        read_answer(home.office.bureau, answer(home.office), home.office.bureau)
    witnesses.answers = dict.fromkeys(witnesses.names, answer(home.office))
    async with witnesses.starting() as (engine, begun):
        await until(lambda: all(witnesses.asked.count(name) > 1 for name in witnesses.names))
        assert "0 of the 3" in str(engine.sequencer.not_yet)
        witnesses.answers.update(dict.fromkeys(witnesses.names, NONE))
        await begun


def test_a_word_that_the_charter_has_ended_binds_to_nothing() -> None:
    """What a retired key signed, beyond its end or below, is an answer and no claim; the present one makes a claim."""
    office = Office()
    old = Retired(VerifierKey.of(office.origin, key_of("old").public).format(), 3)
    own = msgspec.structs.replace(office.bureau, retired=(old,))
    within, beyond = (Checkpoint(office.origin, size, b"\7" * 32) for size in (3, 4))
    said = [sign_checkpoint(checkpoint, key_of("old")) for checkpoint in (within, beyond)]
    assert read_answer(office.bureau, HeldAnswer(note=[*said, office.note(9, b"\7" * 32)]), own).signed == (
        Checkpoint(office.origin, 9, b"\7" * 32),
    )


async def test_a_ledger_that_has_nobody_to_ask_starts_at_once(tmp_path: Path) -> None:
    """With fewer than two witnesses there is no quorum: it signs what is there before it is asked anything."""
    witnesses = AskedWitnesses(tmp_path, 1)
    async with witnesses.starting() as (engine, begun):
        await begun
        assert open_checkpoint(engine.sequencer.published.note, witnesses.home.office.bureau.ledger_verifier).size == 3
        assert witnesses.asked == []


async def test_a_node_can_be_stopped_while_it_starts(witnesses: AskedWitnesses, signed: list[Checkpoint]) -> None:
    """A stop ends the asking, and nothing was signed or written."""
    async with witnesses.starting():
        await until(lambda: bool(witnesses.asked))
    assert not signed
    assert Ledger.open(witnesses.home.disk.reopened(), witnesses.home.office.origin).state.size == 3
