"""A database that is opened again now and then, as the store it is at the moment.

After a write that failed, whoever writes the node's own ledger closes the database and opens it anew. What else is kept
in it goes on with whichever store is open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tallystick_node.store.store import Batch, Store


class CurrentStore:
    """A `Store` that passes every call on to the one that `now` gives, which stays its opener's to close."""

    def __init__(self, now: Callable[[], Store]) -> None:
        self._now = now

    def get(self, key: bytes) -> bytes | None:
        return self._now().get(key)

    def range(self, start: bytes, stop: bytes | None, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        return self._now().range(start, stop, reverse=reverse)

    def snapshot(self, start: bytes = b"", stop: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        return self._now().snapshot(start, stop)

    def stage(self, batch: Batch) -> Callable[[], None]:
        return self._now().stage(batch)

    def write(self, batch: Batch) -> None:
        self._now().write(batch)

    def expunge(self, keys: Sequence[bytes]) -> None:
        self._now().expunge(keys)

    def close(self) -> None:
        """Nothing: it opened nothing."""
