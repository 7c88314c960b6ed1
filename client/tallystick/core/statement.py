"""Statements: parsed strictly, validated from their options, with the index terms of their heads.

Two readers with two duties. *Admission* (`admit`) takes the bytes of a whole submission and refuses whatever is not the
one canonical encoding of statements it understands. A *reader* of recorded entries (`read`) re-encodes without discarding:
other bytes are malformed; the same bytes with fields it does not know are *not understood*, which is no fault, so that a
bureau may upgrade before its neighbours.

The index terms of a statement are its head's term fields, each a pair (number of the field in `Head`, value as bytes):
text in UTF-8, the kind as decimal text, `about` as `<origin>#<index>`. A `version` is also a term of its code, so that a
question about a resource finds its versions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import DecodeError

from tallystick.core.errors import InvalidIdentifier, InvalidStatement, InvalidSubmission, MalformedEntry
from tallystick.core.kinds import HEAD, KINDS, TERM_FIELDS, Kind
from tallystick.core.limits import STATEMENT_BYTES_MAX
from tallystick.core.validation import RULES
from tallystick_proto.v1.statement_pb2 import Head, Ref, Statement, Statements

Term = tuple[int, bytes]

_KIND: Final = TERM_FIELDS["kind"]
_ACTOR: Final = TERM_FIELDS["actor"]
_RESOURCE: Final = TERM_FIELDS["resource"]
_VERSION: Final = TERM_FIELDS["version"]
_ABOUT: Final = TERM_FIELDS["about"]
_DERIVED_FROM: Final = TERM_FIELDS["derived_from"]
_TERM_NUMBERS: Final = frozenset(TERM_FIELDS.values()) - {0}
# Text whose form was checked once in a submission is not checked again: the same codes recur a thousand times.
_CHECKED_ONCE: Final = frozenset(
    field.number for field in HEAD.fields if not field.is_repeated and field.message_type is None and field.number in _TERM_NUMBERS
)


@dataclass(frozen=True, slots=True)
class Read:
    """A recorded statement as a reader sees it. `kind` is None where this version does not know it."""

    statement: Statement
    kind: Kind | None
    understood: bool


def about_term(ref: Ref) -> bytes:
    """The index term's value of a citation."""
    return f"{ref.origin}#{ref.index}".encode()


def admit(blob: bytes, actor: str) -> tuple[list[bytes], list[list[Term]], list[int]]:
    """Check the canonical bytes of `Statements` for admission; every statement must name `actor`.

    Returns for each statement its bytes, its terms and its kind's number. Raises InvalidSubmission where the bytes are not
    canonical, InvalidStatement where a statement breaks its kind's description; `where` counts statements from 0.
    """
    try:
        parsed = Statements.FromString(blob)
    except DecodeError:
        raise InvalidSubmission("the statements do not parse", expected="protobuf bytes of Statements") from None
    parsed.DiscardUnknownFields()  # type: ignore[no-untyped-call]
    if parsed.SerializeToString() != blob:
        raise InvalidSubmission(
            "the statements are not in canonical form",
            expected="fields ascending, each once, minimal varints, no defaults, no unknown fields",
        )
    pieces = _split(blob)
    terms: list[list[Term]] = []
    kinds: list[int] = []
    seen: dict[tuple[int, str | bytes], Term] = {}
    for position, statement in enumerate(parsed.statement):
        try:
            if len(pieces[position]) > STATEMENT_BYTES_MAX:
                raise InvalidStatement(f"{len(pieces[position])} bytes", expected=f"at most {STATEMENT_BYTES_MAX}")
            number, found = _check(statement, actor, seen)
        except InvalidStatement as error:
            raise error.at(f"statement {position}") from None
        terms.append(found)
        kinds.append(number)
    return pieces, terms, kinds


def _split(blob: bytes) -> list[bytes]:
    """The statements' own bytes; the blob is canonical, so every tag is 0x0a and every length minimal."""
    pieces = []
    position, end = 0, len(blob)
    while position < end:
        position += 1
        length = blob[position]
        position += 1
        if length >= 0x80:
            length &= 0x7F
            shift = 7
            while True:
                byte = blob[position]
                position += 1
                length |= (byte & 0x7F) << shift
                if byte < 0x80:
                    break
                shift += 7
        pieces.append(blob[position : position + length])
        position += length
    return pieces


def _check(statement: Statement, actor: str, seen: dict[tuple[int, str | bytes], Term]) -> tuple[int, list[Term]]:
    head = statement.head
    number = head.kind
    rules = RULES.get(number)
    if rules is None:
        raise InvalidStatement(f"there is no kind {number}", where="head.kind", expected="a kind this node knows")
    if not statement.HasField(rules.kind.field):  # type: ignore[arg-type]
        said = statement.WhichOneof("said")
        raise InvalidStatement(
            f"the head says {rules.kind.name}, the statement says {said or 'nothing'}", where="head.kind", expected="the same"
        )
    if head.actor != actor:
        raise InvalidStatement(
            f"{head.actor!r} in a submission of {actor}", where="head.actor", expected="the submission's actor"
        )
    terms = _head_terms(head, rules.head.checks, rules.head.required, rules.kind, seen)
    rules.body.check(getattr(statement, rules.kind.field))
    return number, terms


def _head_terms(
    head: Head, checks: dict[int, object], required: frozenset[int], kind: Kind, seen: dict[tuple[int, str | bytes], Term]
) -> list[Term]:
    """Check the head and collect its terms in one walk; this is the hottest loop of admission."""
    terms: list[Term] = []
    present = 0
    for field, value in head.ListFields():
        number = field.number
        check = checks.get(number)
        if check is None:
            raise InvalidStatement(f"{kind.name} does not use {field.name}", where=f"head.{field.name}")
        present += number in required
        if number in _CHECKED_ONCE:
            term = seen.get((number, value))
            if term is None:
                _call(check, value, field.name)
                text = value if isinstance(value, bytes) else str(value).encode()
                term = seen[number, value] = (number, text)
            terms.append(term)
            if number == _VERSION:
                terms.append((_RESOURCE, term[1].rpartition(b"@")[0]))
            continue
        _call(check, value, field.name)
        if number == _ABOUT:
            terms.append((_ABOUT, about_term(value)))
        elif number == _DERIVED_FROM:
            terms.extend((_DERIVED_FROM, source.encode()) for source in value)
    if present < len(required):
        carried = {field.number for field, _ in head.ListFields()}
        name = HEAD.fields_by_number[min(required - carried)].name
        raise InvalidStatement(f"{name} is missing", where=f"head.{name}", expected=f"{kind.name} to carry it")
    return terms


def _call(check: object, value: object, name: str) -> None:
    try:
        check(value)  # type: ignore[operator]
    except (InvalidStatement, InvalidIdentifier) as error:
        where = f"head.{name}.{error.where}" if error.where else f"head.{name}"
        raise InvalidStatement(error.what, where=where, expected=error.expected) from None


def terms_of(statement: Statement) -> list[Term]:
    """The index terms of one recorded statement, by the rule that admission used; unknown fields add none."""
    terms: list[Term] = []
    for field, value in statement.head.ListFields():
        number = field.number
        if number not in _TERM_NUMBERS:
            continue
        if number == _ABOUT:
            terms.append((_ABOUT, about_term(value)))
        elif number == _DERIVED_FROM:
            terms.extend((_DERIVED_FROM, source.encode()) for source in value)
        else:
            text = value if isinstance(value, bytes) else str(value).encode()
            terms.append((number, text))
            if number == _VERSION:
                terms.append((_RESOURCE, text.rpartition(b"@")[0]))
    return terms


def read(data: bytes) -> Read:
    """A recorded statement. Raises MalformedEntry where the bytes are not what this version would have written."""
    try:
        statement = Statement.FromString(data)
    except DecodeError:
        raise MalformedEntry("the statement does not parse", expected="protobuf bytes of a Statement") from None
    if statement.SerializeToString() != data:
        raise MalformedEntry("the statement is not in canonical form", expected="the one canonical encoding")
    statement.DiscardUnknownFields()  # type: ignore[no-untyped-call]
    known = KINDS.get(statement.head.kind)
    whole = statement.ByteSize() == len(data)
    if known is None or not statement.HasField(known.field):  # type: ignore[arg-type]
        if whole:
            raise MalformedEntry(f"kind {statement.head.kind} says {statement.WhichOneof('said') or 'nothing'}", expected="its kind")
        return Read(statement, None, understood=False)
    if whole:
        try:
            RULES[known.number].head.check(statement.head)
            RULES[known.number].body.check(getattr(statement, known.field))
        except InvalidStatement as error:
            raise MalformedEntry(error.what, where=error.where, expected=error.expected) from None
    return Read(statement, known, understood=whole)


def encode(statements: Sequence[bytes]) -> bytes:
    """The canonical bytes of `Statements` from canonical statements."""
    parts: list[bytes] = []
    for statement in statements:
        length = len(statement)
        prefix = bytearray(b"\x0a")
        while length >= 0x80:
            prefix.append(length & 0x7F | 0x80)
            length >>= 7
        prefix.append(length)
        parts += (prefix, statement)
    return b"".join(parts)


def commitment_at(data: bytes, path: str) -> bytes | None:
    """The commitment that stands in the sensitive field `path` (`<kind's field>.<field>`) of an admitted statement."""
    statement = Statement.FromString(data)
    kind = KINDS[statement.head.kind]
    for use in kind.body_uses:
        if use.options.sensitive and path == f"{kind.field}.{use.field.name}":
            found: bytes = getattr(getattr(statement, kind.field), use.field.name)
            return found or None
    return None
