"""A whole database taken apart into bounded pieces, and put together again.

Every key comes once with its value, in order, and last the seal over them all: who puts the pieces together knows that
none is missing, and a database can be read back against it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from blake3 import blake3

from tallystick.core.errors import StoreDamaged
from tallystick_node.store.store import Batch, Store
from tallystick_proto.v1.operate_pb2 import BackupPiece, BackupSeal

# What is taken at once from a node that does other things: some milliseconds of its time.
PIECE_KEYS_MAX: Final = 1_024
PIECE_BYTES_MAX: Final = 256 * 1024
# What is written at once to a database that nobody uses yet.
_BATCH_BYTES: Final = 4 * 1024 * 1024

_LENGTH: Final = struct.Struct(">I")


class _Sealing:
    """The seal over keys and values as they go by."""

    def __init__(self) -> None:
        self._hash = blake3()
        self._keys = 0

    def add(self, key: bytes, value: bytes) -> None:
        self._hash.update(_LENGTH.pack(len(key)) + key + _LENGTH.pack(len(value)))
        self._hash.update(value)
        self._keys += 1

    def seal(self) -> BackupSeal:
        return BackupSeal(keys=self._keys, digest=self._hash.digest())


def take_apart(store: Store) -> Iterator[BackupPiece]:
    """What a database holds at this call, in pieces, and the seal. Raises StoreDamaged."""
    return _pieces(store.snapshot())


def _pieces(items: Iterator[tuple[bytes, bytes]]) -> Iterator[BackupPiece]:
    sealing, piece, size = _Sealing(), BackupPiece(), 0
    for key, value in items:
        sealing.add(key, value)
        piece.key.append(key)
        piece.value.append(value)
        size += len(key) + len(value)
        if len(piece.key) == PIECE_KEYS_MAX or size >= PIECE_BYTES_MAX:
            yield piece
            piece, size = BackupPiece(), 0
    if piece.key:
        yield piece
    yield BackupPiece(seal=sealing.seal())


def put_together(pieces: Iterable[BackupPiece], store: Store, progress: Callable[[int], None]) -> BackupSeal:
    """Write what was taken apart into an empty database; returns the seal it must have now.

    `progress` is told how many bytes are written. Raises StorageFailed, StoreDamaged where the end is missing.
    """
    batch, size, written = Batch(), 0, 0
    for piece in pieces:
        if piece.HasField("seal"):
            store.write(batch)
            progress(written + size)
            return piece.seal
        if len(piece.key) != len(piece.value):
            what = f"{len(piece.key)} keys and {len(piece.value)} values"
            raise StoreDamaged(what, where="what was read", expected="a value for each key")
        for key, value in zip(piece.key, piece.value, strict=True):
            batch.put(key, value)
            size += len(key) + len(value)
        if size >= _BATCH_BYTES:
            store.write(batch)
            written += size
            batch, size = Batch(), 0
            progress(written)
    raise StoreDamaged("it ends in the middle", where="what was read", expected="every key, and a seal")


def check_seal(store: Store, sealed: BackupSeal, where: str) -> None:
    """A database holds what was taken apart, read again whole. Raises StoreDamaged."""
    found = seal_of(store)
    if found != sealed:
        raise StoreDamaged(
            f"it has {found.keys} keys with digest {found.digest.hex()}",
            where=where,
            expected=f"{sealed.keys} keys with digest {sealed.digest.hex()}, as they were read",
        )


def seal_of(store: Store) -> BackupSeal:
    """The seal over what a database holds. Raises StoreDamaged."""
    sealing = _Sealing()
    for key, value in store.snapshot():
        sealing.add(key, value)
    return sealing.seal()
