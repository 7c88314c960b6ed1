"""A running node: what was opened of its directory (`opened`), served until told to stop.

On SIGTERM or SIGINT the node reports itself as not serving, refuses new submissions, finishes those in flight, and
closes the database after its last user.

A node that listens answers; whether it records is another matter, which `tallystick.v1.Submit` reports: not before its
witnesses have let it sign, never again once its ledger is seen to lack what its key signed, and never at an observer's.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable
from contextlib import suppress

import grpc
import structlog
import uvloop
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection

from tallystick.core.errors import Usage
from tallystick.sdk.clock import now_us
from tallystick_node import connections
from tallystick_node.access import Access
from tallystick_node.callers import Callers
from tallystick_node.config import Settings
from tallystick_node.engine import Engine
from tallystick_node.listener import listen
from tallystick_node.metrics_page import MetricsPage
from tallystick_node.opened import Opened
from tallystick_node.operator_token import make_token
from tallystick_node.sequencer import Sequencer
from tallystick_node.services.bounded import Bounded
from tallystick_node.services.errors import DomainErrors
from tallystick_node.services.gate import Gate
from tallystick_node.services.operate import OperateService
from tallystick_node.turns import Turns
from tallystick_proto.v1 import gossip_pb2, ledger_pb2, operate_pb2, witness_pb2
from tallystick_proto.v1.gossip_pb2_grpc import add_GossipServicer_to_server
from tallystick_proto.v1.ledger_pb2_grpc import add_LedgerServicer_to_server, add_SubmitServicer_to_server
from tallystick_proto.v1.operate_pb2_grpc import add_OperateServicer_to_server
from tallystick_proto.v1.witness_pb2_grpc import add_WitnessServicer_to_server

log = structlog.get_logger()

_SUBMIT = ledger_pb2.DESCRIPTOR.services_by_name["Submit"].full_name
Told = Callable[[bool], None]


class Node:
    """A bureau's node. `open` takes the directory; `serve` answers until told to stop; `close` lets go of it, after its
    last user.
    """

    def __init__(self, opened: Opened) -> None:
        self.settings = opened.settings
        self.charter = opened.charter
        self.bureau = opened.bureau
        self.engine = opened.engine
        self.close = opened.close
        self._own = opened.own_certificate
        self.turns = Turns(self.settings.config.serve.calls_max, self.bureau.id)
        self._server: grpc.aio.Server | None = None
        self._page: MetricsPage | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    def open(cls, settings: Settings, clock: Callable[[], int] = now_us) -> Node:
        """The node of a directory. Raises as `Opened.open`."""
        return cls(Opened.open(settings, clock))

    @property
    def sequencer(self) -> Sequencer:
        """The one writer of this node's ledger. Raises RuntimeError at an observer's."""
        if not isinstance(self.engine, Engine):
            raise RuntimeError(f"{self.bureau.id} is an observer and has no ledger")
        return self.engine.sequencer

    async def start(self) -> None:
        """Listen, and begin to ask the witnesses whether this node may sign.

        Raises Usage where the address is taken.
        """
        engine = self.engine
        operate = OperateService(make_token(self.settings.operator_token), lambda: self.engine.store)
        await engine.start()
        try:
            await self._show_metrics()
        except Usage:
            await engine.unfollow()
            await engine.stop()
            raise
        config = self.settings.config
        callers = Callers(self.charter, engine.who.now_us, in_the_clear=self._own is None)
        gate = self._gate(callers)
        server = grpc.aio.server(
            interceptors=[
                Bounded(self.turns, callers, gate, config.serve.connections_max),
                gate,
                DomainErrors(),
            ],
            options=connections.options(config.serve.connections_max),
        )
        add_SubmitServicer_to_server(engine.submit, server)
        add_LedgerServicer_to_server(engine.ledger, server)
        add_WitnessServicer_to_server(engine.witness, server)
        add_OperateServicer_to_server(operate, server)
        add_GossipServicer_to_server(engine.swaps, server)
        self._health = HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        named = [
            service.full_name
            for described in (
                ledger_pb2.DESCRIPTOR,
                witness_pb2.DESCRIPTOR,
                gossip_pb2.DESCRIPTOR,
                operate_pb2.DESCRIPTOR,
            )
            for service in described.services_by_name.values()
        ]
        reflection.enable_server_reflection([*named, "grpc.health.v1.Health", reflection.SERVICE_NAME], server)
        try:
            listen(server, self.settings, self.charter, self._own)
        except BaseException:
            await self._hide_metrics()
            await engine.unfollow()
            await engine.stop()
            raise
        await server.start()
        self._server = server
        for name in ("", *named):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        await self._report()
        self.recording = asyncio.create_task(self._begin())
        self._tasks = [self.recording, asyncio.create_task(self._report_the_end())]
        if self._own is not None:
            self._tasks.append(asyncio.create_task(self._own.watch()))
        log.info("serving", bureau=self.bureau.id, listen=config.listen, **engine.standing)

    def _gate(self, callers: Callers) -> Gate:
        """Lets in whom the table of access lets in."""
        actors = None if self.bureau.is_observer else lambda: self.sequencer.actors
        return Gate(callers, Access(self.charter, self.bureau, actors))

    async def _show_metrics(self) -> None:
        """Raises Usage where the address is taken."""
        where = self.settings.config.metrics.listen
        if where:
            from tallystick_node.metrics import Metrics  # here: who shows none need not load what makes them

            self._page = MetricsPage(where, Metrics(self.engine, self._certificate_ends_us).text)
            await self._page.start()

    def _certificate_ends_us(self) -> int | None:
        return None if self._own is None else self._own.shown.certificate.ends_us

    async def _hide_metrics(self) -> None:
        if self._page is not None:
            await self._page.stop()

    async def _begin(self) -> None:
        await self.engine.begin()
        await self._report()
        log.info("recording" if self.engine.records else "following", bureau=self.bureau.id, **self.engine.standing)

    async def _report_the_end(self) -> None:
        await self.engine.ended()
        await self._report()

    async def _report(self) -> None:
        """Say whether it records."""
        status = health_pb2.HealthCheckResponse
        await self._health.set(_SUBMIT, status.SERVING if self.engine.records else status.NOT_SERVING)

    async def stop(self) -> None:
        """Finish what is in flight within the grace the settings give, then stop."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._hide_metrics()
        await self.engine.unfollow()
        if self._server is not None:
            await self._health.enter_graceful_shutdown()
            self.engine.refuse_more()
            await self._server.stop(self.settings.config.serve.stop_grace_s)
        await self.engine.stop()
        log.info("stopped", bureau=self.bureau.id, **self.engine.standing)

    async def serve(self, told: Told = lambda records: None, stopping: asyncio.Event | None = None) -> None:
        """Start, and stop on SIGTERM, SIGINT or `stopping`. Raises what keeps the node from ever recording.

        `told` is called with False when it answers, and with True when it records too.
        """
        stop = stopping or asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(NotImplementedError):
                loop.add_signal_handler(number, stop.set)
        await self.start()
        stopped = asyncio.create_task(stop.wait())
        try:
            told(False)
            await asyncio.wait({self.recording, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if self.recording.done():
                self.recording.result()
                told(True)
                await stopped
        finally:
            stopped.cancel()
            await self.stop()


def run(settings: Settings, told: Told = lambda records: None, lifeline: int | None = None) -> None:
    """Open, serve and close one node in this process.

    `lifeline` is a pipe's reading end: when its other end closes without a word, whoever started this node is gone,
    and the node stops; a byte on it means that the node is to live on by itself.
    """
    connections.make_room(settings.config.serve.connections_max)
    node = Node.open(settings)
    gc.freeze()  # what is here stays; looking through it again and again took a twenty-fifth of recording

    async def main() -> None:
        stop = asyncio.Event()
        if lifeline is not None:
            _watch(lifeline, stop)
        await node.serve(told, stop)

    try:
        uvloop.run(main())
    finally:
        node.close()


def _watch(lifeline: int, stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def readable() -> None:
        loop.remove_reader(lifeline)
        if os.read(lifeline, 1) == b"":
            stop.set()

    loop.add_reader(lifeline, readable)
