"""Who is let in, over a real wire: the table is asked before a call and before every message of a stream."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from tallystick.core.errors import NotAllowed
from tallystick_node import callers
from tallystick_node.access import ROWS, refusal
from tallystick_node.callers import IN_THE_CLEAR, Caller, Callers
from tallystick_proto.v1.ledger_pb2 import CheckpointAnswer, CheckpointRequest, Receipt, SubmitAnswer, SubmitRequest
from tallystick_proto.v1.witness_pb2 import Cosigned
from tallystick_proto.v1.witness_pb2_grpc import WitnessStub
from tests.harness.client import WAIT_S, Client
from tests.harness.home import Home
from tests.harness.lying_node import LyingNode
from tests.harness.witnesses import witnessed_home

CLERK = Caller("market", "clerk")
CODES = grpc.StatusCode


class Said(Callers):
    """Takes whoever calls for the caller that a test says, as long as the call lasts; or nobody for anybody."""

    def __init__(self) -> None:
        self.caller: Caller | None = CLERK
        self._of: dict[Any, Caller] = {}

    def of(self, context: Any) -> Caller:
        if self.caller is None:
            raise NotAllowed("nobody's certificate")
        return self._of.setdefault(context, self.caller)


class Gated(Client):
    """A client of a node with a gate, and as whom it calls."""

    def __init__(self, node: LyingNode, said: Said) -> None:
        super().__init__(node)
        self.said = said

    def called(self, rpc: str, question: bytes = b"") -> tuple[grpc.StatusCode, str]:
        """How a call ends, whatever its name."""
        call: Any = self.channel.stream_stream(f"/{rpc}")
        with pytest.raises(grpc.RpcError) as raised:
            list(call(iter([question]), timeout=WAIT_S))
        return raised.value.code(), raised.value.details() or ""


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Gated]:
    said = Said()
    with LyingNode(Home(tmp_path), callers=said) as node:
        made = Gated(node, said)
        with made.channel:
            yield made


NOBODY = {
    "no certificate": None,
    "no party": Caller("elsewhere", "clerk"),
    "not registered": Caller("market", "stranger"),
    "no name": Caller("market", ""),
    "a party that names a node": Caller("market:node", "node"),
}


@pytest.mark.parametrize("who", NOBODY)
def test_nobody_learns_anything(client: Gated, who: str) -> None:
    """Every call, known or not, well formed or not, ends with the same status and the same words."""
    client.said.caller = NOBODY[who]
    ends = {
        client.called(rpc, question) for rpc in [*ROWS, "tallystick.v1.Ledger/No", "x/y"] for question in (b"", b"?")
    }
    assert ends == {(CODES.PERMISSION_DENIED, str(refusal()))}


def test_who_may_make_some_calls_is_told_that_one_does_not_exist(client: Gated) -> None:
    """A newer program finds out that this node is older."""
    assert client.called("tallystick.v1.Ledger/No")[0] is CODES.UNIMPLEMENTED


def test_bytes_that_do_not_read_are_refused(client: Gated) -> None:
    """Of every kind of call, with a sentence and no trace of how it is read."""
    for name in ("Ledger/GetCheckpoint", "Ledger/ReadEntries", "Submit/SubmitMany"):
        assert client.called(f"tallystick.v1.{name}", b"?") == (
            CODES.INVALID_ARGUMENT,
            "bytes that do not read; expected a question of this call",
        )


def test_what_has_no_row_is_for_nobody(client: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that was forgotten in the table is refused to everybody."""
    assert client.size == 3
    monkeypatch.delitem(ROWS, "tallystick.v1.Ledger/GetCheckpoint")
    assert client.called("tallystick.v1.Ledger/GetCheckpoint") == (CODES.PERMISSION_DENIED, str(refusal()))


def test_the_caller_is_known_as_long_as_the_call_lasts(client: Gated) -> None:
    """In what answers it, in a stream's every step, and nowhere else."""
    seen: list[Caller] = []

    def look(answer: Any) -> None:
        seen.append(callers.current.get())

    for name in ("GetCheckpoint", "Submit", "WatchCheckpoints"):
        client.node.lies[name] = look
    assert client.size == 3
    client.record()
    watching = client.ledger.WatchCheckpoints(CheckpointRequest(origin=client.office.origin), timeout=WAIT_S)
    next(watching)
    client.record()
    next(watching)
    watching.cancel()
    assert seen == [CLERK] * 5
    assert callers.current.get() == IN_THE_CLEAR


def test_who_is_revoked_is_refused_from_the_next_message_on(client: Gated) -> None:
    """Its open streams end, and are not shown the checkpoint that covers its revocation; nor may it ask again."""
    watching = client.ledger.WatchCheckpoints(CheckpointRequest(origin=client.office.origin), timeout=WAIT_S)
    assert isinstance(next(watching), CheckpointAnswer)
    client.said.caller = Caller("market", "registrar")
    revoked = client.office.submission([client.office.revokes("clerk")], "registrar")
    assert client.submit.Submit(SubmitRequest(submission=revoked), timeout=WAIT_S).first == 3
    client.said.caller = CLERK
    with pytest.raises(grpc.RpcError, match="not for you to call") as raised:
        next(watching)
    assert raised.value.code() is CODES.PERMISSION_DENIED
    assert client.called("tallystick.v1.Ledger/GetCheckpoint")[0] is CODES.PERMISSION_DENIED


def test_a_stream_of_submissions_ends_with_its_caller(client: Gated) -> None:
    """What was asked before is recorded and answered; what is asked after its revocation is not looked at."""
    answered = threading.Event()

    def asking() -> Iterator[SubmitRequest]:
        yield SubmitRequest(submission=client.office.submission(client.office.declares(1)))
        assert answered.wait(WAIT_S)
        client.said.caller = None
        yield SubmitRequest(submission=client.office.submission(client.office.declares(1)))

    stream = client.submit.SubmitMany(asking(), timeout=WAIT_S)
    first: SubmitAnswer = next(stream)
    assert isinstance(first.receipt, Receipt)
    assert first.receipt.first == 3
    answered.set()
    with pytest.raises(grpc.RpcError, match="not for you to call"):
        next(stream)
    client.said.caller = CLERK
    assert client.size == 4


def test_a_witness_speaks_only_for_itself(tmp_path: Path) -> None:
    """No node takes another's place in a ledger's gathering; a bureau's actor takes nobody's."""
    said = Said()
    home, (office, other, *_) = witnessed_home(tmp_path, 4)
    with LyingNode(home, callers=said) as node, Gated(node, said).channel as channel:

        def cosigns(witness: str) -> grpc.StatusCode:
            first = Cosigned(origin=home.office.origin, witness=witness)
            stream = WitnessStub(channel).Cosign(iter([first]), timeout=WAIT_S)
            try:
                assert next(stream).checkpoint
            except grpc.RpcError as error:
                return error.code()
            stream.cancel()
            return CODES.OK

        said.caller = Caller(office.bureau.id, "node")
        assert cosigns(office.bureau.id) is CODES.OK
        assert cosigns(other.bureau.id) is CODES.PERMISSION_DENIED
        said.caller = Caller(office.bureau.id, "clerk")
        assert cosigns(office.bureau.id) is CODES.PERMISSION_DENIED
        said.caller = Caller(home.office.bureau.id, "node")
        assert cosigns(office.bureau.id) is CODES.PERMISSION_DENIED
