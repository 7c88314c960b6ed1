"""What a node shows is on its ledger: what it opens before it is shown, what is read soon after, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tallystick.core.charter import Charter
from tallystick.core.charter_note import open_charter
from tallystick.core.errors import (
    BehindSigned,
    ClockOff,
    NotAllowed,
    NotFound,
    Starting,
    Stopping,
    StorageFailed,
    TallystickError,
)
from tallystick.core.kinds import BY_NAME
from tallystick.core.statement import read
from tallystick_node import callers, shown
from tallystick_node.callers import IN_THE_CLEAR, Caller
from tallystick_node.openings import openings
from tallystick_node.own_statement import Voice
from tallystick_node.sequencer import Sequencer
from tallystick_node.shown import KEPT_RANGES_MAX, RANGES_MAX, Range, Ranges, Shown
from tallystick_proto.v1.ledger_pb2 import FindRequest, InclusionRequest, OpeningsRequest, ReadRequest
from tallystick_proto.v1.statement_pb2 import RecordsShown
from tests.harness import loop
from tests.harness.home import YEAR_US, Home
from tests.harness.lying_node import LyingNode
from tests.harness.office import Office
from tests.harness.rosters import observing

AUDITOR = Caller("audit-office", "")
OTHER = Caller("tax", "clerk")
SUBJECT = "data_used.subject"
FOUND = "records_shown.found"
NO_CONTEXT: Any = None
HOUR_S = 3_600.0
WAIT_S = 20.0


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A ledger of three entries, by a bureau whose charter has another."""
    office = Office()
    office.others = (Office("tax").bureau,)
    return Home(tmp_path, office)


def charter_of(home: Home) -> Charter:
    return open_charter(*home.office.charter())


@asynccontextmanager
async def showing(home: Home, interval_s: float = HOUR_S) -> AsyncIterator[tuple[Sequencer, Shown]]:
    """A writer with what records for it, not started."""
    async with home.writing() as sequencer:
        office = home.office
        voice = Voice(sequencer, office.bureau, office.keys["node"], lambda: home.now_us, Random(1))
        yield sequencer, Shown(charter_of(home), office.bureau, voice, lambda: home.now_us, interval_s)


def said(home: Home) -> list[RecordsShown.Shown]:
    """What the disk has of what was shown, in order."""
    ledger = home.ledger()
    statements = [read(entry.statement) for entry in ledger.decoded_all(0, ledger.state.size)]
    return [
        each
        for statement in statements
        if statement.kind == BY_NAME["RecordsShown"]
        for each in statement.statement.records_shown.shown
    ]


def brief(home: Home) -> list[tuple[str, str, int, int]]:
    return [(each.to, each.what, each.first, each.count) for each in said(home)]


def entries(home: Home, count: int = 1) -> list[bytes]:
    """So many entries that count."""
    return [next(home.ledger().entries(2, 3))] * count


# Disclosures.


async def test_an_opening_is_durable_before_it_is_shown(home: Home) -> None:
    """Each by itself: to whom, of which field, of which entry, when."""
    async with showing(home) as (_, shown):
        await shown.disclosed(AUDITOR, [(2, SUBJECT), (1, "duty_assigned.person")])
        assert brief(home) == [
            ("audit-office", SUBJECT, 2, 1),
            ("audit-office", "duty_assigned.person", 1, 1),
        ]
        assert [each.at_us for each in said(home)] == [home.now_us] * 2
        await shown.disclosed(IN_THE_CLEAR, [(2, SUBJECT)])
        await shown.disclosed(Caller("market", "clerk"), [(2, SUBJECT)])
    assert [each[0] for each in brief(home)][2:] == ["in the clear", "market:clerk"]


async def test_openings_of_any_number_are_recorded_one_by_one(home: Home) -> None:
    """However many statements that takes."""
    async with showing(home) as (_, shown):
        await shown.disclosed(AUDITOR, [(index, SUBJECT) for index in range(2 * RANGES_MAX + 1)])
    assert [each.first for each in said(home)] == list(range(2 * RANGES_MAX + 1))


def _expire(home: Home, _: Sequencer) -> None:
    home.now_us += YEAR_US


def refusing() -> dict[str, tuple[Callable[[Home, Sequencer], object], type[TallystickError]]]:
    """Why nothing is recorded, and what it is called."""
    return {
        "starting": (lambda _, writer: setattr(writer, "not_yet", Starting("starting")), Starting),
        "frozen": (lambda _, writer: setattr(writer, "frozen", NotAllowed("two charters")), NotAllowed),
        "clock": (lambda _, writer: setattr(writer, "on_hold", ClockOff("off")), ClockOff),
        "behind": (lambda _, writer: writer.stop_writing(BehindSigned("behind")), BehindSigned),
        "expired": (_expire, NotAllowed),
        "disk": (lambda home, _: home.fail_write("before"), StorageFailed),
        "stopping": (lambda _, writer: writer.refuse_more(), Stopping),
    }


@pytest.mark.parametrize("why", refusing())
async def test_what_cannot_be_recorded_is_not_shown(home: Home, why: str) -> None:
    """The caller is told why nothing is recorded, and the ledger says nothing of it."""
    refuse, error = refusing()[why]
    for show in showings():
        async with showing(home) as (sequencer, shown):
            refuse(home, sequencer)
            with pytest.raises(error):
                await show(shown)
            assert not said(home)


def showings() -> list[Callable[[Shown], Awaitable[None]]]:
    """What has to be recorded first."""
    return [
        lambda shown: shown.disclosed(AUDITOR, [(2, SUBJECT)]),
        lambda shown: shown.searched(AUDITOR, SUBJECT, range(3)),
        lambda shown: shown.found(AUDITOR, SUBJECT, range(3), [2]),
    ]


async def test_a_search_is_recorded_with_its_range_and_what_it_finds_by_a_commitment_each(home: Home) -> None:
    """The ledger says how many were found and never which: the indexes are opened by what lies beside it."""
    async with showing(home) as (_, shown):
        await shown.searched(OTHER, SUBJECT, range(1, 3))
        await shown.searched(OTHER, SUBJECT, range(2, 2))
        await shown.found(OTHER, SUBJECT, range(1, 3), [])
        assert brief(home) == [("tax:clerk", SUBJECT, 1, 2)]
        await shown.found(OTHER, SUBJECT, range(1, 3), [1, 2])
        assert brief(home) == [("tax:clerk", SUBJECT, 1, 2)] * 3
        assert all(each.searched for each in said(home))
        ledger = home.ledger()
        records = [read(entry.statement).statement.records_shown for entry in ledger.decoded_all(3, 6)]
        assert [bool(record.found) for record in records] == [False, True, True]
        assert records[1].found != records[2].found
        for index in (1, 2):
            request = OpeningsRequest(field=FOUND, value=str(index).encode(), end=ledger.state.size)
            (answer,) = openings(ledger, home.office.disclosures(), request)
            assert [opening.index for opening in answer.opening] == [index + 3]
            assert answer.opened == 2


async def test_a_search_for_what_searches_found_finds_without_more(home: Home) -> None:
    """It is recorded that it was made; what it finds, if it were recorded, would be there to be searched for again."""
    async with showing(home) as (_, shown):
        await shown.searched(AUDITOR, FOUND, range(3))
        await shown.found(AUDITOR, FOUND, range(3), [2])
    assert brief(home) == [("audit-office", FOUND, 0, 3)]


# What was read.


async def ask_each(node: LyingNode, caller: Caller) -> None:
    """Every call that shows entries, of a ledger of ten: 3 to 6, 7, 8 and 9."""
    callers.current.set(caller)
    service, origin = node.engine.ledger, node.home.office.origin
    async for _ in service.ReadEntries(ReadRequest(origin=origin, first=3, end=7, size=10), NO_CONTEXT):
        pass
    await service.ProvePresence(InclusionRequest(origin=origin, index=8, size=10), NO_CONTEXT)
    async for _ in service.Find(FindRequest(origin=origin, first=9, size=10), NO_CONTEXT):
        pass
    follow = service.Find(FindRequest(origin=origin, first=9, size=9, follow=True), NO_CONTEXT)
    async for bundle in follow:
        if bundle.entry:
            break


def seven_more(node: LyingNode) -> None:
    office = node.home.office
    loop.run(node.sequencer.record(office.prepared(office.declares(7))))


@pytest.mark.parametrize("caller", [AUDITOR, OTHER], ids=["auditor", "other"])
def test_whatever_shows_entries_to_a_reader_is_recorded(home: Home, caller: Caller) -> None:
    """At the latest when the node stops; what adjoins is one range, and the rest of the ledger was not shown: but the
    registration of its author's key, 1, is, with the entry whose presence it proves.
    """
    with LyingNode(home) as node:
        seven_more(node)
        loop.run(ask_each(node, caller))
    assert brief(home) == [(caller.id, "entries", first, count) for first, count in ((1, 1), (3, 4), (8, 2))]
    assert {(each.ledger, each.at_us) for each in said(home)} == {("", home.now_us)}


@pytest.mark.parametrize(
    "caller", [IN_THE_CLEAR, Caller("market", "clerk"), Caller("market", "node"), Caller("tax", "node")], ids=str
)
def test_who_is_no_reader_leaves_no_trace(home: Home, caller: Caller) -> None:
    """The bureau's own actors, the nodes that follow, and whoever has no name."""
    with LyingNode(home) as node:
        seven_more(node)
        loop.run(ask_each(node, caller))
    assert not said(home)
    assert home.ledger().state.size == 10


def test_who_follows_is_given_nothing_to_follow_by_it(home: Home) -> None:
    """Reading that something was read, or witnessed, is not recorded; were it, two who follow would never end."""
    with LyingNode(home) as node:
        office = home.office
        note = office.say("note_witnessed", "node", note="x")
        loop.run(node.sequencer.record(office.prepared([note], "node")))
        loop.run(node.engine.shown.disclosed(AUDITOR, [(2, SUBJECT)]))

        async def ask() -> None:
            callers.current.set(AUDITOR)
            request = ReadRequest(origin=office.origin, first=3, end=5, size=5)
            async for _ in node.engine.ledger.ReadEntries(request, NO_CONTEXT):
                pass

        loop.run(ask())
    assert home.ledger().state.size == 5


async def test_what_is_read_of_a_copy_names_its_ledger(home: Home) -> None:
    """Two ledgers' ranges are two, whatever their indexes."""
    async with showing(home) as (_, shown):
        shown.start()
        shown.read(AUDITOR, home.office.origin, 2, entries(home))
        shown.read(AUDITOR, "pudong.example/tax", 3, entries(home))
        await shown.settle()
    assert [(each.ledger, each.first) for each in said(home)] == [("", 2), ("tax", 3)]


async def test_a_full_statement_is_recorded_early(home: Home) -> None:
    """However long the rest has to wait."""
    async with showing(home) as (sequencer, shown):
        shown.start()
        changed = asyncio.create_task(sequencer.changed())
        await asyncio.sleep(0)
        for number in range(RANGES_MAX):
            shown.read(AUDITOR, home.office.origin, 2 * number, entries(home))
        await asyncio.wait_for(changed, WAIT_S)
        assert len(said(home)) == RANGES_MAX
        await shown.settle()


async def test_what_waits_is_recorded_when_its_time_has_come(home: Home) -> None:
    """Without a full statement and without an end."""
    async with showing(home, interval_s=0.01) as (sequencer, shown):
        shown.start()
        changed = asyncio.create_task(sequencer.changed())
        await asyncio.sleep(0)
        shown.read(AUDITOR, home.office.origin, 2, entries(home))
        await asyncio.wait_for(changed, WAIT_S)
        assert brief(home) == [("audit-office", "entries", 2, 1)]
        await shown.settle()


async def test_what_cannot_be_recorded_now_is_recorded_later(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it is lost, and nothing is said twice."""
    monkeypatch.setattr(shown, "RETRY_S", 0.01)
    async with showing(home, interval_s=0.01) as (sequencer, records):
        sequencer.on_hold = ClockOff("off")
        with capture_logs() as log:
            records.start()
            records.read(AUDITOR, home.office.origin, 2, entries(home))
            async with asyncio.timeout(WAIT_S):
                while not any(each["event"] == "what was read was not recorded" for each in log):
                    await asyncio.sleep(0)
        assert not said(home)
        records.read(AUDITOR, home.office.origin, 3, entries(home))
        changed = asyncio.create_task(sequencer.changed())
        await asyncio.sleep(0)
        sequencer.on_hold = None
        await asyncio.wait_for(changed, WAIT_S)
        assert brief(home) == [("audit-office", "entries", 2, 2)]
        await records.settle()


async def test_what_is_kept_is_bounded_and_what_is_not_is_logged(home: Home) -> None:
    """Each range is on the ledger or in the log, however many there are and whether anything is recorded or not."""
    many = KEPT_RANGES_MAX + 3 * RANGES_MAX
    async with showing(home) as (sequencer, shown):
        sequencer.on_hold = ClockOff("off")
        with capture_logs() as log:
            for number in range(many):
                shown.read(AUDITOR, home.office.origin, 2 * number, entries(home))
                assert shown.kept <= KEPT_RANGES_MAX
            await shown.settle()
            shown.stop()
    logged = [each for each in log if each["event"] == "entries shown"]
    assert sorted(each["first"] for each in logged) == [2 * number for number in range(many)]
    assert {(each["to"], each["ledger"], each["count"]) for each in logged} == {("audit-office", "market", 1)}


async def test_an_observer_logs_what_it_shows(home: Home) -> None:
    """It has no ledger to say it on, and nothing that opens commitments."""
    own = observing(Office("watch").bureau)
    shown = Shown(charter_of(home), own, None, lambda: home.now_us, 0.01)
    with capture_logs() as log:
        shown.start()
        shown.read(AUDITOR, home.office.origin, 2, entries(home, 5))
        shown.read(Caller("watch", "reader"), home.office.origin, 4, entries(home))
        shown.read(Caller("tax", "node"), home.office.origin, 4, entries(home))
        for show in showings():
            with pytest.raises(NotFound):
                await show(shown)
        await shown.settle()
    logged = [(each["to"], each["ledger"], each["first"], each["count"]) for each in log]
    assert logged == [("audit-office", "market", 2, 5), ("watch:reader", "market", 4, 1)]


# Ranges.


def ranges() -> st.SearchStrategy[Range]:
    return st.builds(
        lambda to, ledger, first, count, at_us: Range(to, ledger, first, first + count, at_us),
        st.sampled_from("ab"),
        st.sampled_from("xy"),
        st.integers(0, 40),
        st.integers(1, 8),
        st.integers(1, 9),
    )


def indexes(some: Iterator[Range] | list[Range]) -> set[tuple[str, str, int]]:
    return {(each.to, each.ledger, index) for each in some for index in range(each.first, each.end)}


@given(st.lists(ranges(), max_size=30), st.integers(1, 10))
def test_ranges_say_what_was_shown_and_no_more(added: list[Range], most: int) -> None:
    """As sets of entries they are the same; none touch; each was shown when the first of it was; all come out once."""
    kept = Ranges()
    for each in added:
        kept.add(each)
    count, taken = kept.count, list[Range]()
    while kept.count:
        part = kept.take(most)
        assert 0 < len(part) <= most
        taken += part
    assert len(taken) == count
    assert indexes(taken) == indexes(added)
    for one in taken:
        assert not any(
            (one.to, one.ledger) == (two.to, two.ledger) and one.first <= two.end and two.first <= one.end
            for two in taken
            if two is not one
        )
        within = [each.at_us for each in added if indexes([each]) <= indexes([one])]
        assert one.at_us == min(within)
