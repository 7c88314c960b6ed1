"""Measures the ledger beside its floors, in one run, so that the ratios hold whatever the machine does that day.

floor    parse, two hashes, the tree, one synced LevelDB batch per 1,000 statements; no RPC, signature or index
sdk      statements built, signed, sent, verified, chained, indexed, durable: a Recorder and a node process
sealed   the same submissions made beforehand, so that the node is what is measured
single   one statement a call, with a durable receipt that was checked, beside a plain gRPC echo
witness  in bulk and one by one in a cluster of five: the recording node alone, and with its four witnesses
reopen   a ledger's opening: time and memory, which must not grow with it; bytes on disk an entry
"""

from __future__ import annotations

import argparse
import resource
import secrets
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
import plyvel
from blake3 import blake3

from scripts.figures import heading, keep, row
from scripts.load import ACTOR, BATCH, cpu_s, sealed, statements, use
from scripts.measure_witnesses import bulk_witnessed, singles_witnessed
from tallystick import Node
from tallystick.core.compose import compose
from tallystick.core.statement import encode
from tallystick.core.submission import prepare, seal
from tallystick.core.tree import Tree
from tallystick.sdk.clock import new_id, now_us
from tallystick.sdk.profile import Profile
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.member import Member
from tallystick_node.ledger import Ledger
from tallystick_node.signed_size import SignedSize
from tallystick_node.store.leveldb import LevelDbStore
from tallystick_proto.v1.statement_pb2 import Statements

Caller = tuple[Callable[[], object], Callable[[], object]]  # how to call, and how to close


def floor(folder: Path, count: int) -> dict[str, float]:
    """The bare loop."""
    blobs = [encode(statements(BATCH))] * (count // BATCH)
    db = plyvel.DB(str(folder / "floor"), create_if_missing=True, compression=None, write_buffer_size=64 << 20)
    tree, prev, index = Tree(), b"", 0
    started = time.perf_counter()
    for blob in blobs:
        leaves = []
        batch = db.write_batch(transaction=True, sync=True)
        for statement in Statements.FromString(blob).statement:
            data = prev + statement.SerializeToString()
            prev = blake3(data).digest()
            leaves.append(sha256(b"\x00" + data).digest())
            batch.put(index.to_bytes(8, "big"), data)
            index += 1
        tree.append(leaves)
        batch.put(b"state", tree.root())
        batch.write()
    seconds = time.perf_counter() - started
    db.close()
    return {"per_s": count / seconds}


def through_sdk(member: Member, count: int) -> dict[str, float]:
    """Statements built live and recorded through the SDK."""
    node = member.sdk
    assert member.running is not None
    client, server = time.process_time(), cpu_s(member.running.pid)
    started = time.perf_counter()
    with node.recorder(spool=False) as recorder:
        for number in range(count):
            recorder.record("use", **use(number))
    seconds = time.perf_counter() - started
    return {
        "per_s": count / seconds,
        "client_cpu_us": (time.process_time() - client) / count * 1e6,
        "node_cpu_us": (cpu_s(member.running.pid) - server) / count * 1e6,
    }


def callers(count: int, calls: int, open_one: Callable[[], Caller]) -> dict[str, float]:
    """`count` callers at once, each making its share of `calls`; rate and latency."""
    taken: list[float] = []
    lock = threading.Lock()
    ready = threading.Barrier(count + 1)

    def one() -> None:
        call, close = open_one()
        call()
        mine = []
        ready.wait()
        for _ in range(max(1, calls // count)):
            began = time.perf_counter()
            call()
            mine.append(time.perf_counter() - began)
        close()
        with lock:
            taken.extend(mine)

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    ready.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    ordered = sorted(taken)
    return {
        "per_s": len(taken) / seconds,
        "median_ms": statistics.median(ordered) * 1e3,
        "p99_ms": ordered[int(len(ordered) * 0.99) - 1] * 1e3,
    }


ECHO = """
import asyncio, sys, grpc, uvloop
async def main():
    server = grpc.aio.server()
    async def echo(request, context): return request
    handler = grpc.unary_unary_rpc_method_handler(echo)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("echo", {"Echo": handler}),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start(); await server.wait_for_termination()
uvloop.run(main())
"""


@contextmanager
def echo_server() -> Iterator[str]:
    """A plain gRPC server that gives back what it gets, in a process of its own."""
    process = subprocess.Popen([sys.executable, "-c", ECHO], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def echo_caller(address: str) -> Callable[[], Caller]:
    """Opens one caller of the echo."""

    def open_one() -> Caller:
        channel = grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/echo/Echo")
        return (lambda: call(b"x" * 300)), channel.close

    return open_one


def ledger_caller(member: Member) -> Callable[[], Caller]:
    """Opens one caller that records a statement and checks its receipt."""

    def open_one() -> Caller:
        node = Node.open(member.profile)
        return (lambda: node.record("use", **use(secrets.randbelow(1 << 40)))), node.close

    return open_one


def fill(home: Path, origin: str, key_profile: Path, count: int) -> None:
    """Record statements straight into a stopped node's database, by the functions its writer uses."""
    key = Profile.load(key_profile).signing_key()
    store = LevelDbStore.open(home / "data" / "ledger")
    signed = SignedSize.open(home / "data" / "signed-size", origin)
    ledger = Ledger.open(store, origin)
    while ledger.state.size < count:
        data = [compose("use", ACTOR, use(ledger.state.size + number)).encode() for number in range(BATCH)]
        commit = ledger.build([prepare(seal(origin, ACTOR, key, new_id(), data), origin)], now_us())
        store.write(commit.batch)
        ledger.adopt(commit)
    signed.note(ledger.state.size, ledger.state.root)
    store.close()
    signed.close()


OPEN = """
import re, sys, time
from pathlib import Path
from tallystick_node.config import Settings
from tallystick_node.server import Node
def peak_kib():  # of this program alone, where getrusage tells of the one that started it too
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
settings = Settings.load(Path(sys.argv[1]))
before = peak_kib()
began = time.perf_counter()
node = Node.open(settings)
seconds = time.perf_counter() - began
print(seconds, peak_kib() - before, node.sequencer.ledger.state.size)
node.close()
"""


def reopening(member: Member, count: int) -> dict[str, float]:
    """Fill a stopped node up to `count` entries and open it three times."""
    home = member.settings.path.parent
    fill(home, member.bureau.origin, member.profile, count)
    runs = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", OPEN, str(member.settings.path)], capture_output=True, text=True, check=True
        )
        runs.append([float(word) for word in done.stdout.split()])
    on_disk = sum(path.stat().st_size for path in (home / "data").rglob("*") if path.is_file())
    return {
        "entries": runs[0][2],
        "open_ms": statistics.median(run[0] for run in runs) * 1e3,
        "memory_mib": statistics.median(run[1] for run in runs) / 1024,
        "bytes_an_entry": on_disk / runs[0][2],
    }


def main() -> None:
    """Measure and print; with --json also as one document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=300_000, help="statements in the bulk runs (default 300,000)")
    parser.add_argument("--calls", type=int, default=2_000, help="calls in the single-statement runs (default 2,000)")
    parser.add_argument("--pairs", type=int, default=12, help="turns without and with witnesses, each (default 12)")
    parser.add_argument("--sizes", default="100000,1000000", help="ledger sizes to reopen (default 100000,1000000)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    chosen = parser.parse_args()
    figures: dict[str, dict[str, float]] = {}

    def add(name: str, measured: dict[str, float]) -> dict[str, float]:
        figures[name] = measured
        row(name, measured)
        return measured

    when = heading("all on loopback")
    with TemporaryDirectory(prefix="tallystick-bench-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        base = add("floor", floor(folder, chosen.entries))
        with LocalCluster.up(folder / "cluster", 1) as cluster:
            member = cluster["market-regulation"]
            through_sdk(member, 20_000)  # warm
            live = add("sdk, built live", through_sdk(member, chosen.entries))
            made = add("sealed beforehand", sealed(member, chosen.entries))
            row("ratio to the floor", {"sdk": live["per_s"] / base["per_s"], "sealed": made["per_s"] / base["per_s"]})
            with echo_server() as address:
                for count in (1, 64):
                    plain = add(f"echo, {count} callers", callers(count, chosen.calls, echo_caller(address)))
                    single = add(
                        f"single statements, {count} callers", callers(count, chosen.calls, ledger_caller(member))
                    )
                    row("ratio to the echo", {"rate": single["per_s"] / plain["per_s"]})
        for how, measure, count in (
            ("in bulk", bulk_witnessed, max(chosen.entries // 3, BATCH)),
            ("one by one", singles_witnessed, chosen.calls // 2),
        ):
            alone, among, ratio = measure(folder / how, count, chosen.pairs).figures()
            add(f"{how}, no witness", alone)
            add(f"{how}, four witnesses", among)
            row("ratio to none", ratio)
        with LocalCluster.up(folder / "sizes", 1) as cluster:
            member = cluster["market-regulation"]
            member.stop()
            for size in map(int, chosen.sizes.split(",")):
                add(f"reopen at {size:,}", reopening(member, size))
    row("this program", {"peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024})
    if chosen.json:
        keep(chosen.json, when, figures)


if __name__ == "__main__":
    main()
