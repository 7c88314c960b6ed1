"""Plain Python values as what a field of a statement holds.

What a value may be follows from its field: an enum takes its name in lower case; a moment a `datetime` with a time zone
or microseconds; a day a `date` or text; 16-byte ids bytes, a `UUID` or text (a UUID's text is that UUID, any other text
the first 16 bytes of its BLAKE3); a `Ref` a `Ref` or anything with a `.ref`; a `Digest` one, or text
`blake3:…`/`committed:…`; a `Basis` its words; other messages a mapping; a version a `CODE@VERSION` or anything with a
`.version_ref`. What does not fit raises InvalidIdentifier, TypeError, ValueError, AttributeError, KeyError or
OverflowError; who knows the keyword makes a sentence of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, Final
from uuid import UUID

from blake3 import blake3
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from tallystick.core.errors import InvalidIdentifier
from tallystick.core.hashing import parse_digest
from tallystick.core.kinds import enum_of, field_options
from tallystick_proto.v1.statement_pb2 import Basis, Digest

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def exchange_id(value: object) -> bytes:
    """A 16-byte id from bytes, a UUID, a UUID's text, or any other text (the first 16 bytes of its BLAKE3).

    Raises InvalidIdentifier where the text is empty: it would join all that was left out by mistake.
    """
    if isinstance(value, bytes):
        return value
    if isinstance(value, UUID):
        return value.bytes
    if not isinstance(value, str):
        raise TypeError("not an id")
    if not value:
        raise InvalidIdentifier("the id is empty", expected="a UUID, or any other text")
    try:
        return UUID(value).bytes
    except ValueError:
        return blake3(value.encode()).digest()[:16]


def moment_us(value: object) -> int:
    """Microseconds since 1970 from themselves or a `datetime` with a time zone. Raises TypeError, ValueError."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("no time zone")
        return (value - _EPOCH) // timedelta(microseconds=1)  # a float would lose some
    if isinstance(value, int):
        return value
    raise TypeError("not a moment")


def _day(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def _version(value: object) -> object:
    return value if isinstance(value, str) else getattr(value, "version_ref", value)


def _set_digest(digest: Digest, text: str) -> None:
    if text.startswith("committed:"):
        digest.committed = parse_digest(f"blake3:{text.partition(':')[2]}")
    else:
        digest.blake3 = parse_digest(text)


def _set_basis(basis: Basis, words: str) -> None:
    basis.words = words


# What a message may be given as besides itself and a mapping of its fields.
_FROM_TEXT: Final[Mapping[str, Callable[[Any, str], None]]] = {"Digest": _set_digest, "Basis": _set_basis}


def _fill(message: Message, value: object) -> None:
    """Say in an empty message what `value` says. Raises TypeError, KeyError or ValueError where that cannot be."""
    name = message.DESCRIPTOR.name
    if isinstance(value, Message):
        message.CopyFrom(value)
    elif isinstance(value, str) and name in _FROM_TEXT:
        _FROM_TEXT[name](message, value)
    elif isinstance(value, Mapping):
        setters = _setters_within(message.DESCRIPTOR)
        for inner, part in value.items():
            setters[inner](message, part)
    elif name == "Ref" and hasattr(value, "ref"):
        message.CopyFrom(value.ref)
    else:
        raise TypeError(f"not a {name}")


@cache
def _setters_within(message: Descriptor) -> dict[str, Callable[[Any, Any], None]]:
    return {field.name: setter_of(field, field_options(field).format) for field in message.fields}


def _converter(field: FieldDescriptor, form: str) -> Callable[[Any], Any] | None:
    """How one value of a field becomes what protobuf takes; None where it takes it as it is."""
    if field.type == FieldDescriptor.TYPE_ENUM:
        numbers = {value.name.lower(): value.number for value in enum_of(field).values}
        return lambda value: numbers[value] if isinstance(value, str) else value
    if form in ("moment", "day", "version_ref"):
        return {"moment": moment_us, "day": _day, "version_ref": _version}[form]
    if field.type == FieldDescriptor.TYPE_BYTES and field.name in ("exchange", "case"):
        return exchange_id
    return None


def setter_of(field: FieldDescriptor, form: str) -> Callable[[Any, Any], None]:
    """What puts a value into a field of a message."""
    name = field.name
    convert = _converter(field, form)

    def extend(message: Any, values: Iterable[Any]) -> None:
        if isinstance(values, (str, bytes, Mapping)):
            raise TypeError("one value, where a list is due")
        getattr(message, name).extend([convert(value) for value in values] if convert else values)

    def fill_each(message: Any, values: Iterable[Any]) -> None:
        if isinstance(values, (str, bytes, Mapping)):
            raise TypeError("one value, where a list is due")
        for value in values:
            _fill(getattr(message, name).add(), value)

    def fill(message: Any, value: Any) -> None:
        _fill(getattr(message, name), value)

    def assign_converted(message: Any, value: Any) -> None:
        assert convert is not None
        setattr(message, name, convert(value))

    def assign(message: Any, value: Any) -> None:
        setattr(message, name, value)

    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return fill_each if field.is_repeated else fill
    if field.is_repeated:
        return extend
    return assign if convert is None else assign_converted
