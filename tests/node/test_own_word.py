"""A node that is shown what its own key signed and its ledger lacks writes no more, and nothing else makes it stop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tallystick.core.bureau import Bureau, Retired
from tallystick.core.checkpoint import Checkpoint, sign_checkpoint
from tallystick.core.errors import BehindSigned, SignatureInvalid, StorageFailed, TallystickError
from tallystick.core.note import VerifierKey
from tallystick_node.ledger_state import State
from tallystick_node.own_word import OwnWord
from tallystick_node.sequencer import Sequencer
from tests.harness.home import Home
from tests.harness.office import Office, key_of

WHY = BehindSigned("9 are signed, and 3 are here")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


async def refused(sequencer: Sequencer, office: Office) -> TallystickError:
    """What the writer refuses a submission with."""
    with pytest.raises(TallystickError) as refusal:
        await sequencer.record(office.prepared(office.declares(1)))
    return refusal.value


async def test_what_the_ledger_went_through_stops_nothing(home: Home) -> None:
    """Every checkpoint it ever had, the empty one too, is its own word and is given back."""
    office = home.office
    async with home.writing() as sequencer:
        word = OwnWord(sequencer, office.bureau)
        await sequencer.record(office.prepared(office.declares(300)))
        for size in range(304):
            checkpoint = Checkpoint(office.origin, size, sequencer.ledger.root_at(size))
            assert word.check(sign_checkpoint(checkpoint, office.keys["node"]), "taxation") == checkpoint
        assert sequencer.stopped is None


@pytest.mark.parametrize("size", [1, 3, 4, 1_000])
async def test_another_root_or_a_larger_size_ends_writing(home: Home, size: int) -> None:
    """Another history of an earlier, the same or a later size: said with who showed it, and nothing is recorded."""
    office = home.office
    async with home.writing() as sequencer:
        before = sequencer.published
        with pytest.raises(BehindSigned, match="taxation shows") as behind:
            OwnWord(sequencer, office.bureau).check(office.note(size, b"\7" * 32), "taxation")
        assert behind.value.known == size
        assert "tallyd recover" in str(behind.value)
        assert await refused(sequencer, office) is behind.value
        assert sequencer.published is before
        assert list(sequencer.ledger.entries(0, 3))


def by_another_key(office: Office) -> tuple[Bureau, bytes]:
    return office.bureau, sign_checkpoint(Checkpoint(office.origin, 9, b"\7" * 32), key_of("another"))


def of_another_ledger(office: Office) -> tuple[Bureau, bytes]:
    return office.bureau, sign_checkpoint(Checkpoint("pudong.example/tax", 9, b"\7" * 32), office.keys["node"])


def beyond_a_retired_keys_word(office: Office) -> tuple[Bureau, bytes]:
    return retiring(office, 3), sign_checkpoint(Checkpoint(office.origin, 4, b"\7" * 32), key_of("old"))


def below_a_retired_keys_end(office: Office) -> tuple[Bureau, bytes]:
    """As who stole it can say at any time, whatever the ledger is."""
    return retiring(office, 3), sign_checkpoint(Checkpoint(office.origin, 3, b"\7" * 32), key_of("old"))


def retiring(office: Office, size: int) -> Bureau:
    """The bureau, having given up a key that vouches for so many entries."""
    old = Retired(VerifierKey.of(office.origin, key_of("old").public).format(), size)
    return msgspec.structs.replace(office.bureau, retired=(old,))


@pytest.mark.parametrize(
    "shown", [by_another_key, of_another_ledger, beyond_a_retired_keys_word, below_a_retired_keys_end]
)
async def test_what_is_not_this_ledgers_word_stops_nothing(
    home: Home, shown: Callable[[Office], tuple[Bureau, bytes]]
) -> None:
    """A stranger's signature, another ledger's name, a retired key whatever it says: refused, and writing goes on."""
    office = home.office
    async with home.writing() as sequencer:
        bureau, note = shown(office)
        with pytest.raises(SignatureInvalid):
            OwnWord(sequencer, bureau).check(note, "taxation")
        assert (await sequencer.record(office.prepared(office.declares(1)))).first == 3


async def test_stopping_to_write_refuses_what_is_queued_and_signs_nothing(home: Home) -> None:
    """What waits behind a write is refused; the write itself may reach the disk, and is neither signed nor answered."""
    office = home.office
    async with home.writing() as sequencer:
        before = sequencer.published
        writing, go_on = threading.Event(), threading.Event()
        honest = sequencer._write

        def held(write: Callable[[], None], state: State) -> None:
            writing.set()
            go_on.wait(30)
            honest(write, state)

        sequencer._write = held  # type: ignore[method-assign]
        first = asyncio.create_task(sequencer.record(office.prepared(office.declares(1))))
        await asyncio.get_running_loop().run_in_executor(None, writing.wait, 30)
        behind = asyncio.create_task(sequencer.record(office.prepared(office.declares(1))))
        await asyncio.sleep(0)
        sequencer.stop_writing(WHY)
        sequencer.stop_writing(StorageFailed("a later reason"))
        with pytest.raises(BehindSigned) as refusal:
            await behind
        assert refusal.value is WHY
        go_on.set()
        with pytest.raises(BehindSigned):
            await first
        assert await refused(sequencer, office) is WHY
        assert sequencer.published is before
