"""What one hostile client leaves of another's throughput, and of the node's memory.

An honest client records, for a few seconds alone and a few seconds beside the hostile one (`scripts/hostile` says what
each attack is), in turn; what is shown is the median of the ratios of neighbours. It records in two ways: batches
signed beforehand over one stream, so that the node is what is measured, and single statements, one call after
another, each receipt checked. The honest client is an officer, the hostile one a system of the same bureau: each is one
caller over TLS, however many connections it opens. With `--in-the-clear` nobody shows a certificate and each connection
is a caller, so that the hostile client is ten callers and more, the honest one is one.

The node and both clients share the machine's processors. The hostile client runs at a lower priority (`--nice`), so
that what it takes from the honest one it takes by way of the node; how much of the node's own processor time is left
to the honest one, whatever else the machine does, is shown besides.

kept         the honest client's statements a second beside the attack, to those alone before and after it
cpu_kept     the same of its statements for each second of the node's processor
node_cpu     how much of one processor the node had meanwhile
mib          the node's own memory: alone at its highest, during the attacks at its highest, and after them

Own memory is what the kernel calls anonymous. Pages of the database's files count to nobody: LevelDB maps what is read,
the kernel drops it when it likes, and a reader of everything has all of it mapped (`mapped_mib`).

What an attack takes is measured once it stands (`--settle`). Last comes a long one (`--long`), nobody recording: how
much memory the node then had, and by how much it grew a minute, by the straight line that fits what was seen every
second.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.figures import heading, row
from scripts.hostile import ATTACKS
from scripts.load import ACTOR, BATCH, cpu_s, statements, use
from tallystick.core.submission import seal
from tallystick.sdk.clock import new_id
from tallystick.sdk.profile import Profile
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.member import Member
from tallystick_proto.v1.ledger_pb2 import SubmitRequest

_ROOT = Path(__file__).parents[1]


class Memory:
    """A process's own memory, as it was whenever somebody looked."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.highest = 0.0
        self.now()

    def now(self) -> float:
        """In MiB."""
        mib = self._status("RssAnon")
        self.highest = max(mib, self.highest)
        return mib

    @property
    def mapped(self) -> float:
        """What it has of files beside, in MiB."""
        return self._status("RssFile")

    def _status(self, name: str) -> float:
        text = Path(f"/proc/{self._pid}/status").read_text()
        return int(text.partition(f"{name}:")[2].split()[0]) / 1024


def batches(member: Member, seconds: float, look: Callable[[], object]) -> float:
    """Statements a second, signed beforehand, over one stream."""
    key, data = Profile.load(member.profile).signing_key(), statements(BATCH)
    made = [SubmitRequest(submission=seal(member.bureau.origin, ACTOR, key, new_id(), data)) for _ in range(150)]
    began = time.perf_counter()

    def lasting() -> Iterator[SubmitRequest]:
        yield from (each for each in made if time.perf_counter() - began < seconds)

    count = 0
    for answer in member.sdk.wire.submit_many(lasting()):
        assert answer.HasField("receipt"), answer
        count += BATCH
        look()
    return count / (time.perf_counter() - began)


def singles(member: Member, seconds: float, look: Callable[[], object]) -> float:
    """Statements a second, one call after another."""
    began = time.perf_counter()
    count = 0
    while time.perf_counter() - began < seconds:
        member.sdk.record("use", **use(time.perf_counter_ns()))
        count += 1
        if count % 20 == 0:
            look()
    return count / (time.perf_counter() - began)


@contextmanager
def attacked(attack: str, member: Member, chosen: argparse.Namespace) -> Iterator[dict[str, int]]:
    """While the hostile client is at work; what it got done is there afterwards."""
    done: dict[str, int] = {}
    command = [
        "nice",
        "-n",
        str(chosen.nice),
        sys.executable,
        "-m",
        "scripts.hostile",
        attack,
        str(member.gateway_profile),
    ]
    process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "attacking\n"
        time.sleep(chosen.settle)
        yield done
    finally:
        process.terminate()
        _, said = process.communicate()
        done |= json.loads(said.splitlines()[-1])


def under(attack: str, member: Member, record: Callable[..., float], chosen: argparse.Namespace) -> dict[str, float]:
    """One attack against one way of recording."""
    assert member.running is not None
    pid = member.running.pid
    memory = Memory(pid)

    def recorded() -> tuple[float, float, float]:
        """Statements a second, statements a second of the node's processor, and how much of it there was."""
        cpu, began = cpu_s(pid), time.perf_counter()
        per_s = record(member, chosen.seconds, memory.now)
        took, spent = time.perf_counter() - began, cpu_s(pid) - cpu
        return per_s, per_s * took / spent, spent / took

    alone, beside, calls = [recorded()], [], 0
    alone_mib, memory.highest = memory.highest, 0.0
    for _ in range(chosen.rounds):
        with attacked(attack, member, chosen) as done:
            beside.append(recorded())
        calls += sum(done.values())
        alone.append(recorded())
    neighbours = [*zip(beside, pairwise(alone), strict=True)]
    kept, cpu_kept = (
        [each[what] * 2 / (before[what] + after[what]) for each, (before, after) in neighbours] for what in (0, 1)
    )
    return {
        "kept": statistics.median(kept),
        "least": min(kept),
        "cpu_kept": statistics.median(cpu_kept),
        "alone_per_s": statistics.median(each[0] for each in alone),
        "node_cpu": statistics.median(each[2] for each in beside),
        "hostile_calls": calls,
        "mib_alone": alone_mib,
        "mib_most": memory.highest,
        "mib_after": memory.now(),
    }


def long_attack(attack: str, member: Member, chosen: argparse.Namespace) -> dict[str, float]:
    """One attack for long, and the memory of the node meanwhile."""
    assert member.running is not None
    memory = Memory(member.running.pid)
    seen = []
    with attacked(attack, member, chosen):
        began = time.perf_counter()
        while time.perf_counter() - began < chosen.long:
            seen.append(((time.perf_counter() - began) / 60, memory.now()))
            time.sleep(1)
    slope, _ = statistics.linear_regression(*zip(*seen[len(seen) // 4 :], strict=True))  # the first quarter warms up
    return {
        "seconds": chosen.long,
        "mib_first": seen[0][1],
        "mib_most": memory.highest,
        "mib_last": seen[-1][1],
        "mib_a_minute": slope,
        "mib_after": memory.now(),
        "mapped_mib": memory.mapped,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="alternations an attack (default 5)")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each lasts (default 3)")
    parser.add_argument("--settle", type=float, default=5.0, help="how long an attack lasts before that (default 5)")
    parser.add_argument("--long", type=float, default=120.0, help="how long the last attack lasts (default 120)")
    parser.add_argument("--nice", type=int, default=10, help="the hostile client's niceness (default 10)")
    parser.add_argument("--in-the-clear", action="store_true", help="without TLS, each connection a caller")
    parser.add_argument("attack", nargs="*", help="only these, of " + ", ".join([*ATTACKS, "all"]))
    chosen = parser.parse_args()
    heading("in the clear" if chosen.in_the_clear else "over TLS")
    with TemporaryDirectory(prefix="tallystick-hostile-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        with LocalCluster.up(folder / "cluster", 1, in_the_clear=chosen.in_the_clear) as cluster:
            member = cluster["market-regulation"]
            batches(member, chosen.seconds, lambda: None)  # warm
            singles(member, 1.0, lambda: None)
            for attack in chosen.attack or [*ATTACKS, "all"]:
                for record in (batches, singles):
                    row(f"{attack}, {record.__name__}", under(attack, member, record, chosen))
            if chosen.long:
                name = "all" if len(chosen.attack) != 1 else chosen.attack[0]
                row(f"{name}, for long", long_attack(name, member, chosen))


if __name__ == "__main__":
    main()
