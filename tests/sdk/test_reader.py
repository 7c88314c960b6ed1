"""An honest node is read whole, verified, and accused of nothing, by however many readers at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tallystick.core.charter_note import open_charter
from tallystick.core.errors import (
    InvalidIdentifier,
    NotFound,
    Stopping,
    Unreachable,
)
from tallystick.core.evidence import verify_presence
from tallystick.core.kinds import TERM_FIELDS
from tallystick.sdk.reader import LedgerReader
from tests.harness.desk import Desk, desk_in

CLERK = (TERM_FIELDS["actor"], b"market:clerk")
RESOURCE = TERM_FIELDS["resource"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_in(tmp_path) as made:
        yield made


def indexes(shown: Iterator[Any]) -> list[int]:
    return [each.entry.index for each in shown]


def test_an_honest_node_is_read_whole(desk: Desk) -> None:
    """Entries, one entry, terms, both orders, limits and proofs: all there, verified, with the right references."""
    reader = desk.reader()
    ledger = desk.node.sequencer.ledger
    assert [shown.entry.raw for shown in reader.entries()] == list(ledger.entries(0, 23))
    assert indexes(reader.entries(5, 9)) == [5, 6, 7, 8]
    assert indexes(reader.entries(20, 99)) == [20, 21, 22]
    assert indexes(reader.entries(23)) == []
    assert reader.raw(7, reader.refresh()) == reader.entry(7).entry.raw
    assert reader.entry(7).reference == "market#7"
    assert reader.entry(7).ref.index == 7
    assert indexes(reader.find([CLERK])) == list(range(3, 23))
    assert indexes(reader.find([CLERK, (RESOURCE, b"R-4")])) == [7]
    assert indexes(reader.find([CLERK], newest_first=True, limit=3)) == [22, 21, 20]
    assert indexes(reader.find(first=2, end=5)) == [2, 3, 4]
    assert reader.show(9).author.actor == "market:clerk"
    assert verify_presence(reader.prove(9), open_charter(*desk.office.charter())).reference == "market#9"
    assert reader.trusted.size == 23


def test_a_limit_beyond_a_page_is_kept(desk: Desk) -> None:
    """A caller may ask for more than a page holds, and gets that many and no more."""
    desk.record(1000, "P")
    desk.record(1000, "Q")
    assert indexes(desk.reader().find(limit=1500)) == list(range(1500))


def test_what_is_not_there_is_not_found_and_nobody_is_accused(desk: Desk) -> None:
    """An index beyond the ledger is NotFound; a term that is none is the asker's mistake."""
    reader = desk.reader()
    for ask in (reader.entry, reader.show, reader.prove):
        with pytest.raises(NotFound, match="23"):
            ask(23)
    with pytest.raises(InvalidIdentifier):
        list(reader.find([(99, b"x")]))


def test_what_is_trusted_is_not_held_up_by_who_writes_it_down(desk: Desk) -> None:
    """While another program holds the store a checkpoint is trusted all the same, and written down at the end."""
    store, origin = desk.trust, desk.office.origin
    with store.replacing(origin):
        reader = desk.reader()
        assert reader.refresh().size == 23
        assert store.load(origin) is None
        with pytest.raises(BlockingIOError), store.replacing(origin, wait=False):
            pass
    reader.close()
    assert store.load(origin) == reader.trusted.note


def test_trust_grows_is_kept_and_goes_on(desk: Desk) -> None:
    """What one reader verified, the next starts from; and it only grows."""
    first = desk.reader()
    first.refresh()
    assert desk.trust.load(desk.office.origin) == first.trusted.note
    assert desk.reader().trusted.size == 23
    desk.record(4)
    first.refresh()
    first.close()
    assert desk.reader().trusted.size == 27


def test_following_shows_what_is_recorded_later(desk: Desk) -> None:
    """Each new statement comes once and in order, verified under a checkpoint that extends the trusted one."""
    reader, found = desk.reader(), []
    for shown in reader.find([CLERK], first=20, follow=True):
        found.append(shown.entry.index)
        if len(found) in (3, 4, 7):
            desk.record(len(found))
        if len(found) == 15:
            break
    assert found == list(range(20, 35))
    assert reader.trusted.size >= 35


def test_following_while_asking_accuses_nobody(desk: Desk) -> None:
    """A reader may look up entries while it follows: its trust moves on, and the stream still fits."""
    reader, found = desk.reader(), []
    for shown in reader.find([CLERK], first=22, follow=True):
        found.append(shown.entry.index)
        if len(found) == 10:
            break
        end = desk.record(1)
        if len(found) % 2:
            desk.record(1)
            assert reader.entry(end).entry.index == end
    assert found == list(range(22, 32))


def test_a_follower_is_told_when_the_node_stops(desk: Desk) -> None:
    """The stream ends with Stopping, or Unreachable where the connection went first."""
    stream = desk.reader().find([CLERK], first=22, follow=True)
    next(stream)
    stopping = threading.Thread(target=desk.node.stop)
    stopping.start()
    with pytest.raises((Stopping, Unreachable)):
        next(stream)
    stopping.join()


def test_two_clients_at_once_never_go_backwards(desk: Desk) -> None:
    """Many readers on one trust store, over a growing ledger: nobody is accused, and the kept size never shrinks."""
    sizes: list[int] = []
    errors: list[Exception] = []

    def work() -> None:
        reader = desk.reader()
        try:
            for _ in range(10):
                reader.refresh()
                reader.remember()
                note = desk.trust.load(desk.office.origin)
                sizes.append(LedgerReader(reader.wire, desk.trust).trusted.size)
                assert note is not None
                list(reader.entries(0, 2))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(15):
        desk.record()
    for thread in threads:
        thread.join()
    assert errors == []
    assert LedgerReader(desk.open[0].wire, desk.trust).trusted.size >= max(sizes)
    assert not list(desk.trust.folder.glob("*conflict*"))


def test_a_later_checkpoint_of_another_command_stays(desk: Desk) -> None:
    """A session behind the kept checkpoint neither overwrites it nor takes its streams to be lies."""
    slow, fast = desk.reader(), desk.reader()
    slow.refresh()
    stream = slow.find([CLERK], first=22, follow=True)
    next(stream)
    desk.record()
    next(stream)
    slow._remembered_at = float("-inf")
    end = desk.record(5)
    fast.refresh()
    fast.remember()
    desk.node.lies["Find"] = lambda bundle: None
    assert next(stream).entry.index == 24
    slow.remember()
    assert desk.reader().trusted.size == end
    desk.record()
    assert indexes(next(stream) for _ in range(4)) == [25, 26, 27, 28]
