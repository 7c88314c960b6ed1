"""When the disk fails: callers are told, nothing is half-written, and the node goes on from what is there.

Each fault both ways: it failed, and it succeeded but reported failure.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Literal

import pytest

from tallystick.core.errors import BehindSigned, DiskFull, StorageFailed, StoreDamaged, TallystickError
from tallystick.core.keys import SigningKey
from tallystick.core.submission import Prepared
from tallystick_node import keyspace
from tallystick_node.intake import Placed
from tallystick_node.ledger import Ledger
from tallystick_node.signed_size import SignedSize
from tallystick_node.store.memory import MemoryStore
from tallystick_node.store.store import Batch
from tests.harness.faulty_store import Fault
from tests.harness.home import Home, record

When = Literal["before", "after"]
both_ways = pytest.mark.parametrize("when", ["before", "after"])


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@both_ways
@pytest.mark.parametrize("error", [StorageFailed, DiskFull, StoreDamaged])
async def test_a_failed_write_is_told_and_sending_again_records_once(
    home: Home, when: When, error: type[StorageFailed]
) -> None:
    """Every caller of the group gets the very error; the same submissions again stand there exactly once."""
    office = home.office
    submissions = [office.prepared(office.declares(count)) for count in (1, 4, 2)]
    async with home.writing(linger_s=0.005) as sequencer:
        await sequencer.record(office.prepared(office.declares(1)))
        published = sequencer.published
        home.fail_write(when, error)
        outcomes = await asyncio.gather(*map(sequencer.record, submissions), return_exceptions=True)
        assert [type(each) for each in outcomes] == [error] * 3
        assert sequencer.published is published
        assert home.ledger().state.size == (4 if when == "before" else 11)
        placed = await asyncio.gather(*map(sequencer.record, submissions))
        assert [each.again for each in placed] == [when == "after"] * 3
        assert [each.first for each in placed] == [4, 5, 9]
        assert sequencer.published.state.size == 11


@both_ways
async def test_after_a_failed_write_others_are_recorded(home: Home, when: When) -> None:
    """The next submission finds the database reopened, whether or not the failed one is in it."""
    office = home.office
    lost, following = office.prepared(office.declares(2)), office.prepared(office.declares(1))
    async with home.writing() as sequencer:
        home.fail_write(when)
        with pytest.raises(StorageFailed):
            await sequencer.record(lost)
        placed = await sequencer.record(following)
        assert placed.first == (3 if when == "before" else 5)


class Away(SigningKey):
    """A key in a device, which is away for so many signatures."""

    __slots__ = ("away",)

    away: int

    def sign(self, message: bytes) -> bytes:
        if self.away:
            self.away -= 1
            raise StorageFailed("the device does not sign", where="a device")
        return super().sign(message)


async def test_what_a_device_did_not_sign_is_signed_once_it_is_back(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is durable and unsigned has no receipt; sent again it gets one, under a checkpoint that covers it."""
    office = home.office
    submission = office.prepared(office.declares(2))
    key = Away(office.keys["node"]._seed)
    key.away = 2
    async with home.writing() as sequencer:
        monkeypatch.setattr(sequencer._signing, "_key", key)
        for _ in range(2):
            with pytest.raises(StorageFailed, match="does not sign"):
                await sequencer.record(submission)
            assert sequencer.published.state.size == 3
        placed = await sequencer.record(submission)
        assert (placed.first, placed.again, placed.published.state.size) == (3, True, 5)


async def test_a_disk_that_stays_full_is_told_each_time(home: Home) -> None:
    """While the disk is full every caller is told so; once there is room the node goes on by itself."""
    office = home.office
    submission = office.prepared(office.declares(1))
    async with home.writing() as sequencer:
        reopened = home.open_store

        def still_full() -> object:
            store = reopened()
            home.fail_write("before", DiskFull)
            return store

        sequencer._reopen = still_full  # type: ignore[assignment]
        home.fail_write("before", DiskFull)
        for _ in range(4):
            with pytest.raises(DiskFull):
                await sequencer.record(submission)
        sequencer._reopen = reopened
        assert (await sequencer.record(submission)).first == 3


@both_ways
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
async def test_a_note_that_cannot_be_written_signs_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch, when: When, code: int
) -> None:
    """The batch may be durable, but nothing is signed until its size is noted; then it is, and stands once."""
    office = home.office
    submission = office.prepared(office.declares(2))
    real: Callable[[int], None] = os.fdatasync
    async with home.writing() as sequencer:
        published = sequencer.published

        def failing(file: int) -> None:
            if when == "after":
                real(file)
            raise OSError(code, os.strerror(code))

        with monkeypatch.context() as patched:
            patched.setattr(os, "fdatasync", failing)
            for _ in range(2):
                with pytest.raises(DiskFull if code == errno.ENOSPC else StorageFailed):
                    await sequencer.record(submission)
        assert sequencer.published is published
        assert home.ledger().state.size == 5
        placed = await sequencer.record(submission)
        assert (placed.first, placed.again, placed.published.state.size) == (3, True, 5)


async def test_a_failed_read_fails_its_own_submission_alone(home: Home) -> None:
    """Where the look for an earlier copy cannot be made, that caller is told; the next one is recorded."""
    office = home.office
    one, other = (office.prepared(office.declares(1)) for _ in range(2))
    async with home.writing(linger_s=0.005) as sequencer:
        number = home.store.reads
        home.store.plan[("read", number)] = Fault("read", number, "before")
        failed, placed = await asyncio.gather(*map(sequencer.record, (one, other)), return_exceptions=True)
        assert isinstance(failed, StorageFailed)
        assert isinstance(placed, Placed)
        assert (await sequencer.record(one)).first == 4


async def test_reopening_may_fail_too(home: Home) -> None:
    """A database that cannot be opened again, or not read, is tried again with the next submission."""
    office = home.office
    submission = office.prepared(office.declares(1))
    async with home.writing() as sequencer:
        reopened, left = home.open_store, ["open", "read"]

        def failing() -> object:
            step = left.pop(0) if left else ""
            if step == "open":
                raise StorageFailed("not now")
            assert home.store.inner is home.disk
            store = reopened()
            if step == "read":
                store.plan[("read", 0)] = Fault("read", 0, "before")
            return store

        sequencer._reopen = failing  # type: ignore[assignment]
        home.fail_write("before")
        for _ in range(3):
            with pytest.raises(StorageFailed):
                await sequencer.record(submission)
        assert not left
        assert (await sequencer.record(submission)).first == 3


async def test_every_store_that_is_left_is_closed(home: Home) -> None:
    """A failed reopening lets go of what it opened, or the directory would be held by this very process."""
    submission = home.office.prepared(home.office.declares(1))
    opened: list[MemoryStore] = [home.disk]
    async with home.writing() as sequencer:
        opened.append(home.disk)
        reopened = home.open_store

        def watched() -> object:
            store = reopened()
            opened.append(home.disk)
            if len(opened) == 3:
                store.plan[("read", 0)] = Fault("read", 0, "before")
            return store

        sequencer._reopen = watched  # type: ignore[assignment]
        home.fail_write("before")
        for _ in range(2):
            with pytest.raises(StorageFailed):
                await sequencer.record(submission)
        await sequencer.record(submission)
        assert len(opened) == 4
        for store in opened[1:-1]:
            with pytest.raises(StorageFailed, match="closed"):
                store.get(b"z")


async def test_a_database_that_lost_its_tail_is_never_written_on(home: Home) -> None:
    """Behind what was signed, opening refuses and says how much is missing; in a running node the writer does."""
    office = home.office
    old = home.disk.reopened()
    async with home.writing() as sequencer:
        await sequencer.record(office.prepared(office.declares(4)))
        kept, home.disk = home.disk.reopened(), old
        home.fail_write("before")
        with pytest.raises(StorageFailed):
            await sequencer.record(office.prepared(office.declares(1)))
        for _ in range(2):
            with pytest.raises(BehindSigned, match="holds 3 entries, and 7 were signed") as behind:
                await sequencer.record(office.prepared(office.declares(1)))
            assert behind.value.known == 7
            home.disk = old
        assert sequencer.published.state.size == 7
        home.disk = kept
        assert (await sequencer.record(office.prepared(office.declares(1)))).first == 7
    home.disk = old
    sequencer = home.open()
    with pytest.raises(BehindSigned):
        await sequencer.start()
    home.signed.close()
    home.disk = kept


async def test_another_history_at_the_signed_size_is_refused(home: Home, tmp_path: Path) -> None:
    """A database with as many entries but another root is StoreDamaged, and says to run fsck."""
    other = Home(tmp_path, home.office)
    for each in (home, other):
        async with each.writing() as sequencer:
            await sequencer.record(home.office.prepared(home.office.declares(4)))
    other.disk, mine = home.disk, other.disk
    with pytest.raises(StoreDamaged, match="fsck"):
        await other.open().start()
    other.signed.close()
    other.disk = mine


async def test_a_crash_between_batch_and_note_is_made_good_at_the_start(home: Home) -> None:
    """What is durable but was never signed is noted and signed at the next start, and repeats find it."""
    submission = home.office.prepared(home.office.declares(3))
    ledger = Ledger.open(home.disk, home.office.origin)
    home.disk.write(ledger.build([submission], home.now_us).batch)
    async with home.writing() as sequencer:
        assert sequencer.published.state.size == 6
        assert home.signed.value[0] == 6
        assert (await sequencer.record(submission)).first == 3


async def test_random_faults_lose_and_double_nothing(home: Home) -> None:
    """Under writes that fail at random, before or after, and restarts: every acknowledged submission, once."""
    office, random = home.office, Random(20271101)
    acknowledged: dict[bytes, tuple[Prepared, int]] = {}
    unknown: list[Prepared] = []
    for _ in range(12):
        async with home.writing() as sequencer:
            for _ in range(random.randint(1, 4)):
                if random.random() < 0.5:
                    home.fail_write(random.choice(["before", "after"]), after=random.randint(0, 2))
                group = [office.prepared(office.declares(random.randint(1, 9))) for _ in range(random.randint(1, 5))]
                group += [unknown.pop() for _ in range(min(len(unknown), random.randint(0, 3)))]
                outcomes = await asyncio.gather(*map(sequencer.record, group), return_exceptions=True)
                for submission, outcome in zip(group, outcomes, strict=True):
                    if isinstance(outcome, Placed):
                        acknowledged[submission.submission_id] = submission, outcome.first
                    else:
                        assert isinstance(outcome, TallystickError)
                        unknown.append(submission)
    async with home.writing() as sequencer:
        for submission, first in acknowledged.values():
            placed = await sequencer.record(submission)
            assert (placed.first, placed.again) == (first, True)
        placed_last = await record(sequencer, *unknown)
        total = 3 + sum(submission.count for submission, _ in acknowledged.values())
        assert sequencer.published.state.size == total + sum(submission.count for submission in unknown)
        assert len({placed.first for placed in placed_last}) == len(unknown)


def test_nothing_is_open_by_half(home: Home) -> None:
    """A batch is there whole or not at all: the state record never speaks of entries that are not there."""
    ledger = home.ledger()
    built = ledger.build([home.office.prepared(home.office.declares(3))], home.now_us)
    without_state = Batch([put for put in built.batch.puts if put[0] != keyspace.STATE], built.batch.deletes)
    home.disk.write(without_state)
    assert home.ledger().state.size == 3
    assert home.check().differences
    signed = SignedSize.open(home.noted, home.office.origin)
    assert signed.value[0] == 3
    signed.close()
