"""A node's listener lets in whom any pinned authority certified, and takes each authority for its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest

from tallystick.core.certified import certified
from tallystick.core.charter import Charter
from tallystick.core.holder import Holder
from tallystick.sdk.certificates import CertificateAuthority
from tallystick.sdk.certified_key import CertifiedFiles, CertifiedKey
from tallystick.sdk.clock import now_us
from tallystick.sdk.dialling import CHANNEL_OPTIONS, security
from tallystick_node.authority import certified_files
from tallystick_node.config import Settings
from tallystick_node.listener import listen
from tallystick_node.own_certificate import OwnCertificate
from tests.harness.authorities import pinning
from tests.harness.small_home import new_home

MARKET = "market"
WAIT_S = 20.0


@asynccontextmanager
async def listening(home: Settings, charter: Charter) -> AsyncIterator[list[str]]:
    """A server that answers one call, with a home's certificate, under a charter; whom it took its callers for."""
    taken: list[str] = []

    async def ask(request: bytes, context: Any) -> bytes:
        taken.append(certified(charter, context.auth_context()["x509_pem_cert"][0], now_us()).id)
        return b"answered"

    handler: Any = grpc.unary_unary_rpc_method_handler(ask)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Test", {"Ask": handler}),))
    files = certified_files(home.path.parent, "node")
    listen(server, home, charter, OwnCertificate(files.load(), files.load, now_us))
    await server.start()
    try:
        yield taken
    finally:
        await server.stop(None)


async def ask(home: Settings, charter: Charter, shown: CertifiedKey) -> bytes:
    bureau = charter.by_id(MARKET)
    async with grpc.aio.secure_channel(bureau.endpoint, security(bureau, shown), options=CHANNEL_OPTIONS) as channel:
        call: Any = channel.unary_unary("/test.Test/Ask")
        answer: bytes = await call(b"", timeout=WAIT_S)
        return answer


def issued(folder: Path, by: CertificateAuthority, holder: Holder) -> CertifiedKey:
    files = CertifiedFiles(folder / "shown.crt", folder / "shown.key")
    files.renew(by, holder, now_us())
    return files.load()


@pytest.mark.parametrize("newer_first", [False, True], ids=["older first", "newer first"])
async def test_while_two_are_pinned_callers_under_either_are_let_in(tmp_path: Path, newer_first: bool) -> None:
    """Both go by one name, in either order; the node itself still shows what the older one issued."""
    home = new_home(tmp_path / MARKET)
    charter, bureau = home.open_charter()
    files = certified_files(tmp_path / MARKET, "authority")
    older = CertificateAuthority.load(files.certificate, files.key, MARKET)
    newer = CertificateAuthority.make(MARKET, now_us())
    pinned = (newer, older) if newer_first else (older, newer)
    rolling = msgspec.structs.replace(charter, bureau=(pinning(bureau, *pinned),))
    async with listening(home, rolling) as taken:
        for authority, name in ((older, "clerk"), (newer, "gateway")):
            shown = issued(tmp_path / name, authority, Holder(MARKET, name))
            assert await ask(home, rolling, shown) == b"answered"
        assert taken == ["market:clerk", "market:gateway"]
        stranger = issued(tmp_path / "stranger", CertificateAuthority.make(MARKET, now_us()), Holder(MARKET, "clerk"))
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await ask(home, rolling, stranger)
        assert told.value.code() == grpc.StatusCode.UNAVAILABLE
    assert len(taken) == 2
