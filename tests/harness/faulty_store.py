"""A store that fails where a plan says: it failed, or it succeeded and reported failure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tallystick.core.errors import DiskFull, StorageFailed
from tallystick_node.store.store import Batch, Store


@dataclass(frozen=True)
class Fault:
    """The how-manieth call of an operation fails, counted from 0, before anything happened or after everything did.

    Reads are `get` and `range` counted together; a range fails at its first step, or after its last.
    """

    operation: Literal["read", "write"]
    number: int
    when: Literal["before", "after"]
    error: type[StorageFailed] = StorageFailed


def disk_full(number: int) -> Fault:
    """A write that finds the disk full: nothing happened."""
    return Fault("write", number, "before", DiskFull)


class FaultyStore:
    """A `Store` around another. `reads` and `writes` count the calls so far; `around` is called before every write and
    after it, and may end the process there.
    """

    def __init__(
        self,
        inner: Store,
        plan: Iterable[Fault] = (),
        around: Callable[[Literal["before", "after"], Batch], None] = lambda when, batch: None,
    ) -> None:
        self.inner = inner
        self.around = around
        self.plan = {(fault.operation, fault.number): fault for fault in plan}
        self.reads = 0
        self.writes = 0

    def get(self, key: bytes) -> bytes | None:
        fault = self._next_read()
        _fail(fault, "before")
        value = self.inner.get(key)
        _fail(fault, "after")
        return value

    def range(self, start: bytes, stop: bytes | None, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        fault = self._next_read()
        _fail(fault, "before")
        yield from self.inner.range(start, stop, reverse=reverse)
        _fail(fault, "after")

    def snapshot(self, start: bytes = b"", stop: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        return self.inner.snapshot(start, stop)

    def stage(self, batch: Batch) -> Callable[[], None]:
        staged = self.inner.stage(batch)

        def write() -> None:
            fault = self.plan.get(("write", self.writes))
            self.writes += 1
            self.around("before", batch)
            _fail(fault, "before")
            staged()
            self.around("after", batch)
            _fail(fault, "after")

        return write

    def write(self, batch: Batch) -> None:
        self.stage(batch)()

    def expunge(self, keys: Sequence[bytes]) -> None:
        self.inner.expunge(keys)

    def close(self) -> None:
        self.inner.close()

    def _next_read(self) -> Fault | None:
        fault = self.plan.get(("read", self.reads))
        self.reads += 1
        return fault


def _fail(fault: Fault | None, when: str) -> None:
    if fault is not None and fault.when == when:
        raise fault.error(
            f"{fault.operation} {fault.number} fails, {when} it happened", where="a faulty disk, on purpose"
        )
