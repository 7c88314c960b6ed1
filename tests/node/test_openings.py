"""What a node opens for who knows a subject: what matches with its salt, of the rest the number, and no value ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from tallystick.core.commitment import Place, check_opening
from tallystick.core.errors import ClockOff
from tallystick.core.kinds import SENSITIVE
from tallystick.core.limits import STATEMENT_BYTES_MAX
from tallystick.core.statement import commitment_at, read
from tallystick_node import keyspace, openings
from tallystick_node.shown import Shown
from tallystick_node.store.store import Batch
from tallystick_proto.v1.ledger_pb2 import Openings, OpeningsRequest, SubmitRequest
from tests.harness.client import WAIT_S, Client, client_of_used, refusal

FIELD = "data_used.subject"
CODES = grpc.StatusCode


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A node with ten entries, the last six of them uses, four of them of somebody."""
    with client_of_used(tmp_path, "citizen 1", "citizen 2", None, "citizen 1", "citizen 10", None) as made:
        yield made


def ask(client: Client, value: bytes, *, field: str = FIELD, first: int = 0, end: int = 10) -> list[Openings]:
    request = OpeningsRequest(origin=client.office.origin, field=field, value=value, first=first, end=end)
    return list(client.ledger.FindOpenings(request, timeout=WAIT_S))


def test_what_matches_is_opened_and_the_rest_is_counted(client: Client) -> None:
    """Each opening opens the commitment of its entry; a value that others begin with is not theirs."""
    (answer,) = ask(client, b"citizen 1")
    assert [opening.index for opening in answer.opening] == [4, 7]
    assert (answer.opened, answer.unopened, answer.next) == (4, 0, 10)
    ledger = client.node.home.ledger()
    signed = ledger.decoded(4).signed
    assert signed is not None
    for opening in answer.opening:
        commitment = commitment_at(ledger.decoded(opening.index).statement, FIELD)
        assert commitment is not None
        at = Place(client.office.origin, signed.submission_id, opening.index - 4, FIELD)
        check_opening(commitment, at, opening.salt, b"citizen 1")


def test_who_knows_no_subject_learns_only_how_many_there_are(client: Client) -> None:
    """Neither a value, nor a salt, nor which entries."""
    (answer,) = ask(client, b"nobody")
    assert answer == Openings(opened=4, next=10)
    assert b"citizen" not in answer.SerializeToString()


def test_no_answer_comes_before_it_is_recorded_who_asks(client: Client) -> None:
    """Whether something matches or not: else a refusal would tell."""
    client.node.sequencer.on_hold = ClockOff("off")
    for value in (b"citizen 1", b"nobody"):
        code, detail = refusal(lambda value=value: ask(client, value))  # type: ignore[misc]
        assert (code, detail.name) == (CODES.UNAVAILABLE, "ClockOff")
    client.node.sequencer.on_hold = None
    ask(client, b"citizen 1")
    ledger = client.node.home.ledger()
    records = [read(entry.statement).statement.records_shown for entry in ledger.decoded_all(10, ledger.state.size)]
    assert [bool(record.found) for record in records] == [False, True, True]
    assert b"citizen" not in b"".join(ledger.entries(10, ledger.state.size))


def test_what_is_erased_while_it_is_recorded_is_not_shown(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the moment that it is erased nobody is shown it, also who had asked before; it is counted as not there."""
    found = Shown.found

    async def erased_meanwhile(shown: Shown, *said: Any) -> None:
        await found(shown, *said)
        keys = [keyspace.disclosure(4, FIELD), keyspace.data_key(4, FIELD)]
        client.node.sequencer.ledger.store.write(Batch(deletes=keys))

    monkeypatch.setattr(Shown, "found", erased_meanwhile)
    (answer,) = ask(client, b"citizen 1")
    assert [opening.index for opening in answer.opening] == [7]
    assert (answer.opened, answer.unopened) == (3, 1)


def test_a_range_is_opened_alone(client: Client) -> None:
    """So that one who stopped can go on."""
    assert ask(client, b"citizen 1", first=5)[-1].opened == 3
    assert [opening.index for opening in ask(client, b"citizen 1", end=7)[-1].opening] == [4]
    assert ask(client, b"citizen 1", first=3, end=3) == [Openings(next=3)]


def test_long_answers_come_in_stretches_that_meet(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it is cut, the stretches add up to the same."""
    monkeypatch.setattr(openings, "_ANSWER_ENTRIES", 64)
    client.submit.Submit(SubmitRequest(submission=client.office.uses(*["citizen 1", "x"] * 150)), timeout=WAIT_S)
    whole, nexts = Openings(), [0]
    for answer in ask(client, b"citizen 1", end=310):
        whole.MergeFrom(Openings(opening=answer.opening))
        assert nexts[-1] < answer.next
        assert all(nexts[-1] <= opening.index < answer.next for opening in answer.opening)
        assert answer.opened <= 64
        nexts.append(answer.next)
    assert len(nexts) > 4
    assert nexts[-1] == 310
    assert [opening.index for opening in whole.opening] == [4, 7, *range(10, 310, 2)]


def test_what_is_no_longer_held_is_counted_and_not_matched(client: Client) -> None:
    """An erased disclosure opens nothing."""
    batch = Batch()
    batch.delete(keyspace.disclosure(7, FIELD))
    batch.delete(keyspace.data_key(7, FIELD))
    client.node.sequencer.ledger.store.write(batch)
    (answer,) = ask(client, b"citizen 1")
    assert [opening.index for opening in answer.opening] == [4]
    assert (answer.opened, answer.unopened) == (3, 1)


def test_a_disclosure_that_does_not_read_is_the_disks_fault(client: Client) -> None:
    """A status that names the entry, and no wrong count."""
    batch = Batch()
    batch.put(keyspace.disclosure(5, FIELD), b"\xff")
    client.node.sequencer.ledger.store.write(batch)
    code, detail = refusal(lambda: ask(client, b"citizen 1"))
    assert (code, detail.name) == (CODES.DATA_LOSS, "StoreDamaged")
    assert detail.where.endswith("#5")


def bad() -> dict[str, Callable[[Client], object]]:
    """What is asked for wrongly."""
    return {
        "another origin": lambda client: list(
            client.ledger.FindOpenings(OpeningsRequest(origin="a.b/c", field=FIELD, value=b"x"), timeout=WAIT_S)
        ),
        "a field in the clear": lambda client: ask(client, b"x", field="data_used.purpose"),
        "no field": lambda client: ask(client, b"x", field=""),
        "no value": lambda client: ask(client, b""),
        "a large value": lambda client: ask(client, bytes(STATEMENT_BYTES_MAX + 1)),
        "beyond the ledger": lambda client: ask(client, b"x", end=11),
        "backwards": lambda client: ask(client, b"x", first=5, end=4),
    }


@pytest.mark.parametrize("name", bad())
def test_a_bad_question_is_refused(client: Client, name: str) -> None:
    """With a sentence that never holds the value."""
    code, detail = refusal(lambda: bad()[name](client))
    assert code in (CODES.NOT_FOUND, CODES.INVALID_ARGUMENT)
    assert "citizen" not in str(detail)


def test_every_sensitive_field_can_be_asked_for(client: Client) -> None:
    """Also one in which nothing stands."""
    assert FIELD in SENSITIVE
    for field in SENSITIVE.keys() - {FIELD}:
        assert ask(client, b"x", field=field) == [Openings(next=10)]
