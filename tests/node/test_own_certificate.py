"""A node's certificate is renewed while it runs, and one that ends is said in time."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tallystick import Node as Client
from tallystick.core.errors import ConfigInvalid, NotAllowed
from tallystick.core.holder import Holder
from tallystick.sdk.certificates import CertificateAuthority
from tallystick.sdk.certified_key import CertifiedFiles, CertifiedKey
from tallystick.sdk.clock import now_us
from tallystick.sdk.credentials import Credentials
from tallystick.sdk.wire import Wire
from tallystick_node import own_certificate
from tallystick_node.authority import certified_files
from tallystick_node.config import Settings
from tallystick_node.own_certificate import OwnCertificate
from tallystick_node.server import Node
from tests.harness import loop
from tests.harness.authorities import authority_of
from tests.harness.ledger_maker import START_US
from tests.harness.small_home import Clock, new_home

DAY_US = 86_400 * 1_000_000
WAIT_S = 30.0
MARKET, NODE = "market", Holder("market", "node")


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return new_home(tmp_path / MARKET)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def running(home: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    """A node that looks at its files without much delay."""
    monkeypatch.setattr(own_certificate, "LOOK_S", 0.02)
    node = Node.open(home, clock)
    loop.run(node.start())
    yield node
    loop.run(node.stop())
    node.close()


def authority(home: Settings) -> CertificateAuthority:
    files = certified_files(home.path.parent, "authority")
    return CertificateAuthority.load(files.certificate, files.key, MARKET)


def files_of(home: Settings, name: str) -> CertifiedFiles:
    return certified_files(home.path.parent, name)


def shown_by(home: Settings) -> bytes:
    """The certificate that a node shows to whoever connects now."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    host, _, port = home.config.listen.rpartition(":")
    with socket.create_connection((host, int(port))) as plain, context.wrap_socket(plain) as secured:
        return secured.getpeercert(binary_form=True) or b""


def test_a_renewed_certificate_is_shown_without_a_restart(home: Settings, running: Node) -> None:
    """Whoever connects is shown the new one soon; who was connected before records as before, and so do new clients."""
    profile = home.path.parent / "profile.toml"
    assert shown_by(home) == files_of(home, "node").load().certificate.der
    with Client.open(profile) as before:
        before.declare("A-1", scheme="local", title="A-1", sharing="unconditional")
        renewed = files_of(home, "node").renew(authority(home), NODE, now_us())
        deadline = time.monotonic() + WAIT_S
        while shown_by(home) != renewed.der:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        before.declare("A-2", scheme="local", title="A-2", sharing="unconditional")
        with Client.open(profile) as after:
            after.declare("A-3", scheme="local", title="A-3", sharing="unconditional")


def test_a_connection_outlives_no_certificate(home: Settings, clock: Clock, running: Node) -> None:
    """Once its certificate has ended, calls on an open connection are refused; renewed, a new one is made."""
    bureau = running.bureau
    with closing(Wire(bureau, credentials=Credentials(files_of(home, "clerk")))) as wire:
        wire.checkpoint(0)
        clock.ahead_us = 100 * DAY_US
        with pytest.raises(NotAllowed):
            wire.checkpoint(0)
        files_of(home, "clerk").renew(authority(home), Holder(MARKET, "clerk"), now_us(), 200)
        with pytest.raises(NotAllowed):  # on the connection that stood
            wire.checkpoint(0)
        assert wire.checkpoint(0).checkpoint


class Files:
    """What the files hold, or why they do not read."""

    def __init__(self, folder: Path) -> None:
        self.pair = CertifiedFiles(folder / "node.crt", folder / "node.key")
        self.error = ""
        self.renew()

    def renew(self, now_us: int = START_US) -> None:
        self.pair.renew(authority_of("taxation"), Holder("taxation", "node"), now_us)

    def __call__(self) -> CertifiedKey:
        if self.error:
            raise ConfigInvalid(self.error)
        return self.pair.load()


def said(log: list[Any]) -> list[tuple[str, str]]:
    return [(each["log_level"], each["event"]) for each in log]


async def test_what_others_would_not_accept_is_not_shown(tmp_path: Path) -> None:
    """The certificate before stays, the reason is said once, and one that is right is taken up and said."""
    files = Files(tmp_path)
    first = files()
    own = OwnCertificate(first, files, lambda: START_US)
    files.renew()
    with capture_logs() as log:
        files.error = "no authority pinned for it issued it"
        await own.look()
        await own.look()
        assert own.shown == first
        assert said(log) == [("warning", "the certificate is not taken from its files")]
        files.error = ""
        await own.look()
        await own.look()
        assert own.shown == files() != first
    assert said(log)[1:] == [("info", "the certificate was renewed")]


@pytest.mark.parametrize(
    ("days", "expected"),
    [(59, []), (61, [("warning", "the certificate ends")]), (90, [("error", "the certificate ends")])],
    ids=["early", "soon", "over"],
)
async def test_one_that_ends_is_said(tmp_path: Path, days: int, expected: list[tuple[str, str]]) -> None:
    """Of ninety days the last thirty are said, once for a day however often it is looked at; the end as an error."""
    files = Files(tmp_path)
    own = OwnCertificate(files(), files, lambda: START_US + days * DAY_US)
    with capture_logs() as log:
        for _ in range(3):
            own.say_that_it_ends()
    assert said(log) == expected
