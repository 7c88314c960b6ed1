"""What a node asks of a database: get, range, and one atomic durable batch.

Keys and values are bytes, keys sort as bytes. Every method may be called from any thread. A store raises StorageFailed
and its kinds only: DirectoryHeld, StoreDamaged (what is read is not what was written; nothing is ever repaired),
DiskFull. After a write that raises, it is unknown whether the batch reached the disk; it did so whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tallystick.core.errors import StorageFailed


@dataclass(slots=True)
class Batch:
    """Changes that happen together: all of them or none. Deletes come after puts."""

    puts: list[tuple[bytes, bytes]] = field(default_factory=list)
    deletes: list[bytes] = field(default_factory=list)

    def put(self, key: bytes, value: bytes) -> None:
        """Set a key's value."""
        self.puts.append((key, value))

    def delete(self, key: bytes) -> None:
        """Remove a key; one that is not there does no harm."""
        self.deletes.append(key)


class Store(Protocol):
    """A sorted map on a disk."""

    def get(self, key: bytes) -> bytes | None:
        """The value of a key, None where there is none."""

    def range(self, start: bytes, stop: bytes | None, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values of start <= key < stop in order (stop None: to the end), or in reverse order.

        It may be left at any point, and other calls may come between its steps. It is not a snapshot: what is written
        while it runs may or may not be seen.
        """

    def snapshot(self, start: bytes = b"", stop: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """The keys and values of a range as they stand at this call, in order: between two batches, whatever is written
        while they are taken.
        """

    def stage(self, batch: Batch) -> Callable[[], None]:
        """Hand over a batch; the call returned writes it, as `write` does, and is made once.

        Handing over is many short steps, ten times slower in a thread beside a busy one, so the busy thread does it
        itself; the call is one long wait, which belongs into another.
        """

    def write(self, batch: Batch) -> None:
        """Make all changes of a batch; they are durable when this returns."""

    def expunge(self, keys: Sequence[bytes]) -> None:
        """Remove keys for good: when this returns, no file of the store has them, or what stood under them before.

        It takes as long as it takes to write what lies beside them again, and goes on beside other calls. Raises
        StorageFailed too where a snapshot from before it is not let go of in good time.
        """

    def close(self) -> None:
        """Wait until every other call is out, then let go. Later calls raise StorageFailed; closing twice is once."""


def after(prefix: bytes) -> bytes:
    """The least key after all that begin with a prefix, whose first byte is not 0xff."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes((stem[-1] + 1,))


def closed(where: str) -> StorageFailed:
    """The error of every call that comes after `close`."""
    return StorageFailed("the database is closed", where=where)
