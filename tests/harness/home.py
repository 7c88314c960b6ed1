"""A ledger's home in a test: a database that fails when told to, a note of what was signed, a clock that can be set.

What is durable outlives the node: `open` again is what a restart finds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from tallystick.core.errors import StorageFailed
from tallystick.core.history import History
from tallystick.core.submission import Prepared
from tallystick_node import doctor
from tallystick_node.intake import Placed
from tallystick_node.ledger import Ledger
from tallystick_node.sequencer import Sequencer
from tallystick_node.signed_size import SignedSize
from tallystick_node.store.memory import MemoryStore
from tests.harness.faulty_store import Fault, FaultyStore
from tests.harness.office import Office

YEAR_US = 365 * 24 * 3600 * 1_000_000


class Home:
    """A ledger that was founded, or is empty. `store` is the database as it is open now; `now_us` its clock."""

    def __init__(self, folder: Path, office: Office | None = None, *, founded: bool = True) -> None:
        self.office = office or Office()
        self.folder = folder
        self.now_us = self.office.now_us
        self.disk = MemoryStore()
        self.noted = folder / f"signed-size-{len(list(folder.iterdir()))}"
        signed = SignedSize.create(self.noted, self.office.origin)
        ledger = Ledger.create(self.disk, self.office.origin)
        if founded:
            commit = ledger.build(self.office.founding(), self.now_us)
            self.disk.write(commit.batch)
            signed.note(commit.state.size, commit.state.root)
        signed.close()
        self.store = FaultyStore(self.disk)

    def put_back(self, raws: Sequence[bytes]) -> Home:
        """Have an empty ledger hold these entries, as what is rebuilt from witnesses' copies does."""
        commit = self.ledger().build_copy(History(self.office.actors()).extend(raws))
        self.disk.write(commit.batch)
        signed = SignedSize.open(self.noted, self.office.origin)
        signed.note(commit.state.size, commit.state.root)
        signed.close()
        return self

    def open_store(self) -> FaultyStore:
        """The database opened again."""
        self.disk = self.disk.reopened()
        self.store = FaultyStore(self.disk)
        return self.store

    def open(self, *, linger_s: float = 0.0, queue_bytes_max: int = 1 << 26) -> Sequencer:
        """A writer on what the disk holds. Raises what a node's start raises."""
        store = self.open_store()
        self.signed = SignedSize.open(self.noted, self.office.origin)
        return Sequencer(
            Ledger.open(store, self.office.origin),
            self.signed,
            self.office.keys["node"],
            self.office.actors(),
            self.office.disclosures(),
            now_us=lambda: self.now_us,
            reopen=self.open_store,
            linger_s=linger_s,
            queue_bytes_max=queue_bytes_max,
            expires_us=self.office.now_us + YEAR_US,
        )

    @asynccontextmanager
    async def writing(self, *, linger_s: float = 0.0, queue_bytes_max: int = 1 << 26) -> AsyncIterator[Sequencer]:
        """A started writer; stopped at the end, and its ledger checked whole."""
        sequencer = self.open(linger_s=linger_s, queue_bytes_max=queue_bytes_max)
        await sequencer.start()
        try:
            yield sequencer
        finally:
            await sequencer.stop()
            self.signed.close()
        assert not self.check().differences

    def check(self) -> doctor.Report:
        """What fsck says of the disk as it is, with the copies of the others' ledgers."""
        signed = SignedSize.open(self.noted, self.office.origin)
        try:
            others = [other for other in self.office.others if not other.is_observer]
            disclosures = self.office.disclosures()
            return doctor.check(self.disk.reopened(), signed, self.office.bureau, others, disclosures=disclosures)
        finally:
            signed.close()

    def fail_write(
        self, when: Literal["before", "after"], error: type[StorageFailed] = StorageFailed, *, after: int = 0
    ) -> None:
        """The next write, or one `after` so many, fails: before anything happened, or after everything did."""
        number = self.store.writes + after
        self.store.plan[("write", number)] = Fault("write", number, when, error)

    def ledger(self) -> Ledger:
        """What the disk holds now."""
        return Ledger.open(self.disk.reopened(), self.office.origin)


async def record(sequencer: Sequencer, *submissions: Prepared) -> list[Placed]:
    """Record one after another."""
    return [await sequencer.record(submission) for submission in submissions]
