"""The kinds as their options say them: complete in two languages, bounded, and free of what cannot be canonical."""

from __future__ import annotations

from keyword import iskeyword

import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

import tallystick.audit.rules
from tallystick.audit.rule import RULES
from tallystick.core.compose import keywords_of
from tallystick.core.forms import FORMS
from tallystick.core.kinds import (
    BY_NAME,
    BY_VERB,
    HEAD,
    KINDS,
    TERM_FIELDS,
    Kind,
    enum_label,
    field_options,
    role_label,
)
from tallystick_proto.v1 import statement_pb2
from tallystick_proto.v1.meta_pb2 import Reader, Role
from tallystick_proto.v1.statement_pb2 import Statements

assert tallystick.audit.rules  # importing them enters them

SECTIONS = ("catalogue", "sharing", "exchange", "answering", "duty", "systems", "node")
each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)


def messages(message: Descriptor = Statements.DESCRIPTOR) -> dict[str, Descriptor]:
    """A message and all that can stand in it, by name."""
    found: dict[str, Descriptor] = {}
    waiting = [message]
    while waiting:
        each = waiting.pop()
        if each.full_name not in found:
            found[each.full_name] = each
            waiting += [field.message_type for field in each.fields if field.message_type is not None]
    return found


def fields() -> list[FieldDescriptor]:
    """Every field a statement can have, at any depth; not the field that holds statements, nor what is said."""
    inside = [message for message in messages().values() if message.name not in ("Statements", "Statement")]
    return [field for message in inside for field in message.fields]


def enums() -> dict[str, EnumDescriptor]:
    return {field.enum_type.full_name: field.enum_type for field in fields() if field.enum_type is not None}


each_field = pytest.mark.parametrize(
    "field", fields(), ids=lambda field: field.full_name.removeprefix("tallystick.v1.")
)


def test_every_message_of_the_file_can_stand_in_a_statement() -> None:
    """No message of statement.proto escapes the checks below."""
    assert {
        message.full_name for message in statement_pb2.DESCRIPTOR.message_types_by_name.values()
    } <= messages().keys()


@pytest.mark.parametrize("message", messages().values(), ids=lambda message: message.name)
def test_nothing_is_declared_that_has_two_encodings(message: Descriptor) -> None:
    """No maps, floats, `optional`, groups, fixed-width or zigzag numbers, nor repeated numbers, which can be packed."""
    plain = (
        FieldDescriptor.TYPE_MESSAGE,
        FieldDescriptor.TYPE_STRING,
        FieldDescriptor.TYPE_BYTES,
        FieldDescriptor.TYPE_ENUM,
        FieldDescriptor.TYPE_BOOL,
        FieldDescriptor.TYPE_UINT32,
        FieldDescriptor.TYPE_UINT64,
        FieldDescriptor.TYPE_INT64,
    )
    for field in message.fields:
        assert field.type in plain, field.full_name
        assert field.message_type is None or not field.message_type.GetOptions().map_entry, field.full_name
        assert not field.is_repeated or field.type in plain[:3], field.full_name
        assert not any(oneof.name.startswith("_") for oneof in message.oneofs), "proto3 optional"
    assert [field.number for field in message.fields] == sorted(field.number for field in message.fields)


@each_field
def test_every_field_is_bounded(field: FieldDescriptor) -> None:
    """Every text and byte string has a bound or a form, every repeated field a number of items, every form a check."""
    options = field_options(field)
    if field.type == FieldDescriptor.TYPE_STRING:
        assert options.max_len or options.pattern or options.format
    if field.type == FieldDescriptor.TYPE_BYTES:
        assert options.max_len or options.len
    assert bool(options.max_items) == field.is_repeated
    assert not options.format or options.format in FORMS
    assert not options.sensitive or (field.type == FieldDescriptor.TYPE_BYTES and options.len == 32)
    assert options.sensitive == bool(options.shown_to)


@each_field
def test_every_field_is_called_something_in_both_languages(field: FieldDescriptor) -> None:
    """Every field has a Chinese name, also inside submessages, and an English one can be made of its own."""
    assert field_options(field).zh.strip()


@pytest.mark.parametrize("enum", [*enums().values(), Role.DESCRIPTOR, Reader.DESCRIPTOR], ids=lambda enum: enum.name)
def test_every_value_of_an_enum_has_labels(enum: EnumDescriptor) -> None:
    """Every value but the unspecified one has a label of its own in both languages; an unknown one shows its number."""
    for language in ("zh", "en"):
        said = [value for value in enum.values if not value.name.endswith("_UNSPECIFIED")]
        labels = [enum_label(enum, value.number, language) for value in said]
        assert len(set(labels)) == len(labels)
        assert all(label.strip() for label in labels)
        assert enum_label(enum, 99, language) == "99"
    assert all(enum_label(enum, value.number, "zh") != value.name for value in said)


@each_kind
def test_a_kind_says_what_it_is(kind: Kind) -> None:
    """Every kind has labels, a standard term, a section, somebody who may sign it, and a number from 10 to 77."""
    assert kind.label("zh") == kind.zh != ""
    assert kind.label("en") == kind.en != ""
    assert kind.term
    assert kind.section in SECTIONS
    assert kind.roles
    assert all(role_label(role, "zh") for role in kind.roles)
    assert 10 <= kind.number <= 77
    assert BY_NAME[kind.name] is BY_VERB[kind.verb] is KINDS[kind.number] is kind


@each_kind
def test_a_kind_has_one_keyword_for_each_thing_it_says(kind: Kind) -> None:
    """Keywords are labelled in both languages, unique within the kind, and possible as Python arguments."""
    names = [use.name for use in kind.uses]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and not iskeyword(name) and name != "self" for name in names)
    for use in kind.uses:
        assert use.label("zh").strip()
        assert use.label("en").strip()
        assert kind.use(use.name) is use
    assert kind.use("no such thing") is None


@each_kind
def test_required_ones_come_first(kind: Kind) -> None:
    """What a kind can be given is all but what the actor sets, required ones first."""
    order = [use.required for use in keywords_of(kind)]
    assert order == sorted(order, reverse=True)
    assert {use.name for use in kind.uses} - {use.name for use in keywords_of(kind)} == {"kind", "actor"}


@each_kind
def test_what_the_audit_misses_is_never_required(kind: Kind) -> None:
    """A field whose absence is a finding names a rule that an audit has, and may be left out."""
    for use in kind.uses:
        if use.absent:
            assert use.absent in RULES
            assert not use.required


def test_some_absences_are_findings() -> None:
    """The options of absence are read at all: those the design names are there."""
    absent = {use.absent for kind in KINDS.values() for use in kind.uses} - {""}
    assert {"withheld-without-basis", "unsupported-receipt", "access-without-grant", "use-without-case"} <= absent


def test_only_fields_of_kinds_have_rules_of_absence() -> None:
    """No field inside a submessage claims a rule: nobody would look there."""
    bodies = {kind.body.full_name for kind in KINDS.values()}
    for name, message in messages().items():
        if name not in bodies:
            assert not any(field_options(field).absent for field in message.fields), name


def test_verbs_and_names_are_unique() -> None:
    """No two kinds share a verb, a name, a field or a label."""
    kinds = KINDS.values()
    for names in ([k.verb for k in kinds], [k.name for k in kinds], [k.field for k in kinds], [k.zh for k in kinds]):
        assert len(set(names)) == len(kinds)
    assert all(kind.verb.isidentifier() and not iskeyword(kind.verb) for kind in KINDS.values())


def test_the_node_and_the_registrar_speak_for_themselves_alone() -> None:
    """What a node or registrar says nobody else may say, and they say nothing else."""
    for kind in KINDS.values():
        own = kind.roles & {Role.NODE, Role.REGISTRAR}
        assert own in (frozenset(), kind.roles), kind.name


def test_terms_are_the_fields_the_head_marks() -> None:
    """The index knows the head's term fields by number, and the submission id as 0."""
    assert TERM_FIELDS["submission"] == 0
    assert {name for name, number in TERM_FIELDS.items() if number} == {
        field.name for field in HEAD.fields if field_options(field).term
    }
