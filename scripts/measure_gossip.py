"""Measures what holding each other to account costs a bureau, as a district grows: a simulated one, as Markdown.

quiet        nothing is recorded: what swapping and following cost all the same
busy         every ledger grows by one statement a round, and has done so for a while
known after  rounds until every node knows of a new checkpoint, and until every node holds evidence of a fork

The nodes run their own code, over a network that loses nothing (`tests/simulation`). In a round of gossip every node
swaps with one other that follows what it follows, and with one of the others, where there are any. Up to seven bureaus
everybody witnesses everybody; beyond, each ledger has seven witnesses, drawn by chance. Messages and bytes are those of
all calls, in either direction, divided by bureaus and rounds; signature checks are those that nodes compute.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import date

from tests.simulation.district import Cost, District
from tests.simulation.scenes import play

SIZES = (5, 50, 300)
_ROUNDS = 10
_ROUNDS_BEFORE = 10
"""So many busy rounds are not counted: until then there is less news about than there will be."""


def measure(bureaus: int) -> str:
    """A row of the table."""
    district = District(bureaus)

    async def main() -> tuple[Cost, Cost, float, float]:
        await district.start()
        await district.settle()
        news = await district.news()
        quiet = await district.rounds(_ROUNDS, busy=False)
        await district.rounds(_ROUNDS_BEFORE, busy=True)
        busy = await district.rounds(_ROUNDS, busy=True)
        await district.settle()
        await district.fork()
        return quiet, busy, news, await district.proven()

    quiet, busy, news, fork = play(district.bench, main())
    figures = " | ".join(
        f"{cost.messages:.1f} | {cost.size_bytes / 1_000:.1f} | {cost.checks:.0f}" for cost in (quiet, busy)
    )
    return f"| {bureaus} | {figures} | {news:.1f} | {fork:.1f} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench gossip", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bureaus", type=int, nargs="+", default=SIZES, help="sizes of the district (%(default)s)")
    said = parser.parse_args(arguments)
    print(f"`scripts/bench gossip`, {date.today().isoformat()}. Shares of one bureau in one round.\n")
    print("| bureaus | messages, quiet | kB | checks | messages, busy | kB | checks | news after | proof after |")
    print("|---|---|---|---|---|---|---|---|---|")
    for bureaus in said.bureaus:
        print(measure(bureaus), flush=True)


if __name__ == "__main__":
    main()
