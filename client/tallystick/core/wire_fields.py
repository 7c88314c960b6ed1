"""The fields of a statement as they stand in bytes, of which protobuf has made sure that they parse.

A field is its tag (its number, and by its lowest three bits how its value is written) and its value: a varint, or a
length and so many bytes. A statement has no others.
"""

from __future__ import annotations

from typing import Final

from google.protobuf.descriptor import FieldDescriptor

from tallystick.core.errors import InvalidStatement

VARINT: Final = 0
LENGTH: Final = 2


def field_at(data: bytes, position: int) -> tuple[int, int, int]:
    """The field at a position of bytes that protobuf has parsed: its tag, where its value begins, and where it ends."""
    tag = data[position]
    position += 1
    if tag >= 0x80:
        tag, position = varint_at(data, position - 1)
    if tag & 7 == LENGTH:
        length = data[position]
        position += 1
        if length >= 0x80:
            length, position = varint_at(data, position - 1)
        return tag, position, position + length
    if tag & 7 == VARINT:
        return tag, position, varint_at(data, position)[1]
    raise InvalidStatement(f"field {tag >> 3} is not known", expected="only declared fields")


def varint_at(data: bytes, position: int) -> tuple[int, int]:
    """The number at a position, and where it ends."""
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        if byte < 0x80:
            return value | byte << shift, position
        value |= (byte & 0x7F) << shift
        shift += 7


def number_of(value: bytes) -> int:
    """The number in a varint, as a signed one; numbers of unsigned fields are not looked at."""
    number, _ = varint_at(value, 0)
    return number - 2**64 if number >= 2**63 else number


def tag_of(field: FieldDescriptor) -> int:
    """The tag a field has on the wire. Statements have no fixed-width numbers, and repeat no numbers."""
    by_length = field.type in (FieldDescriptor.TYPE_MESSAGE, FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES)
    return field.number << 3 | (LENGTH if by_length else VARINT)
