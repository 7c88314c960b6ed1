"""The validator: field options compiled once into small checks, run on a message's canonical bytes.

The bytes were already held against their re-encoding: every field stands in its order, in its shortest form, and at the
type its number has. What is left to refuse, whatever the kind: a field nobody declared or the kind does not use, a
value outside its field's bounds, a required field that is absent, an enum value nobody declared, an empty submessage.
What is let pass: an absent field whose absence is a finding; a ledger must be able to hold inconvenient truths.

A field holds its default when it is absent, and cannot be told from it; so a required number is never 0.

Bytes are walked, not parsed messages, because the same codes, actors and citations recur a thousand times in a
submission: a field's bytes are the key under which it is remembered, and what was checked once is not made an object of
again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from tallystick.core.errors import InvalidIdentifier, InvalidStatement
from tallystick.core.forms import FORMS
from tallystick.core.kinds import HEAD, KINDS, Kind, enum_of, field_options, message_of
from tallystick.core.terms import Terms, terms_of_field
from tallystick.core.wire_fields import LENGTH, VARINT, field_at, number_of, tag_of
from tallystick_proto.v1 import meta_pb2

Piece = bytes
"""A field as it stands in a message: tag, length if it has one, value."""
Seen = dict[Piece, tuple[int, Terms]]
"""Pieces one `Rule` found in order: for each the bit of a required field, or 0, and the index terms it adds."""
Check = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One field's compiled options. `bit` is 1 << number of a required field, else 0; `max_items` 0 of a single one.

    `check` raises InvalidStatement or InvalidIdentifier; `terms` gives the index terms of a value that passed.
    """

    name: str
    bit: int
    max_items: int
    check: Callable[[bytes], None]
    terms: Callable[[bytes], Terms]


class Checked(NamedTuple):
    """The beginning of a message that was checked already: how many bytes, the bits of its fields, their terms."""

    length: int
    present: int
    terms: Terms


_NOTHING_YET: Final = Checked(0, 0, ())


@dataclass(frozen=True, slots=True)
class Rule:
    """The compiled checks of one message, by tag. `required` has the bits of all fields that must be there."""

    owner: str
    message: Descriptor
    fields: Mapping[int, FieldRule]
    required: int

    def walk(self, data: bytes, seen: Seen, beginning: Checked = _NOTHING_YET) -> Terms:
        """Check canonical bytes, and give the index terms of their fields, in order; `seen` is this rule's alone.

        Raises InvalidStatement, naming the field within this message.
        """
        position, present, terms = beginning
        items: list[FieldRule] = []
        end = len(data)
        while position < end:
            # What `field_at` does, written out for tags and lengths of one byte: that halves the time of admission.
            tag = data[position]
            begin = position + 1
            if tag & 0x87 == LENGTH and data[begin] < 0x80:
                begin += 1
                stop = begin + data[position + 1]
            elif tag & 0x87 == VARINT:
                stop = begin + 1
                while data[stop - 1] >= 0x80:
                    stop += 1
            else:
                tag, begin, stop = field_at(data, position)
            piece = data[position:stop]
            found = seen.get(piece)
            if found is None:
                found = self._look(tag, piece, data[begin:stop], seen, items)
            bit, added = found
            present |= bit
            terms += added
            position = stop
        if present != self.required:
            raise self._missing(present)
        if items:
            _check_counts(items)
        return terms

    def part(self, data: bytes) -> tuple[int, Terms]:
        """Check some fields of a message, each with all its items, and give their bits and terms. Raises as `walk`."""
        position, present, terms = _NOTHING_YET
        items: list[FieldRule] = []
        while position < len(data):
            tag, begin, stop = field_at(data, position)
            bit, added = self._look(tag, data[position:stop], data[begin:stop], {}, items)
            position, present, terms = stop, present | bit, terms + added
        if items:
            _check_counts(items)
        return present, terms

    def check(self, message: Message) -> None:
        """Check a message made here, which therefore encodes canonically. Raises as `walk`."""
        self.walk(message.SerializeToString(), {})

    def _look(self, tag: int, piece: Piece, value: bytes, seen: Seen, items: list[FieldRule]) -> tuple[int, Terms]:
        """Check a piece that was not seen before. One of a repeated field is counted, and so never remembered."""
        field = self.fields.get(tag)
        if field is None:
            raise self._unused(tag)
        try:
            field.check(value)
            found = field.bit, field.terms(value)
        except (InvalidStatement, InvalidIdentifier) as error:
            where = f"{field.name}[{items.count(field)}]" if field.max_items else field.name
            where = f"{where}.{error.where}" if error.where else where
            raise InvalidStatement(error.what, where=where, expected=error.expected) from None
        if field.max_items:
            items.append(field)
        else:
            seen[piece] = found
        return found

    def _unused(self, tag: int) -> InvalidStatement:
        declared = self.message.fields_by_number.get(tag >> 3)
        name = f"field {tag >> 3}" if declared is None or tag_of(declared) != tag else declared.name
        return InvalidStatement(f"{self.owner} does not use {name}", where=name, expected="only fields of that kind")

    def _missing(self, present: int) -> InvalidStatement:
        name = next(field.name for field in self.fields.values() if field.bit & ~present)
        return InvalidStatement(f"{name} is missing", where=name, expected=f"{self.owner} to carry it")


def _check_counts(items: list[FieldRule]) -> None:
    for field, count in Counter(items).items():
        if count > field.max_items:
            raise InvalidStatement(f"{count} items", where=field.name, expected=f"at most {field.max_items}")


def _nothing(_: bytes) -> None:
    return None


def _check_text(max_len: int, pattern: str) -> Check:
    compiled = re.compile(pattern) if pattern else None

    def check(value: bytes) -> None:
        # No text has more characters than bytes.
        if max_len and len(value) > max_len and (length := len(value.decode())) > max_len:
            raise InvalidStatement(f"{length} characters", expected=f"at most {max_len}")
        if compiled is not None and compiled.fullmatch(value.decode()) is None:
            raise InvalidStatement(f"{value.decode()[:80]!r}", expected=f"the form {pattern}")

    return check


def _check_bytes(exact: int, max_len: int) -> Check:
    def check(value: bytes) -> None:
        if exact and len(value) != exact:
            raise InvalidStatement(f"{len(value)} bytes", expected=f"exactly {exact}")
        if max_len and len(value) > max_len:
            raise InvalidStatement(f"{len(value)} bytes", expected=f"at most {max_len}")

    return check


def _check_enum(field: FieldDescriptor) -> Check:
    enum = enum_of(field)
    declared = frozenset(value.number for value in enum.values)

    def check(value: bytes) -> None:
        number = number_of(value)
        if number not in declared:
            raise InvalidStatement(f"{number} is not declared", expected=f"a value of {enum.name}")

    return check


def _check_submessage(field: FieldDescriptor) -> Check:
    rule = rule_of(message_of(field))

    def check(value: bytes) -> None:
        if not value:
            raise InvalidStatement("an empty message", expected="to be left out, or to say something")
        rule.walk(value, {})

    return check


def _check_form(field: FieldDescriptor, form: Callable[[Any], object]) -> Check:
    read: Callable[[bytes], object] = bytes.decode if field.type == FieldDescriptor.TYPE_STRING else number_of

    def check(value: bytes) -> None:
        form(read(value))

    return check


def _check_of(field: FieldDescriptor, options: meta_pb2.Field) -> Check:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return _check_submessage(field)
    if options.format:
        return _check_form(field, FORMS[options.format])
    if field.type == FieldDescriptor.TYPE_ENUM:
        return _check_enum(field)
    if field.type == FieldDescriptor.TYPE_STRING:
        return _check_text(options.max_len, options.pattern)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _check_bytes(options.len, options.max_len)
    return _nothing


def _compile(owner: str, message: Descriptor, fields: Iterable[tuple[FieldDescriptor, meta_pb2.Field, bool]]) -> Rule:
    compiled = {
        tag_of(field): FieldRule(
            name=field.name,
            bit=required << field.number,
            max_items=options.max_items,
            check=_check_of(field, options),
            terms=terms_of_field(field, options),
        )
        for field, options, required in fields
    }
    return Rule(owner, message, compiled, sum(field.bit for field in compiled.values()))


_RULES: dict[str, Rule] = {}


def rule_of(message: Descriptor) -> Rule:
    """The compiled checks of a message type, made once."""
    rule = _RULES.get(message.full_name)
    if rule is None:
        fields = [(field, field_options(field), field_options(field).required) for field in message.fields]
        rule = _RULES[message.full_name] = _compile(message.name, message, fields)
    return rule


def _head_rule(kind: Kind) -> Rule:
    return _compile(kind.name, HEAD, [(use.field, use.options, use.required) for use in kind.head_uses])


@dataclass(frozen=True, slots=True)
class KindRules:
    """The checks of one kind: its head and its body."""

    kind: Kind
    head: Rule
    body: Rule


RULES: Final[dict[int, KindRules]] = {
    number: KindRules(kind, _head_rule(kind), rule_of(kind.body)) for number, kind in KINDS.items()
}
