"""Turns at the node's event loop: shared by caller, the same whenever the same is asked, and few for who is refused."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from contextlib import ExitStack, suppress
from typing import Any, TypeVar

import pytest

from tallystick.core.errors import Overloaded
from tallystick_node import bounds
from tallystick_node.bounds import (
    CALLS_ALWAYS,
    MESSAGE_BYTES_MAX,
    READING_REST,
    READS,
    RECORDS,
    REFUSED_FREE_US,
    REFUSED_PRICES,
    ROUND_US,
    WAITING_BYTES_MAX,
    Bounds,
    fits,
)
from tallystick_node.fair_queue import Owner
from tallystick_node.turns import Turns, calling, current, pause
from tests.simulation.virtual_loop import VirtualLoop

Result = TypeVar("Result")

A, B = Owner("a", "a1"), Owner("b", "b1")
RPC = "/tallystick.v1.Ledger/GetCheckpoint"
PRICE_US = 1_000.0
CALLS_MAX = 1_000
GET, READ = "tallystick.v1.Ledger/GetCheckpoint", "tallystick.v1.Ledger/ReadEntries"


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in simulated time."""
    loop = VirtualLoop()
    try:
        return loop.run(work)
    finally:
        loop.close()


async def _crowd(turns: Turns, order: list[str], owner: Owner, count: int, part: str = READS) -> None:
    async def one() -> None:
        await turns.turn(part, owner, PRICE_US)
        order.append(owner.who)

    await asyncio.gather(*(one() for _ in range(count)))


def test_a_crowd_leaves_every_other_turn_to_who_asks_too() -> None:
    """Of two who ask, one with a thousand calls and one with ten, the ten are through within some twenty turns."""

    async def history() -> list[str]:
        turns, order = Turns(1_000), list[str]()
        await asyncio.gather(_crowd(turns, order, A, 1_000), _crowd(turns, order, B, 10))
        return order

    order = run(history())
    assert max(at for at, who in enumerate(order) if who == "b") <= 22
    assert order == run(history())


def test_what_records_goes_before_what_reads() -> None:
    """However many read, who records has four turns of five."""

    async def history() -> list[str]:
        turns, order = Turns(1_000), list[str]()
        readers = [_crowd(turns, order, Owner(f"r{number}", "x"), 100) for number in range(20)]
        await asyncio.gather(*readers, _crowd(turns, order, A, 400, RECORDS))
        return order

    order = run(history())
    assert Counter(order[:500])["a"] >= 380


def test_who_is_refused_gets_little_and_others_notice_nothing() -> None:
    """Beyond what may befall anybody, all who are refused again and again have a small part of the time together."""

    async def history() -> tuple[int, int]:
        turns = Turns(1_000)
        loop = asyncio.get_running_loop()
        given = Counter[str]()

        async def bad(owner: Owner) -> None:
            while loop.time() < 60:
                await turns.turn(READS, owner, PRICE_US)
                given[owner.who] += 1
                turns.blame(owner, PRICE_US)

        bads = [asyncio.ensure_future(bad(Owner(f"x{number}", f"x{number}"))) for number in range(10)]
        while loop.time() < 59:
            await turns.turn(READS, A, PRICE_US)
            given["honest"] += 1
            await asyncio.sleep(0.001)
        await asyncio.gather(*bads)
        honest = given.pop("honest")
        return given.total(), honest

    refused, honest = run(history())
    free = 10 * REFUSED_FREE_US / (PRICE_US * REFUSED_PRICES)
    assert refused <= 60 * 50 + 2 * free
    assert honest >= 55_000


def test_reading_leaves_time_free_while_another_records() -> None:
    """However much one reads, four fifths of the time are nobody's while another records; his own recording does not
    slow him, nor does who only tries to record and is refused.
    """

    async def read_for_a_while(recorder: Owner | None, *, refused: bool = False) -> int:
        turns, given = Turns(1_000), 0
        loop = asyncio.get_running_loop()
        end_s = loop.time() + 0.2

        async def record(owner: Owner) -> None:
            if refused:
                turns.blame(owner, REFUSED_FREE_US)
            while loop.time() < end_s:
                await turns.turn(RECORDS, owner, PRICE_US)
                await asyncio.sleep(0.05)

        async def read() -> None:
            nonlocal given
            while loop.time() < end_s:
                await turns.turn(READS, A, PRICE_US)
                given += 1
                await asyncio.sleep(PRICE_US * 1e-6)  # what the turn takes; here no other has it

        recording = [] if recorder is None else [asyncio.ensure_future(record(recorder))]
        await asyncio.sleep(0)
        await asyncio.gather(*(read() for _ in range(20)), *recording)
        return given

    paced = run(read_for_a_while(B))
    assert 0 < paced <= 200_000 / PRICE_US / READING_REST + 20
    for unpaced in (read_for_a_while(None), read_for_a_while(A), read_for_a_while(B, refused=True)):
        assert run(unpaced) > 10 * paced


def test_one_who_reads_is_shared_by_his_connections_while_another_records() -> None:
    """A crowd of calls on one of his connections leaves every other of his turns to the other."""

    async def history() -> list[str]:
        turns, order = Turns(1_000), list[str]()
        await turns.turn(RECORDS, B, PRICE_US)

        async def one(connection: str) -> None:
            await turns.turn(READS, Owner("a", connection), PRICE_US)
            order.append(connection)

        await asyncio.gather(*(one("a1") for _ in range(200)), *(one("a2") for _ in range(5)))
        return order

    order = run(history())
    assert max(at for at, connection in enumerate(order) if connection == "a2") <= 12


@pytest.mark.parametrize("recording", [False, True], ids=["all-read", "another-records"])
def test_a_party_has_no_more_turns_by_naming_more_callers(recording: bool) -> None:
    """However many names one bureau's people call by, another bureau's one reader has as much as all of them."""

    async def history() -> Counter[str]:
        turns, given = Turns(CALLS_MAX, "own"), Counter[str]()
        loop = asyncio.get_running_loop()
        end_s = loop.time() + 1

        async def read(owner: Owner) -> None:
            while loop.time() < end_s:
                await turns.turn(READS, owner, PRICE_US)
                given[owner.party] += 1
                await asyncio.sleep(PRICE_US * 1e-6)

        if recording:
            await turns.turn(RECORDS, Owner("own:system", "s", "own"), PRICE_US)
        many = [Owner(f"many:{number}", f"{number}", "many") for number in range(50)]
        await asyncio.gather(*(read(owner) for owner in many), *(read(Owner("few:a", "f", "few")) for _ in range(50)))
        return given

    given = run(history())
    assert 0.9 <= given["few"] / given["many"] <= 1.1


def test_people_of_the_nodes_own_bureau_each_read_on_while_one_of_them_records() -> None:
    """A bureau names its own callers at its own node: two of them have two readers' parts, and not half of one each."""

    async def history(party: str) -> int:
        turns, given = Turns(CALLS_MAX, "own"), 0
        loop = asyncio.get_running_loop()
        await turns.turn(RECORDS, Owner("own:system", "s", "own"), PRICE_US)
        end_s = loop.time() + 0.5

        async def read(owner: Owner) -> None:
            nonlocal given
            while loop.time() < end_s:
                await turns.turn(READS, owner, PRICE_US)
                given += 1

        await asyncio.gather(*(read(Owner(f"{party}:{number}", f"{number}", party)) for number in range(2)))
        return given

    assert run(history("own")) > 1.8 * run(history("another"))


def test_a_call_that_was_left_takes_no_turn() -> None:
    """Who goes away while he waits is passed over."""

    async def history() -> list[str]:
        turns, order = Turns(1_000), list[str]()
        crowd = [asyncio.ensure_future(_crowd(turns, order, A, 1)) for _ in range(100)]
        await asyncio.sleep(0)
        for each in crowd[1:]:
            each.cancel()
        await asyncio.gather(_crowd(turns, order, B, 1), *crowd, return_exceptions=True)
        return order

    assert run(history()) == ["a", "b"]


async def test_a_caller_has_no_more_calls_open_than_its_row_says() -> None:
    """One more of an RPC is Overloaded; when one ends there is room for one again, and others never notice."""
    turns, bounds = Turns(1_000), Bounds(at_once_max=3)
    calls = [turns.call(A, RPC, bounds) for _ in range(3)]
    for call in calls:
        call.__enter__()
    with pytest.raises(Overloaded, match="3 calls are open"), turns.call(A, RPC, bounds):
        pass
    with turns.call(B, RPC, bounds):
        assert turns.places.open == 4
    calls[0].__exit__(None, None, None)
    with turns.call(A, RPC, bounds):
        pass
    for call in calls[1:]:
        call.__exit__(None, None, None)
    assert turns.places.open == 0
    assert turns.places.empty


async def test_messages_that_wait_are_bounded_in_bytes() -> None:
    """A caller's are, however many calls they come with; another has room, and turns given make room again."""
    turns, size = Turns(1_000), MESSAGE_BYTES_MAX
    refused = given = 0

    async def send(owner: Owner) -> None:
        nonlocal refused, given
        with turns.call(owner, RPC, Bounds()) as call:
            try:
                await call.turn(PRICE_US, size)
                given += 1
            except Overloaded:
                refused += 1

    most = WAITING_BYTES_MAX // size
    await asyncio.gather(*(send(A) for _ in range(Bounds().at_once_max)), send(B))
    assert refused > 0
    assert 2 < given - 1 <= most // 2
    await send(A)
    assert given > 3
    assert turns.places.empty


def test_nobody_fills_the_node() -> None:
    """However many crowd in, each as far as it may, there is room for who comes next; and everybody may have some."""
    opened = Counter[int]()
    for caller in range(20):
        while fits(opened[caller], opened.total(), 1_000, CALLS_ALWAYS):
            opened[caller] += 1
        assert 0 < opened[caller] <= 500
        assert opened.total() < 1_000 + CALLS_ALWAYS * caller
    assert min(opened.values()) >= CALLS_ALWAYS


async def test_work_knows_for_whom_it_is_done_and_may_pause() -> None:
    """Within a call its caller is known to whatever tasks it begins; a pause takes a turn, and outside a call none."""
    turns = Turns(10)

    async def inside() -> Owner:
        await pause()
        return calling.get()

    async def called() -> Owner:
        with turns.call(A, RPC, Bounds()) as call:
            assert current.get() is call
            return await asyncio.create_task(inside())

    assert await asyncio.create_task(called()) == A
    assert await inside() == Owner("", "")


def test_a_dear_turn_leaves_rounds_of_the_loop_to_who_comes_in() -> None:
    """Between two turns so many rounds of the loop pass as the first was dear, for calls that are not here yet."""

    async def history() -> int:
        turns, rounds = Turns(1_000), 0
        over = asyncio.Event()

        async def count() -> None:
            nonlocal rounds
            while not over.is_set():
                rounds += 1
                await asyncio.sleep(0)

        counting = asyncio.ensure_future(count())
        await asyncio.gather(*(turns.turn(READS, A, 100 * ROUND_US) for _ in range(3)))
        over.set()
        await counting
        return rounds

    assert run(history()) >= 200


def test_a_party_has_no_more_calls_open_by_naming_more_callers() -> None:
    """However few are each one's; what others may open, and what is open no more, is not counted against them."""

    def opened(turns: Turns, party: str, rpc: str, until_left: ExitStack) -> int:
        opened = 0
        for number in range(2 * CALLS_MAX):
            with suppress(Overloaded):
                owner = Owner(f"{party}:{number}", f"{number}", party)
                until_left.enter_context(turns.call(owner, rpc, bounds.BOUNDS[rpc]))
                opened += 1
        return opened

    async def history() -> None:
        turns = Turns(CALLS_MAX)
        with ExitStack() as later:
            assert opened(turns, "many", READ, later) == bounds.PARTY_LARGE_MAX
            with ExitStack() as held:
                few = opened(turns, "many", GET, held)
                assert few == CALLS_MAX - bounds.PARTY_LARGE_MAX
                assert opened(turns, "another", READ, later) == bounds.PARTY_LARGE_MAX
            assert opened(turns, "many", GET, later) == few
        assert turns.places.empty

    run(history())
