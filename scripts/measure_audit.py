"""Measures the audit of ten bureaus, and every question beside itself, at a small and a large size in one run.

audit     every ledger read whole in one pass: entries a second, and the memory held on the way and at the end
naming    a question that names something, answered by indexes: it must not slow down as the ledgers grow
absence   a question about absence, answered by a full pass: as slow as that

Each command runs once before it is timed, in one program that stays, with its answer as JSON that nobody reads.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.figures import heading, keep, row
from scripts.traffic import NEEDLE, Traffic
from tallystick.cli.main import main as tally
from tallystick_node.cluster.local import LocalCluster

BUREAUS = 10


def naming(traffic: Traffic) -> dict[str, list[str]]:
    """Questions about one thing, of which there is as much however large the ledgers are."""
    version = f"{NEEDLE}@0"
    return {
        "who": ["who", NEEDLE],
        "access": ["access", NEEDLE],
        "trace": ["trace", version],
        "impact": ["impact", version],
        "case": ["case", str(traffic.needle_case)],
        "lookups of an officer": ["lookups", "--officer", traffic.needle_officer],
        "reconcile an exchange": ["reconcile", "--exchange", str(traffic.needle_exchange)],
        "log of a resource": ["log", "--all-bureaus", "--resource", NEEDLE],
    }


ABSENCE = {
    "owed": ["owed"],
    "catalogue": ["catalogue"],
    "systems": ["systems"],
    "reconcile all": ["reconcile"],
}


def ask(profile: Path, arguments: list[str], repeats: int) -> float:
    """The median time of a command in this program, in milliseconds; it ends the program where the command fails."""
    taken = []
    for attempt in range(repeats + 1):
        said = StringIO()
        began = time.perf_counter()
        with redirect_stdout(StringIO()), redirect_stderr(said):
            code = tally(["--profile", str(profile), "--json", *arguments])
        if code not in (0, 1):
            raise SystemExit(f"bench: tally {' '.join(arguments)} ended with {code}: {said.getvalue()}")
        if attempt:
            taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1e3


AUDIT = """
import re, sys, time
from datetime import date
from pathlib import Path
from tallystick import Ledgers
from tallystick.sdk.auditing import audit

def held():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text()).group(1))

at_a_quarter = []
def progress(done, of):
    if not at_a_quarter and done * 4 >= of:
        at_a_quarter.append(held())

with Ledgers.open(sys.argv[1]) as ledgers:
    wall, cpu = time.perf_counter(), time.process_time()
    audited = audit(ledgers, date.today(), progress=progress)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
assert not audited.coverage.exit_code, [ledger.gap for ledger in audited.coverage.ledgers]
found = [finding for finding in audited.findings if finding.rule != "night-use"]  # the bench may run at night
print(audited.coverage.entries, wall, cpu, at_a_quarter[0], held(), len(found))
"""


def audited(profile: Path) -> dict[str, float]:
    """One audit in a program of its own."""
    done = subprocess.run([sys.executable, "-c", AUDIT, str(profile)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"bench: the audit failed: {done.stderr}")
    entries, wall, cpu, at_a_quarter, at_the_end, findings = map(float, done.stdout.split())
    return {
        "entries": entries,
        "per_s": entries / wall,
        "cpu_us": cpu / entries * 1e6,
        "mib_at_a_quarter": at_a_quarter / 1024,
        "mib_at_the_end": at_the_end / 1024,
        "findings": findings,
    }


def measured(folder: Path, sizes: list[int], repeats: int) -> dict[str, dict[str, float]]:
    """Every figure at every size, and each question's ratio of the largest to the smallest."""
    figures: dict[str, dict[str, float]] = {}
    with LocalCluster.up(folder, BUREAUS) as cluster:
        profile = folder / "profiles" / "auditor.toml"
        traffic = Traffic(cluster)
        traffic.begin()
        recorded = 0
        for size in sizes:
            traffic.record(size - recorded)
            recorded = size
            figures[f"audit at {size:,}"] = audited(profile)
            row(f"audit at {size:,}", figures[f"audit at {size:,}"])
            for kind, questions, times in (("naming", naming(traffic), repeats), ("absence", ABSENCE, 1)):
                for name, arguments in questions.items():
                    took = figures.setdefault(f"{kind}: {name}", {})
                    took[f"ms_at_{size}"] = ask(profile, arguments, times)
    for name, took in figures.items():
        if not name.startswith("audit"):
            first, last = (took[f"ms_at_{size}"] for size in (sizes[0], sizes[-1]))
            took["ratio"] = last / first
            row(name, took)
    return figures


def main() -> None:
    """Measure and print; with --json also as one document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000,200000", help="entries over all ledgers (default 10000,200000)")
    parser.add_argument("--repeats", type=int, default=9, help="how often a question by name is asked (default 9)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    chosen = parser.parse_args()
    when = heading("all on loopback")
    with TemporaryDirectory(prefix="tallystick-bench-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        figures = measured(folder / "cluster", sorted(map(int, chosen.sizes.split(","))), chosen.repeats)
    if chosen.json:
        keep(chosen.json, when, figures)


if __name__ == "__main__":
    main()
