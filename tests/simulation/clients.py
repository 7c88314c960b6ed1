"""Who records in a history: a clerk of each bureau, who tries again under the same submission when nobody answers."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from tallystick.core.identifiers import uuid7
from tallystick_proto.v1.ledger_pb2 import Receipt, SubmitRequest
from tallystick_proto.v1.ledger_pb2_grpc import SubmitStub
from tests.simulation.bench import Bench
from tests.simulation.judges import Judges
from tests.simulation.network import Host
from tests.simulation.world import EPOCH_US

_TRIES: Final = 3
_ANSWER_MAX_S: Final = 10.0


class Clients:
    """The clerks. What they are told goes to the judges."""

    def __init__(self, bench: Bench, judges: Judges) -> None:
        self._bench = bench
        self._judges = judges
        self._rng = bench.chance("clients")

    def record(self, bureau: str, count: int, wait_ms: int, face: str = "") -> None:
        """Have so many statements recorded on a bureau's ledger, on one `face` of it, and perhaps wait for a quorum."""
        self._bench.loop.create_task(self._record(bureau, count, wait_ms, face))

    async def _record(self, bureau: str, count: int, wait_ms: int, face: str) -> None:
        bench, rng = self._bench, self._rng
        machine = bench.faces[bureau][face]
        client = Host(f"{bureau}:clerk{face}")
        bench.shown[bureau, client.id] = face
        office, at_s = machine.office, bench.loop.time()
        statements = [office.declare(f"R-{at_s:.6f}-{number}") for number in range(count)]
        id = uuid7(EPOCH_US + int(at_s * 1e6), rng.randbytes(10))
        request = SubmitRequest(submission=office.submission(statements, id=id), wait_witnessed_ms=wait_ms)
        channel: Any = bench.network.channel(client, bureau)
        stub: Any = SubmitStub(channel)
        for attempt in range(1, _TRIES + 1):
            try:
                async with asyncio.timeout(_ANSWER_MAX_S):
                    receipt = await stub.Submit(request)
            except Exception as error:  # whatever it is: a clerk sees that it is not recorded, and tries again
                said = getattr(error, "details", lambda: "")() or type(error).__name__
                bench.say(client.id, f"is not answered, try {attempt}: {said}")
                await asyncio.sleep(rng.uniform(0.5, 5.0))
                continue
            self._judges.receipt(machine, receipt)
            word = "witnessed" if receipt.standing == Receipt.WITNESSED else "recorded"
            bench.say(client.id, f"has #{receipt.first}..#{receipt.first + receipt.count - 1} {word}")
            return
