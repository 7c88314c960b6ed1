"""The two hash functions, each with its one use.

SHA-256 (RFC 6962) is the tree's, because checkpoints, witnesses, tiles and proofs of C2SP are defined on it.
BLAKE3-256 chains entries and names contents, always written with its tag: `blake3:<64 hex digits>`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256

from blake3 import blake3

from tallystick.core.errors import InvalidIdentifier

_TAGGED = re.compile(r"blake3:([0-9a-f]{64})")


def leaf_hash(entry: bytes) -> bytes:
    """RFC 6962 leaf hash of entry bytes."""
    return sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """RFC 6962 leaf hashes of many."""
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962 interior hash."""
    return sha256(b"\x01" + left + right).digest()


def chain_hash(entry: bytes) -> bytes:
    """What the next entry carries as `prev`."""
    return blake3(entry).digest()


def genesis_hash(origin: str) -> bytes:
    """What entry 0 of a ledger carries as `prev`: BLAKE3-256 of `tallystick/genesis/v1\\n<origin>\\n`."""
    return blake3(f"tallystick/genesis/v1\n{origin}\n".encode()).digest()


def format_digest(digest: bytes) -> str:
    """A BLAKE3-256 digest as text with its tag."""
    return f"blake3:{digest.hex()}"


def parse_digest(text: str) -> bytes:
    """The 32 bytes behind `blake3:<hex>`. Raises InvalidIdentifier."""
    match = _TAGGED.fullmatch(text)
    if match is None:
        raise InvalidIdentifier(f"{text[:80]!r} is not a digest", expected="blake3: and 64 lower-case hex digits")
    return bytes.fromhex(match[1])
