"""What can be said of every kind, taken from its options alone, so that a new kind is tested without a line here."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tallystick.core.compose import Sensitive, keywords_of
from tallystick.core.kinds import KINDS, Kind, Use, field_options
from tallystick_proto.v1 import meta_pb2
from tests.harness.ledger_maker import START_US

ACTOR = "market-regulation:clerk"
_CODE = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="@#"), min_size=1, max_size=20)
_DAY = st.dates().map(lambda day: day.isoformat())

# For each form a value that has it, and a strategy for any.
_FORMS: dict[str, tuple[Any, SearchStrategy[Any]]] = {
    "actor": ("taxation:o-7f3a", st.from_regex(r"\A[a-z0-9-]{1,64}:[a-z0-9-]{1,31}\Z")),
    "bureau_id": ("taxation", st.from_regex(r"\A[a-z0-9-]{1,64}\Z")),
    "day": ("2027-03-01", _DAY),
    "label": ("tax-registration", _CODE),
    "moment": (START_US, st.integers(1, 253_402_300_799_999_999)),
    "origin": ("pudong.example/taxation", st.from_regex(r"\A[a-z]{1,9}\.example/[a-z]{1,9}\Z")),
    "resource_code": ("SCJG-0012", _CODE),
    "scheme": ("local", st.from_regex(r"\A[a-z0-9][a-z0-9.-]{0,63}\Z")),
    "update_cycle": ("R/P1Y", st.sampled_from(["irregular", "R/P1Y", "R/PT1S", "R/P0.5M"])),
    "version_ref": ("SCJG-0012@2027-03", st.tuples(_CODE, _CODE).map("@".join)),
}


def kinds() -> list[Kind]:
    return list(KINDS.values())


def least(kind: Kind) -> dict[str, object]:
    """Only what is required."""
    return {use.name: plain(use.field, use.options) for use in keywords_of(kind) if use.required}


def most(kind: Kind) -> dict[str, object]:
    """A value for every field, once for a repeated one; sensitive ones left out."""
    return {use.name: plain(use.field, use.options) for use in keywords_of(kind) if not use.options.sensitive}


def plain(field: FieldDescriptor, options: meta_pb2.Field) -> object:
    """One value that a field may hold."""
    value: object
    if field.message_type is not None:
        value = {
            inner.name: plain(inner, field_options(inner))
            for inner in field.message_type.fields
            if inner.containing_oneof is None or inner is inner.containing_oneof.fields[0]
        }
    elif options.format:
        value = _FORMS[options.format][0]
    elif field.enum_type is not None:
        value = next(value.name.lower() for value in field.enum_type.values if value.number)
    elif field.type == FieldDescriptor.TYPE_BYTES:
        value = b"\x01" * (options.len or 1)
    elif field.type == FieldDescriptor.TYPE_STRING:
        value = "word"
    else:
        value = 1
    return [value] if field.is_repeated else value


def any_values(kind: Kind) -> SearchStrategy[dict[str, object]]:
    """Any lawful values: the required ones, and some of the others."""
    uses = keywords_of(kind)
    required = {use.name: _any_of(use) for use in uses if use.required}
    optional = {use.name: _any_of(use) for use in uses if not use.required}
    return st.fixed_dictionaries(required, optional=optional)


def _any_of(use: Use) -> SearchStrategy[Any]:
    if use.options.sensitive:
        return st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(Sensitive)
    return _any(use.field, use.options)


def _any(field: FieldDescriptor, options: meta_pb2.Field) -> SearchStrategy[Any]:
    one: SearchStrategy[Any]
    if field.message_type is not None:
        inner = {
            each.name: _any(each, field_options(each))
            for each in field.message_type.fields
            if each.containing_oneof is None or each is each.containing_oneof.fields[0]
        }
        required = {
            name: each
            for name, each in inner.items()
            if field_options(field.message_type.fields_by_name[name]).required or len(inner) == 1
        }
        optional = {name: each for name, each in inner.items() if name not in required}
        one = st.fixed_dictionaries(required, optional=optional).filter(bool)
    elif options.format:
        one = _FORMS[options.format][1]
    elif field.enum_type is not None:
        one = st.sampled_from([value.name.lower() for value in field.enum_type.values if value.number])
    elif field.type == FieldDescriptor.TYPE_BYTES:
        one = st.binary(min_size=options.len or 1, max_size=options.len or options.max_len)
    elif field.type == FieldDescriptor.TYPE_STRING:
        one = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=min(20, options.max_len))
    elif field.type == FieldDescriptor.TYPE_BOOL:
        one = st.just(True)
    else:
        one = st.integers(1, 2**32 - 1)
    return st.lists(one, min_size=1, max_size=3) if field.is_repeated else one
