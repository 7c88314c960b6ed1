"""A simulated disk: a database and the note of what was signed. Copies of it are snapshots, and can be put back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from tallystick.core.merkle import EMPTY_ROOT
from tallystick_node.signed_size import SignedSize, _Slot
from tallystick_node.store.memory import MemoryStore

When = Literal["before", "after"]


class Disk:
    """What is durable."""

    def __init__(self, origin: str, store: MemoryStore, slot: Any = None, note: bytes = b"") -> None:
        self.origin = origin
        self.store = store
        self.slot = slot or _Slot(0, 0, EMPTY_ROOT)
        self.note = note

    def copy(self) -> Disk:
        """What it holds now, on another disk."""
        return Disk(self.origin, self.store.reopened(), self.slot, self.note)

    def noted(self, around: Callable[[When], None] = lambda when: None) -> Noted:
        """The note of what was signed, opened."""
        return Noted(self, around)

    def opened(self) -> MemoryStore:
        """The database opened again; what was opened before writes nowhere from now on."""
        self.store = self.store.reopened()
        return self.store


class Noted(SignedSize):
    """The note of what was signed, on a simulated disk. `around` is called before it is durable and after."""

    def __init__(self, disk: Disk, around: Callable[[When], None]) -> None:
        super().__init__(Path("signed-size"), disk.origin, 0, disk.slot)
        self._disk = disk
        self._around = around

    @property
    def last(self) -> bytes:
        return self._disk.note

    def keep(self, note: bytes) -> None:
        self._disk.note = note

    def close(self) -> None:
        """There is no file."""

    def _write(self, slot: Any) -> None:
        self._around("before")
        self._slot = self._disk.slot = slot
        self._around("after")
