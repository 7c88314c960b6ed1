"""The index terms of a statement: by what of its head it is found.

They are its head's term fields, each a pair (number of the field in `Head`, value as bytes): text in UTF-8, the kind as
decimal text, `about` as `<origin>#<index>`. A `version` is also a term of its code, so that a question about a resource
finds its versions. Admission takes them from the bytes of each field it checks, a reader from a statement that was
recorded; both by this one rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from google.protobuf.descriptor import FieldDescriptor

from tallystick.core.kinds import TERM_FIELDS
from tallystick.core.wire_fields import number_of
from tallystick_proto.v1 import meta_pb2
from tallystick_proto.v1.statement_pb2 import Ref, Statement

Term = tuple[int, bytes]
"""An index term: the number of the head's field, and its value."""
Terms = tuple[bytes, ...]
"""Index terms as `pack_term` makes them, which is how the index hashes them."""

_RESOURCE: Final = TERM_FIELDS["resource"]
_VERSION: Final = TERM_FIELDS["version"]
_ABOUT: Final = TERM_FIELDS["about"]
_DERIVED_FROM: Final = TERM_FIELDS["derived_from"]
_TERM_NUMBERS: Final = frozenset(TERM_FIELDS.values()) - {0}
_NUMBERS: Final = [bytes((number,)) for number in range(256)]


def pack_term(number: int, value: bytes) -> bytes:
    """A term in one: the number in a byte, and the value."""
    return _NUMBERS[number] + value


def terms_of_field(field: FieldDescriptor, options: meta_pb2.Field) -> Callable[[bytes], Terms]:
    """How a checked value of a field becomes index terms; nothing outside the head has any."""
    number = field.number
    if not options.term:
        return lambda value: ()
    if options.format == "version_ref" and not field.is_repeated:
        return lambda value: (pack_term(number, value), pack_term(_RESOURCE, value.rpartition(b"@")[0]))
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return lambda value: (pack_term(number, _cited(Ref.FromString(value))),)
    if field.type == FieldDescriptor.TYPE_UINT32:
        return lambda value: (pack_term(number, str(number_of(value)).encode()),)
    return lambda value: (pack_term(number, value),)


def terms_of(statement: Statement) -> list[Term]:
    """The index terms of one recorded statement, by the rule that admission used; unknown fields add none."""
    terms: list[Term] = []
    for field, value in statement.head.ListFields():
        number = field.number
        if number not in _TERM_NUMBERS:
            continue
        if number == _ABOUT:
            terms.append((_ABOUT, _cited(value)))
        elif number == _DERIVED_FROM:
            terms.extend((_DERIVED_FROM, source.encode()) for source in value)
        else:
            text = value if isinstance(value, bytes) else str(value).encode()
            terms.append((number, text))
            if number == _VERSION:
                terms.append((_RESOURCE, text.rpartition(b"@")[0]))
    return terms


def _cited(ref: Ref) -> bytes:
    """The index term's value of a citation."""
    return f"{ref.origin}#{ref.index}".encode()
