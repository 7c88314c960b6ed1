"""A node that starts over a `Home`, and witnesses that answer it whatever a test has them answer."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from tallystick.core.charter import Bureau
from tallystick.core.errors import Unreachable
from tallystick.sdk.heard_versions import HeardVersions
from tallystick_node.engine import Engine, Who
from tallystick_node.peers import Peer
from tallystick_proto.v1.witness_pb2 import HeldAnswer
from tests.harness.witnesses import WAIT_S, witnessed_home

NONE = HeldAnswer(none=True)


class AskedWitnesses:
    """A founded ledger and its witnesses. `answers` is what each says, by name; who is not in it is away."""

    def __init__(self, folder: Path, witnesses: int) -> None:
        self.home, self.offices = witnessed_home(folder, witnesses)
        self.names = [office.bureau.id for office in self.offices]
        self.answers: dict[str, HeldAnswer] = {}
        self.asked: list[str] = []

    def reach(self, bureau: Bureau) -> Peer:
        return _Asked(bureau, self)

    def engine(self) -> Engine:
        """The node, on what the home's disk holds."""
        office, home = self.home.office, self.home
        who = Who(
            HeardVersions(office.versions(), home.folder),
            office.bureau,
            office.keys["witness"],
            lambda: home.now_us,
            self.reach,
            random.Random(1),
            office.keys["node"],
        )
        return Engine(who, home.open())

    @asynccontextmanager
    async def starting(self) -> AsyncIterator[tuple[Engine, asyncio.Task[None]]]:
        """A node that answers, and the task that ends when it records; stopped at the end, its ledger checked."""
        engine = self.engine()
        await engine.start()
        begun = asyncio.create_task(engine.begin())
        try:
            yield engine, begun
        finally:
            begun.cancel()
            await asyncio.gather(begun, return_exceptions=True)
            await engine.unfollow()
            engine.refuse_more()
            await engine.stop()
            self.home.signed.close()
        assert not self.home.check().differences


class _Asked(Peer):
    """A witness as it is reached: it answers one question, and follows nobody."""

    def __init__(self, bureau: Bureau, witnesses: AskedWitnesses) -> None:
        super().__init__(bureau)
        self._witnesses = witnesses

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    async def held(self, origin: str) -> HeldAnswer:
        if origin != self._witnesses.home.office.origin:
            raise Unreachable("of its own ledger alone it is asked here", where=self.bureau.id)
        self._witnesses.asked.append(self.bureau.id)
        answer = self._witnesses.answers.get(self.bureau.id)
        if answer is None:
            raise Unreachable("nobody answers", where=self.bureau.id)
        return answer

    def cosign(self) -> object:  # type: ignore[override]
        raise Unreachable("nobody answers", where=self.bureau.id)


async def until(reached: Callable[[], bool]) -> None:
    """Wait for what is about to happen."""
    async with asyncio.timeout(WAIT_S):
        while not reached():
            await asyncio.sleep(0.005)
