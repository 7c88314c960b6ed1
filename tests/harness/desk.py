"""A node with 23 entries, and readers of it that share what they trust."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tallystick.sdk.reader import LedgerReader
from tallystick.sdk.trust_store import TrustStore
from tallystick.sdk.wire import Wire
from tallystick_proto.v1.ledger_pb2 import SubmitRequest
from tests.harness.home import Home
from tests.harness.lying_node import LyingNode


class Desk:
    """A node with 23 entries, and readers of it that share a trust store."""

    def __init__(self, node: LyingNode, folder: Path) -> None:
        self.node = node
        self.office = node.home.office
        self.trust = TrustStore(folder / "trust")
        self.writer = Wire(node.bureau)
        self.open: list[LedgerReader] = []

    def reader(self, trust: TrustStore | None = None) -> LedgerReader:
        self.open.append(LedgerReader(Wire(self.node.bureau), trust or self.trust))
        return self.open[-1]

    def record(self, count: int = 1, prefix: str = "N") -> int:
        """How many entries there are after so many more."""
        submission = self.office.submission(self.office.declares(count, prefix))
        receipt = self.writer.submit(SubmitRequest(submission=submission))
        return receipt.first + receipt.count

    def forged(self, size: int) -> bytes:
        """A checkpoint of that size, truly signed, of a history that this node does not have."""
        return self.office.note(size, bytes([size % 256]) * 32)

    def signed(self, size: int) -> bytes:
        return self.office.note(size, self.node.sequencer.ledger.root_at(size))


@contextmanager
def desk_in(folder: Path) -> Iterator[Desk]:
    """A desk whose node serves within the block; honest again at its end."""
    (folder / "home").mkdir()
    with LyingNode(Home(folder / "home")) as node:
        made = Desk(node, folder)
        made.record(20, "R")
        yield made
        node.lies.clear()
        for reader in made.open:
            reader.close()
        made.writer.close()
