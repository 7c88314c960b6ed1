"""What a node among others shows of itself: how far its witnesses are, and how far its own copies."""

from __future__ import annotations

import time
from pathlib import Path

from tallystick_node.cluster.nursery import Nursery
from tallystick_node.cluster.ports import held_ports
from tests.harness.clusters import checked_cluster
from tests.harness.metrics import metrics_at, showing_metrics

MARKET, TAXATION = "market-regulation", "taxation"
WAIT_S = 60.0


def test_sizes_of_copies_and_witnesses_come_to_agree(tmp_path: Path, nursery: Nursery) -> None:
    """Once all is witnessed, both witnesses have cosigned what is signed, and of the copies nothing more is known."""
    with checked_cluster(tmp_path / "measured", 3, nursery) as cluster:
        cluster[MARKET].stop()
        with held_ports(1) as (port,):
            showing_metrics(cluster[MARKET].settings, port)
        cluster[MARKET].start()
        cluster[TAXATION].sdk.declare("T-1", scheme="pudong", title="T-1", sharing="unconditional")
        cluster[MARKET].sdk.declare("M-1", scheme="pudong", title="M-1", sharing="unconditional")
        size = cluster.auditor[TAXATION].refresh().size
        deadline = time.monotonic() + WAIT_S
        while True:
            shown = metrics_at(port)
            copies = [value for name, value in shown.items() if name.startswith("tallystick_copy_entries{")]
            behind = [value for name, value in shown.items() if name.startswith("tallystick_copy_behind_entries{")]
            witnesses = [value for name, value in shown.items() if name.startswith("tallystick_witness_entries{")]
            signed = shown["tallystick_ledger_signed_entries"]
            if (
                shown.get('tallystick_copy_entries{ledger="taxation"}', 0) >= size
                and len(copies) == 2
                and not any(behind)
                and witnesses == [signed, signed]
                and shown["tallystick_ledger_witnessed_entries"] == signed
                and shown.get('tallystick_gossip_rounds_total{outcome="done"}', 0) > 0
            ):
                break
            assert time.monotonic() < deadline, shown
            time.sleep(0.05)
        assert shown["tallystick_records"] == 1
        assert shown["tallystick_equivocations"] == shown["tallystick_cosigning_stopped"] == 0
