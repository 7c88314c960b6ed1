"""The keys of a node's database, all of them here.

    z                                 the state record
    e <first index, u64>              a segment: up to 64 adjacent entries; cut where the index is a multiple of 64
    t <level, u8> <number, u64>       a full tile: 256 hashes of 32 bytes (tlog-tiles numbering)
    p <term hash, 8> <index, u64>     a posting list of one commit (`postings`)
    r <run, u64> <block, u32>         a block of a sorted run (`runs`)
    d <index, u64> <field path>       a disclosure, sealed under a key of its own
    k <index, u64> <field path>       that key, sealed under the node's (`disclosures`)
    x <index, u64> <field path>       says that a disclosure was erased, until no file has it any more (`erasing`)
    c <origin, 16> <a key as above>   of the copy of another ledger: its state, segments, tiles, postings and runs, and
                                      under `w` what was cosigned of it. An origin is the first half of its BLAKE3
    g <origin, 16>                    the checkpoints of another ledger that gossip brought (`gossip`)
    v <origin, 16>                    the evidence against another ledger's key (`proven`)
    w                                 the newest checkpoint of this ledger that a quorum cosigned, with cosignatures
    w <bureau>                        the newest one that a witness cosigned, with its cosignature

Numbers are big-endian, so that keys sort as they count.
"""

from __future__ import annotations

import struct
from typing import Final

from blake3 import blake3

from tallystick.core.limits import SEGMENT_ENTRIES_MAX

STATE: Final = b"z"
SEGMENT: Final = b"e"
TILE: Final = b"t"
DISCLOSURE: Final = b"d"
DATA_KEY: Final = b"k"
ERASED: Final = b"x"
COPY: Final = b"c"
GOSSIP: Final = b"g"
PROVEN: Final = b"v"
COSIGNED: Final = b"w"

_U64 = struct.Struct(">cQ")
_INDEX = struct.Struct(">Q")
_TILE = struct.Struct(">cBQ")


def segment(first: int) -> bytes:
    """The key of the segment that begins at an index."""
    return _U64.pack(SEGMENT, first)


def segment_first(key: bytes) -> int:
    """The index at which the segment under a key begins."""
    return int.from_bytes(key[1:], "big")


def segments_from(index: int) -> bytes:
    """The least key of a segment that can hold `index`: none crosses a multiple of 64."""
    return segment(index - index % SEGMENT_ENTRIES_MAX)


def tile(level: int, number: int) -> bytes:
    """The key of a full tile."""
    return _TILE.pack(TILE, level, number)


def copy(origin: str) -> bytes:
    """What stands before every key of the copy of another ledger."""
    return COPY + _origin(origin)


def gossip(origin: str) -> bytes:
    """The key of the checkpoints of another ledger that gossip brought."""
    return GOSSIP + _origin(origin)


def proven(origin: str) -> bytes:
    """The key of the evidence against another ledger's key."""
    return PROVEN + _origin(origin)


def cosigned(bureau: str) -> bytes:
    """The key of the newest checkpoint of this ledger that a bureau cosigned."""
    return COSIGNED + bureau.encode()


def disclosure(index: int, field: str) -> bytes:
    """The key of the disclosure for a field of an entry."""
    return DISCLOSURE + place_in_entry(index, field)


def data_key(index: int, field: str) -> bytes:
    """The key under which the data key of a disclosure stands."""
    return DATA_KEY + place_in_entry(index, field)


def erased(index: int, field: str) -> bytes:
    """The key of the note that a disclosure was erased."""
    return ERASED + place_in_entry(index, field)


def place_in_entry(index: int, field: str) -> bytes:
    """A field of an entry, as it stands in the keys of a disclosure."""
    return _INDEX.pack(index) + field.encode()


def parse_place_in_entry(key: bytes) -> tuple[int, str]:
    """The index and the field in such a key. Raises ValueError."""
    if len(key) < 1 + _INDEX.size:
        raise ValueError(f"{key.hex()} is too short for an index")
    return _INDEX.unpack_from(key, 1)[0], key[1 + _INDEX.size :].decode()


def _origin(origin: str) -> bytes:
    return blake3(origin.encode()).digest()[:16]
