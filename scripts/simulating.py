"""Plays seeded histories of a simulated district with the nodes' own code, one step by step or many with a tally.

  scripts/simulate --seed 7             what happens in one history, a line for each thing
  scripts/simulate --histories 10000    many, from --from on; prints a tally, and ends with 1 and the seed of each in
                                        which something that must hold was broken

What happens in a history, and what must hold, is said in tests/simulation.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

from tests.simulation.history import KINDS, History, Kind

_CHUNK = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, and say whether all was as it must be."""
    parser = argparse.ArgumentParser(
        prog="scripts/simulate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, help="show this history step by step")
    parser.add_argument("--histories", type=int, metavar="N", help="play so many of each kind, and print the tally")
    parser.add_argument("--from", type=int, default=0, dest="first", metavar="SEED", help="the first of them (0)")
    parser.add_argument("--jobs", type=int, default=2, metavar="J", help="in so many processes (2)")
    parser.add_argument("--kind", choices=list(KINDS), action="append", help="of this kind of district only")
    said = parser.parse_args(arguments)
    kinds = [KINDS[name] for name in said.kind or KINDS]
    if said.seed is not None:
        return _show(said.seed, kinds)
    if said.histories is None:
        parser.error("--seed or --histories")
    return _tally(kinds, range(said.first, said.first + said.histories), said.jobs)


def _show(seed: int, kinds: Sequence[Kind]) -> int:
    broken = False
    for kind in kinds:
        history = History(seed, kind).play()
        print(f"{kind.name}, seed {seed}\n{history.bench.trace()}")
        for what in history.broken:
            print(f"broken: {what}")
        broken |= bool(history.broken)
    return int(broken)


def _tally(kinds: Sequence[Kind], seeds: range, jobs: int) -> int:
    broken = False
    began = time.monotonic()
    for kind in kinds:
        chunks = [seeds[start : start + _CHUNK] for start in range(0, len(seeds), _CHUNK)]
        counted: Counter[str] = Counter()
        with ProcessPoolExecutor(jobs, initializer=gc.freeze) as pool:
            for found, failures in pool.map(play_many, repeat(kind), chunks):
                counted += found
                for seed, what in failures:
                    broken = True
                    print(f"broken: {kind.name}, seed {seed}: {what}", file=sys.stderr, flush=True)
        print(f"{kind.name}: " + ", ".join(f"{count:,} {what}" for what, count in counted.items()))
    print(f"{time.monotonic() - began:.0f} s")
    return int(broken)


def play_many(kind: Kind, seeds: Sequence[int]) -> tuple[Counter[str], list[tuple[int, str]]]:
    """What came of some histories, and what was broken in which."""
    counted: Counter[str] = Counter()
    failures = []
    for seed in seeds:
        history = History(seed, kind).play()
        counted += history.tally()
        failures += [(seed, what) for what in history.broken[:1]]
    return counted, failures


if __name__ == "__main__":
    sys.exit(main())
