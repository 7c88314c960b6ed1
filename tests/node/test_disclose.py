"""Disclosing: what opens an entry's commitments, to who may see it, on the record before it is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import grpc
import pytest

from tallystick.core.charter_note import open_charter
from tallystick.core.errors import NotAllowed
from tallystick.core.statement import read
from tallystick.core.submission import prepare
from tallystick_node import access, keyspace
from tallystick_node.own_statement import Voice
from tallystick_node.services.ledger import LedgerService
from tallystick_node.shelf import Own, Shelf
from tallystick_node.shown import Shown
from tallystick_node.store.store import Batch
from tallystick_proto.v1.ledger_pb2 import DiscloseAnswer, DiscloseRequest, SubmitRequest
from tallystick_proto.v1.statement_pb2 import RecordsShown
from tests.harness.client import WAIT_S, Client, client_of_used, refusal
from tests.harness.home import Home

FIELD = "data_used.subject"
UNUSED: Any = None
CODES = grpc.StatusCode


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A node with six entries, the last two of them uses, the first of somebody."""
    with client_of_used(tmp_path, "citizen 1", None) as made:
        yield made


def ask(client: Client, index: int, *fields: str) -> DiscloseAnswer:
    request = DiscloseRequest(origin=client.office.origin, index=index, field=fields)
    answer: DiscloseAnswer = client.ledger.Disclose(request, timeout=WAIT_S)
    return answer


def shown(client: Client) -> list[RecordsShown.Shown]:
    ledger = client.node.sequencer.ledger
    statements = [read(entry.statement).statement for entry in ledger.decoded_all(6, ledger.state.size)]
    return [each for statement in statements for each in statement.records_shown.shown]


def test_what_opens_a_commitment_is_shown_and_that_is_recorded(client: Client) -> None:
    """Named or not; to whom, of which entry, and of which field. What commits to nothing shows and records nothing."""
    for fields in ((), (FIELD,)):
        (disclosure,) = ask(client, 4, *fields).disclosure
        assert (disclosure.position, disclosure.field, disclosure.value) == (0, FIELD, b"citizen 1")
    assert not ask(client, 5).disclosure
    assert not ask(client, 3).disclosure
    assert [(each.to, each.what, each.first, each.count) for each in shown(client)] == [
        ("in the clear", FIELD, 4, 1)
    ] * 2


def test_what_cannot_be_recorded_is_not_shown(client: Client) -> None:
    """The asker is told why nothing is recorded."""
    client.node.sequencer.stop_writing(NotAllowed("on purpose"))
    code, detail = refusal(lambda: ask(client, 4))
    assert (code, detail.name) == (CODES.PERMISSION_DENIED, "NotAllowed")
    assert "citizen" not in str(detail)


def test_what_did_not_reach_the_disk_is_not_shown(client: Client) -> None:
    """The outcome is unknown to the node itself, and the asker gets no value."""
    client.node.home.fail_write("before")
    code, detail = refusal(lambda: ask(client, 4))
    assert (code, detail.name) == (CODES.UNAVAILABLE, "StorageFailed")
    assert "citizen" not in str(detail)
    assert not shown(client)


def test_each_view_of_many_is_recorded(client: Client) -> None:
    """Whoever looks through a ledger in this way leaves a line for each entry that he was shown, before the next."""
    client.submit.Submit(SubmitRequest(submission=client.office.uses(*["x"] * 30)), timeout=WAIT_S)
    for index in range(6, 36):
        assert ask(client, index).disclosure
        last = [each for each in shown(client) if each.what == FIELD][-1]
        assert (last.first, last.count) == (index, 1)


def test_what_is_erased_while_it_is_recorded_is_not_shown(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """From then on nobody is shown it, whoever asked before."""
    record = Shown.disclosed

    async def slowly(*arguments: Any) -> None:
        await record(*arguments)
        batch = Batch(deletes=[keyspace.disclosure(4, FIELD), keyspace.data_key(4, FIELD)])
        client.node.sequencer.ledger.store.write(batch)

    monkeypatch.setattr(Shown, "disclosed", slowly)
    assert not ask(client, 4).disclosure
    assert len(shown(client)) == 1


async def test_whenever_its_caller_goes_nothing_is_shown_before_it_is_recorded(tmp_path: Path) -> None:
    """At whatever step he goes: what was answered by then is on the disk."""
    home, steps = Home(tmp_path), 20
    office = home.office
    async with home.writing() as sequencer:
        await sequencer.record(prepare(office.uses("citizen 1"), office.origin))
        voice = Voice(sequencer, office.bureau, office.keys["node"], lambda: home.now_us, Random(1))
        recorder = Shown(open_charter(*office.charter()), office.bureau, voice, lambda: home.now_us, 1.0)
        shelf = Shelf(home.store, office.keys["witness"], "witness", Own(sequencer, UNUSED))
        service = LedgerService(shelf, recorder, sequencer.disclosures)
        for step in range(steps + 1):
            before = sequencer.ledger.state.size
            call = asyncio.create_task(service.Disclose(DiscloseRequest(origin=office.origin, index=3), UNUSED))
            for _ in range(step):
                await asyncio.sleep(0)
            if step < steps:
                call.cancel()
            (answer,) = await asyncio.gather(call, return_exceptions=True)
            if isinstance(answer, DiscloseAnswer):
                assert answer.disclosure
                assert home.ledger().state.size > before
        assert isinstance(answer, DiscloseAnswer)


def test_what_was_erased_is_not_there_to_be_shown(client: Client) -> None:
    """And nothing is recorded as shown."""
    batch = Batch(deletes=[keyspace.disclosure(4, FIELD), keyspace.data_key(4, FIELD)])
    client.node.sequencer.ledger.store.write(batch)
    assert not ask(client, 4, FIELD).disclosure
    assert not shown(client)


def test_what_one_may_not_see_is_refused_where_it_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """And left out where it is not, whether it is held or not; neither is recorded."""
    monkeypatch.setattr("tallystick_node.services.ledger.may_see", lambda field, counterparty="": False)
    assert not ask(client, 4).disclosure
    code, detail = refusal(lambda: ask(client, 4, FIELD))
    assert (code, detail.name) == (CODES.PERMISSION_DENIED, "NotAllowed")
    assert not shown(client)
    assert "tallystick.v1.Ledger/Disclose" in access.ROWS


@pytest.mark.parametrize(
    ("index", "fields", "origin"),
    [(4, ("data_used.purpose",), ""), (5, (FIELD,), ""), (4, ("",), ""), (9, (), ""), (4, (), "a.b/c")],
    ids=["in the clear", "nothing", "no field", "beyond", "another ledger"],
)
def test_a_bad_question_is_refused(client: Client, index: int, fields: tuple[str, ...], origin: str) -> None:
    """What is no commitment, no entry, or no ledger of this node's."""
    request = DiscloseRequest(origin=origin or client.office.origin, index=index, field=fields)
    code, _ = refusal(lambda: client.ledger.Disclose(request, timeout=WAIT_S))
    assert code == CODES.NOT_FOUND


def test_what_does_not_open_its_commitment_is_not_recorded(client: Client) -> None:
    """A disclosure with another value, salt or place: the whole submission is refused, and the ledger is as it was."""
    before = client.size
    for name, other in (("value", b"citizen 2"), ("salt", bytes([9] * 32)), ("position", 1), ("field", "x.y")):
        submission = client.office.uses("citizen 1", "citizen 3")
        setattr(submission.disclosures[0], name, other)
        code, detail = refusal(
            lambda said=submission: client.submit.Submit(SubmitRequest(submission=said), timeout=WAIT_S)  # type: ignore[misc]
        )
        assert (code, detail.name) == (CODES.INVALID_ARGUMENT, "InvalidSubmission"), name
        assert "citizen" not in str(detail)
    assert client.size == before
