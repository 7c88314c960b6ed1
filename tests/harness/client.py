"""A client that speaks to a node in this process by bare stubs, believes nothing, and is told why it is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_status import rpc_status

from tallystick.core.checkpoint import Checkpoint, open_checkpoint
from tallystick_proto.v1.ledger_pb2 import CheckpointRequest, ErrorDetail, Receipt, SubmitRequest
from tallystick_proto.v1.ledger_pb2_grpc import LedgerStub, SubmitStub
from tests.harness.home import Home
from tests.harness.lying_node import LyingNode

WAIT_S = 20.0


class Client:
    """Bare stubs to a node, and what it was told with them."""

    def __init__(self, node: LyingNode) -> None:
        self.node, self.office = node, node.home.office
        options = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
        self.channel = grpc.insecure_channel(f"127.0.0.1:{node.port}", options)
        self.ledger, self.submit = LedgerStub(self.channel), SubmitStub(self.channel)

    @property
    def size(self) -> int:
        return self.checkpoint().size

    def checkpoint(self) -> Checkpoint:
        answer = self.ledger.GetCheckpoint(CheckpointRequest(origin=self.office.origin), timeout=WAIT_S)
        return open_checkpoint(answer.checkpoint, self.office.bureau.ledger_verifier)

    def record(self, *statements: bytes, known_size: int = 0) -> Receipt:
        submission = self.office.submission(statements or self.office.declares(1))
        return self.submit.Submit(SubmitRequest(submission=submission, known_size=known_size), timeout=WAIT_S)


@contextmanager
def client_in(folder: Path) -> Iterator[Client]:
    """A client of a node founded in a folder with three entries."""
    with LyingNode(Home(folder)) as node:
        made = Client(node)
        with made.channel:
            yield made


@contextmanager
def client_of_used(folder: Path, *subjects: str | None) -> Iterator[Client]:
    """The same after three entries more: a resource, then a use of it for each subject, or of nobody."""
    with client_in(folder) as made:
        made.record()
        made.submit.Submit(SubmitRequest(submission=made.office.uses(*subjects)), timeout=WAIT_S)
        yield made


def refusal(call: Callable[[], Any]) -> tuple[grpc.StatusCode, ErrorDetail]:
    """The status a call ends with, a unary one or a stream read to its end, and the detail it carries."""
    with pytest.raises(grpc.RpcError) as raised:
        list(call())
    status = rpc_status.from_call(raised.value)
    assert status is not None, raised.value
    detail = ErrorDetail()
    assert status.details[0].Unpack(detail)
    assert status.message == raised.value.details()
    assert detail.what in status.message
    return raised.value.code(), detail
