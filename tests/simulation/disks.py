"""A simulated disk: a database, the note of what was signed, and the versions of the charter that its node goes by and
has heard of. Copies of it are snapshots, and can be put back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from tallystick.core.charter_chain import Version, read_version
from tallystick.core.merkle import EMPTY_ROOT
from tallystick.core.versions import Fork
from tallystick.sdk.heard_versions import HeardVersions
from tallystick_node import keyspace
from tallystick_node.ledger_state import read_state
from tallystick_node.signed_size import SignedSize, _Slot
from tallystick_node.store.memory import MemoryStore

When = Literal["before", "after"]


_version_in = lru_cache(maxsize=64)(read_version)


class Disk:
    """What is durable. `versions` of the charter were adopted, the last is gone by; `heard` are notes of others."""

    def __init__(
        self, origin: str, store: MemoryStore, versions: Sequence[Version], slot: Any = None, note: bytes = b""
    ) -> None:
        self.origin = origin
        self.store = store
        self.versions = tuple(versions)
        self.heard: tuple[bytes, ...] = ()
        self.slot = slot or _Slot(0, 0, EMPTY_ROOT)
        self.note = note

    @property
    def later(self) -> list[Version]:
        """The versions that were heard of, as somebody showed them; liars add signatures that nobody made."""
        return [_version_in(note) for note in self.heard]

    @property
    def entries(self) -> int:
        """How many entries of its own ledger are durable, whether they were noted or not."""
        return 0 if self.store.get(keyspace.STATE) is None else read_state(self.store, self.origin).size

    def copy(self) -> Disk:
        """What it holds now, on another disk."""
        copy = Disk(self.origin, self.store.reopened(), self.versions, self.slot, self.note)
        copy.heard = self.heard
        return copy

    def noted(self, around: Callable[[When], None] = lambda when: None) -> Noted:
        """The note of what was signed, opened."""
        return Noted(self, around)

    def opened(self) -> MemoryStore:
        """The database opened again; what was opened before writes nowhere from now on."""
        self.store = self.store.reopened()
        return self.store


class Heard(HeardVersions):
    """The versions of the charter that a disk's node knows, with what it heard on the disk. `around` is called before a
    version is durable and after.
    """

    def __init__(self, disk: Disk, around: Callable[[When], None]) -> None:
        self._disk = disk
        self._around = around
        super().__init__(disk.versions, Path("heard"))
        for note in disk.heard:
            self.take(note)

    def keep(self, heard: Version | Fork) -> None:
        self._around("before")
        self._disk.heard += (heard.note if isinstance(heard, Version) else heard.other.note,)
        self._around("after")

    def _kept(self) -> list[Path]:
        return []


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
