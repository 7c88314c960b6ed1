"""A store in memory, for tests and simulations: the same promises, without the disk."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Sequence
from threading import Lock

from tallystick_node.store.store import Batch, closed


class MemoryStore:
    """A `Store` in a dict and a sorted list of its keys."""

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}
        self._keys: list[bytes] = []
        self._lock = Lock()
        self._closed = False

    def reopened(self) -> MemoryStore:
        """Another store with what this one holds, closed or not, as a database opened again."""
        other = MemoryStore()
        with self._lock:
            other._values, other._keys = dict(self._values), list(self._keys)
        return other

    def get(self, key: bytes) -> bytes | None:
        with self._lock:
            self._check_open()
            return self._values.get(key)

    def range(self, start: bytes, stop: bytes | None, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        last: bytes | None = None
        while True:
            with self._lock:
                self._check_open()
                if reverse:
                    before = stop if last is None else last
                    at = (len(self._keys) if before is None else bisect_left(self._keys, before)) - 1
                else:
                    at = bisect_left(self._keys, start) if last is None else bisect_right(self._keys, last)
                if not 0 <= at < len(self._keys):
                    return
                last = self._keys[at]
                value = self._values[last]
            if last < start or (stop is not None and last >= stop):
                return
            yield last, value

    def snapshot(self, start: bytes = b"", stop: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        return self._while_open(self.reopened().range(start, stop))

    def stage(self, batch: Batch) -> Callable[[], None]:
        puts, deletes = list(batch.puts), list(batch.deletes)

        def write() -> None:
            with self._lock:
                self._check_open()
                for key, value in puts:
                    if key not in self._values:
                        insort(self._keys, key)
                    self._values[key] = value
                for key in deletes:
                    if self._values.pop(key, None) is not None:
                        del self._keys[bisect_left(self._keys, key)]

        return write

    def write(self, batch: Batch) -> None:
        self.stage(batch)()

    def expunge(self, keys: Sequence[bytes]) -> None:
        self.write(Batch(deletes=[*keys]))  # and nothing is left of it: there are no files

    def close(self) -> None:
        with self._lock:
            self._closed = True

    def _while_open(self, items: Iterator[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
        for item in items:
            self._check_open()
            yield item

    def _check_open(self) -> None:
        if self._closed:
            raise closed("memory")
