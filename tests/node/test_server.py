"""A running node: it serves, it says that it serves, and it stops without losing or leaking anything."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tallystick import Node as Client
from tallystick.core.errors import Refused, StorageFailed, Unreachable, Usage
from tallystick.sdk import dialling
from tallystick_node import connections, doctor
from tallystick_node.config import Settings
from tallystick_node.server import Node
from tests.harness import loop
from tests.harness.channels import channel_to
from tests.harness.small_home import new_home

WAIT_S = 20.0
QUIET_S = 5.0  # gRPC asks once a second at most, and is sent away at the fourth time


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return new_home(tmp_path / "market")


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    """A node that serves; stopped by whoever comes first, its ledger checked."""
    opened = Node.open(settings)
    loop.run(opened.start())
    yield opened
    loop.run(opened.stop())
    opened.close()
    assert doctor.run(settings).clean


def client_of(settings: Settings) -> Client:
    return Client.open(settings.path.parent / "profile.toml")


def declare(client: Client, code: str) -> int:
    return client.declare(code, scheme="local", title=code, sharing="unconditional").index


def test_a_quiet_watcher_is_not_sent_away(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that waits and now and then asks whether the node is still there is answered as long as it waits.

    Both intervals are made short in the same proportion. An interval the node does not know for one of its own would
    end the watch at the third question.
    """
    monkeypatch.setattr(connections, "PING_INTERVAL_MS_MIN", 250)
    options = {**dict(dialling.CHANNEL_OPTIONS), "grpc.keepalive_time_ms": 100}
    monkeypatch.setattr(dialling, "CHANNEL_OPTIONS", tuple(options.items()))
    opened = Node.open(settings)
    loop.run(opened.start())
    with client_of(settings) as client, client_of(settings) as other, closing(client.watch()) as watching:
        now = next(watching)
        later = threading.Timer(QUIET_S, declare, (other, "QUIET"))
        later.start()
        assert next(watching).size == now.size + 1
        later.join()
    loop.run(opened.stop())
    opened.close()


def test_a_node_records_and_shows(node: Node, settings: Settings) -> None:
    """From settings to an answer: a statement is recorded, read back, and proven."""
    with client_of(settings) as client:
        index = declare(client, "A")
        assert client.entry(index).read.statement.head.resource == "A"
        assert client.show(index).author.actor == "market:clerk"


def test_a_node_says_that_it_serves(node: Node, settings: Settings) -> None:
    """Health answers SERVING for the server and each service, and NOT_SERVING once it stops; reflection names them."""
    with channel_to(settings) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for name in ("", "tallystick.v1.Submit", "tallystick.v1.Ledger"):
            answer = health.Check(health_pb2.HealthCheckRequest(service=name), timeout=WAIT_S)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        (listed,) = stub.ServerReflectionInfo(iter([request]), timeout=WAIT_S)
        names = {service.name for service in listed.list_services_response.service}
        assert names >= {"tallystick.v1.Submit", "tallystick.v1.Ledger", "grpc.health.v1.Health"}
        watching = health.Watch(health_pb2.HealthCheckRequest(service=""), timeout=WAIT_S)
        assert next(watching).status == health_pb2.HealthCheckResponse.SERVING
        loop.run(node.stop())
        seen = [answer.status for answer in _until_error(watching)]
        assert seen in ([], [health_pb2.HealthCheckResponse.NOT_SERVING])


def _until_error(stream: Iterator[health_pb2.HealthCheckResponse]) -> Iterator[health_pb2.HealthCheckResponse]:
    try:
        yield from stream
    except grpc.RpcError:
        return


def test_a_port_in_use_is_said(settings: Settings) -> None:
    """Another listener on the address is Usage that names it; once it is free, the same home starts."""
    host, _, port = settings.config.listen.rpartition(":")
    node = Node.open(settings)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, int(port)))
        taken.listen()
        with pytest.raises(Usage, match=f"{settings.config.listen}: the address is in use"):
            loop.run(node.start())
    node.close()
    again = Node.open(settings)
    loop.run(again.start())
    loop.run(again.stop())
    again.close()


def test_two_nodes_never_share_a_port(node: Node, settings: Settings, tmp_path: Path) -> None:
    """A second home with the first one's address does not start beside it unnoticed."""
    other = new_home(tmp_path / "taxation", "taxation")
    path = other.path
    path.write_text(path.read_text().replace(other.config.listen, settings.config.listen))
    second = Node.open(Settings.load(path))
    with pytest.raises(Usage, match="in use"):
        loop.run(second.start())
    second.close()


def test_what_was_recorded_is_there_after_a_restart(settings: Settings) -> None:
    """Statements of three runs stand one after another, and a client's trust carries over."""
    for run in range(3):
        node = Node.open(settings)
        loop.run(node.start())
        with client_of(settings) as client:
            assert declare(client, f"R-{run}") == 3 + run
            assert [shown.entry.index for shown in client.entries()] == list(range(4 + run))
        loop.run(node.stop())
        node.close()
    assert doctor.run(settings).size == 6


def test_the_database_closes_after_its_last_user(node: Node, settings: Settings) -> None:
    """A stop under load: every call ends with an answer or an error, then the store is closed, and all that was
    acknowledged is there."""
    acknowledged: list[int] = []
    errors: list[Exception] = []
    begun = threading.Event()

    def work(number: int) -> None:
        with client_of(settings) as client:
            for step in range(10_000):
                try:
                    acknowledged.append(declare(client, f"W-{number}-{step}"))
                    list(client.entries(0, 3))
                except Exception as error:
                    errors.append(error)
                    return
                begun.set()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    assert begun.wait(WAIT_S)
    loop.run(node.stop())
    node.close()
    for thread in threads:
        thread.join(WAIT_S)
        assert not thread.is_alive()
    assert [error for error in errors if not isinstance(error, (Unreachable, Refused, StorageFailed))] == []
    assert len(errors) == 4
    report = doctor.run(settings)
    assert report.clean
    assert sorted(acknowledged) == sorted(set(acknowledged))
    assert max(acknowledged) < report.size
    with pytest.raises(StorageFailed, match="closed"):
        node.sequencer.ledger.entry(0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_a_node_gracefully(settings: Settings, number: signal.Signals) -> None:
    """As a process: it says when it serves, answers, and ends with 0 on a signal, with its address free again."""
    ready, told = os.pipe()
    program = (
        "import sys; from pathlib import Path; from tallystick_node.process import run; "
        "sys.exit(run(Path(sys.argv[1]), ready=int(sys.argv[2])))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(settings.path), str(told)],
        pass_fds=[told],
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(told)
    assert [os.read(ready, 1), os.read(ready, 1)] == [b".", b"+"]
    os.close(ready)
    with client_of(settings) as client:
        assert declare(client, "A") == 3
    process.send_signal(number)
    _, said = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, said
    assert "stopped" in said
    assert doctor.run(settings).size == 4
