"""A node whose ledger has witnesses, recorders on it that share a spool, and what becomes of both with its disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tallystick.core.charter import Charter
from tallystick.core.charter_note import open_charter
from tallystick.core.entry import Entry, decode_entry
from tallystick.core.errors import TallystickError
from tallystick.core.statement import read
from tallystick.sdk.clock import now_us
from tallystick.sdk.node import Node
from tallystick.sdk.profile import Profile, _File
from tallystick.sdk.reader import LedgerReader
from tallystick.sdk.recorder import Pending, Recorder
from tallystick.sdk.spool import Spool
from tallystick.sdk.trust_store import TrustStore
from tallystick.sdk.wire import Wire
from tallystick.sdk.wire_errors import to_detail
from tallystick_proto.v1.entry_pb2 import Submission
from tallystick_proto.v1.ledger_pb2 import SubmitAnswer, SubmitRequest
from tests.harness.home import Home
from tests.harness.lying_node import LyingNode
from tests.harness.office import Office
from tests.harness.witnesses import hear, witnessed_home

WAIT_S = 30.0
Found = TypeVar("Found")


def declare(recorder: Recorder, code: str) -> Pending:
    return recorder.declare(code, scheme="local", title=code, sharing="unconditional")


def codes(count: int, prefix: str = "R") -> list[str]:
    return [f"{prefix}-{number}" for number in range(count)]


class WitnessedBench:
    """`spool` and `trust` are the client's folders; they outlive a node that is put back."""

    def __init__(self, folder: Path, node: LyingNode, witnesses: list[Office]) -> None:
        self.folder = folder
        self.node = node
        self.witnesses = witnesses
        self.spool = folder / "spool"
        self.trust = TrustStore(folder / "trust")

    @property
    def charter(self) -> Charter:
        """The charter as it is now."""
        return open_charter(*self.node.home.office.charter())

    def recorder(
        self, *, submissions_max: int = 1_000, bytes_max: int = 1_000_000, actor: str = "clerk", **options: object
    ) -> Recorder:
        office = self.node.home.office
        spool = Spool(
            self.spool / f"{office.bureau.id}_{actor}",
            office.origin,
            office.keys[actor],
            submissions_max=submissions_max,
            bytes_max=bytes_max,
        )
        return Recorder(
            LedgerReader(Wire(self.node.bureau), self.trust),
            office.actor(actor),
            office.keys[actor],
            spool=spool,
            charter=self.charter,
            **options,  # type: ignore[arg-type]
        )

    def put_back(self, size: int, *, now_us: int | None = None) -> None:
        """The node's disk is lost, and so many entries are rebuilt, under a charter that pins them and names a new key.

        It is served again, and this client has adopted that charter.
        """
        self.node.stop()
        before = self.node.home
        raws = list(before.ledger().entries(0, size))
        office = before.office.recovered(size, before.ledger().root_at(size))
        home = Home(self.folder / "home", office, founded=False).put_back(raws)
        home.now_us = before.now_us if now_us is None else now_us
        self.node = LyingNode(home)
        self.node.start()
        self.trust.set_aside_unvouched(office.bureau, 2)

    def client(self) -> Node:
        """The clerk's own connection, whose recorders have the same spool."""
        office = self.node.home.office
        profile = Profile(self.folder / "profile.toml", _File(charter="", charter_digest=""), self.charter)
        wire = Wire(self.node.bureau)
        return Node(wire, self.trust, office.actor("clerk"), office.keys["clerk"], self.folder, profile)

    def hear(self, witnesses: int) -> None:
        """So many witnesses have cosigned all there is."""
        hear(self.node, self.witnesses[:witnesses])

    def submit(self, submission: Submission) -> None:
        """Send a submission as some other program does."""
        wire = Wire(self.node.bureau)
        wire.submit(SubmitRequest(submission=submission))
        wire.close()

    def refuse(self, refusal: TallystickError) -> None:
        """From now on the node answers a stream with this."""
        self.node.lies["SubmitMany"] = lambda _: [SubmitAnswer(refusal=to_detail(refusal))]

    def spooled(self) -> list[Path]:
        return sorted(self.spool.rglob("*.submission"))

    def entries(self) -> list[Entry]:
        """What was recorded beyond the founding."""
        ledger = self.node.sequencer.ledger
        return [decode_entry(raw) for raw in ledger.entries(3, ledger.state.size)]

    def codes(self) -> list[str]:
        """The resources that the recorded statements speak of, in their order."""
        heads = [read(entry.statement).statement.head for entry in self.entries()]
        return [head.resource or head.version.partition("@")[0] for head in heads]

    def until(self, wanted: Callable[[], Found]) -> Found:
        """Wait until something is so; what it then is."""
        end = time.monotonic() + WAIT_S
        while not (found := wanted()):
            assert time.monotonic() < end, "it never came to be so"
            time.sleep(0.01)
        return found


@contextmanager
def witnessed_bench(folder: Path, witnesses: int) -> Iterator[WitnessedBench]:
    """A founded ledger that so many may witness; served within the block."""
    (folder / "home").mkdir()
    home, offices = witnessed_home(folder / "home", witnesses, now_us())
    made = WitnessedBench(folder, LyingNode(home), offices)
    made.node.start()
    try:
        yield made
    finally:
        made.node.lies.clear()
        made.node.stop()
    assert not made.node.home.check().differences
