"""The store on disk: LevelDB through plyvel. This is the only file that knows either.

- Every read verifies checksums, and the log is read with paranoid checks: what the disk altered is refused. A log cut
  short, or gone, opens as an earlier state of the database all the same; noticing that is the caller's part
  (`signed_size`).
- A directory without a database is never made into one by `open`, and nothing is ever repaired: that destroys evidence.
- Compression is off, since compressing stalls long commits; the write buffer is 64 MiB.
- plyvel crashes the process when a database is closed under a user, so every call is counted in and out, and `close`
  waits. A range is fetched in pages, each one counted call, so one left half-way holds nobody up.
- A write that fails leaves half a record in the log, and LevelDB goes on behind it: what it then calls durable, nobody
  can read after the next start, nor the database. So writes come one after another, and after one that failed nothing
  is written, whoever wants it, before the database was opened anew, which is done by the next that writes.
- What was deleted stays in files until a compaction comes by. `expunge` has two: the first writes what is in memory to
  a table, deleted values and all, and need not look at that again; on what is in tables, deletions written anew come
  down. A snapshot from before would keep values; files out of use go when the log changes while nobody reads.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Lock
from typing import Final, Self
from weakref import finalize

from tallystick.core.errors import DirectoryHeld, DiskFull, StorageFailed, StoreDamaged
from tallystick.sdk.files import make_folder
from tallystick_node.counts import DISK_ERRORS
from tallystick_node.store.store import Batch, closed

try:
    import plyvel
except (ImportError, OSError) as error:  # OSError: plyvel is there and what it links to is not
    _missing: str | None = str(error)
else:
    _missing = None

_SNAPSHOTS_WAIT_S: Final = 5.0
_ONE: Final = "one; `tallyd init` makes it, once, and `tallyd recover` rebuilds one that is lost"
_WRITE_BUFFER_BYTES: Final = 64 * 1024 * 1024
_PAGE_ITEMS_FIRST: Final = 1
_PAGE_ITEMS_MAX: Final = 512
_PAGE_BYTES_MAX: Final = 1024 * 1024


class LevelDbStore:
    """A `Store` in a directory, one process at a time. Use `create` or `open`."""

    def __init__(self, path: Path, db: plyvel.DB) -> None:
        self.path = path
        self._db: plyvel.DB | None = db
        self._users = 0
        self._closing = False
        self._renewing = False
        self._torn = False  # whether a write failed since the database was opened
        self._snapshots: set[object] = set()  # those that are not let go of
        self._changed = Condition()  # guards all this
        self._writing = Lock()

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make a new database. Raises StorageFailed where there is one already, or the directory cannot be made."""
        _require_library()
        if (path / "CURRENT").exists():
            raise StorageFailed(
                "there is a database already", where=str(path), expected="an empty or missing directory"
            )
        try:
            make_folder(path)
        except OSError as error:
            raise StorageFailed(f"cannot be made: {error.strerror}", where=str(path)) from None
        return cls(path, _open(path, create=True))

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open an existing database. Raises DirectoryHeld, StoreDamaged, StorageFailed."""
        _require_library()
        # Asked here because LevelDB would leave a lock file in a directory that is none of its business.
        if not (path / "CURRENT").exists():
            raise StoreDamaged("no database here", where=str(path), expected=_ONE)
        return cls(path, _open(path, create=False))

    def get(self, key: bytes) -> bytes | None:
        db = self._enter()
        try:
            return db.get(key, verify_checksums=True)
        except plyvel.Error as error:
            raise _failure(error, self.path) from None
        finally:
            self._leave()

    def range(self, start: bytes, stop: bytes | None, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        return self._range(None, None, start, stop, reverse)

    def snapshot(self, start: bytes = b"", stop: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        db, mark = self._enter(), object()
        try:
            taken = _Taken(db.snapshot())
            self._snapshots.add(mark)
            finalize(taken, self._gone, mark).atexit = False
        finally:
            self._leave()
        # LevelDB keeps what the snapshot sees until it is let go of, which happens with this iterator.
        return self._range(taken, db, start, stop, reverse=False)

    def _gone(self, mark: object) -> None:
        with self._changed:
            self._snapshots.discard(mark)
            self._changed.notify_all()

    def _range(
        self, taken: _Taken | None, of: plyvel.DB | None, start: bytes, stop: bytes | None, reverse: bool
    ) -> Iterator[tuple[bytes, bytes]]:
        items = _PAGE_ITEMS_FIRST  # small at first: most readers want little
        while True:
            page, more = self._page(taken, of, start, stop, reverse, items)
            yield from page
            if not more:
                return
            last = page[-1][0]
            if reverse:
                stop = last
            else:
                start = last + b"\x00"
            items = min(4 * items, _PAGE_ITEMS_MAX)

    def _page(
        self,
        taken: _Taken | None,
        of: plyvel.DB | None,
        start: bytes,
        stop: bytes | None,
        reverse: bool,
        items: int,
    ) -> tuple[list[tuple[bytes, bytes]], bool]:
        db = self._enter(of)
        try:
            iterator = (db if taken is None else taken.snapshot).raw_iterator(verify_checksums=True)
            try:
                return _fetch(iterator, start, stop, reverse, items)
            finally:
                iterator.close()
        except plyvel.Error as error:
            raise _failure(error, self.path) from None
        finally:
            self._leave()

    def stage(self, batch: Batch) -> Callable[[], None]:
        db = self._enter()
        try:
            staged = _staged(db, batch)
        finally:
            self._leave()

        def write() -> None:
            with self._writing:
                self._renew_if_torn()
                now = self._enter()
                try:
                    (staged if now is db else _staged(now, batch)).write()
                except plyvel.Error as error:
                    with self._changed:
                        self._torn = True
                    raise _failure(error, self.path) from None
                finally:
                    self._leave()

        return write

    def write(self, batch: Batch) -> None:
        self.stage(batch)()

    def expunge(self, keys: Sequence[bytes]) -> None:
        with self._changed:
            before = set(self._snapshots)
            if not self._changed.wait_for(lambda: before.isdisjoint(self._snapshots), _SNAPSHOTS_WAIT_S):
                what, expected = "what was deleted is still in a snapshot", "the end of a backup"
                raise StorageFailed(what, where=str(self.path), expected=expected)
        for _ in range(2):
            self.write(Batch(deletes=[*keys]))
            for key in keys:
                db = self._enter()
                try:
                    db.compact_range(start=key, stop=key)
                finally:
                    self._leave()
        with self._writing, self._changed:
            self._renewing = True
            try:
                self._changed.wait_for(lambda: self._users == 0)
                if self._db is None:
                    raise closed(str(self.path))
                self._db.compact_range(start=b"\xff", stop=b"\xff")  # where no key is
            finally:
                self._renewing = False
                self._changed.notify_all()

    def close(self) -> None:
        with self._writing, self._changed:
            self._closing = True
            self._let_go()

    def _let_go(self) -> None:
        self._changed.wait_for(lambda: self._users == 0)
        db, self._db = self._db, None
        if db is not None:
            db.close()

    def _renew_if_torn(self) -> None:
        """Before a write. Readers wait as long as it takes. Raises StorageFailed."""
        with self._changed:
            if not self._torn or self._closing:
                return
            with suppress(OSError):  # a log may be gone by now
                logs = sum(log.stat().st_size for log in self.path.glob("*.log"))
                if shutil.disk_usage(self.path).free < logs:  # then what there is can at least be read on
                    room = f"{logs} B to open the database anew"
                    raise DiskFull("the disk is full", where=str(self.path), expected=room)
            self._renewing = True
            try:
                self._let_go()
                self._open_again()
            finally:
                self._renewing = False
                self._changed.notify_all()

    def _open_again(self) -> None:
        self._db, self._torn = _open(self.path, create=False), False

    def _enter(self, of: plyvel.DB | None = None) -> plyvel.DB:
        """`of` is the database that what is used was made of; where it was opened anew since, that is gone."""
        with self._changed:
            self._changed.wait_for(lambda: not self._renewing)
            if self._db is None and not self._closing:  # it could not be opened anew then
                self._open_again()
            if self._closing or self._db is None or (of is not None and of is not self._db):
                raise closed(str(self.path))
            self._users += 1
            return self._db

    def _leave(self) -> None:
        with self._changed:
            self._users -= 1
            if self._users == 0:
                self._changed.notify_all()


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class _Taken:
    """A snapshot, as whoever reads it holds it."""

    snapshot: plyvel.Snapshot


def _open(path: Path, *, create: bool) -> plyvel.DB:
    try:
        return plyvel.DB(
            str(path),
            create_if_missing=create,
            error_if_exists=create,
            paranoid_checks=True,
            compression=None,
            write_buffer_size=_WRITE_BUFFER_BYTES,
        )
    except plyvel.Error as error:
        raise _failure(error, path) from None


def _staged(db: plyvel.DB, batch: Batch) -> plyvel.WriteBatch:
    # Not as a context, which would write what was put so far when an exception leaves it.
    staged = db.write_batch(transaction=True, sync=True)
    put, delete = staged.put, staged.delete
    for key, value in batch.puts:
        put(key, value)
    for key in batch.deletes:
        delete(key)
    return staged


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


def _require_library() -> None:
    if _missing is not None:
        raise StorageFailed(
            f"the LevelDB library cannot be loaded ({_missing})",
            where="plyvel",
            expected="CPython 3.11 or 3.12 on x86-64 Linux, for which there are wheels (pip install plyvel); elsewhere "
            "install Debian's libleveldb-dev and a C++ compiler first",
        )


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
