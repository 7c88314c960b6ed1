"""The evidence a node holds that a ledger's key signed two histories: one file a ledger, kept, and kept for good.

Nothing is kept that was not verified under the charter, and nothing is told twice. A file is made anew of what it
proves, with the ledger's signature alone, so that all who hold the same two checkpoints hold the same bytes.

Against the key a ledger has now, evidence ends cosigning: `against` tells. Against one that the charter has retired
since, it is history: it stays where it is, and makes room for evidence against a later key.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import structlog

from tallystick.core.charter import Bureau, Charter
from tallystick.core.equivocation import accused_key, canonical_equivocation, forked
from tallystick.core.errors import VerificationFailed
from tallystick_node import keyspace
from tallystick_node.store.store import Batch, Store

log = structlog.get_logger()


class Proven:
    """The evidence in a node's database."""

    def __init__(self, charter: Charter, store: Store) -> None:
        self._charter = charter
        self._store = store
        self._kept: dict[str, bytes] = {}
        self._unwritten: set[str] = set()
        self.news = asyncio.Event()
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="evidence-write")

    def load(self) -> None:
        """Take up what was kept. What does not prove anything under this charter is said, and stands for nothing."""
        for bureau in self._charter.ledgers:
            data = self._store.get(keyspace.proven(bureau.origin))
            if data is None:
                continue
            try:
                self._kept[bureau.origin] = canonical_equivocation(data, self._charter)[1]
            except VerificationFailed as error:
                log.error("evidence that was kept proves nothing", ledger=bureau.id, reason=str(error))
            else:
                self._alarm(bureau, data)

    def all(self) -> list[tuple[Bureau, bytes]]:
        """All the evidence there is, with whose ledger it is about. `news` is set whenever there is more."""
        return [(self._charter.by_origin(origin), data) for origin, data in self._kept.items()]

    def against(self, bureau: Bureau) -> bytes | None:
        """The evidence there is against the key that signs a ledger now."""
        data = self._kept.get(bureau.origin)
        return data if data is not None and accused_key(data, bureau) == bureau.ledger_verifier else None

    async def keep(self, data: bytes) -> Bureau | None:
        """Hold evidence from now on, and write it down; whose ledger it is about, None where there is some already.

        Raises VerificationFailed where it proves nothing.
        """
        bureau = self.hold(data)
        if bureau is not None:
            await self.write()
        return bureau

    async def write(self) -> None:
        """Write down what is held and not on the disk yet; after one that failed too. Raises StorageFailed."""
        unwritten = {origin: self._kept[origin] for origin in sorted(self._unwritten)}
        if unwritten:
            write = self._store.stage(Batch([(keyspace.proven(origin), file) for origin, file in unwritten.items()]))
            await asyncio.get_running_loop().run_in_executor(self._disk, write)
            self._unwritten -= {origin for origin, file in unwritten.items() if self._kept[origin] == file}

    def hold(self, data: bytes) -> Bureau | None:
        """The same, but for what writes it down: for what follows anew from what is on the disk."""
        bureau, file = canonical_equivocation(data, self._charter)
        present = accused_key(file, bureau) == bureau.ledger_verifier
        if self.against(bureau) is not None or (bureau.origin in self._kept and not present):
            return None
        self._kept[bureau.origin] = file
        self._unwritten.add(bureau.origin)
        self._alarm(bureau, file)
        self.news.set()
        return bureau

    def stop(self) -> None:
        """Let the disk thread end."""
        self._disk.shutdown(wait=True)

    def _alarm(self, bureau: Bureau, data: bytes) -> None:
        error = forked(bureau.id, data, accused_key(data, bureau))
        log.error("two histories are proven", ledger=bureau.id, reason=error.what)
