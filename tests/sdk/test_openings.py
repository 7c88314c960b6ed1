"""A question by subject: what a node shows must open, and its counts must add up to its ledger's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tallystick.audit.coverage import Coverage, LedgerCoverage
from tallystick.core.errors import ProofFailed, TallystickError
from tallystick.sdk.openings import find_openings, open_all
from tallystick.sdk.reader import LedgerReader
from tallystick_node import keyspace
from tallystick_node.access import refusal
from tallystick_node.store.store import Batch
from tallystick_proto.v1.ledger_pb2 import Opening, Openings, SubmitRequest
from tests.harness.desk import Desk, desk_in

FIELD = "data_used.subject"
END = 28
SUBJECT = b"citizen 1"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """23 entries, then five uses: #23, #25 and #27 of somebody, two of them of the same."""
    with desk_in(tmp_path) as made:
        subjects = ("citizen 1", None, "citizen 2", None, "citizen 1")
        made.writer.submit(SubmitRequest(submission=made.office.uses(*subjects)))
        yield made


@pytest.fixture
def reader(desk: Desk) -> LedgerReader:
    return desk.reader()


def test_what_matches_is_verified_and_the_rest_counted(reader: LedgerReader) -> None:
    """The entries are those of the ledger, in its order."""
    opened = find_openings(reader, FIELD, SUBJECT, END, 3)
    assert [shown.entry.index for shown in opened.matching] == [23, 27]
    assert (opened.opened, opened.unopened, opened.committed) == (3, 0, 3)
    assert find_openings(reader, FIELD, b"nobody", END, 3).matching == ()


def test_what_nothing_opens_is_said(desk: Desk, reader: LedgerReader) -> None:
    """An erased disclosure is no lie; it still counts as a commitment."""
    batch = Batch()
    batch.delete(keyspace.disclosure(25, FIELD))
    batch.delete(keyspace.data_key(25, FIELD))
    desk.node.sequencer.ledger.store.write(batch)
    opened = find_openings(reader, FIELD, SUBJECT, END, 3)
    assert (len(opened.matching), opened.opened, opened.unopened) == (2, 2, 1)


def bent(**fields: Any) -> Callable[[Openings], None]:
    """An answer in which some fields say otherwise."""

    def lie(answer: Openings) -> None:
        for name, value in fields.items():
            setattr(answer, name, value)

    return lie


def opening(*openings: Opening) -> Callable[[Openings], None]:
    """An answer with other openings."""

    def lie(answer: Openings) -> None:
        del answer.opening[:]
        answer.opening.extend(openings)

    return lie


def touched(answer: Openings) -> None:
    """One bit of a salt."""
    answer.opening[1].salt = bytes([answer.opening[1].salt[0] ^ 1]) + answer.opening[1].salt[1:]


def moved(answer: Openings) -> None:
    """The salt of one entry, shown for another."""
    answer.opening[0].salt = answer.opening[1].salt


def again(answer: Openings) -> None:
    """One opening a second time."""
    answer.opening.append(answer.opening[1])


def twice(answer: Openings) -> list[Openings]:
    """The same answer again."""
    return [answer, answer]


LIES: dict[str, Callable[[Openings], Any]] = {
    "a salt that was touched": touched,
    "a salt of another entry": moved,
    "a salt of another length": opening(Opening(index=23, salt=b"x")),
    "an entry of another subject": opening(Opening(index=25, salt=bytes([2]) * 32)),
    "an entry without a subject": opening(Opening(index=24, salt=bytes(32))),
    "an entry of another kind": opening(Opening(index=3, salt=bytes(32))),
    "an entry beyond": opening(Opening(index=END, salt=bytes(32))),
    "an entry twice": again,
    "more that match than were opened": bent(opened=1),
    "fewer than there are": bent(opened=2),
    "more than there are": bent(unopened=1),
    "less of the ledger": bent(next=END - 1),
    "more of the ledger": bent(next=END + 1),
    "the same again": twice,
    "nothing": lambda answer: (),
}


@pytest.mark.parametrize("name", LIES)
def test_an_answer_that_is_not_so_is_caught(desk: Desk, reader: LedgerReader, name: str) -> None:
    """The node is named, and the subject is in no sentence."""
    desk.node.lies["FindOpenings"] = LIES[name]
    with pytest.raises(ProofFailed, match="market") as raised:
        find_openings(reader, FIELD, SUBJECT, END, 3)
    assert "citizen" not in str(raised.value)


def test_an_omission_that_adds_up_is_the_nodes_word(desk: Desk, reader: LedgerReader) -> None:
    """Who hides a match calls it somebody else's, or lost: nobody can see that from here."""
    desk.node.lies["FindOpenings"] = opening()
    opened = find_openings(reader, FIELD, SUBJECT, END, 3)
    assert (opened.matching, opened.opened) == ((), 3)


class _Ledgers(dict[str, LedgerReader]):
    """Readers by bureau, as `open_all` asks for them."""


def asked(reader: LedgerReader, committed: dict[str, int]) -> tuple[list[Any], LedgerCoverage]:
    ledger = LedgerCoverage("market", reader.bureau.origin)
    coverage = Coverage("c", 1, "", None, True, [ledger])  # type: ignore[arg-type]
    ends = dict.fromkeys(committed, END)
    return open_all(_Ledgers(market=reader), coverage, FIELD, SUBJECT, ends, committed), ledger  # type: ignore[arg-type]


def test_a_node_without_commitments_is_not_told_the_subject(desk: Desk, reader: LedgerReader) -> None:
    """Only those are asked whose ledger holds one."""
    found, ledger = asked(reader, {})
    assert (found, ledger.gap) == ([], "")
    assert "FindOpenings" not in desk.node.calls


def refused(answer: Openings) -> None:
    """Nobody is let in."""
    raise refusal()


def test_a_node_that_refuses_or_lies_is_a_gap(desk: Desk, reader: LedgerReader) -> None:
    """With the exit code of what it did, and the others go on."""
    found, _ = asked(reader, {"market": 3})
    assert len(found) == 1
    desk.node.lies["FindOpenings"] = touched
    found, ledger = asked(reader, {"market": 3})
    assert (found, ledger.exit_code) == ([], ProofFailed.exit_code)
    desk.node.lies["FindOpenings"] = refused
    found, ledger = asked(reader, {"market": 3})
    assert (found, ledger.exit_code) == ([], TallystickError.exit_code)
    assert "not for you to call" in ledger.gap
