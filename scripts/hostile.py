"""One hostile client, in a process of its own, until it is ended: `python -m scripts.hostile ATTACK… PROFILE`.

flood        checkpoints asked for as fast as they are answered, over ten connections each as full as it may be
giant        messages of 64 MiB, and of nearly as much as is taken, both where statements go and where nothing goes
slow         every entry asked for again and again, and not a byte of it read
streams      thousands of streams opened that then say nothing
signatures   submissions of a thousand statements and of one, signed by a key that is not the actor's
all          all five at once

It keeps no rule of a client: nothing is waited for after a refusal. What it got done, by the end of each call, it
writes to standard error as it ends.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import sys
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

import grpc
import uvloop

from scripts.load import ACTOR, BATCH, statements
from tallystick.core.holder import NODE_HOST
from tallystick.core.keys import SigningKey
from tallystick.core.submission import seal
from tallystick.sdk.clock import new_id
from tallystick.sdk.credentials import shown_to
from tallystick.sdk.dialling import security
from tallystick.sdk.profile import Profile
from tallystick_proto.v1.ledger_pb2 import CheckpointRequest, FindRequest, ReadRequest, SubmitRequest
from tallystick_proto.v1.ledger_pb2_grpc import LedgerStub, SubmitStub
from tallystick_proto.v1.witness_pb2_grpc import WitnessStub

CONNECTIONS: Final = 10
CALLS_A_CONNECTION: Final = 100
STREAMS: Final = 3_000
_UNLIMITED: Final = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.ssl_target_name_override", NODE_HOST),
]

ended: Counter[str] = Counter()
"""How often a call ended how."""


class Victim:
    """The node that is called, under the certificate of a profile."""

    def __init__(self, profile: Profile) -> None:
        self.bureau = profile.bureau
        self._shown = shown_to(profile.bureau, profile.credentials)

    def channel(self) -> grpc.aio.Channel:
        if self._shown is None:
            return grpc.aio.insecure_channel(self.bureau.endpoint, options=_UNLIMITED)
        return grpc.aio.secure_channel(self.bureau.endpoint, security(self.bureau, self._shown), options=_UNLIMITED)


async def _over_and_over(call: Callable[[], Coroutine[Any, Any, object]]) -> None:
    while True:
        try:
            await call()
            ended["answered"] += 1
        except grpc.RpcError as error:
            ended[error.code().name.lower()] += 1
        except asyncio.InvalidStateError:
            ended["broken"] += 1


async def flood(victim: Victim) -> None:
    """Cheap calls without end."""

    async def connection() -> None:
        ledger: Any = LedgerStub(victim.channel())
        request = CheckpointRequest(origin=victim.bureau.origin)

        async def call() -> object:
            return await ledger.GetCheckpoint(request)

        await asyncio.gather(*(_over_and_over(call) for _ in range(CALLS_A_CONNECTION)))

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))


async def giant(victim: Victim) -> None:
    """Bytes without end."""
    channel = victim.channel()
    paths = (
        "/tallystick.v1.Submit/Submit",
        "/tallystick.v1.Gossip/Tell",
        "/tallystick.v1.Ledger/GetCheckpoint",
        "/grpc.health.v1.Health/Watch",
    )
    calls = []
    for path in paths:
        for size in (64 << 20, 5 * 1_000_000):
            data = bytes(size)
            stub: Any = channel.unary_unary(path)

            async def call(stub: Any = stub, data: bytes = data) -> object:
                return await stub(data)

            calls += [_over_and_over(call) for _ in range(8)]
    await asyncio.gather(*calls)


async def slow(victim: Victim) -> None:
    """Answers that nobody takes."""

    async def connection() -> None:
        ledger: Any = LedgerStub(victim.channel())
        known = CheckpointRequest(origin=victim.bureau.origin)
        size = int((await ledger.GetCheckpoint(known)).checkpoint.split(b"\n")[1])

        async def call() -> object:
            for request in (
                ledger.ReadEntries(ReadRequest(origin=victim.bureau.origin, end=size, size=size)),
                ledger.Find(FindRequest(origin=victim.bureau.origin, size=size)),
            ):
                await request.read()
                await asyncio.sleep(600)
            return None

        await asyncio.gather(*(_over_and_over(call) for _ in range(CALLS_A_CONNECTION)))

    async def again() -> None:
        while True:
            try:
                await connection()
            except grpc.RpcError as error:
                ended[error.code().name.lower()] += 1

    await asyncio.gather(*(again() for _ in range(CONNECTIONS)))


async def streams(victim: Victim) -> None:
    """Streams that stay."""

    async def connection(number: int) -> None:
        channel = victim.channel()
        ledger: Any = LedgerStub(channel)
        request = CheckpointRequest(origin=victim.bureau.origin)
        find = FindRequest(origin=victim.bureau.origin, follow=True)
        kinds: list[Callable[[], Any]] = [
            lambda: ledger.WatchCheckpoints(request),
            lambda: ledger.Find(find),
            lambda: SubmitStub(channel).SubmitMany(),
            lambda: WitnessStub(channel).Cosign(),
        ]

        async def call(which: Callable[[], Any]) -> object:
            stream = which()
            while await stream.read() is not grpc.aio.EOF:
                ended["shown"] += 1
            return None

        await asyncio.gather(
            *(_over_and_over(lambda each=each: call(kinds[each % 4])) for each in range(CALLS_A_CONNECTION))  # type: ignore[misc]
        )

    await asyncio.gather(*(connection(number) for number in range(STREAMS // CALLS_A_CONNECTION)))


async def signatures(victim: Victim) -> None:
    """Work for nothing."""
    key = SigningKey(secrets.token_bytes(32))
    data = statements(BATCH)

    def request(count: int) -> SubmitRequest:
        return SubmitRequest(submission=seal(victim.bureau.origin, ACTOR, key, new_id(), data[:count]))

    large, small = [request(BATCH) for _ in range(4)], [request(1) for _ in range(16)]

    async def connection() -> None:
        submit: Any = SubmitStub(victim.channel())

        async def one() -> object:
            return await submit.Submit(secrets.choice(small))

        async def many() -> object:
            stream = submit.SubmitMany()

            async def say() -> None:
                while True:
                    await stream.write(secrets.choice(large))

            saying = asyncio.create_task(say())
            try:
                while await stream.read() is not grpc.aio.EOF:
                    ended["refused"] += 1
            finally:
                saying.cancel()
            return None

        await asyncio.gather(*(_over_and_over(one) for _ in range(16)), _over_and_over(many))

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))


ATTACKS: Final = {"flood": flood, "giant": giant, "slow": slow, "streams": streams, "signatures": signatures}


async def _attack(names: list[str], victim: Victim) -> None:
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, told.set)
    attacks = [asyncio.ensure_future(ATTACKS[name](victim)) for name in names]
    print("attacking", flush=True)
    await told.wait()
    for attack in attacks:
        attack.cancel()
    print(json.dumps(ended), file=sys.stderr, flush=True)


def main() -> None:
    """Attack the node of a profile's bureau until SIGTERM."""
    *names, profile = sys.argv[1:]
    victim = Victim(Profile.load(Path(profile)))
    uvloop.run(_attack(list(ATTACKS) if names == ["all"] else names, victim))


if __name__ == "__main__":
    main()
