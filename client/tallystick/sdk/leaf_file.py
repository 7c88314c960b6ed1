"""Leaf hashes of a full pass in a temporary file, 32 bytes an entry, so that memory does not grow with the ledgers."""

from __future__ import annotations

import os
import tempfile
from types import TracebackType
from typing import IO, Self

from tallystick.audit.entry import Place
from tallystick.core.limits import HASH_BYTES

_BUFFER_BYTES = 64 * 1024


class _Column:
    """One ledger's leaves, in the order of its entries: what is not yet in the file is in `tail`."""

    def __init__(self) -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile(prefix="tallystick-")  # noqa: SIM115 - closed by its owner
        self.tail = bytearray()
        self.written = 0
        self.first = 0


class LeafFile:
    """Remembers what stands where. Entries of a ledger are added from one on, without gaps."""

    def __init__(self) -> None:
        self._columns: dict[str, _Column] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for column in self._columns.values():
            column.file.close()

    def add(self, place: Place, leaf: bytes) -> None:
        column = self._columns.get(place.origin)
        if column is None:
            column = self._columns[place.origin] = _Column()
            column.first = place.index
        count = (column.written + len(column.tail)) // HASH_BYTES
        # Entries of kinds this version does not know are not folded: what stands there is not remembered.
        column.tail += bytes(HASH_BYTES * (place.index - column.first - count)) + leaf
        if len(column.tail) >= _BUFFER_BYTES:
            column.file.write(column.tail)
            column.file.flush()
            column.written += len(column.tail)
            column.tail.clear()

    def get(self, place: Place) -> bytes | None:
        column = self._columns.get(place.origin)
        if column is None or place.index < column.first:
            return None
        start = (place.index - column.first) * HASH_BYTES
        if start >= column.written:
            start -= column.written
            leaf = bytes(column.tail[start : start + HASH_BYTES])
        else:
            leaf = os.pread(column.file.fileno(), HASH_BYTES, start)
        return leaf if any(leaf) else None
