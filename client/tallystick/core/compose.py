"""Statements composed from plain Python values, by the names a kind gives its fields.

What a value may be follows from its field: an enum takes its name in lower case; a moment a `datetime` with a time zone
or microseconds; a day a `date` or text; 16-byte ids bytes, a `UUID` or text (a UUID's text is that UUID, any other text
the first 16 bytes of its BLAKE3); a `Ref` a `Ref` or anything with a `.ref`; a `Digest` one, or text
`blake3:…`/`committed:…`; a `Basis` its words; other messages a mapping; a version a `CODE@VERSION` or anything with a
`.version_ref`. What is empty, zero or None is not given. A sensitive field takes `Sensitive`: its commitment can only
be made at its place in a submission, so `place` does it later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, Final
from uuid import UUID

from blake3 import blake3
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from tallystick.core.commitment import Place, commit
from tallystick.core.errors import InvalidIdentifier, InvalidStatement
from tallystick.core.hashing import parse_digest
from tallystick.core.kinds import BY_NAME, BY_VERB, KINDS, Kind, Use, enum_of, field_options, keyword_of
from tallystick_proto.v1.entry_pb2 import Disclosure
from tallystick_proto.v1.statement_pb2 import Basis, Digest, Statement

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SET_BY_ACTOR: Final = frozenset({"kind", "actor"})


@dataclass(frozen=True, slots=True)
class Sensitive:
    """A value that must never stand on a ledger; a commitment to it will."""

    value: str | bytes

    def __repr__(self) -> str:
        return "Sensitive(…)"

    @property
    def data(self) -> bytes:
        return self.value.encode() if isinstance(self.value, str) else self.value


@dataclass(slots=True)
class Draft:
    """A statement before its place is known. `sensitive` holds the values that `place` commits, by field path."""

    kind: Kind
    statement: Statement
    sensitive: dict[str, bytes] = field(repr=False)


def kind_of(name: str) -> Kind:
    """A kind by its name or its verb. Raises InvalidStatement."""
    found = BY_NAME.get(name) or BY_VERB.get(name)
    if found is None:
        raise InvalidStatement(
            f"there is no kind {name!r}", expected="a kind's name, as in DataSent, or its verb, as in send"
        )
    return found


def compose(name: str, actor: str, values: Mapping[str, object]) -> Draft:
    """A statement of a kind (by name or verb) in an actor's name. Raises InvalidStatement for what fits no field.

    Bounds are not checked here: admission does, and `submission.prepare` is the one place where they are.
    """
    kind = kind_of(name)
    statement = Statement()
    head = statement.head
    head.kind = kind.number
    head.actor = actor
    body = getattr(statement, kind.field)
    body.SetInParent()
    sensitive: dict[str, bytes] = {}
    setters = _SETTERS[kind.number]
    for keyword, value in values.items():
        try:
            if not value:
                continue
            in_head, set_value, path = setters[keyword]
            if path is None:
                set_value(head if in_head else body, value)
            else:
                sensitive[path] = _sensitive(value)
        except InvalidIdentifier as error:
            raise InvalidStatement(error.what, where=keyword, expected=error.expected) from None
        except (TypeError, ValueError, AttributeError, KeyError, OverflowError) as error:
            raise _unfit(kind, keyword, value, error) from None
    return Draft(kind, statement, sensitive)


def place(
    draft: Draft, origin: str, submission_id: bytes, position: int, salt: Callable[[], bytes]
) -> list[Disclosure]:
    """Commit the draft's sensitive values at their place, each under a fresh salt; the disclosures that open them."""
    disclosures = []
    for path, value in draft.sensitive.items():
        fresh = salt()
        commitment = commit(Place(origin, submission_id, position, path), fresh, value)
        setattr(getattr(draft.statement, draft.kind.field), path.partition(".")[2], commitment)
        disclosures.append(Disclosure(position=position, field=path, salt=fresh, value=value))
    return disclosures


def _unfit(kind: Kind, keyword: str, value: object, error: Exception) -> InvalidStatement:
    if keyword not in _SETTERS[kind.number]:
        return InvalidStatement(
            f"{kind.name} has no {keyword!r}", expected="one of " + ", ".join(_SETTERS[kind.number])
        )
    use = kind.use(keyword)
    expected = "a value of that field"
    if use is not None and use.field.type == FieldDescriptor.TYPE_ENUM:
        expected = "one of " + ", ".join(v.name.lower() for v in enum_of(use.field).values if v.number)
    return InvalidStatement(f"{repr(value)[:80]} does not fit ({error})", where=keyword, expected=expected)


def _sensitive(value: object) -> bytes:
    if not isinstance(value, Sensitive):
        raise InvalidIdentifier("a sensitive value in the clear", expected="Sensitive(value)")
    if not isinstance(value.data, bytes):
        raise TypeError("neither text nor bytes")
    return value.data


def exchange_id(value: object) -> bytes:
    """A 16-byte id from bytes, a UUID, a UUID's text, or any other text (the first 16 bytes of its BLAKE3)."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, UUID):
        return value.bytes
    if not isinstance(value, str):
        raise TypeError("not an id")
    try:
        return UUID(value).bytes
    except ValueError:
        return blake3(value.encode()).digest()[:16]


def _moment(value: object) -> int:
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
    return {field.name: _setter(field, field_options(field).format) for field in message.fields}


def _converter(field: FieldDescriptor, form: str) -> Callable[[Any], Any] | None:
    """How one value of a field becomes what protobuf takes; None where it takes it as it is."""
    if field.type == FieldDescriptor.TYPE_ENUM:
        numbers = {value.name.lower(): value.number for value in enum_of(field).values}
        return lambda value: numbers[value] if isinstance(value, str) else value
    if form in ("moment", "day", "version_ref"):
        return {"moment": _moment, "day": _day, "version_ref": _version}[form]
    if field.type == FieldDescriptor.TYPE_BYTES and field.name in ("exchange", "case"):
        return exchange_id
    return None


def _setter(field: FieldDescriptor, form: str) -> Callable[[Any, Any], None]:
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


_Setter = tuple[bool, Callable[[Any, Any], None], str | None]


def _setter_of(kind: Kind, use: Use) -> _Setter:
    path = f"{kind.field}.{use.field.name}" if use.options.sensitive else None
    return use.in_head, _setter(use.field, use.options.format), path


_SETTERS: Final[dict[int, dict[str, _Setter]]] = {
    number: {use.name: _setter_of(kind, use) for use in kind.uses if use.name not in _SET_BY_ACTOR}
    for number, kind in KINDS.items()
}


def keywords_of(kind: Kind) -> list[Use]:
    """What a statement of this kind can be given, required ones first."""
    uses = [use for use in kind.uses if use.name not in _SET_BY_ACTOR]
    return sorted(uses, key=lambda use: not use.required)


__all__ = ["Draft", "Sensitive", "compose", "exchange_id", "keyword_of", "keywords_of", "kind_of", "place"]
