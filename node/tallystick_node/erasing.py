"""Erasing disclosures: who wants one gone records that (`DisclosureErased`), and the batch that does takes it away.

  1. the writer refuses what is no disclosure of its ledger, or is to be kept a while yet by the charter's retention
  2. the batch that records the erasure deletes both records of the disclosure, and notes that it did
  3. the database's files are rewritten until neither record is in any of them, and the note is removed

From 2 on the disclosure is shown to nobody. A crash before 3 leaves the note, so that the next start does 3. The entry
keeps its commitment, which nothing opens any more; no proof changes.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC
from itertools import islice
from typing import Final

import structlog

from tallystick.core.errors import InvalidStatement, NotAllowed, NotFound, StorageFailed
from tallystick.core.hashing import leaf_hash
from tallystick.core.kinds import BY_NAME, TERM_FIELDS
from tallystick.core.moments import moment_text
from tallystick.core.statement import commitment_at, read
from tallystick.core.submission import Prepared
from tallystick_node import keyspace
from tallystick_node.disclosures import NOTHING, Disclosures, read_sealed
from tallystick_node.ledger import Ledger
from tallystick_node.store.store import Batch, Store, after
from tallystick_proto.v1.statement_pb2 import DisclosureErased, Statement

log = structlog.get_logger()

RETRY_S: Final = 10.0
AT_ONCE: Final = 16
"""Disclosures that are expunged together: a node that stops waits for them, and one that is killed begins with them."""
_ERASED: Final = BY_NAME[DisclosureErased.DESCRIPTOR.name]


def check_erasures(submission: Prepared, ledger: Ledger, disclosures: Disclosures, now_us: int) -> None:
    """What a submission erases is here to be erased.

    Raises InvalidStatement or NotFound where it is not, NotAllowed within the retention, MalformedCharter where that
    does not read, StorageFailed.
    """
    for statement in _erasures(submission):
        about, path = statement.head.about, statement.disclosure_erased.field_path
        if about.origin != ledger.origin:
            raise InvalidStatement(
                f"it is about {about.origin[:255]!r}", where="head.about", expected=f"an entry of {ledger.origin}"
            )
        raw = ledger.entry(about.index) if about.index < ledger.state.size else b""
        where = f"{ledger.origin}#{about.index}"
        if leaf_hash(raw) != about.leaf:
            raise NotFound("there is no such entry", where=where, expected="an entry as its ledger has it")
        entry = ledger.decoded(about.index)
        if commitment_at(entry.statement, path) is None:
            raise NotFound(f"it commits to nothing in {path[:128]!r}", where=where, expected="a commitment")
        if read_sealed(ledger.store, about.index, path) == NOTHING:
            raise NotFound(
                f"nothing is held that opens {path}", where=where, expected="a disclosure that was not erased before"
            )
        until_us = disclosures.retention().until_us(path, entry.recorded_at_us)
        if now_us < until_us:
            raise NotAllowed(
                f"{path} is kept until {moment_text(until_us, UTC)}",
                where=where,
                expected="its erasure after that, as the charter's rulebook.retention has it",
            )


def erase(submission: Prepared, batch: Batch) -> bool:
    """Have the batch that records a submission delete what it erases; whether it erases anything."""
    some = False
    for statement in _erasures(submission):
        index, path = statement.head.about.index, statement.disclosure_erased.field_path
        batch.delete(keyspace.disclosure(index, path))
        batch.delete(keyspace.data_key(index, path))
        batch.put(keyspace.erased(index, path), b"")
        some = True
    return some


def erased(ledger: Ledger) -> set[tuple[int, str]]:
    """The disclosures that a ledger says were erased, by entry and field. Raises StoreDamaged."""
    terms = [(TERM_FIELDS["kind"], str(_ERASED.number).encode())]
    found = set()
    for index in ledger.candidates(terms, 0, ledger.state.size, newest_first=False):
        statement = read(ledger.decoded(index).statement).statement
        if statement.WhichOneof("said") == _ERASED.field:  # the index knows hashes of terms only
            found.add((statement.head.about.index, statement.disclosure_erased.field_path))
    return found


class Expunging:
    """Step 3, at the start and whenever `due` is set; again after `retry_s` where the disk fails. Use within one event
    loop.
    """

    def __init__(self, store: Store, due: asyncio.Event, retry_s: float = RETRY_S) -> None:
        self._store = store
        self._due = due
        self._retry_s = retry_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with what an end cut short."""
        self._due.set()
        self._task = asyncio.create_task(self._run(), name="expunging")

    async def stop(self) -> None:
        """Begin no more; those under way are waited for when the loop ends."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                count = 0
                while some := await loop.run_in_executor(None, expunge, self._store):
                    count += some
                if count:
                    log.info("erased disclosures are in no file of the database any more", count=count)
            except StorageFailed as error:
                log.warning("erased disclosures are still in files of the database", reason=str(error))
            except Exception:  # a bug must not end it without a word
                log.exception("erased disclosures are still in files of the database")
            else:
                continue
            await asyncio.sleep(self._retry_s)
            self._due.set()


def expunge(store: Store) -> int:
    """See that the first few of what was erased are in no file any more; returns how many disclosures that was, 0 once
    there are none left. Raises StorageFailed.
    """
    notes = store.range(keyspace.ERASED, after(keyspace.ERASED))
    places = [key[1:] for key, _ in islice(notes, AT_ONCE)]
    if not places:
        return 0
    store.expunge([letter + place for letter in (keyspace.DISCLOSURE, keyspace.DATA_KEY) for place in places])
    store.write(Batch(deletes=[keyspace.ERASED + place for place in places]))
    return len(places)


def _erasures(submission: Prepared) -> list[Statement]:
    if _ERASED.number not in submission.kinds:
        return []
    pairs = zip(submission.kinds, submission.statements, strict=True)
    return [Statement.FromString(data) for number, data in pairs if number == _ERASED.number]
