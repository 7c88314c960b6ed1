"""A part of a store as a store of its own: every key stands under a prefix, and nothing else is seen.

The prefix of one part must not begin that of another, nor any other key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tallystick_node.store.store import Batch, Store, after


class Subspace:
    """A `Store` within another, which stays its opener's to close."""

    def __init__(self, store: Store, prefix: bytes) -> None:
        """`prefix` does not begin with the byte 0xff."""
        self._store = store
        self._prefix = prefix
        self._end = after(prefix)

    def get(self, key: bytes) -> bytes | None:
        return self._store.get(self._prefix + key)

    def range(self, start: bytes, stop: bytes | None, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        yield from self._within(self._store.range(self._prefix + start, self._stop(stop), reverse=reverse))

    def snapshot(self, start: bytes = b"", stop: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        return self._within(self._store.snapshot(self._prefix + start, self._stop(stop)))

    def stage(self, batch: Batch) -> Callable[[], None]:
        prefix = self._prefix
        puts = [(prefix + key, value) for key, value in batch.puts]
        return self._store.stage(Batch(puts, [prefix + key for key in batch.deletes]))

    def write(self, batch: Batch) -> None:
        self.stage(batch)()

    def expunge(self, keys: Sequence[bytes]) -> None:
        self._store.expunge([self._prefix + key for key in keys])

    def close(self) -> None:
        """Nothing: it opened nothing."""

    def _stop(self, stop: bytes | None) -> bytes:
        return self._end if stop is None else self._prefix + stop

    def _within(self, items: Iterator[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
        return ((key[len(self._prefix) :], value) for key, value in items)
