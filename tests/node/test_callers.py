"""Who calls, over real TLS: a caller is whom its certificate names, and whoever it names falsely is nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import grpc
import msgspec
import pytest
from cryptography import x509

from tallystick.core.charter import Auditor, Charter
from tallystick.core.charter_note import open_charter
from tallystick.core.holder import NODE_HOST
from tallystick.sdk.certificates import CertificateAuthority, new_key
from tallystick.sdk.clock import now_us
from tallystick_node import callers
from tallystick_node.access import Access, refusal
from tallystick_node.callers import Callers
from tallystick_node.services.gate import Gate
from tests.harness import loop
from tests.harness.authorities import Shown, authority_of, bent, pem_of, pinning, shown_by, shown_falsely
from tests.harness.office import Office

DAY_US = 86_400_000_000
WAIT_S = 20.0
CODES = grpc.StatusCode
REFUSED = (CODES.PERMISSION_DENIED, str(refusal()))
MADE_US = now_us()
PARTIES = ("market", "taxation", "closed", "audit-office")
FOUNDED_US = MADE_US - 500 * DAY_US
AUTHORITIES = {party: authority_of(party, FOUNDED_US) for party in PARTIES}
# One that TLS takes and that stands in no party's stanza.
STRANGER = authority_of("stranger", FOUNDED_US)
ASKED, FOLLOWED = "/tallystick.v1.Ledger/GetCheckpoint", "/tallystick.v1.Ledger/WatchCheckpoints"


def charter() -> Charter:
    """Two bureaus, one that is closed, and an auditor."""
    office = Office("market")
    bureaus = [msgspec.structs.replace(Office(party).bureau, id=party) for party in PARTIES[:3]]
    bureaus[2] = msgspec.structs.replace(bureaus[2], state="closed")
    return msgspec.structs.replace(
        open_charter(*office.charter()),
        bureau=tuple(pinning(bureau, AUTHORITIES[bureau.id]) for bureau in bureaus),
        auditor=(pinning(Auditor("audit-office", ""), AUTHORITIES["audit-office"]),),
    )


class Listener:
    """A server that answers who calls, and to who follows again at each word of the test's. `ahead_us` is how far its
    clock is ahead of TLS's.
    """

    def __init__(self) -> None:
        self.ahead_us = 0
        self.words: asyncio.Queue[None]
        self.port = 0

    def __enter__(self) -> Listener:
        loop.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        loop.run(self._server.stop(None))

    async def _start(self) -> None:
        self.words = asyncio.Queue()
        known = charter()
        gate = Gate(
            Callers(known, lambda: now_us() + self.ahead_us, in_the_clear=False),
            Access(known, known.by_id("taxation"), Office("taxation").actors),
        )
        self._server = grpc.aio.server(interceptors=[gate])
        handlers: Any = {
            ASKED.rpartition("/")[2]: grpc.unary_unary_rpc_method_handler(self._asked, bytes),
            FOLLOWED.rpartition("/")[2]: grpc.unary_stream_rpc_method_handler(self._followed, bytes),
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("tallystick.v1.Ledger", handlers),))
        roots = "".join(each.pem for each in (*AUTHORITIES.values(), STRANGER)).encode()
        shown = issued("taxation:node")
        self.port = self._server.add_secure_port(
            "127.0.0.1:0", grpc.ssl_server_credentials([shown], roots, require_client_auth=True)
        )
        await self._server.start()

    async def _asked(self, request: bytes, context: Any) -> bytes:
        return callers.current.get().id.encode()

    async def _followed(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        while True:
            yield callers.current.get().id.encode()
            await self.words.get()

    def say(self) -> None:
        """Whoever follows is answered once more."""

        async def say() -> None:
            self.words.put_nowait(None)

        loop.run(say())

    def channel(self, shown: Shown | None) -> grpc.Channel:
        key, certificate = shown or (None, None)
        secure = grpc.ssl_channel_credentials(AUTHORITIES["taxation"].pem.encode(), key, certificate)
        options = [("grpc.ssl_target_name_override", NODE_HOST), ("grpc.use_local_subchannel_pool", 1)]
        return grpc.secure_channel(f"127.0.0.1:{self.port}", secure, options)

    def told(self, shown: Shown | None) -> str | tuple[grpc.StatusCode, str]:
        """For whom a caller with a key and certificate is taken, or how its call ends."""
        with self.channel(shown) as channel:
            call: Any = channel.unary_unary(ASKED)
            try:
                return bytes(call(b"", timeout=WAIT_S)).decode()
            except grpc.RpcError as error:
                return error.code(), error.details() or ""


def issued(holder: str, by: CertificateAuthority | None = None, at_us: int = MADE_US) -> Shown:
    """A key and its certificate, as its party's authority issues it."""
    return shown_by(by or AUTHORITIES[holder.partition(":")[0]], holder, at_us)


def signed(by: CertificateAuthority, *uris: str) -> Shown:
    """A key and a certificate with these URIs, which the authority would never issue."""
    return shown_falsely(by, *uris, at_us=MADE_US)


@pytest.fixture(scope="module")
def shared() -> Iterator[Listener]:
    with Listener() as listener:
        yield listener


@pytest.mark.parametrize("who", ["taxation:node", "taxation:registrar", "market:clerk", "market:node", "audit-office"])
def test_a_caller_is_whom_its_certificate_names(shared: Listener, who: str) -> None:
    """Of the own bureau, of another's, or an auditor."""
    assert shared.told(issued(who)) == who


def below() -> Shown:
    """A key and a certificate by an authority that a party's own made, and that of it."""
    key, leaf = new_key(), new_key()
    pem = bent(MARKET, ca=True, subject="below", usages=(), key=key, now_us=MADE_US).decode()
    named = x509.UniformResourceIdentifier("tallystick:market:clerk")
    middle = CertificateAuthority(MARKET.authority, pem, key)
    return pem_of(leaf), bent(middle, named, issuer="below", key=leaf, now_us=MADE_US) + pem.encode()


Showing = Callable[[], Shown | None]
MARKET, AUDIT = AUTHORITIES["market"], AUTHORITIES["audit-office"]
FALSELY: dict[str, Showing] = {
    "another party's actor": lambda: signed(MARKET, "tallystick:taxation:registrar"),
    "another party's node": lambda: signed(MARKET, "tallystick:taxation:node"),
    "an auditor, by a bureau": lambda: signed(MARKET, "tallystick:audit-office"),
    "a bureau's actor, by an auditor": lambda: signed(AUDIT, "tallystick:market:clerk"),
    "an auditor's actor": lambda: signed(AUDIT, "tallystick:audit-office:clerk"),
    "a bureau itself": lambda: signed(MARKET, "tallystick:market"),
    "two at once": lambda: signed(MARKET, "tallystick:market:clerk", "tallystick:taxation:registrar"),
    "nobody": lambda: signed(MARKET),
    "somebody in another scheme": lambda: signed(MARKET, "spiffe://market/clerk"),
    "a node that is no server": lambda: signed(MARKET, "tallystick:market:node"),
    "one of a closed bureau": lambda: issued("closed:clerk"),
    "a closed bureau's node": lambda: issued("closed:node"),
    "one whose party is gone": lambda: issued("stranger:clerk", STRANGER),
    "an actor that is not registered": lambda: issued("taxation:clerk"),
    "an actor, by an authority below its own": below,
}


@pytest.mark.parametrize("what", FALSELY)
def test_whoever_is_named_falsely_is_nobody(shared: Listener, what: str) -> None:
    """Though TLS let it in; it is told what everybody else is told."""
    assert shared.told(FALSELY[what]()) == REFUSED


UNKNOWN: dict[str, Showing] = {
    "no certificate": lambda: None,
    "an authority of its own making": lambda: issued("market:clerk", CertificateAuthority.make("market", MADE_US)),
    "a certificate that has ended": lambda: issued("market:clerk", at_us=FOUNDED_US),
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_whom_no_authority_vouches_for_gets_no_connection(shared: Listener, what: str) -> None:
    """Its handshake fails, and nothing of ours is heard."""
    told = shared.told(UNKNOWN[what]())
    assert told[0] is CODES.UNAVAILABLE
    assert "not for you" not in told[1]


def test_a_certificate_ends_by_the_node_s_clock() -> None:
    """On connections and streams that are open too: the next message finds it ended."""
    with Listener() as listener, listener.channel(issued("market:clerk")) as channel:
        asks: Any = channel.unary_unary(ASKED)
        follows: Any = channel.unary_stream(FOLLOWED)
        following = follows(b"", timeout=WAIT_S)
        assert next(following) == b"market:clerk"
        listener.ahead_us = 100 * DAY_US
        listener.say()
        with pytest.raises(grpc.RpcError) as ended:
            next(following)
        assert (ended.value.code(), ended.value.details()) == REFUSED
        with pytest.raises(grpc.RpcError) as refused:
            asks(b"", timeout=WAIT_S)
        assert (refused.value.code(), refused.value.details()) == REFUSED
