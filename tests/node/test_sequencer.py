"""The one writer: what it acknowledges is durable, signed and provable, whatever comes in together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tallystick.core.checkpoint import open_checkpoint
from tallystick.core.entry import decode_entry
from tallystick.core.errors import (
    NotAllowed,
    NotAuthentic,
    Overloaded,
    StaleSubmission,
    Stopping,
    StorageFailed,
    SubmissionConflict,
)
from tallystick.core.hashing import leaf_hash
from tallystick.core.limits import (
    COMMIT_BYTES_MAX,
    COMMIT_ENTRIES_MAX,
    SUBMISSION_AGE_MAX_US,
    SUBMISSION_AHEAD_MAX_US,
)
from tallystick.core.merkle import check_inclusion, prove_inclusion
from tallystick.core.submission import Prepared
from tallystick_node.intake import Placed
from tallystick_node.sequencer import Sequencer
from tallystick_node.store.store import Batch
from tests.harness.home import YEAR_US, Home, record
from tests.harness.office import Office, key_of


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def check_placed(sequencer: Sequencer, submission: Prepared, placed: Placed) -> None:
    """The statements are read back where the receipt says, under its checkpoint, and proven."""
    ledger, note = sequencer.ledger, placed.published.note
    checkpoint = open_checkpoint(note, Office().bureau.ledger_verifier)
    assert (checkpoint.size, checkpoint.root) == (placed.published.state.size, placed.published.state.root)
    raws = list(ledger.entries(placed.first, placed.first + submission.count))
    assert [decode_entry(raw).statement for raw in raws] == submission.statements
    for index, raw in enumerate(raws, placed.first):
        path = prove_inclusion(index, checkpoint.size, ledger.reader(placed.published.state))
        check_inclusion(leaf_hash(raw), index, checkpoint.size, checkpoint.root, path)


async def test_every_acknowledged_statement_is_readable_and_proven(home: Home) -> None:
    """A receipt names entries that hold the very statements, under a checkpoint the node signed."""
    office = home.office
    submissions = [office.prepared(office.declares(count)) for count in (1, 3, 1, 200, 1000)]
    async with home.writing() as sequencer:
        placed = await asyncio.gather(*map(sequencer.record, submissions))
        assert [each.first for each in placed] == [3, 4, 7, 8, 208]
        for submission, each in zip(submissions, placed, strict=True):
            check_placed(sequencer, submission, each)
            assert not each.again


async def test_checkpoints_fall_on_the_ends_of_submissions(home: Home) -> None:
    """However submissions come in, no checkpoint was ever signed in the middle of one."""
    office = home.office
    ends = {3}
    sizes = set()
    async with home.writing() as sequencer:
        for count in (7, 1, 64, 5):
            placed = await sequencer.record(office.prepared(office.declares(count)))
            ends.add(placed.first + count)
            sizes.add(sequencer.published.state.size)
    assert sizes <= ends


async def test_a_checkpoint_is_noted_before_it_is_signed(home: Home) -> None:
    """Nothing is published that the note outside the database does not know of."""
    async with home.writing() as sequencer:
        assert home.signed.value == (3, sequencer.published.state.root)
        placed = await sequencer.record(home.office.prepared(home.office.declares(2)))
        assert home.signed.value == (placed.published.state.size, placed.published.state.root)


async def test_groups_form_while_a_write_is_on_its_way(home: Home) -> None:
    """What comes in during a write goes into the next one together, however much it is."""
    office = home.office
    async with home.writing() as sequencer:
        writing, go_on = asyncio.Event(), threading.Event()
        loop, stage = asyncio.get_running_loop(), home.store.stage

        def slow(batch: Batch) -> Callable[[], None]:
            staged = stage(batch)

            def write() -> None:
                loop.call_soon_threadsafe(writing.set)
                assert go_on.wait(30)
                staged()

            return write

        home.store.stage = slow  # type: ignore[method-assign]
        first = asyncio.create_task(sequencer.record(office.prepared(office.declares(1))))
        await writing.wait()
        others = [asyncio.create_task(sequencer.record(office.prepared(office.declares(2)))) for _ in range(50)]
        await asyncio.sleep(0)
        go_on.set()
        before = (await first).published
        placed = await asyncio.gather(*others)
    assert before.state.size == 4
    assert {id(each.published) for each in placed} == {id(placed[0].published)}
    assert placed[0].published.state.size == 104
    assert [each.first for each in placed] == list(range(4, 104, 2))


async def test_a_group_is_bounded_in_entries_and_bytes(home: Home) -> None:
    """Whatever waits, one batch takes no more than its limits, and never nothing."""
    office = home.office
    sequencer = home.open(queue_bytes_max=1 << 27)
    small = office.prepared(office.declares(1000))
    for submission in [small] * 40:
        asyncio.ensure_future(sequencer.record(submission)).cancel()
    large = office.prepared(
        [office.say("declare", resource="L", scheme="s", title="x", sharing="unconditional", premises=["y" * 400] * 32)]
        * 140
    )
    waiting = [asyncio.create_task(sequencer.record(each)) for each in [small] * 40 + [large] * 20]
    await asyncio.sleep(0)
    groups = []
    while group := sequencer._intake.take():
        groups.append(group)
    for group in groups:
        assert sum(each.submission.count for each in group) <= COMMIT_ENTRIES_MAX
        assert sum(each.size_bytes for each in group) <= COMMIT_BYTES_MAX
    assert len(groups) > 2
    assert sum(map(len, groups)) == 60
    for task in waiting:
        task.cancel()
    home.signed.close()


async def test_a_full_queue_asks_to_be_tried_again(home: Home) -> None:
    """Beyond the queue's bytes submissions are Overloaded; those taken are recorded, and later ones find room."""
    office = home.office
    async with home.writing(linger_s=0.01, queue_bytes_max=8_000) as sequencer:
        submissions = [office.prepared(office.declares(3)) for _ in range(10)]
        outcomes = await asyncio.gather(*map(sequencer.record, submissions), return_exceptions=True)
        taken = [each for each in outcomes if isinstance(each, Placed)]
        refused = [each for each in outcomes if isinstance(each, Overloaded)]
        assert taken
        assert refused
        assert len(taken) + len(refused) == 10
        await record(sequencer, *submissions)
        assert sequencer.published.state.size == 33


async def test_the_same_submission_again_adds_nothing(home: Home) -> None:
    """Later, in the same group, or after a restart: the same place, and no new entry."""
    office = home.office
    one, other = office.prepared(office.declares(1)), office.prepared(office.declares(5))
    async with home.writing() as sequencer:
        placed = await asyncio.gather(*map(sequencer.record, (one, other, one, other, one)))
        assert [each.first for each in placed] == [3, 4, 3, 4, 3]
        assert [each.again for each in placed] == [False, False, True, True, True]
        later = await record(sequencer, other, one)
        assert [(each.first, each.again) for each in later] == [(4, True), (3, True)]
        assert sequencer.published.state.size == 9
    async with home.writing() as sequencer:
        again = await record(sequencer, one, other)
        assert [(each.first, each.again) for each in again] == [(3, True), (4, True)]
        for submission, each in zip((one, other), again, strict=True):
            check_placed(sequencer, submission, each)
        assert sequencer.published.state.size == 9


async def test_a_repeat_is_answered_although_its_first_caller_is_gone(home: Home) -> None:
    """Who gave up waiting takes nobody with him: the same submission in the same group still gets its receipt."""
    one = home.office.prepared(home.office.declares(2))
    async with home.writing(linger_s=0.005) as sequencer:
        gone = asyncio.create_task(sequencer.record(one))
        waits = asyncio.create_task(sequencer.record(one))
        await asyncio.sleep(0)
        gone.cancel()
        placed = await asyncio.wait_for(waits, 20)
        assert (placed.first, sequencer.published.state.size) == (3, 5)


async def test_the_same_id_with_other_bytes_is_refused_and_named(home: Home) -> None:
    """A conflict says at which index that id stands: later, in the same group, and after a restart."""
    office = home.office
    id = office.new_id()
    one, other = office.prepared(office.declares(2, "A"), id=id), office.prepared(office.declares(2, "B"), id=id)
    longer = office.prepared([*one.statements, office.declare("C")], id=id)
    shorter = office.prepared(one.statements[:1], id=id)
    others = (other, longer, shorter)
    between = office.prepared(office.declares(4))
    async with home.writing(linger_s=0.005) as sequencer:
        placed, _, *refused = await asyncio.gather(
            *map(sequencer.record, (one, between, *others)), return_exceptions=True
        )
        assert isinstance(placed, Placed)
        for error in refused:
            assert isinstance(error, SubmissionConflict)
            assert error.known == placed.first
            assert f"#{placed.first}" in str(error)
    async with home.writing() as sequencer:
        for each in others:
            with pytest.raises(SubmissionConflict) as conflict:
                await sequencer.record(each)
            assert conflict.value.known == placed.first
        assert sequencer.published.state.size == 9


@pytest.mark.parametrize("seed", range(5))
async def test_a_repeat_is_known_whatever_the_clocks_did(home: Home, seed: int) -> None:
    """Ids of any time the window allows, a node's clock that steps, writes that fail, restarts: all stand once."""
    random, office = Random(seed), home.office
    recorded: list[tuple[Prepared, int]] = []
    for _ in range(4):
        async with home.writing() as sequencer:
            for _ in range(25):
                home.now_us += random.choice([0, 1_000, 10**6, -(10**6), SUBMISSION_AHEAD_MAX_US, -(10**8)])
                age = random.choice([-SUBMISSION_AHEAD_MAX_US, -1_000, 0, 1_000, SUBMISSION_AGE_MAX_US - 1_000])
                fresh = office.prepared(office.declares(1), id=office.new_id(home.now_us - age))
                if random.random() < 0.2:
                    home.fail_write(random.choice(["before", "after"]))
                    with pytest.raises(StorageFailed):
                        await sequencer.record(fresh)
                recorded.append((fresh, (await sequencer.record(fresh)).first))
                for one, first in random.sample(recorded, min(3, len(recorded))):
                    assert (await sequencer.record(one)).first == first
    assert [first for _, first in recorded] == list(range(3, 103))


async def test_ids_are_scoped_to_their_actor(home: Home) -> None:
    """Two actors may use one id, in one group or later, and each gets its own place and repeats its own."""
    office = home.office
    id, used = office.new_id(), office.say("use", "gateway", resource="A", purpose="p", system="s")
    mine, theirs = office.prepared(office.declares(1), id=id), office.prepared([used], "gateway", id=id)
    async with home.writing() as sequencer:
        placed = await asyncio.gather(sequencer.record(mine), sequencer.record(theirs))
        assert [each.first for each in placed] == [3, 4]
        again = await record(sequencer, theirs, mine)
        assert [(each.first, each.again) for each in again] == [(4, True), (3, True)]


async def test_an_id_must_be_of_this_week(home: Home) -> None:
    """An id older than 7 days or 5 minutes ahead is refused; at the bounds, and as a repeat at any age, it is not."""
    office, now = home.office, home.now_us
    edges = [now - SUBMISSION_AGE_MAX_US, now + SUBMISSION_AHEAD_MAX_US]
    async with home.writing() as sequencer:
        good = [office.prepared(office.declares(1), id=office.new_id(at)) for at in edges]
        await record(sequencer, *good)
        for at, says in ((edges[0] - 1_000, "hours old"), (edges[1] + 1_000, "ahead of this node's clock")):
            with pytest.raises(StaleSubmission, match=says):
                await sequencer.record(office.prepared(office.declares(1), id=office.new_id(at)))
        home.now_us += 30 * SUBMISSION_AGE_MAX_US
        assert [placed.again for placed in await record(sequencer, *good)] == [True, True]


async def test_only_registered_keys_record(home: Home) -> None:
    """An unknown key, a key under another's name, and a key of another bureau are refused, each on its own."""
    office, stranger = home.office, Office("taxation")
    good = office.prepared(office.declares(1))
    bad = [
        office.prepared(office.declares(1), key=key_of("nobody")),
        office.prepared(office.declares(1), key=office.keys["gateway"]),
        office.prepared(office.declares(1), key=stranger.keys["clerk"]),
        office.prepared([office.declare("A", "stranger")], "stranger", key=office.keys["clerk"]),
    ]
    async with home.writing(linger_s=0.005) as sequencer:
        *refused, placed = await asyncio.gather(*map(sequencer.record, [*bad, good]), return_exceptions=True)
        assert all(isinstance(each, NotAuthentic) for each in refused)
        assert isinstance(placed, Placed)
        assert placed.first == 3


async def test_a_key_that_repeats_another_ones_submission_learns_nothing(home: Home) -> None:
    """The same statements under the same id, signed by a key that is not the actor's, get no receipt."""
    office, id = home.office, home.office.new_id()
    one = office.prepared(office.declares(1), id=id)
    thief = office.prepared(one.statements, key=key_of("nobody"), id=id)
    async with home.writing(linger_s=0.005) as sequencer:
        _, together = await asyncio.gather(*map(sequencer.record, (one, thief)), return_exceptions=True)
        assert isinstance(together, NotAuthentic)
        with pytest.raises(NotAuthentic):
            await sequencer.record(thief)


async def test_a_role_bounds_what_may_be_said(home: Home) -> None:
    """A system may not grant, an officer may not register, and the registrar may not declare."""
    office = home.office
    about = {"origin": office.origin, "index": 0, "leaf": bytes(32)}
    grant = {"resource": "A", "to": "tax", "request": about}
    async with home.writing() as sequencer:
        await sequencer.record(office.prepared([office.say("grant", **grant)]))
        for by, said in (
            ("gateway", office.say("grant", "gateway", **grant)),
            ("registrar", office.declare("A", "registrar")),
            ("node", office.declare("A", "node")),
        ):
            with pytest.raises(NotAllowed, match=f"{by} may not record"):
                await sequencer.record(office.prepared([said], by))
        registers = office.registers("new", key_of("new"))
        with pytest.raises(NotAuthentic, match="belongs to"):
            await sequencer.record(office.prepared([registers], "registrar", key=office.keys["clerk"]))


async def test_keys_are_valid_by_index(home: Home) -> None:
    """A key may sign after the entry that registered it and not after the one that revoked it, in one group too."""
    office = home.office
    early = office.prepared(
        [office.declare("A", "deputy")], "deputy", key=office.keys.setdefault("deputy", key_of("d"))
    )
    registers = office.prepared([office.registers("deputy")], "registrar")
    late, revokes = office.prepared([office.declare("B", "deputy")], "deputy"), None
    revokes = office.prepared([office.revokes("deputy")], "registrar")
    too_late = office.prepared([office.declare("C", "deputy")], "deputy")
    async with home.writing(linger_s=0.005) as sequencer:
        outcomes = await asyncio.gather(
            *map(sequencer.record, (early, registers, late, revokes, too_late)), return_exceptions=True
        )
        assert [type(each) for each in outcomes] == [NotAuthentic, Placed, Placed, Placed, NotAuthentic]
        assert "was revoked at #5" in str(outcomes[4])
        repeat = await sequencer.record(late)
        assert (repeat.first, repeat.again) == (4, True)
        with pytest.raises(NotAuthentic, match="to revoke"):
            await sequencer.record(office.prepared([office.revokes("deputy")], "registrar"))
    async with home.writing() as sequencer:
        with pytest.raises(NotAuthentic, match="revoked"):
            await sequencer.record(too_late)


async def test_an_expired_charter_records_nothing(home: Home) -> None:
    """From the moment the charter ends, submissions are refused."""
    async with home.writing() as sequencer:
        home.now_us += YEAR_US
        with pytest.raises(NotAllowed, match="expired"):
            await sequencer.record(home.office.prepared(home.office.declares(1)))


async def test_stopping_finishes_what_is_queued(home: Home) -> None:
    """What came before the stop is recorded, what comes after is told Stopping, and watchers are let go."""
    office = home.office
    async with home.writing(linger_s=0.05) as sequencer:
        taken = [asyncio.create_task(sequencer.record(office.prepared(office.declares(3)))) for _ in range(5)]
        watching = asyncio.create_task(sequencer.changed())
        await asyncio.sleep(0)
        sequencer.refuse_more()
        with pytest.raises(Stopping):
            await sequencer.record(office.prepared(office.declares(1)))
        await sequencer.stop()
        assert [placed.first for placed in await asyncio.gather(*taken)] == [3, 6, 9, 12, 15]
        with pytest.raises(Stopping):
            await watching
        with pytest.raises(Stopping):
            await sequencer.changed()


async def test_what_is_not_started_has_published_nothing(home: Home) -> None:
    """Asking for a checkpoint before the start is a wrong order of calls."""
    sequencer = home.open()
    with pytest.raises(RuntimeError):
        _ = sequencer.published
    home.signed.close()
