"""Metrics say of a node what it is at when they are asked for, and count what it refused and what failed."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from tallystick import Node as Client
from tallystick.core.errors import ConfigInvalid, Refused, StorageFailed, Usage
from tallystick_node.authority import certified_files
from tallystick_node.cluster.ports import HOST, held_ports
from tallystick_node.config import Settings
from tallystick_node.counts import DISK_ERRORS, REFUSED, Count
from tallystick_node.server import Node
from tallystick_node.signed_size import SignedSize
from tests.harness import loop
from tests.harness.metrics import metrics_at, showing_metrics
from tests.harness.small_home import new_home


def test_a_node_s_figures_follow_it(tmp_path: Path) -> None:
    """Entries, what is signed, what was refused, and when the charter ends, before and after a submission."""
    with held_ports(1) as (port,):
        settings = showing_metrics(new_home(tmp_path / "market"), port)
    node = Node.open(settings)
    loop.run(node.start())
    refused = REFUSED["NotFound"]
    try:
        before = metrics_at(port)
        with Client.open(tmp_path / "market" / "profile.toml") as client:
            client.declare("A-1", scheme="local", title="A-1", sharing="unconditional")
            with pytest.raises(Refused):
                client.wire.charter(bytes(32))
        after = metrics_at(port)
    finally:
        loop.run(node.stop())
        node.close()
    assert before["tallystick_records"] == after["tallystick_records"] == 1
    assert before["tallystick_ledger_entries"] == before["tallystick_ledger_signed_entries"] == 3
    assert after["tallystick_ledger_entries"] == after["tallystick_ledger_signed_entries"] == 4
    assert after["tallystick_ledger_witnessed_entries"] == 0
    assert after["tallystick_charter_expires_seconds"] * 1_000_000 == node.charter.expires_us
    shown = certified_files(tmp_path / "market", "node").load().certificate
    assert after["tallystick_certificate_expires_seconds"] * 1_000_000 == shown.ends_us
    assert after['tallystick_calls_refused_total{error="NotFound"}'] == refused + 1
    assert after["process_resident_memory_bytes"] > 0


def test_nothing_is_shown_unless_the_settings_say_where(tmp_path: Path) -> None:
    """By default there is no page; one anywhere but on loopback is refused; one on a port in use ends the start, with
    whatever had begun by then.
    """
    settings = new_home(tmp_path / "market")
    assert settings.config.metrics.listen == ""
    text = settings.render().replace('[metrics]\nlisten = ""', '[metrics]\nlisten = "0.0.0.0:9464"')
    settings.path.write_text(text)
    with pytest.raises(ConfigInvalid, match=r"metrics: listen = '0.0.0.0:9464' is not loopback"):
        Settings.load(settings.path)
    with socket.create_server((HOST, 0)) as taken:
        before = loop.run(_at_work())
        node = Node.open(showing_metrics(settings, taken.getsockname()[1]))
        with pytest.raises(Usage, match="metrics"):
            loop.run(node.start())
        node.close()
        assert loop.run(_at_work()) == before


async def _at_work() -> list[str]:
    return sorted(task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task())


def test_errors_of_the_disk_are_counted(tmp_path: Path) -> None:
    """A note of what was signed that is there already is one error more of its class."""
    before = DISK_ERRORS["StorageFailed"]
    SignedSize.create(tmp_path / "signed-size", "pudong.example/market").close()
    with pytest.raises(StorageFailed):
        SignedSize.create(tmp_path / "signed-size", "pudong.example/market")
    assert DISK_ERRORS["StorageFailed"] == before + 1


def test_a_count_is_by_what_it_was() -> None:
    """Each name has its own, in the order of names; what never happened is none."""
    count = Count()
    for name in ("b", "a", "b"):
        count.add(name)
    assert count.items() == [("a", 1), ("b", 2)]
    assert count["c"] == 0
