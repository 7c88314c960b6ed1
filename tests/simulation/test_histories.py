"""Seeded histories of the nodes' own code: whatever goes wrong, what must hold holds (`judges`)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation.audited import check_audit
from tests.simulation.history import KINDS, History, Kind

ROOT = Path(__file__).parents[2]
# So many that each kind takes some seconds; `scripts/simulate --histories` plays as many as one likes.
SEEDS = {"honest": 16, "one-of-five-lies": 12, "two-of-seven-lie": 7}


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_whatever_goes_wrong_what_must_hold_holds(kind: Kind) -> None:
    """Crashes at and between durable steps, failing disks, partitions, stepped clocks, snapshots put back, liars; with
    and without an observer, under one charter and while a new version of it is brought in, and with a disk lost.
    """
    counted: Counter[str] = Counter()
    for seed in range(SEEDS[kind.name]):
        history = History(seed, kind).play()
        counted += history.tally()
        assert not history.broken, f"scripts/simulate --kind {kind.name} --seed {seed}\n{history.broken[0]}"
    assert 0 < counted["with an observer"] < counted["histories"]
    for what in (
        "of them witnessed",
        "versions adopted by honest nodes",
        "lost disks recovered",
        "crashes",
        "snapshots put back",
    ):
        assert counted[what], what
    for what in ("forks", "forks that could be proven", "forks proven everywhere"):
        assert bool(counted[what]) == bool(kind.liars), what


def test_an_audit_that_accuses_an_honest_bureau_is_named() -> None:
    """The liar of a history, were it taken for honest."""
    history = History(1, KINDS["one-of-five-lies"]).play()
    (liar,) = history.bench.liars
    assert not history.broken
    history.bench.liars = frozenset()
    check_audit(history.bench)
    (said,) = history.broken
    assert said.startswith(f"an audit accuses {liar}: equivocation ")


_DIGEST = """
import sys
from tests.simulation.history import KINDS, History
for kind in KINDS.values():
    print(History(int(sys.argv[1]), kind).play().bench.digest())
"""


def test_one_seed_replays_one_history() -> None:
    """Two processes that hash differently play the same history, to the last byte on disk; another seed another."""

    def played(seed: int, hashes: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hashes, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", _DIGEST, str(seed)]
        return subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    assert played(7, "1") == played(7, "2")
    assert played(7, "1") != played(8, "1")
