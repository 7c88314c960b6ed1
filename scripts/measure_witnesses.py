"""Measures what four witnesses cost the node whose ledger they follow: its own processor time, as it records in bulk.

The same cluster of five records with the other nodes stopped and with all of them following, by turns; a turn with
witnesses ends when all that was recorded is witnessed. The least of the turns counts: whatever else the machine does
only adds.
"""

from __future__ import annotations

from pathlib import Path

from scripts.load import cpu_s, sealed, use
from tallystick_node.cluster.local import LocalCluster

TURNS = 4
_WITNESSED_MAX_S = 60.0


def witnessing(folder: Path, count: int) -> tuple[dict[str, float], dict[str, float]]:
    """The recording node's processor time for each of `count` statements, without witnesses and with four."""
    taken: dict[bool, list[float]] = {False: [], True: []}
    with LocalCluster.up(folder, 5) as cluster:
        member = cluster["market-regulation"]
        others = [each for each in cluster if each is not member]
        for followed in (False, True) * TURNS:
            for each in others:
                if followed:
                    each.start()
                else:
                    each.stop()
            member.sdk.record_witnessed("use", _WITNESSED_MAX_S if followed else 0.0, **use(0))
            assert member.running is not None
            before = cpu_s(member.running.pid)
            sealed(member, count)
            if followed:
                member.sdk.record_witnessed("use", _WITNESSED_MAX_S, **use(0))
            taken[followed].append((cpu_s(member.running.pid) - before) / count * 1e6)
    alone, among = ({"node_cpu_us": min(taken[followed])} for followed in (False, True))
    return alone, among
