"""One LevelDB database, through plyvel: opened, read and written as a ledger needs it. The only file that knows either.

- Every read verifies checksums, and the log is read with paranoid checks: what the disk altered is refused. A log cut
  short, or gone, opens as an earlier state of the database all the same; noticing that is the caller's part
  (`signed_size`).
- A directory without a database is never made into one unless that is asked for, and nothing is ever repaired: that
  destroys evidence.
- Compression is off, since compressing stalls long commits; the write buffer is 64 MiB.

plyvel crashes the process when a database is closed under a user; not to do so is the caller's part too.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallystick.core.errors import DirectoryHeld, DiskFull, StorageFailed, StoreDamaged
from tallystick_node.counts import DISK_ERRORS
from tallystick_node.store.store import Batch

try:
    import plyvel
except (ImportError, OSError) as error:  # OSError: plyvel is there and what it links to is not
    _missing: str | None = str(error)
else:
    _missing = None

_WRITE_BUFFER_BYTES: Final = 64 * 1024 * 1024
_PAGE_BYTES_MAX: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Snapshot:
    """A snapshot, as whoever reads it holds it."""

    taken: plyvel.Snapshot


class Database:
    """A database that is open. Every call raises StorageFailed, or what is below it, where LevelDB fails."""

    def __init__(self, path: Path, *, create: bool) -> None:
        """Open it, or make it. Raises DirectoryHeld too."""
        self._path = path
        try:
            self._db = plyvel.DB(
                str(path),
                create_if_missing=create,
                error_if_exists=create,
                paranoid_checks=True,
                compression=None,
                write_buffer_size=_WRITE_BUFFER_BYTES,
            )
        except plyvel.Error as error:
            raise _failure(error, path) from None

    def get(self, key: bytes) -> bytes | None:
        try:
            return self._db.get(key, verify_checksums=True)
        except plyvel.Error as error:
            raise _failure(error, self._path) from None

    def snapshot(self) -> Snapshot:
        """What the database holds now."""
        return Snapshot(self._db.snapshot())

    def page(
        self, snapshot: Snapshot | None, start: bytes, stop: bytes | None, reverse: bool, items: int
    ) -> tuple[list[tuple[bytes, bytes]], bool]:
        """The first items of a range, at most so many, as a snapshot of this database or it itself has them; and
        whether there may be more.
        """
        try:
            iterator = (self._db if snapshot is None else snapshot.taken).raw_iterator(verify_checksums=True)
            try:
                return _fetch(iterator, start, stop, reverse, items)
            finally:
                iterator.close()
        except plyvel.Error as error:
            raise _failure(error, self._path) from None

    def staged(self, batch: Batch) -> Callable[[], None]:
        """A batch made ready; what is returned writes it, and syncs it."""
        # Not as a context, which would write what was put so far when an exception leaves it.
        staged = self._db.write_batch(transaction=True, sync=True)
        put, delete = staged.put, staged.delete
        for key, value in batch.puts:
            put(key, value)
        for key in batch.deletes:
            delete(key)

        def write() -> None:
            try:
                staged.write()
            except plyvel.Error as error:
                raise _failure(error, self._path) from None

        return write

    def compact(self, start: bytes, stop: bytes) -> None:
        """Have LevelDB compact a range; it does not say how that went."""
        self._db.compact_range(start=start, stop=stop)

    def close(self) -> None:
        self._db.close()


def require_library() -> None:
    """Raises StorageFailed where there is no plyvel."""
    if _missing is not None:
        raise StorageFailed(
            f"the LevelDB library cannot be loaded ({_missing})",
            where="plyvel",
            expected="CPython 3.11 or 3.12 on x86-64 Linux, for which there are wheels (pip install plyvel); elsewhere "
            "install Debian's libleveldb-dev and a C++ compiler first",
        )


def _fetch(
    iterator: plyvel.RawIterator, start: bytes, stop: bytes | None, reverse: bool, items: int
) -> tuple[list[tuple[bytes, bytes]], bool]:
    """The first items of a range, and whether there may be more.

    On a raw iterator, which asks for the status at every step. plyvel's other one loses items without a word: those of
    a damaged block in which a reverse range has to begin, and the only item of a reverse range whose start is its key.
    """
    page: list[tuple[bytes, bytes]] = []
    size = 0
    valid, item, step = iterator.valid, iterator.item, iterator.prev if reverse else iterator.next
    if not reverse:
        iterator.seek(start)
    elif stop is None:
        iterator.seek_to_last()
    else:
        iterator.seek(stop)
        if valid():
            iterator.prev()
        else:
            iterator.seek_to_last()
    while valid():
        key, value = item()
        if key < start if reverse else stop is not None and key >= stop:
            break
        page.append((key, value))
        size += len(value)
        if len(page) == items or size >= _PAGE_BYTES_MAX:
            return page, True
        step()
    return page, False


def _failure(error: plyvel.Error, path: Path) -> StorageFailed:
    """The domain error behind one of LevelDB's, counted."""
    failure = _told_apart(error, path)
    DISK_ERRORS.add(type(failure).__name__)
    return failure


def _told_apart(error: plyvel.Error, path: Path) -> StorageFailed:
    """Its text alone tells one of LevelDB's errors from another."""
    raw = error.args[0] if error.args else b""
    text = raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)
    where = str(path)
    if f"lock {path}/LOCK" in text:
        return DirectoryHeld("another process holds this directory", where=where, expected="one node a directory")
    if os.strerror(errno.ENOSPC) in text or os.strerror(errno.EDQUOT) in text:
        return DiskFull("the disk is full", where=where, expected="room for what is recorded")
    if isinstance(error, plyvel.CorruptionError) or "No such file" in text or "Invalid argument" in text:
        return StoreDamaged(
            f"the database is damaged: {text}",
            where=where,
            expected="the files as they were written; keep these as they are, and recover from witnesses or a backup",
        )
    return StorageFailed(f"LevelDB fails: {text}", where=where)
