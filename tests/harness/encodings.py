"""Other bytes for the same or almost the same message: every way to write one that is not the canonical one.

A case is named by what was done and where, `body.digest: duplicate blake3`. Lengths around a change are made to fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from google.protobuf.descriptor import Descriptor, FieldDescriptor

_BY_LENGTH = (FieldDescriptor.TYPE_MESSAGE, FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES)
_UNKNOWN_NUMBER = 1_000

Case = tuple[str, bytes]
Piece = tuple[int, int | bytes]
Change = Callable[[list[Piece], Descriptor], Iterator[Case]]


def varint(number: int, *, long: bool = False) -> bytes:
    """A number as protobuf writes it, or with a needless last byte."""
    number &= 2**64 - 1
    out = bytearray()
    while number >= 0x80 or long:
        out.append(number & 0x7F | 0x80)
        number >>= 7
        if not number and long:
            return bytes((*out, 0))
    out.append(number)
    return bytes(out)


def field(number: int, value: int | bytes) -> bytes:
    """One field: a number as a varint, bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def pieces(data: bytes) -> list[Piece]:
    """The fields of a message, by number."""
    found: list[Piece] = []
    position = 0
    while position < len(data):
        tag, position = _read(data, position)
        value, position = _read(data, position)
        if tag & 7 == 2:
            found.append((tag >> 3, data[position : position + value]))
            position += value
        else:
            found.append((tag >> 3, value))
    return found


def _read(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position


def uncanonical(data: bytes, message: Descriptor) -> Iterator[Case]:
    """The same fields written otherwise: doubled, out of order, split, with long numbers, with defaults written out."""
    yield from _everywhere(data, message, _uncanonical)


def with_unknown(data: bytes, message: Descriptor) -> Iterator[Case]:
    """With a field nobody declared after all others, or a declared one in a type it does not have."""
    yield from _everywhere(data, message, _with_unknown)


def with_undeclared(data: bytes, message: Descriptor) -> Iterator[Case]:
    """Canonical, but saying what the message cannot mean: an empty submessage, an enum's value nobody declared."""
    yield from _everywhere(data, message, _with_undeclared)


def _everywhere(data: bytes, message: Descriptor, change: Change) -> Iterator[Case]:
    """A change at this level, then at that of each submessage."""
    found = pieces(data)
    yield from change(found, message)
    for at, (number, value) in enumerate(found):
        inner = message.fields_by_number[number]
        if inner.message_type is not None and isinstance(value, bytes):
            for name, changed in _everywhere(value, inner.message_type, change):
                parts = [field(*piece) for piece in found]
                parts[at] = field(number, changed)
                yield f"{inner.name}.{name}", b"".join(parts)


def _uncanonical(found: list[Piece], message: Descriptor) -> Iterator[Case]:
    parts = [field(*piece) for piece in found]
    for at, piece in enumerate(found):
        declared = message.fields_by_number[piece[0]]
        for name, instead in _written_otherwise(piece, declared):
            yield f"{name} {declared.name}", b"".join((*parts[:at], instead, *parts[at + 1 :]))
    for at, ((first, _), (second, _)) in enumerate(pairwise(found)):
        if first != second:
            swapped = [*parts[:at], parts[at + 1], parts[at], *parts[at + 2 :]]
            yield f"swap {first} and {second}", b"".join(swapped)
    for declared in message.fields:
        absent = all(number != declared.number for number, _ in found)
        plain = declared.type != FieldDescriptor.TYPE_MESSAGE and not declared.is_repeated
        if absent and plain and declared.containing_oneof is None:
            default = b"" if declared.type in _BY_LENGTH else 0
            yield f"default of {declared.name}", _inserted(found, declared.number, default)


def _written_otherwise(piece: Piece, declared: FieldDescriptor) -> Iterator[Case]:
    """One field, in other bytes."""
    number, value = piece
    once = field(number, value)
    if isinstance(value, int):
        tag = number << 3
        yield "long tag of", varint(tag, long=True) + varint(value)
        yield "long number in", varint(tag) + varint(value, long=True)
    else:
        tag = number << 3 | 2
        yield "long tag of", varint(tag, long=True) + varint(len(value)) + value
        yield "long length of", varint(tag) + varint(len(value), long=True) + value
    if declared.is_repeated:
        return  # twice is then two
    yield "duplicate", once + once
    if declared.message_type is not None and isinstance(value, bytes):
        yield "split with nothing", once + field(number, b"")
        inner = [field(*each) for each in pieces(value)]
        for cut in range(1, len(inner)):
            halves = b"".join(inner[:cut]), b"".join(inner[cut:])
            yield f"split at {cut}", field(number, halves[0]) + field(number, halves[1])


def _with_unknown(found: list[Piece], message: Descriptor) -> Iterator[Case]:
    whole = b"".join(field(*piece) for piece in found)
    unknown = {
        "number": field(_UNKNOWN_NUMBER, 1),
        "bytes": field(_UNKNOWN_NUMBER, b"x"),
        "group": varint(_UNKNOWN_NUMBER << 3 | 3) + varint(_UNKNOWN_NUMBER << 3 | 4),
        "fixed32": varint(_UNKNOWN_NUMBER << 3 | 5) + bytes(4),
        "fixed64": varint(_UNKNOWN_NUMBER << 3 | 1) + bytes(8),
    }
    for name, added in unknown.items():
        yield f"unknown {name}", whole + added
    for at, (number, value) in enumerate(found):
        other: int | bytes = 1 if isinstance(value, bytes) else b"\x01"
        rest = [field(*piece) for piece in found[:at] + found[at + 1 :]]
        yield f"wrong type of {message.fields_by_number[number].name}", b"".join((*rest, field(number, other)))


def _with_undeclared(found: list[Piece], message: Descriptor) -> Iterator[Case]:
    for declared in message.fields:
        present = any(number == declared.number for number, _ in found)
        said = declared.containing_oneof is not None and declared.containing_oneof.name == "said"
        if declared.type == FieldDescriptor.TYPE_MESSAGE and not present and not said:
            yield f"empty {declared.name}", _inserted(found, declared.number, b"")
        if declared.type == FieldDescriptor.TYPE_ENUM:
            for value in (99, -1):
                yield f"{declared.name} = {value}", _inserted(found, declared.number, value)


def _inserted(found: list[Piece], number: int, value: int | bytes) -> bytes:
    """With one field put where it belongs, in place of any of that number."""
    kept = [piece for piece in found if piece[0] != number]
    return b"".join(field(*piece) for piece in sorted([*kept, (number, value)], key=lambda piece: piece[0]))
