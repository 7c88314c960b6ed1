"""The validator: field options compiled once into small checks, run on parsed messages.

What it refuses, whatever the kind: a value outside its field's bounds, a required field that is absent, an enum value
nobody declared, an empty submessage, a field of the head the kind does not use. What it lets pass: an absent field
whose absence is a finding; a ledger must be able to hold inconvenient truths.

A field holds its default when it is absent, and cannot be told from it; so a required number is never 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from tallystick.core.errors import InvalidIdentifier, InvalidStatement
from tallystick.core.forms import FORMS
from tallystick.core.kinds import KINDS, Kind, Use, field_options
from tallystick_proto.v1 import meta_pb2

Check = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Rule:
    """The compiled checks of one message: by field number, what to call on the value, and which fields must be there."""

    checks: dict[int, Check]
    required: frozenset[int]
    names: dict[int, str]
    owner: str

    def check(self, message: Message) -> None:
        """Raises InvalidStatement, naming the field within this message."""
        checks = self.checks
        missing = self.required
        for field, value in message.ListFields():
            number = field.number
            check = checks.get(number)
            if check is None:
                raise InvalidStatement(f"{self.owner} does not use {field.name}", expected="only fields of that kind")
            try:
                check(value)
            except (InvalidStatement, InvalidIdentifier) as error:
                raise InvalidStatement(error.what, where=_join(field.name, error.where), expected=error.expected) from None
            if number in missing:
                missing = missing - {number}
        if missing:
            name = self.names[min(missing)]
            raise InvalidStatement(f"{name} is missing", where=name, expected=f"{self.owner} to carry it")


def _join(outer: str, inner: str) -> str:
    return f"{outer}.{inner}" if inner else outer


def _nothing(_: Any) -> None:
    return None


def _check_text(max_len: int, pattern: str) -> Check:
    compiled = re.compile(pattern) if pattern else None

    def check(value: str) -> None:
        if max_len and len(value) > max_len:
            raise InvalidStatement(f"{len(value)} characters", expected=f"at most {max_len}")
        if compiled is not None and compiled.fullmatch(value) is None:
            raise InvalidStatement(f"{value[:80]!r}", expected=f"the form {pattern}")

    return check


def _check_bytes(exact: int, max_len: int) -> Check:
    def check(value: bytes) -> None:
        if exact and len(value) != exact:
            raise InvalidStatement(f"{len(value)} bytes", expected=f"exactly {exact}")
        if max_len and len(value) > max_len:
            raise InvalidStatement(f"{len(value)} bytes", expected=f"at most {max_len}")

    return check


def _check_enum(field: FieldDescriptor) -> Check:
    declared = frozenset(value.number for value in field.enum_type.values)

    def check(value: int) -> None:
        if value not in declared:
            raise InvalidStatement(f"{value} is not declared", expected=f"a value of {field.enum_type.name}")

    return check


def _check_submessage(field: FieldDescriptor) -> Check:
    rule = rule_of(field.message_type)

    def check(value: Message) -> None:
        if not value.ListFields():
            raise InvalidStatement("an empty message", expected="to be left out, or to say something")
        rule.check(value)

    return check


def _check_repeated(check_item: Check, max_items: int) -> Check:
    def check(values: Any) -> None:
        if max_items and len(values) > max_items:
            raise InvalidStatement(f"{len(values)} items", expected=f"at most {max_items}")
        for position, value in enumerate(values):
            try:
                check_item(value)
            except (InvalidStatement, InvalidIdentifier) as error:
                where = _join(f"[{position}]", error.where)
                raise InvalidStatement(error.what, where=where, expected=error.expected) from None

    return check


def _check_of(field: FieldDescriptor, options: meta_pb2.Field) -> Check:
    if field.message_type is not None:
        check = _check_submessage(field)
    elif options.format:
        check = FORMS[options.format]  # type: ignore[assignment]  # a form may return what it parsed; nobody looks
    elif field.enum_type is not None:
        check = _check_enum(field)
    elif field.type == FieldDescriptor.TYPE_STRING:
        check = _check_text(options.max_len, options.pattern)
    elif field.type == FieldDescriptor.TYPE_BYTES:
        check = _check_bytes(options.len, options.max_len)
    else:
        check = _nothing
    return _check_repeated(check, options.max_items) if field.is_repeated else check


_RULES: dict[str, Rule] = {}


def rule_of(message: Descriptor) -> Rule:
    """The compiled checks of a message type, made once."""
    rule = _RULES.get(message.full_name)
    if rule is None:
        options = {field.number: field_options(field) for field in message.fields}
        rule = _RULES[message.full_name] = Rule(
            checks={field.number: _check_of(field, options[field.number]) for field in message.fields},
            required=frozenset(number for number, chosen in options.items() if chosen.required),
            names={field.number: field.name for field in message.fields},
            owner=message.name,
        )
    return rule


def _head_rule(kind: Kind) -> Rule:
    uses: list[Use] = list(kind.head_uses)
    return Rule(
        checks={use.field.number: _check_of(use.field, use.options) for use in uses},
        required=frozenset(use.field.number for use in uses if use.required),
        names={use.field.number: use.field.name for use in uses},
        owner=kind.name,
    )


@dataclass(frozen=True, slots=True)
class KindRules:
    """The checks of one kind: its head and its body."""

    kind: Kind
    head: Rule
    body: Rule


RULES: Final[dict[int, KindRules]] = {
    number: KindRules(kind, _head_rule(kind), rule_of(kind.body)) for number, kind in KINDS.items()
}
