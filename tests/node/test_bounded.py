"""What bounds a caller, on real sockets: sizes, counts, silence, answers that are not taken, and what comes beside it.

A bound that is one of time is made short, and what it brings about is waited for.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import pytest

from tallystick.core.limits import SUBMISSION_BYTES_MAX
from tallystick.sdk.credentials import shown_to
from tallystick.sdk.dialling import open_channel
from tallystick.sdk.profile import Profile
from tallystick_node import arrivals, bounds, connections, places
from tallystick_node.access import ROWS
from tallystick_node.bounds import BOUNDS, CONNECTION_CALLS_MAX, LARGE_MAX, MESSAGE_BYTES_MAX, Bounds
from tallystick_node.config import Settings
from tallystick_node.fair_queue import Owner
from tallystick_node.server import Node
from tallystick_node.services.serialized import Serialized
from tallystick_proto.v1.ledger_pb2 import (
    CheckpointAnswer,
    CheckpointRequest,
    FindRequest,
    ReadRequest,
    SubmitRequest,
)
from tallystick_proto.v1.ledger_pb2_grpc import LedgerStub, SubmitStub
from tests.harness import loop
from tests.harness.channels import channel_to
from tests.harness.small_home import new_home
from tests.harness.waiting import until

WAIT_S = 20.0
CODES = grpc.StatusCode
GET, WATCH = "/tallystick.v1.Ledger/GetCheckpoint", "tallystick.v1.Ledger/WatchCheckpoints"
HEALTH = "grpc.health.v1.Health/Watch"
MANY = "tallystick.v1.Submit/SubmitMany"


class Served:
    """A node that serves, and connections to it."""

    def __init__(self, settings: Settings) -> None:
        self.node = Node.open(settings)
        loop.run(self.node.start())
        self.address = settings.config.listen
        self.origin = self.node.bureau.origin
        self._channels: list[grpc.Channel] = []

    def connect(self, *options: tuple[str, int]) -> grpc.Channel:
        channel = grpc.insecure_channel(
            self.address, [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1), *options]
        )
        self._channels.append(channel)
        return channel

    def ledger(self) -> LedgerStub:
        return LedgerStub(self.connect())

    def asked(self, ledger: LedgerStub) -> CheckpointAnswer:
        return ledger.GetCheckpoint(CheckpointRequest(origin=self.origin), timeout=WAIT_S)

    def close(self) -> None:
        for channel in self._channels:
            channel.close()
        loop.run(self.node.stop())
        self.node.close()


def in_the_clear(folder: Path, **serve: int) -> Served:
    """A node that asks for no certificate, so that each connection is a caller."""
    path = new_home(folder, in_the_clear=True).path
    text = path.read_text()
    for name, value in serve.items():
        text = text.replace(f"{name} = 1000\n", f"{name} = {value}\n")
    path.write_text(text)
    return Served(Settings.load(path))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = in_the_clear(tmp_path / "market")
    yield made
    made.close()


def code_of(call: Callable[[], Any]) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return raised.value.code()


def test_every_call_has_its_row() -> None:
    """The table names the calls that there are, those of gRPC's own services too, and no others."""
    assert set(BOUNDS) == set(ROWS)


def called(served: Served, rpc: str, question: bytes) -> grpc.StatusCode:
    """How a call ends, whatever its name."""
    stream: Any = served.connect().stream_stream(f"/{rpc}")
    return code_of(lambda: list(stream(iter([question]), timeout=WAIT_S)))


@pytest.mark.parametrize("rpc", BOUNDS)
def test_a_giant_message_is_refused_unread(served: Served, rpc: str) -> None:
    """What is longer than the longest message never arrives, whatever was called."""
    assert called(served, rpc, bytes(2 * MESSAGE_BYTES_MAX)) == CODES.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("rpc", [rpc for rpc, row in BOUNDS.items() if row.request_bytes_max < SUBMISSION_BYTES_MAX])
def test_a_message_is_held_to_its_own_call(served: Served, rpc: str) -> None:
    """What would do for a submission is too much for a question."""
    question = CheckpointRequest(origin="x" * SUBMISSION_BYTES_MAX).SerializeToString()
    assert called(served, rpc, question) == CODES.INVALID_ARGUMENT


def test_long_messages_wait_only_so_many_at_a_time(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than may wait for its turn is refused as one too many; short ones go on."""
    monkeypatch.setattr(places, "WAITING_BYTES_MAX", 0)
    monkeypatch.setattr(places, "WAITING_BYTES_ALWAYS", 1_000)
    send: Any = served.connect().unary_unary("/tallystick.v1.Submit/Submit")
    assert code_of(lambda: send(bytes(2_000), timeout=WAIT_S)) == CODES.RESOURCE_EXHAUSTED
    assert served.asked(served.ledger()).checkpoint


def test_compression_is_refused(served: Served) -> None:
    """Nothing is unpacked: what a small message becomes is nobody's bound."""
    send: Any = served.connect().unary_unary(GET)
    data = CheckpointRequest(origin=served.origin).SerializeToString()
    refusing = lambda: send(data, compression=grpc.Compression.Gzip, timeout=WAIT_S)  # noqa: E731
    assert code_of(refusing) == CODES.UNIMPLEMENTED


def test_metadata_are_bounded(served: Served) -> None:
    """More than some kilobytes beside a call are refused."""
    send: Any = served.connect().unary_unary(GET)
    much = [("x", "y" * 2 * bounds.METADATA_BYTES_MAX)]
    assert code_of(lambda: send(b"", metadata=much, timeout=WAIT_S)) == CODES.RESOURCE_EXHAUSTED


def test_streams_of_one_caller_are_bounded_and_another_has_its_own(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more than the row allows is refused; another caller has as many; and one that ends makes room."""
    monkeypatch.setitem(BOUNDS, WATCH, Bounds(at_once_max=3))
    first, second = served.ledger(), served.ledger()
    request = CheckpointRequest(origin=served.origin)
    watching = [first.WatchCheckpoints(request) for _ in range(3)]
    for stream in watching:
        next(stream)
    assert code_of(lambda: next(first.WatchCheckpoints(request))) == CODES.RESOURCE_EXHAUSTED
    other = second.WatchCheckpoints(request)
    next(other)
    watching[0].cancel()
    until(lambda: served.node.turns.places.open == 3)
    next(first.WatchCheckpoints(request))


def test_a_caller_is_whom_its_certificate_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over TLS the bounds of one caller are those of all its connections together, and another's are its own."""
    monkeypatch.setitem(BOUNDS, WATCH, Bounds(at_once_max=3))
    settings = new_home(tmp_path / "market")
    served = Served(settings)
    profile = Profile.load(settings.path.parent / "profile.toml")
    clerk = shown_to(profile.bureau, profile.credentials)
    channels = [open_channel(profile.bureau, clerk), open_channel(profile.bureau, clerk), channel_to(settings)]
    request = CheckpointRequest(origin=served.origin)
    watching = [LedgerStub(channels[number]).WatchCheckpoints(request) for number in (0, 0, 1)]
    for stream in watching:
        next(stream)
    assert code_of(lambda: next(LedgerStub(channels[1]).WatchCheckpoints(request))) == CODES.RESOURCE_EXHAUSTED
    next(LedgerStub(channels[2]).WatchCheckpoints(request))
    for channel in channels:
        channel.close()
    served.close()


def test_one_connection_has_only_so_many_calls_open(served: Served) -> None:
    """Beyond that they wait at the client's, and begin when others end; another connection is answered meanwhile."""
    ledger, request = served.ledger(), CheckpointRequest(origin=served.origin)
    opened: list[Any] = [ledger.WatchCheckpoints(request) for _ in range(CONNECTION_CALLS_MAX)]
    for stream in opened:
        next(stream)
    one_more: Any = ledger.GetCheckpoint.future(CheckpointRequest(origin=served.origin))
    assert served.asked(served.ledger()).checkpoint
    assert served.node.turns.places.open == CONNECTION_CALLS_MAX
    assert not one_more.done()
    opened[0].cancel()
    assert one_more.result(WAIT_S).checkpoint


def test_a_crowd_of_streams_leaves_room_for_another(tmp_path: Path) -> None:
    """However many connections open as many streams as they may, who comes next is answered."""
    served = in_the_clear(tmp_path / "market", calls_max=60)
    request = CheckpointRequest(origin=served.origin)
    streams = [ledger.WatchCheckpoints(request) for ledger in [served.ledger() for _ in range(4)] for _ in range(40)]
    until(lambda: served.node.turns.places.open >= 48)
    assert served.asked(served.ledger()).checkpoint
    assert served.node.turns.places.open <= 60
    for stream in streams:
        stream.cancel()
    served.close()


def test_a_call_without_a_message_ends(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who opens a call and says nothing is not waited for, whatever the call."""
    monkeypatch.setattr(bounds, "REQUEST_S", 0.05)
    silent = threading.Event()

    def nothing() -> Iterator[bytes]:
        silent.wait(WAIT_S)
        yield b""

    for rpc in BOUNDS:
        stream: Any = served.connect().stream_stream(f"/{rpc}")
        assert code_of(lambda stream=stream: list(stream(nothing()))) == CODES.RESOURCE_EXHAUSTED  # type: ignore[misc]
    silent.set()
    until(lambda: served.node.turns.places.open == 0)


def test_who_sends_nothing_keeps_only_his_own_messages_from_coming(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where as many of a caller's messages are under way as may come, his next is not read; another's is."""
    monkeypatch.setattr(arrivals, "ARRIVING_MAX", 5)
    monkeypatch.setattr(arrivals, "ARRIVING_ALWAYS", 1)
    silent, mine = threading.Event(), served.connect()

    def nothing() -> Iterator[bytes]:
        silent.wait(WAIT_S)
        yield b""

    stall: Any = mine.stream_stream(GET)
    stalled = [stall(nothing()) for _ in range(2)]
    until(lambda: served.node.turns.places.open == 2)
    one_more: Any = LedgerStub(mine).GetCheckpoint.future(CheckpointRequest(origin=served.origin))
    until(lambda: served.node.turns.places.open == 3)
    assert served.asked(served.ledger()).checkpoint
    assert not one_more.done()
    stalled[0].cancel()
    assert one_more.result(WAIT_S).checkpoint
    silent.set()


def test_a_stream_that_falls_silent_ends(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller that has spoken, and says no more, is waited for as long as its row says."""
    monkeypatch.setitem(BOUNDS, MANY, Bounds(MESSAGE_BYTES_MAX, silence_s=0.05))
    silent = threading.Event()

    def once() -> Iterator[SubmitRequest]:
        yield SubmitRequest()
        silent.wait(WAIT_S)

    answers = SubmitStub(served.connect()).SubmitMany(once())
    assert next(answers).refusal.name == "InvalidSubmission"
    assert code_of(lambda: next(answers)) == CODES.RESOURCE_EXHAUSTED
    silent.set()


@pytest.mark.parametrize("rpc", [WATCH, HEALTH])
def test_who_takes_no_answers_is_hung_up_on(served: Served, rpc: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers that are not taken in time end the connection they wait on, and what they held; others go on."""
    other = served.ledger()
    assert served.asked(other).checkpoint
    # A client that lets nothing come: its window is a byte.
    host, _, port = served.address.rpartition(":")
    with monkeypatch.context() as short, socket.create_connection((host, int(port))) as raw:
        short.setattr(bounds, "ANSWER_TAKEN_S", 0.05)  # too short for an honest client of a busy machine
        raw.settimeout(WAIT_S)
        raw.sendall(_preface_with_no_window() + _call(f"/{rpc}", CheckpointRequest(origin=served.origin)))
        assert _until_closed(raw)
        until(lambda: served.node.turns.places.open == 0)
    assert served.asked(other).checkpoint


def test_who_floods_waits_to_be_refused(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that are too many are refused one by one and on a connection that stays; others are answered meanwhile."""
    monkeypatch.setitem(BOUNDS, WATCH, Bounds(at_once_max=1))
    ledger, request = served.ledger(), CheckpointRequest(origin=served.origin)
    first = ledger.WatchCheckpoints(request)
    next(first)
    more: list[Any] = [ledger.WatchCheckpoints(request) for _ in range(CONNECTION_CALLS_MAX - 1)]
    assert served.asked(served.ledger()).checkpoint
    assert {code_of(lambda stream=stream: next(stream)) for stream in more} == {CODES.RESOURCE_EXHAUSTED}  # type: ignore[misc]
    assert first.is_active()


def test_who_floods_on_is_hung_up_on(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where more calls of one wait to be refused than may, their connection ends, with what was open there; others'
    go on.
    """
    monkeypatch.setattr(places, "HELD_MAX", 0)
    monkeypatch.setattr(bounds, "HANG_UP_S", 0.05)
    monkeypatch.setitem(BOUNDS, WATCH, Bounds(at_once_max=1))
    other, ledger, request = served.ledger(), served.ledger(), CheckpointRequest(origin=served.origin)
    standing = other.WatchCheckpoints(request)
    next(standing)
    first = ledger.WatchCheckpoints(request)
    next(first)
    _ = [ledger.WatchCheckpoints(request) for _ in range(CONNECTION_CALLS_MAX - 1)]
    assert code_of(lambda: next(first)) == CODES.UNAVAILABLE
    assert standing.is_active()
    assert served.asked(other).checkpoint


def test_large_answers_are_bounded_over_all_callers(served: Served) -> None:
    """Where many have large answers under way, another caller still has its own."""
    request = FindRequest(origin=served.origin, follow=True)
    streams = []
    for _ in range(3):
        ledger = served.ledger()
        streams += [ledger.Find(request) for _ in range(LARGE_MAX)]
    until(lambda: served.node.turns.places.open >= LARGE_MAX // 2)
    read = ReadRequest(origin=served.origin, end=1, size=1)
    (bundle,) = served.ledger().ReadEntries(read, timeout=WAIT_S)
    assert len(bundle.entry) == 1
    assert served.node.turns.places.open <= LARGE_MAX + 1


def test_what_several_are_given_is_made_into_bytes_once(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two who read the same entries are sent the same bytes; what one finds is nobody else's, and not kept."""
    sent: list[bytes] = []
    of = Serialized.of

    def noted(self: Serialized, answer: Any, serialize: Callable[[Any], bytes]) -> bytes:
        sent.append(of(self, answer, serialize))
        return sent[-1]

    monkeypatch.setattr(Serialized, "of", noted)
    read = ReadRequest(origin=served.origin, end=2, size=2)
    for _ in range(2):
        assert len(list(served.ledger().ReadEntries(read, timeout=WAIT_S))) == 1
    assert len(list(served.ledger().Find(FindRequest(origin=served.origin, end=2, size=2), timeout=WAIT_S))) == 1
    assert len(sent) == 2
    assert sent[0] is sent[1]


def test_a_call_whose_deadline_passed_is_not_worked_for(served: Served) -> None:
    """What waits for a caller that has gone is let go of."""
    ledger = served.ledger()
    watching = ledger.WatchCheckpoints(CheckpointRequest(origin=served.origin), timeout=0.2)
    next(watching)
    assert code_of(lambda: next(watching)) == CODES.DEADLINE_EXCEEDED
    until(lambda: served.node.turns.places.open == 0)


def test_connections_are_bounded(tmp_path: Path) -> None:
    """One more than there may be is closed as soon as it is there; where one ends, there is room."""
    served = in_the_clear(tmp_path / "market", connections_max=5)
    host, _, port = served.address.rpartition(":")
    held = [socket.create_connection((host, int(port))) for _ in range(5)]
    for each in held:
        each.settimeout(WAIT_S)
        assert each.recv(1)  # the server's settings: it is taken
    with socket.create_connection((host, int(port))) as more:
        more.settimeout(WAIT_S)
        assert _until_closed(more)
    for each in held:
        each.close()
    request = CheckpointRequest(origin=served.origin)
    assert served.ledger().GetCheckpoint(request, timeout=WAIT_S, wait_for_ready=True).checkpoint
    served.close()


def test_one_caller_does_not_take_all_connections(tmp_path: Path) -> None:
    """What it has beyond its part ends, the latest first, and what was open there; another caller connects."""
    path = new_home(tmp_path / "market").path
    path.write_text(path.read_text().replace("connections_max = 1000\n", "connections_max = 12\n"))
    settings = Settings.load(path)
    served = Served(settings)
    profile = Profile.load(path.parent / "profile.toml")
    request = CheckpointRequest(origin=served.origin)
    channels = [open_channel(profile.bureau, shown_to(profile.bureau, profile.credentials)) for _ in range(12)]
    watching = []
    for channel in channels[:3]:
        watching.append(LedgerStub(channel).WatchCheckpoints(request))
        next(watching[-1])
    for more in [LedgerStub(channel).WatchCheckpoints(request) for channel in channels[3:]]:
        assert code_of(lambda more=more: list(more)) == CODES.UNAVAILABLE  # type: ignore[misc]
    with closing(channel_to(settings)) as other:
        assert LedgerStub(other).GetCheckpoint(request, timeout=WAIT_S, wait_for_ready=True).checkpoint
    assert all(stream.is_active() for stream in watching)
    for channel in channels:
        channel.close()
    served.close()


def test_a_party_has_no_more_connections_by_naming_more_callers() -> None:
    """However few are each one's; another party's stay, and so do those of whoever's others have gone."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pairs = []

        def connected(held: connections.Held, who: str, party: str) -> socket.socket:
            client = socket.create_connection(listener.getsockname())
            client.settimeout(WAIT_S)
            pairs.append((client, listener.accept()[0]))
            held.called(Owner(who, f"ipv4:127.0.0.1:{client.getsockname()[1]}", party))
            return client

        async def crowd() -> list[int]:
            held = connections.Held(8, connections.Ending())
            for client, server in [(connected(held, "a", "p"), pairs[-1][1]) for _ in range(2)]:
                client.close()
                server.close()
            made = [connected(held, who, "p") for who in "aaabbcd"]
            made += [connected(held, "x", "q"), connected(held, "q", "q")]
            loop_ = asyncio.get_running_loop()
            for over in (2, 5, 6):
                await loop_.run_in_executor(None, _until_closed, made[over])
            return [over for over, client in enumerate(made) if _is_closed(client)]

        assert loop.run(crowd()) == [2, 5, 6]
        for client, server in pairs:
            client.close()
            server.close()


def test_a_broken_connection_is_the_one_that_was_meant() -> None:
    """Of a process's connections, the one from a named address is ended and no other."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pairs = []
        for _ in range(2):
            client = socket.create_connection(listener.getsockname())
            pairs.append((client, listener.accept()[0]))
        port = pairs[0][0].getsockname()[1]

        async def end() -> None:
            connections.Ending().end(f"ipv4:127.0.0.1:{port}")

        loop.run(end())
        for client, _ in pairs:
            client.settimeout(WAIT_S)
        assert _until_closed(pairs[0][0])
        pairs[1][1].sendall(b"x")
        assert pairs[1][0].recv(1) == b"x"
        for client, server in pairs:
            client.close()
            server.close()


# Enough of HTTP/2 for a client that gRPC would not be.


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def _preface_with_no_window() -> bytes:
    no_window = (4).to_bytes(2, "big") + (0).to_bytes(4, "big")
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(4, 0, 0, no_window)


def _call(path: str, request: CheckpointRequest) -> bytes:
    def literal(name: str, value: str) -> bytes:
        return b"\x00" + b"".join(_length(len(each)) + each for each in (name.encode(), value.encode()))

    fields = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "node"}
    headers = b"".join(literal(*each) for each in [*fields.items(), ("te", "trailers")])
    headers += literal("content-type", "application/grpc")
    message = request.SerializeToString()
    return _frame(1, 4, 1, headers) + _frame(0, 1, 1, b"\x00" + len(message).to_bytes(4, "big") + message)


def _length(count: int) -> bytes:
    assert count < 127
    return bytes([count])


def _is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return not connection.recv(1)
    except BlockingIOError:
        return False


def _until_closed(connection: socket.socket) -> bool:
    try:
        while connection.recv(4_096):
            pass
    except ConnectionResetError:
        pass
    return True
