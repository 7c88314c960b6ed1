"""A node listens over TLS under a certificate that others accept, or not at all; it looks at callers in each call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tallystick.core.errors import ConfigInvalid, NotAllowed
from tallystick.core.holder import Holder
from tallystick.sdk.certificates import CertificateAuthority
from tallystick.sdk.certified_key import CertifiedFiles
from tallystick.sdk.clock import now_us
from tallystick.sdk.credentials import Credentials
from tallystick.sdk.wire import Wire
from tallystick_node.authority import certified_files
from tallystick_node.config import Settings
from tallystick_node.server import Node
from tests.harness import loop
from tests.harness.small_home import new_home

MARKET = "market"
DAY_US = 24 * 3600 * 1_000_000


class Clock:
    """The time a node goes by, ahead of the machine's."""

    def __init__(self) -> None:
        self.ahead_us = 0

    def __call__(self) -> int:
        return now_us() + self.ahead_us


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
