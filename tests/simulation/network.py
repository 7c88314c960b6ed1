"""The network between simulated processes: delays, silence, broken connections, partitions; what crosses is counted.

What a message can meet is what TCP leaves of a bad network: it comes late, or never and the connection is given up
after a while (`SILENCE_S`), or the connection breaks. Messages of one call keep their order, those of two calls do not.
A call of one answer may be made twice, as a client does that was told nothing.
"""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, cast

import grpc

from tallystick.core.charter import Bureau
from tallystick_node.peers import Peer
from tallystick_node.services.errors import DomainErrors
from tests.simulation.calls import Call

SILENCE_S: Final = 30.0
"""A connection on which nothing comes back is given up after this time, as keepalives have it."""

_HOLD_S: Final = 0.5
_DELAY_MAX_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Weather:
    """What may befall a message: how late it is at the median, in seconds, and how often worse things happen."""

    delay_s: float = 0.005
    late: float = 0.0  # comes a hundred times later
    lost: float = 0.0  # the connection falls silent there
    cut: float = 0.0  # the connection breaks there
    twice: float = 0.0  # a call of one answer is made twice


FAIR: Final = Weather()


class Host:
    """A process as the network knows it. `handlers` by path; empty while nothing is served."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.handlers: dict[str, Any] = {}
        self.context = contextvars.copy_context()

    def says(self, path: str, message: Any) -> Iterable[Any]:
        """What is sent in place of a message: honestly, itself."""
        return (message,)


async def handlers_of(servicers: Iterable[Any]) -> dict[str, Any]:
    """The services of a node as a server has them, errors turned into statuses; they are told by their base class."""
    server = _Server()
    for servicer in servicers:
        for base in type(servicer).__mro__:
            if base.__name__.endswith("Servicer") and base.__module__.endswith("_pb2_grpc"):
                module = __import__(base.__module__, fromlist=["*"])
                getattr(module, f"add_{base.__name__}_to_server")(servicer, server)
    errors = DomainErrors()

    async def wrapped(path: str, handler: Any) -> Any:
        async def honest(details: Any) -> Any:
            return handler

        return await errors.intercept_service(honest, _Details(path))

    return {path: await wrapped(path, handler) for path, handler in server.handlers.items()}


@dataclass(frozen=True, slots=True)
class _Details:
    method: str
    invocation_metadata: tuple[()] = ()


class _Server:
    """What the generated code adds services to."""

    def __init__(self) -> None:
        self.handlers: dict[str, Any] = {}

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        """The registered ones are enough."""

    def add_registered_method_handlers(self, service: str, handlers: dict[str, Any]) -> None:
        self.handlers |= {f"/{service}/{name}": handler for name, handler in handlers.items()}


@dataclass(slots=True)
class Traffic:
    """What crossed, by the path of the call: how many messages, and their bytes, both ways."""

    messages: Counter[str] = field(default_factory=Counter)
    size_bytes: Counter[str] = field(default_factory=Counter)

    def clear(self) -> None:
        """Count anew."""
        self.messages.clear()
        self.size_bytes.clear()


class Network:
    """Carries calls. `route` says which process answers for a bureau when it is asked by another."""

    def __init__(self, rng: random.Random, route: Callable[[Host, str], Host | None]) -> None:
        self._weather = FAIR
        self._slow: dict[str, float] = {}
        self.traffic = Traffic()
        self._rng = rng
        self._route = route
        self._calls: dict[Call, None] = {}
        self._sides: list[frozenset[str]] = []
        self._changes: list[tuple[float, frozenset[str]]] = []
        """When the ways between some bureaus and all others changed; none named: the ways of all."""

    # For calls.

    def opened(self, call: Call) -> None:
        self._calls[call] = None

    def over(self, call: Call) -> None:
        self._calls.pop(call, None)

    def host(self, caller: Host, to: str) -> Host | None:
        """Who answers, if anybody does."""
        found = self._route(caller, to)
        return found if found is not None and found.handlers else None

    def delay_s(self, call: Call, size: int | None) -> float:
        """How long something is on its way; what befalls it is decided here."""
        weather, rng = self._weather, self._rng
        if size is not None:
            self.traffic.messages[call.path] += 1
            self.traffic.size_bytes[call.path] += size
        delay_s = weather.delay_s * min(rng.expovariate(1.0) + 0.2, 20.0)
        delay_s *= self._slow.get(call.caller.id, 1.0) * self._slow.get(call.to, 1.0)
        fate = rng.random()
        if fate < weather.cut:
            asyncio.get_running_loop().call_later(delay_s, call.cut, "the connection broke")
            return SILENCE_S
        if fate < weather.cut + weather.lost:
            asyncio.get_running_loop().call_later(SILENCE_S, call.cut, "nothing came back")
            return 2 * SILENCE_S
        if fate < weather.cut + weather.lost + weather.late:
            delay_s *= 100
        return min(delay_s, _DELAY_MAX_S)

    def held_up_s(self, call: Call) -> float:
        """How long something that crosses now has to wait; 0 where the way is free."""
        if not self.parted(call.caller.id, call.to):
            return 0.0
        return _HOLD_S

    # For whoever arranges a history.

    def becomes(self, weather: Weather) -> None:
        """The same for everybody from now on."""
        self._changed(frozenset())
        self._weather = weather

    def slow_down(self, id: str, factor: float) -> None:
        """What a bureau says, and is told, takes so much longer."""
        self._changed(frozenset({id}))
        self._slow[id] = factor

    def calm(self) -> None:
        """Everybody reaches everybody, and soon."""
        self.becomes(FAIR)
        self._slow.clear()
        self.heal()

    def part(self, side: Iterable[str]) -> None:
        """Cut some bureaus off from all others, until `heal`."""
        self._sides.append(frozenset(side))
        self._changed(self._sides[-1])
        loop = asyncio.get_running_loop()
        for call in self._calls:
            if self.parted(call.caller.id, call.to):
                loop.call_later(SILENCE_S, self._give_up, call)

    def heal(self) -> None:
        """Everybody reaches everybody."""
        for side in self._sides:
            self._changed(side)
        self._sides.clear()

    def _changed(self, side: frozenset[str]) -> None:
        self._changes.append((asyncio.get_running_loop().time(), side))

    def gone(self, host: Host) -> None:
        """A process is no more: its connections break."""
        loop = asyncio.get_running_loop()
        for call in self._calls:
            if call.caller is host or call.callee is host:
                loop.call_later(self._weather.delay_s, call.cut, "the other side is gone")

    def break_all(self, id: str, other: str = "") -> None:
        """Every connection of a bureau breaks, or every one between two."""
        for call in list(self._calls):
            ends = (call.caller.id, call.to)
            if id in ends and (not other or other in ends):
                call.cut("the connection broke")

    def channel(self, caller: Host, to: str) -> Channel:
        return Channel(self, caller, to)

    def reach(self, caller: Host) -> Callable[[Bureau], Peer]:
        """How a process reaches the nodes of bureaus."""
        return lambda bureau: SimulatedPeer(self, caller, bureau)

    def twice(self) -> bool:
        """Whether a call is to be made twice."""
        return bool(self._weather.twice) and self._rng.random() < self._weather.twice

    def fair_since_s(self, one: str, other: str) -> float | None:
        """Since when what two bureaus say to each other has arrived, and soon; None where it does not."""
        if self.parted(one, other) or self._weather != FAIR or {one, other} & set(self._slow):
            return None
        ends = {one, other}
        return max((at_s for at_s, side in self._changes if not side or len(ends & side) == 1), default=0.0)

    def parted(self, one: str, other: str) -> bool:
        """Whether two cannot reach each other; a clerk is where its bureau is."""
        places = one.partition(":")[0], other.partition(":")[0]
        return any((places[0] in side) != (places[1] in side) for side in self._sides)

    def _give_up(self, call: Call) -> None:
        if self.parted(call.caller.id, call.to):
            call.cut("nothing came back")


class Channel:
    """What a stub makes its calls over."""

    def __init__(self, network: Network, caller: Host, to: str) -> None:
        self._network = network
        self._caller = caller
        self._to = to
        self._calls: list[Call] = []

    def _open(self, path: str, encode: Any, decode: Any) -> Call:
        call = Call(self._network, self._caller, self._to, path, encode, decode)
        self._calls.append(call)
        if self._network.parted(self._caller.id, self._to):
            asyncio.get_running_loop().call_later(SILENCE_S, self._network._give_up, call)
        return call

    def unary_unary(self, path: str, request_serializer: Any, response_deserializer: Any, **_: Any) -> Any:
        def call(request: Any, **_: Any) -> Call:
            if self._network.twice():
                self._open(path, request_serializer, response_deserializer).send(request)
            made = self._open(path, request_serializer, response_deserializer)
            made.send(request)
            return made

        return call

    def unary_stream(self, path: str, request_serializer: Any, response_deserializer: Any, **_: Any) -> Any:
        def call(request: Any, **_: Any) -> Call:
            made = self._open(path, request_serializer, response_deserializer)
            made.send(request)
            return made

        return call

    def stream_stream(self, path: str, request_serializer: Any, response_deserializer: Any, **_: Any) -> Any:
        return lambda **_: self._open(path, request_serializer, response_deserializer)

    async def close(self) -> None:
        for call in self._calls:
            call.cancel()


class SimulatedPeer(Peer):
    """A peer whose calls go over the simulated network; all else is the node's own code."""

    def __init__(self, network: Network, caller: Host, bureau: Bureau) -> None:
        super().__init__(bureau)
        self._network = network
        self._caller = caller

    def _connect(self) -> grpc.aio.Channel:
        return cast(grpc.aio.Channel, self._network.channel(self._caller, self.bureau.id))
