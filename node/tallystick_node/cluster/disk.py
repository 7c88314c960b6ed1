"""A stopped node's stored bytes, to look at and to damage on purpose: through the store, so that its checksums hold."""

from __future__ import annotations

from pathlib import Path

from tallystick.core.entry import decode_entry
from tallystick.core.errors import InvalidIdentifier, NotFound, VerificationFailed
from tallystick.core.identifiers import parse_entry_ref
from tallystick.core.statement import read
from tallystick_node import keyspace
from tallystick_node.store.leveldb import LevelDbStore
from tallystick_node.store.store import Batch
from tallystick_proto.v1.statement_pb2 import Ref
from tallystick_proto.v1.storage_pb2 import Segment


class Disk:
    """The database of one node, opened while the node is stopped. `path` is its folder."""

    def __init__(self, path: Path, store: LevelDbStore) -> None:
        self.path = path
        self.store = store

    def get(self, key: bytes) -> bytes:
        """The value under a key. Raises NotFound."""
        value = self.store.get(key)
        if value is None:
            raise NotFound(f"no key {key.hex()}", where=str(self.path))
        return value

    def put(self, key: bytes, value: bytes) -> None:
        batch = Batch()
        batch.put(key, value)
        self.store.write(batch)

    def delete(self, key: bytes) -> None:
        batch = Batch()
        batch.delete(key)
        self.store.write(batch)

    def keys(self, prefix: bytes = b"") -> list[bytes]:
        """All keys that begin with a prefix."""
        return [key for key, _ in self.store.range(prefix, None) if key.startswith(prefix)]

    def flip(self, key: bytes, offset: int) -> None:
        """Alter the byte at an offset of the value under a key."""
        self.put(key, _flipped(self.get(key), offset % len(self.get(key))))

    def flip_byte_of(self, reference: Ref | str | int) -> None:
        """Alter one byte of what a stored entry says, such that it still reads: the hardest to notice."""
        index = _index(reference)
        for key, value in self.store.range(keyspace.segments_from(index), keyspace.segment(index + 1)):
            segment = Segment.FromString(value)
            position = index - keyspace.segment_first(key)
            if 0 <= position < len(segment.entry):
                segment.entry[position] = _lie(segment.entry[position])
                self.put(key, segment.SerializeToString())
                return
        raise NotFound(f"no entry #{index}", where=str(self.path))


def _index(reference: Ref | str | int) -> int:
    if isinstance(reference, Ref):
        return reference.index
    return reference if isinstance(reference, int) else parse_entry_ref(reference).index


def _lie(raw: bytes) -> bytes:
    """The entry with the last byte of its statement altered that leaves it an entry this version understands."""
    statement = decode_entry(raw).statement
    begins = raw.index(statement)
    for offset in reversed(range(begins, begins + len(statement))):
        changed = _flipped(raw, offset)
        try:
            if read(decode_entry(changed).statement).understood:
                return changed
        except (VerificationFailed, InvalidIdentifier):
            continue
    raise NotFound("every altered byte leaves an entry that does not read", where=f"{len(raw)} bytes")


def _flipped(data: bytes, offset: int) -> bytes:
    return data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :]
