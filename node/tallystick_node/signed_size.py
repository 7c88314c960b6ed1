"""The size and root a node last meant to sign, kept in a small file outside its database.

A database that lost its tail, or was put back from an old copy, opens without complaint. This file remembers how far
the node had come: it is written and synced after the batch is durable and before the checkpoint is signed, so nothing
was ever signed that it does not know of.

    offset     0   slot 0, written when the sequence number is even
    offset 4,096   slot 1, written when it is odd
    a slot         sequence, u64 BE ‖ BLAKE3 of the origin (32) ‖ size, u64 BE ‖ root (32) ‖ BLAKE3 of all before (32)
    offset 8,192   the checkpoint signed last: length, u32 BE ‖ the note; nothing where none was
    else           what lies between is zero

The slots are written in turn, in different disk sectors, so a write cut short leaves the other one. The valid slot with
the higher sequence number counts; where both are valid their numbers are neighbours, and the sizes do not go down.

The note is written after it was signed and never synced: it proves itself by its signature, and whoever finds an older
one, or none, after a power cut knows less and nothing wrong. What was noted in a slot need not have been signed.
"""

from __future__ import annotations

import errno
import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, Self

from blake3 import blake3

from tallystick.core.errors import DiskFull, StorageFailed, StoreDamaged
from tallystick.core.limits import HASH_BYTES
from tallystick.core.merkle import EMPTY_ROOT
from tallystick.sdk.files import sync_folder
from tallystick_node.counts import DISK_ERRORS

_BODY: Final = struct.Struct(">Q32sQ32s")
_SLOT_BYTES: Final = _BODY.size + HASH_BYTES
_OFFSETS: Final = (0, 4096)
_SLOTS_END: Final = _OFFSETS[1] + _SLOT_BYTES
_NOTE_OFFSET: Final = 8192
_LENGTH: Final = struct.Struct(">I")
_NOTE_BYTES_MAX: Final = 4096

_MEANING: Final = (
    "the file that `tallyd init` made and this node kept; whoever removed or altered it also removed the memory of what"
    " was signed, so put it back together with its database, or recover the ledger from its witnesses"
)


class _Slot(NamedTuple):
    sequence: int
    size: int
    root: bytes


class SignedSize:
    """The open file. One process at a time: its database's lock sees to that. `value` may be read from any thread."""

    def __init__(self, path: Path, origin: str, file: int, slot: _Slot) -> None:
        self._path = path
        self._origin = blake3(origin.encode()).digest()
        self._file = file
        self._slot = slot

    @classmethod
    def create(cls, path: Path, origin: str) -> Self:
        """A new file that notes an empty ledger. Raises StorageFailed where there is one already."""
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _failure(error, path) from None
        signed = cls(path, origin, file, _Slot(0, 0, EMPTY_ROOT))
        try:
            signed._write(_Slot(0, 0, EMPTY_ROOT))
            signed._write(_Slot(1, 0, EMPTY_ROOT))
            _sync_directory(path.parent)
        except StorageFailed:
            signed.close()
            raise
        return signed

    @classmethod
    def open(cls, path: Path, origin: str) -> Self:
        """The file of a ledger. Raises StoreDamaged where it is missing, unreadable or another ledger's."""
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            raise StoreDamaged("the note of what was signed is missing", where=str(path), expected=_MEANING) from None
        except OSError as error:
            raise _failure(error, path) from None
        try:
            slot = _newest(os.pread(file, _NOTE_OFFSET, 0), path, origin)
        except OSError as error:
            os.close(file)
            raise _failure(error, path) from None
        except StoreDamaged:
            os.close(file)
            raise
        return cls(path, origin, file, slot)

    @property
    def value(self) -> tuple[int, bytes]:
        """The noted size, in entries, and the root at that size."""
        return self._slot.size, self._slot.root

    def note(self, size: int, root: bytes) -> None:
        """Remember a size and root; durable when this returns. Raises DiskFull or StorageFailed; it may be tried again.

        A smaller size, or another root at the same size, is a RuntimeError: nobody may ask for that.
        """
        slot = self._slot
        if size < slot.size or (size == slot.size and root != slot.root):
            raise RuntimeError(f"size {size} root {root.hex()} after size {slot.size} root {slot.root.hex()}")
        # The same value is written again all the same: what was read at opening need not have reached the disk.
        self._write(_Slot(slot.sequence + 1, size, root))

    @property
    def last(self) -> bytes:
        """The note that `keep` was given last, as far as it reached the file; empty where none did."""
        with suppress(OSError):
            data = os.pread(self._file, _LENGTH.size + _NOTE_BYTES_MAX, _NOTE_OFFSET)
            if len(data) > _LENGTH.size:
                return data[_LENGTH.size :][: _LENGTH.unpack_from(data)[0]]
        return b""

    def keep(self, note: bytes) -> None:
        """Write down the checkpoint that was just signed. It is not synced, and it may fail: it is for readers."""
        with suppress(OSError):
            os.pwrite(self._file, _LENGTH.pack(len(note)) + note, _NOTE_OFFSET)

    def close(self) -> None:
        """Let go of the file; closing twice is closing once."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def _write(self, slot: _Slot) -> None:
        if self._file < 0:
            raise StorageFailed("it is closed", where=str(self._path))
        body = _BODY.pack(slot.sequence, self._origin, slot.size, slot.root)
        data = body + blake3(body).digest()
        try:
            if os.pwrite(self._file, data, _OFFSETS[slot.sequence % 2]) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fdatasync(self._file)
        except OSError as error:
            # This slot is now unknown. The other one still holds, and the next note goes to this one again.
            raise _failure(error, self._path) from None
        self._slot = slot


def _newest(data: bytes, path: Path, origin: str) -> _Slot:
    where = str(path)
    if data[_SLOTS_END:].strip(b"\x00") or data[_SLOT_BYTES : _OFFSETS[1]].strip(b"\x00"):
        raise StoreDamaged("the note of what was signed holds foreign bytes", where=where, expected=_MEANING)
    slots: list[_Slot] = []
    for number, offset in enumerate(_OFFSETS):
        body = data[offset : offset + _BODY.size]
        if len(body) < _BODY.size or data[offset + _BODY.size : offset + _SLOT_BYTES] != blake3(body).digest():
            continue
        sequence, owner, size, root = _BODY.unpack(body)
        if owner != blake3(origin.encode()).digest():
            raise StoreDamaged(
                "the note of what was signed is another ledger's", where=where, expected=f"that of {origin}"
            )
        if sequence % 2 == number:
            slots.append(_Slot(sequence, size, root))
    if not slots:
        raise StoreDamaged("the note of what was signed cannot be read", where=where, expected=_MEANING)
    older, newer = min(slots), max(slots)
    if newer.sequence - older.sequence > 1 or older.size > newer.size:
        raise StoreDamaged("the note of what was signed is put together from several", where=where, expected=_MEANING)
    return newer


def _sync_directory(path: Path) -> None:
    try:
        sync_folder(path)
    except OSError as error:
        raise _failure(error, path) from None


def _failure(error: OSError, path: Path) -> StorageFailed:
    failure = _told_apart(error, path)
    DISK_ERRORS.add(type(failure).__name__)
    return failure


def _told_apart(error: OSError, path: Path) -> StorageFailed:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(
            "the disk is full: what is to be signed cannot be noted", where=str(path), expected="room for a page"
        )
    if error.errno == errno.EEXIST:
        return StorageFailed(
            "the note of what was signed is there already", where=str(path), expected="none; it is made once"
        )
    return StorageFailed(f"the note of what was signed: {error.strerror}", where=str(path))
