"""A node listens over TLS under a certificate that others accept, or not at all; it looks at callers in each call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from tallystick.core.errors import ConfigInvalid, NotAllowed
from tallystick.core.holder import Holder
from tallystick.sdk.certificates import CertificateAuthority
from tallystick.sdk.certified_key import CertifiedFiles
from tallystick.sdk.clock import now_us
from tallystick.sdk.credentials import Credentials
from tallystick.sdk.dialling import open_channel
from tallystick.sdk.wire import Wire
from tallystick_node.access import ROWS, refusal
from tallystick_node.authority import certified_files
from tallystick_node.bounds import BOUNDS, MESSAGE_BYTES_MAX
from tallystick_node.config import Settings
from tallystick_node.server import Node
from tests.harness import loop
from tests.harness.small_home import Clock, new_home

MARKET = "market"
WAIT_S = 20.0
DAY_US = 24 * 3600 * 1_000_000


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A founded home whose node speaks TLS."""
    return new_home(tmp_path / MARKET)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def node(settings: Settings, clock: Clock) -> Iterator[Node]:
    """Its node, serving."""
    opened = Node.open(settings, clock)
    loop.run(opened.start())
    yield opened
    loop.run(opened.stop())
    opened.close()


def authority(settings: Settings) -> CertificateAuthority:
    files = certified_files(settings.path.parent, "authority")
    return CertificateAuthority.load(files.certificate, files.key, MARKET)


def edited(settings: Settings, was: str, now: str) -> Settings:
    text = settings.path.read_text()
    assert was in text
    settings.path.write_text(text.replace(was, now))
    return Settings.load(settings.path)


def test_a_connection_may_outlive_its_certificate_and_its_calls_may_not(
    node: Node, clock: Clock, settings: Settings, tmp_path: Path
) -> None:
    """A call under a certificate that has ended is refused on a connection that stands; with another certificate in
    the files the same client goes on.
    """
    shown = CertifiedFiles(tmp_path / "clerk.crt", tmp_path / "clerk.key")
    shown.renew(authority(settings), Holder(MARKET, "clerk"), now_us(), days=1)
    with closing(Wire(node.bureau, credentials=Credentials(shown))) as wire:
        assert wire.checkpoint(0).checkpoint
        clock.ahead_us = 2 * DAY_US
        with pytest.raises(NotAllowed):
            wire.checkpoint(0)
        shown.renew(authority(settings), Holder(MARKET, "clerk"), now_us())
        with pytest.raises(NotAllowed):  # under what the connection was opened with
            wire.checkpoint(0)
        assert wire.checkpoint(0).checkpoint


@pytest.mark.parametrize("open_max", [0, 64])
def test_nobody_is_told_of_bounds(
    node: Node, settings: Settings, tmp_path: Path, open_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever an unregistered actor calls, however much it sends and however much is open, it is told one thing."""
    for rpc, row in BOUNDS.items():
        monkeypatch.setitem(BOUNDS, rpc, replace(row, at_once_max=open_max))
    shown = CertifiedFiles(tmp_path / "stranger.crt", tmp_path / "stranger.key")
    shown.renew(authority(settings), Holder(MARKET, "stranger"), now_us())
    ends = set()
    with closing(open_channel(node.bureau, shown.load(None))) as channel:
        for rpc in [*ROWS, "tallystick.v1.Ledger/No"]:
            stream: Any = channel.stream_stream(f"/{rpc}")
            for size in (0, 5_000, MESSAGE_BYTES_MAX):
                with pytest.raises(grpc.RpcError) as raised:
                    list(stream(iter([bytes(size)]), timeout=WAIT_S))
                ends.add((raised.value.code(), raised.value.details()))
    assert ends == {(grpc.StatusCode.PERMISSION_DENIED, str(refusal()))}


def test_a_node_does_not_start_under_a_certificate_that_has_ended(settings: Settings, clock: Clock) -> None:
    """Nobody would speak to it."""
    clock.ahead_us = 91 * DAY_US
    with pytest.raises(ConfigInvalid, match=r"node\.crt: it is not in its term; expected a renewed one"):
        Node.open(settings, clock)


def test_a_node_starts_under_no_certificate_but_its_own(settings: Settings) -> None:
    """Not under an actor's, nor under one of an authority that the charter does not pin, nor under none."""
    with pytest.raises(ConfigInvalid, match=r"it is the certificate of market:clerk; expected that of market:node"):
        Node.open(edited(settings, "tls/node", "tls/clerk"))
    edited(settings, "tls/clerk", "tls/node")
    certified_files(settings.path.parent, "node").renew(
        CertificateAuthority.make(MARKET, now_us()), Holder(MARKET, "node"), now_us()
    )
    with pytest.raises(ConfigInvalid, match="no authority pinned for it issued it"):
        Node.open(settings)
    certified_files(settings.path.parent, "node").certificate.unlink()
    with pytest.raises(ConfigInvalid, match=r"node\.crt"):
        Node.open(Settings.load(settings.path))


def test_settings_and_charter_say_the_same_of_tls(settings: Settings, tmp_path: Path) -> None:
    """A node of which the charter pins an authority does not listen in the clear, any other not over TLS."""
    with pytest.raises(ConfigInvalid, match=r"tls\.in_the_clear = true; expected a certificate"):
        Node.open(edited(settings, "in_the_clear = false", "in_the_clear = true"))
    clear = new_home(tmp_path / "clear", in_the_clear=True)
    with pytest.raises(ConfigInvalid, match="the charter pins no certificate authority of market"):
        Node.open(edited(clear, "in_the_clear = true", "in_the_clear = false"))
