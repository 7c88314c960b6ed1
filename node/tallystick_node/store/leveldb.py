"""The store on disk: a LevelDB `Database`, kept from its users and from itself.

- A database must not be closed under a user, so every call is counted in and out, and `close` waits. A range is fetched
  in pages, each one counted call, so one left half-way holds nobody up.
- A write that fails leaves half a record in the log, and LevelDB goes on behind it: what it then calls durable, nobody
  can read after the next start, nor the database. So writes come one after another, and after one that failed nothing
  is written, whoever wants it, before the database was opened anew, which is done by the next that writes.
- What was deleted stays in files until a compaction comes by. `expunge` has two: the first writes what is in memory to
  a table, deleted values and all, and need not look at that again; on what is in tables, deletions written anew come
  down. A snapshot from before would keep values; files out of use go when the log changes while nobody reads.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Condition, Lock
from typing import Final, Self
from weakref import finalize

from tallystick.core.errors import DiskFull, StorageFailed, StoreDamaged
from tallystick.sdk.files import make_folder
from tallystick_node.store.database import Database, Snapshot, require_library
from tallystick_node.store.store import Batch, closed

_SNAPSHOTS_WAIT_S: Final = 5.0
_ONE: Final = "one; `tallyd init` makes it, once, and `tallyd recover` rebuilds one that is lost"
_PAGE_ITEMS_FIRST: Final = 1
_PAGE_ITEMS_MAX: Final = 512


class LevelDbStore:
    """A `Store` in a directory, one process at a time. Use `create` or `open`."""

    def __init__(self, path: Path, db: Database) -> None:
        self.path = path
        self._db: Database | None = db
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
        require_library()
        if (path / "CURRENT").exists():
            raise StorageFailed(
                "there is a database already", where=str(path), expected="an empty or missing directory"
            )
        try:
            make_folder(path)
        except OSError as error:
            raise StorageFailed(f"cannot be made: {error.strerror}", where=str(path)) from None
        return cls(path, Database(path, create=True))

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open an existing database. Raises DirectoryHeld, StoreDamaged, StorageFailed."""
        require_library()
        # Asked here because LevelDB would leave a lock file in a directory that is none of its business.
        if not (path / "CURRENT").exists():
            raise StoreDamaged("no database here", where=str(path), expected=_ONE)
        return cls(path, Database(path, create=False))

    def get(self, key: bytes) -> bytes | None:
        db = self._enter()
        try:
            return db.get(key)
        finally:
            self._leave()

    def range(self, start: bytes, stop: bytes | None, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        return self._range(None, None, start, stop, reverse)

    def snapshot(self, start: bytes = b"", stop: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        db, mark = self._enter(), object()
        try:
            taken = db.snapshot()
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
        self, taken: Snapshot | None, of: Database | None, start: bytes, stop: bytes | None, reverse: bool
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
        taken: Snapshot | None,
        of: Database | None,
        start: bytes,
        stop: bytes | None,
        reverse: bool,
        items: int,
    ) -> tuple[list[tuple[bytes, bytes]], bool]:
        db = self._enter(of)
        try:
            return db.page(taken, start, stop, reverse, items)
        finally:
            self._leave()

    def stage(self, batch: Batch) -> Callable[[], None]:
        db = self._enter()
        try:
            staged = db.staged(batch)
        finally:
            self._leave()

        def write() -> None:
            with self._writing:
                self._renew_if_torn()
                now = self._enter()
                try:
                    (staged if now is db else now.staged(batch))()
                except StorageFailed:
                    with self._changed:
                        self._torn = True
                    raise
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
                    db.compact(key, key)
                finally:
                    self._leave()
        with self._writing, self._changed:
            self._renewing = True
            try:
                self._changed.wait_for(lambda: self._users == 0)
                if self._db is None:
                    raise closed(str(self.path))
                self._db.compact(b"\xff", b"\xff")  # where no key is
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
        self._db, self._torn = Database(self.path, create=False), False

    def _enter(self, of: Database | None = None) -> Database:
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
