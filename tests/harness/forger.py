"""A bureau that rewrites its own ledger, properly, and serves what it made under its own key.

`rewrite` leaves entries out of a stopped node's database and puts the rest together anew: the chain, the tree and the
index are those of the shorter ledger. The signatures of what stays hold as they are, since they bind what was said and
not where it stands. What the node remembers of having signed the other history is removed with it.

`Forger` is the node that serves it, a process of its own: the real one, with its database, its key and its endpoint,
from which is taken what would keep it from signing (`unbind`): it does not ask its witnesses before it signs, and
writes on whatever it is shown.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import structlog

from tallystick.core.charter import Bureau
from tallystick.core.entry import decode_entry, encode_submission
from tallystick.core.evidence import actors_of
from tallystick.core.hashing import genesis_hash
from tallystick.core.history import History
from tallystick.core.statement import read
from tallystick_node import keyspace
from tallystick_node.cluster.births import LOG, STOP_MAX_S
from tallystick_node.cluster.member import Member
from tallystick_node.cluster.running import Running
from tallystick_node.config import Settings
from tallystick_node.engine import Engine
from tallystick_node.ledger import Ledger
from tallystick_node.process import configure_log
from tallystick_node.server import Node
from tallystick_node.signed_size import SignedSize
from tallystick_node.store.leveldb import LevelDbStore
from tallystick_node.store.store import Batch, Store
from tallystick_proto.v1.statement_pb2 import Statement

OF_OTHERS = (keyspace.COPY, keyspace.GOSSIP, keyspace.PROVEN)
"""What a database holds of others' ledgers, which is left as it is."""

Keep = Callable[[Statement], bool]


def rewrite(member: Member, keep: Keep, fellow: Member | None = None) -> int:
    """Leave out of a stopped node's ledger every submission of which a statement is not to be kept; returns how many
    entries are left. What the node held of a fellow's ledger is removed, so that it cosigns whatever that shows next.
    """
    settings, bureau = member.settings, member.bureau
    member.broken_on_purpose = True
    store = LevelDbStore.open(settings.database)
    try:
        ledger = Ledger.open(store, bureau.origin)
        entries = list(_kept(ledger.entries(0, ledger.state.size), bureau, keep))
        _forget(store, fellow)
        anew = Ledger.create(store, bureau.origin)
        commit = anew.build_copy(History(actors_of(bureau)).extend(entries))
        store.write(commit.batch)
    finally:
        store.close()
    settings.signed_size.unlink()
    signed = SignedSize.create(settings.signed_size, bureau.origin)
    signed.note(commit.state.size, commit.state.root)
    signed.close()
    return commit.state.size


def _kept(raws: Iterator[bytes], bureau: Bureau, keep: Keep) -> Iterator[bytes]:
    """The entries of what is kept, each in its new place."""
    index, prev = 0, genesis_hash(bureau.origin)
    for raw in raws:
        first = decode_entry(raw)
        assert first.signed is not None
        statements = [first.statement]
        statements += [decode_entry(next(raws)).statement for _ in range(first.signed.count - 1)]
        if all(keep(read(statement).statement) for statement in statements):
            chained, prev = encode_submission(index, prev, first.recorded_at_us, statements, first.signed)
            index += len(chained)
            yield from chained


def _forget(store: Store, fellow: Member | None) -> None:
    """Empty a database of its own ledger, and of what others cosigned of that; and of a fellow's."""
    batch = Batch()
    of_fellow = () if fellow is None else tuple(of(fellow.bureau.origin) for of in (keyspace.copy, keyspace.gossip))
    for key, _ in store.range(b"", None):
        if not key.startswith(OF_OTHERS) or key.startswith(of_fellow):
            batch.delete(key)
    store.write(batch)


def unbind(node: Node) -> None:
    """Take from a node what keeps it from signing."""
    engine: Any = node.engine
    assert isinstance(engine, Engine)
    engine.asking.needed = 0
    setattr(engine.sequencer, "stop_writing", lambda why: None)  # noqa: B010


class Forger:
    """The process that serves a member's home unbound, in its place. Use as a context; it ends with this process."""

    def __init__(self, member: Member) -> None:
        self._member = member

    def __enter__(self) -> Running:
        home = self._member.home
        with (home / LOG).open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(self._member.settings.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        assert self._process.stdout.readline(), f"the forger did not start: {self._member.log_text[-1_000:]}"
        running = Running.look(self._process.pid)
        assert running is not None
        running.keep(home)
        self._member.begin_life()
        return running

    def __exit__(self, *_: object) -> None:
        with self._process:
            self._member.stop()
            assert self._process.wait(STOP_MAX_S) == 0


async def _serve(node: Node) -> None:
    """Serve until standard input ends; a line on standard output says that it records."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), stop.set)

    def told(records: bool) -> None:
        if records:
            os.write(sys.stdout.fileno(), b"it records\n")

    await node.serve(told, stop)


def main(path: Path) -> None:
    """Serve a home until told to stop."""
    settings = Settings.load(path)
    configure_log(settings.config.log)
    node = Node.open(settings)
    unbind(node)
    structlog.get_logger().warning("unbound", bureau=node.bureau.id)
    try:
        asyncio.run(_serve(node))
    finally:
        node.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
