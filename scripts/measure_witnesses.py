"""Measures what four witnesses cost the node whose ledger they follow: its own processor time, as it records.

In bulk, statements come a thousand at a time, as fast as the node takes them; or one client records one at a time. The
same cluster of five records with the other nodes stopped and with all of them following; a turn with witnesses ends
when all that was recorded is witnessed. Turns with and without them take each other's place (without, with, with,
without, …), since what a statement costs grows a little with the ledger, and the median counts, since now and then a
turn has the database's tidying up to pay for. The first turn is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Final

from scripts.load import cpu_s, sealed, use
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.member import Member

TURNS: Final = (True, *(False, True, True, False) * 3)
_WITNESSED_MAX_S: Final = 60.0


def bulk_witnessed(folder: Path, count: int) -> tuple[dict[str, float], dict[str, float]]:
    """The recording node's processor time for each of `count` statements in bulk, without witnesses and with four."""
    return _witnessing(folder, count, lambda member: sealed(member, count))


def singles_witnessed(folder: Path, count: int) -> tuple[dict[str, float], dict[str, float]]:
    """The same for statements recorded one by one, by one client."""

    def record(member: Member) -> None:
        for number in range(count):
            member.sdk.record("use", **use(number))

    return _witnessing(folder, count, record)


def _witnessing(
    folder: Path, count: int, record: Callable[[Member], object]
) -> tuple[dict[str, float], dict[str, float]]:
    taken: dict[bool, list[float]] = {False: [], True: []}
    with LocalCluster.up(folder, 5) as cluster:
        member = cluster["market-regulation"]
        others = [each for each in cluster if each is not member]
        for followed in TURNS:
            for each in others:
                if followed:
                    each.start()
                else:
                    each.stop()
            member.sdk.record_witnessed("use", _WITNESSED_MAX_S if followed else 0.0, **use(0))
            assert member.running is not None
            before = cpu_s(member.running.pid)
            record(member)
            if followed:
                member.sdk.record_witnessed("use", _WITNESSED_MAX_S, **use(0))
            taken[followed].append((cpu_s(member.running.pid) - before) / count * 1e6)
    del taken[True][0]
    alone, among = ({"node_cpu_us": median(taken[followed])} for followed in (False, True))
    return alone, among
