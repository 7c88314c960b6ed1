"""Entries: one statement's place in a ledger, as the bytes that are chained, hashed and stored.

`Entry { uint64 index=1; bytes prev=2; int64 recorded_at_us=3; bytes statement=4; oneof { Signature signed=5; uint64
first=6 } }`: fields ascending, each once, minimal varints, an index of 0 left out, the authorship always written even
when `first` is 0, and no other fields: the envelope is frozen, and what is new goes into statements. `prev` is
BLAKE3-256 of the entry before, for entry 0 of `tallystick/genesis/v1\\n<origin>\\n`. The first entry of a submission
carries its signature, the others the index of that first entry.

Entries are written by hand, because that is a third of the time protobuf takes; the tests hold both to the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from blake3 import blake3
from google.protobuf.message import DecodeError

from tallystick.core.errors import MalformedEntry
from tallystick.core.limits import (
    ENTRY_BYTES_MAX,
    HASH_BYTES,
    PUBLIC_KEY_BYTES,
    SIGNATURE_BYTES,
    SUBMISSION_ID_BYTES,
    SUBMISSION_STATEMENTS_MAX,
)
from tallystick_proto.v1 import entry_pb2
from tallystick_proto.v1.entry_pb2 import Signature

_SHORT: Final = [bytes((value,)) for value in range(0x80)]

MOMENT_MAX_US: Final = 253_402_300_799_999_999
"""The last microsecond of the year 9999; later moments cannot be shown as a date."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A decoded entry. `signed` is set on a submission's first entry; `first` is the index of that entry on all."""

    raw: bytes
    index: int
    prev: bytes
    recorded_at_us: int
    statement: bytes
    signed: Signature | None
    first: int


def varint(value: int) -> bytes:
    """A protobuf varint of a non-negative number."""
    if value < 0x80:
        return _SHORT[value]
    if value < 0x4000:
        return bytes((value & 0x7F | 0x80, value >> 7))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode_entry(index: int, prev: bytes, at: bytes, statement: bytes, authorship: bytes) -> bytes:
    """The bytes of an entry; `at` and `authorship` are fields already encoded by the functions below."""
    number = b"\x08" + varint(index) if index else b""
    return b"%b\x12\x20%b%b\x22%b%b%b" % (number, prev, at, varint(len(statement)), statement, authorship)


def encode_at(recorded_at_us: int) -> bytes:
    """The field `recorded_at_us`."""
    return b"\x18" + varint(recorded_at_us) if recorded_at_us else b""


def encode_signed(signature: Signature) -> bytes:
    """The authorship of a submission's first entry."""
    data = b"\x0a%b%b\x10%b\x1a%b%b\x22%b%b" % (
        varint(len(signature.submission_id)),
        signature.submission_id,
        varint(signature.count),
        varint(len(signature.key)),
        signature.key,
        varint(len(signature.signature)),
        signature.signature,
    )
    return b"\x2a" + varint(len(data)) + data


def encode_first(first: int) -> bytes:
    """The authorship of a submission's other entries."""
    return b"\x30" + varint(first)


def encode_submission(
    first: int, prev: bytes, recorded_at_us: int, statements: Sequence[bytes], signature: Signature
) -> tuple[list[bytes], bytes]:
    """A submission's entries from index `first` on, chained to `prev`, and what the entry after them carries."""
    entries = []
    at = encode_at(recorded_at_us)
    authorship = encode_signed(signature)
    hasher = blake3()  # one for all: making one takes as long as hashing an entry
    for index, statement in enumerate(statements, first):
        entry = encode_entry(index, prev, at, statement, authorship)
        if index == first:
            authorship = encode_first(first)
        entries.append(entry)
        hasher.update(entry)
        prev = hasher.digest()
        hasher.reset()
    return entries, prev


def decode_entry(data: bytes) -> Entry:
    """Parse and check one entry's form: canonical, authorship present, lengths right. Raises MalformedEntry."""
    if len(data) > ENTRY_BYTES_MAX:
        raise MalformedEntry(f"an entry of {len(data)} bytes", expected=f"at most {ENTRY_BYTES_MAX}")
    try:
        parsed = entry_pb2.Entry.FromString(data)
    except DecodeError:
        raise MalformedEntry("the entry does not parse", expected="protobuf bytes of an Entry") from None
    where = f"entry {parsed.index}"
    if len(parsed.prev) != HASH_BYTES:
        raise MalformedEntry(f"prev has {len(parsed.prev)} bytes", where=where, expected=f"{HASH_BYTES}")
    if not 0 <= parsed.recorded_at_us <= MOMENT_MAX_US:
        raise MalformedEntry("recorded before 1970 or after 9999", where=where, expected="a moment")
    if not parsed.statement:
        raise MalformedEntry("no statement", where=where, expected="one")
    if parsed.HasField("signed"):
        check_signature_form(parsed.signed, where)
        signed, first = parsed.signed, parsed.index
        authorship = encode_signed(signed)
    elif parsed.HasField("first"):
        signed, first = None, parsed.first
        if not parsed.index - SUBMISSION_STATEMENTS_MAX < first < parsed.index:
            raise MalformedEntry(
                f"its submission begins at {first}", where=where, expected="at most 999 entries before"
            )
        authorship = encode_first(first)
    else:
        raise MalformedEntry(
            "nobody is named as author", where=where, expected="a signature, or the first entry's index"
        )
    again = encode_entry(parsed.index, parsed.prev, encode_at(parsed.recorded_at_us), parsed.statement, authorship)
    # What the parser does not know, it would keep and write again; the encoder above knows these fields and no others.
    if again != data:
        raise MalformedEntry("the entry is not in canonical form", where=where, expected="the one canonical encoding")
    return Entry(data, parsed.index, parsed.prev, parsed.recorded_at_us, parsed.statement, signed, first)


def check_signature_form(signature: Signature, where: str) -> None:
    """The lengths and the count of a signature. Raises MalformedEntry."""
    for name, length in (
        ("submission_id", SUBMISSION_ID_BYTES),
        ("key", PUBLIC_KEY_BYTES),
        ("signature", SIGNATURE_BYTES),
    ):
        found = len(getattr(signature, name))
        if found != length:
            raise MalformedEntry(f"signed.{name} has {found} bytes", where=where, expected=f"{length}")
    if not 1 <= signature.count <= SUBMISSION_STATEMENTS_MAX:
        expected = f"1 to {SUBMISSION_STATEMENTS_MAX}"
        raise MalformedEntry(f"a submission of {signature.count} statements", where=where, expected=expected)
