"""Measures what four witnesses cost the node whose ledger they follow: its own processor time, as it records.

In bulk, statements come a thousand at a time, as fast as the node takes them; or one client records one at a time. The
same cluster of five records with the other nodes stopped and with all of them following; a turn with witnesses ends
when all that was recorded is witnessed. Turns with and without them take each other's place (without, with, with,
without, …), and each is held against its neighbour, since what a statement costs grows a little with the ledger and a
shared machine is not as fast at one time as at another. The median of these ratios counts; the least and the greatest
say how much of it is chance. The first turn is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from scripts.load import cpu_s, sealed, use
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.member import Member

_WITNESSED_MAX_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Witnessed:
    """The node's processor time for a statement, in microseconds, of each turn without witnesses and its neighbour with
    four.
    """

    alone_us: Sequence[float]
    among_us: Sequence[float]

    def figures(self) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
        """The medians without witnesses and with four, and what the turns with them are of their neighbours."""
        ratios = [among / alone for alone, among in zip(self.alone_us, self.among_us, strict=True)]
        alone, among = ({"node_cpu_us": median(taken)} for taken in (self.alone_us, self.among_us))
        return alone, among, {"node_cpu": median(ratios), "least": min(ratios), "most": max(ratios)}


def bulk_witnessed(folder: Path, count: int, pairs: int) -> Witnessed:
    """What each of `count` statements takes in bulk, in so many pairs of turns."""
    return _witnessing(folder, count, pairs, lambda member: sealed(member, count))


def singles_witnessed(folder: Path, count: int, pairs: int) -> Witnessed:
    """The same for statements recorded one by one, by one client."""

    def record(member: Member) -> None:
        for number in range(count):
            member.sdk.record("use", **use(number))

    return _witnessing(folder, count, pairs, record)


def _witnessing(folder: Path, count: int, pairs: int, record: Callable[[Member], object]) -> Witnessed:
    taken: dict[bool, list[float]] = {False: [], True: []}
    turns = (turn for pair in range(pairs) for turn in ((False, True), (True, False))[pair % 2])
    with LocalCluster.up(folder, 5) as cluster:
        member = cluster["market-regulation"]
        others = [each for each in cluster if each is not member]
        for followed in (True, *turns):
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
    return Witnessed(taken[False], taken[True][1:])
