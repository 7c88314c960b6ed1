"""Statements: parsed strictly, and validated from their options.

Two readers with two duties. *Admission* (`admit`) takes the bytes of a whole submission and refuses whatever is not the
one canonical encoding of statements it understands: re-encoding what was parsed must give the same bytes, which leaves
unknown fields, and those the validator refuses at every depth. A *reader* of recorded entries (`read`) re-encodes too:
other bytes are malformed; the same bytes with fields it does not know are *not understood*, which is no fault, so that
a bureau may upgrade before its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import DecodeError

from tallystick.core.errors import InvalidStatement, InvalidSubmission, MalformedEntry
from tallystick.core.kinds import KINDS, SENSITIVE, Kind
from tallystick.core.limits import STATEMENT_BYTES_MAX, SUBMISSION_STATEMENTS_MAX
from tallystick.core.terms import Terms
from tallystick.core.validation import RULES, Checked, KindRules, Seen
from tallystick.core.wire_fields import field_at, tag_of, varint_at
from tallystick_proto.v1.entry_pb2 import StatementsBytes
from tallystick_proto.v1.statement_pb2 import Head, Statement, Statements

_CANONICAL: Final = "fields ascending, each once, minimal varints, no defaults, no unknown fields"
_HEAD_TAG: Final = tag_of(Statement.DESCRIPTOR.fields_by_name["head"])
_BY_TAG: Final = {tag_of(Statement.DESCRIPTOR.fields_by_number[number]): rules for number, rules in RULES.items()}


@dataclass(frozen=True, slots=True)
class Read:
    """A recorded statement as a reader sees it. `kind` is None where this version does not know it."""

    statement: Statement
    kind: Kind | None
    understood: bool


@dataclass(frozen=True, slots=True)
class _Known:
    """What a checker knows of one kind: how a head of it and of the actor begins, and what it has found in order."""

    rules: KindRules
    beginning: bytes
    checked: Checked
    in_head: Seen
    in_body: Seen


class Checker:
    """Checks the canonical bytes of one actor's statements. What it found in order it need not look at again.

    Its memory grows with every distinct value, so it is for one submission.
    """

    def __init__(self, actor: str) -> None:
        self._actor = actor
        self._known: dict[int, _Known] = {}

    def check(self, data: bytes) -> tuple[int, Terms]:
        """The number of a statement's kind, and its index terms. Raises InvalidStatement."""
        if len(data) > STATEMENT_BYTES_MAX:
            check_size(data)
        head, tag, said = _halves(data)
        known = self._known.get(tag)
        if known is None:
            known = self._known[tag] = self._begin(tag)
        if not head.startswith(known.beginning):
            raise self._misattributed(known.rules.kind, Head.FromString(head))
        try:
            terms = known.rules.head.walk(head, known.in_head, known.checked)
        except InvalidStatement as error:
            raise in_head(error) from None
        known.rules.body.walk(said, known.in_body)
        return known.rules.kind.number, terms

    def _begin(self, tag: int) -> _Known:
        rules = _BY_TAG.get(tag)
        if rules is None:
            raise InvalidStatement(f"there is no kind {tag >> 3}", expected="a kind this node knows")
        beginning = Head(kind=rules.kind.number, actor=self._actor).SerializeToString()
        try:
            return _Known(rules, beginning, Checked(len(beginning), *rules.head.part(beginning)), {}, {})
        except InvalidStatement as error:
            raise in_head(error) from None

    def _misattributed(self, kind: Kind, head: Head) -> InvalidStatement:
        if head.kind != kind.number:
            what = f"the head says kind {head.kind}, the statement {kind.name}"
            return InvalidStatement(what, where="head.kind", expected=f"{kind.number}")
        what = f"{head.actor[:100]!r} in a submission of {self._actor}"
        return InvalidStatement(what, where="head.actor", expected="the submission's actor")


def check_size(data: bytes) -> None:
    """A statement is not too long. Raises InvalidStatement."""
    if len(data) > STATEMENT_BYTES_MAX:
        raise InvalidStatement(f"{len(data)} bytes", expected=f"at most {STATEMENT_BYTES_MAX}")


def in_head(error: InvalidStatement) -> InvalidStatement:
    """What is wrong with a head, as what is wrong with its statement."""
    return InvalidStatement(error.what, where=f"head.{error.where}" if error.where else "head", expected=error.expected)


def _halves(data: bytes) -> tuple[bytes, int, bytes]:
    """The bytes of a statement's head, the tag of what is said, and its bytes. Raises InvalidStatement."""
    end = len(data)
    if not data or data[0] != _HEAD_TAG:
        raise InvalidStatement("it does not begin with a head", expected="a head and one thing said")
    length = data[1]
    begin = 2
    if length >= 0x80:
        length, begin = varint_at(data, 1)
    middle = begin + length
    if middle == end:
        raise InvalidStatement("it says nothing", expected="a head and one thing said")
    tag, said, stop = field_at(data, middle)
    if stop != end:
        raise InvalidStatement("it says more than one thing", expected="a head and one thing said")
    return data[begin:middle], tag, data[said:]


def admit(blob: bytes, actor: str) -> tuple[list[bytes], list[Terms], list[int]]:
    """Check the canonical bytes of `Statements` for admission; every statement must name `actor`.

    Returns for each statement its bytes, its terms and its kind's number. Raises InvalidSubmission where the bytes are
    not canonical or of too many statements, InvalidStatement where one breaks its kind's description; `where` says
    which of several, counted from 0.
    """
    try:
        parsed = Statements.FromString(blob)
    except DecodeError:
        raise InvalidSubmission("the statements do not parse", expected="protobuf bytes of Statements") from None
    if not 1 <= len(parsed.statement) <= SUBMISSION_STATEMENTS_MAX:
        raise InvalidSubmission(f"{len(parsed.statement)} statements", expected=f"1 to {SUBMISSION_STATEMENTS_MAX}")
    statements = decode(blob)
    # Protobuf writes again what it does not know: deep within, the walk refuses it; around the statements, `encode`.
    if parsed.SerializeToString() != blob or encode(statements) != blob:
        raise InvalidSubmission("the statements are not in canonical form", expected=_CANONICAL)
    checker = Checker(actor)
    terms: list[Terms] = []
    kinds: list[int] = []
    for position, data in enumerate(statements):
        try:
            number, found = checker.check(data)
        except InvalidStatement as error:
            raise (error.at(f"statement {position}") if len(statements) > 1 else error) from None
        terms.append(found)
        kinds.append(number)
    return statements, terms, kinds


class Reader:
    """Reads the recorded statements of one submission; what was once found in order is not looked at again.

    Its memory grows with every distinct value.
    """

    def __init__(self) -> None:
        self._actor = ""
        self._checker = Checker("")

    def read(self, data: bytes) -> Read:
        """A recorded statement. Raises MalformedEntry where the bytes are not what this version would have written."""
        if len(data) > STATEMENT_BYTES_MAX:
            raise MalformedEntry(f"a statement of {len(data)} bytes", expected=f"at most {STATEMENT_BYTES_MAX}")
        try:
            statement = Statement.FromString(data)
        except DecodeError:
            raise MalformedEntry("the statement does not parse", expected="protobuf bytes of a Statement") from None
        if statement.SerializeToString() != data:
            raise MalformedEntry("the statement is not in canonical form", expected="the one canonical encoding")
        statement.DiscardUnknownFields()
        head = statement.head
        known = KINDS.get(head.kind)
        whole = statement.ByteSize() == len(data)
        if known is None or not statement.HasField(known.field):  # type: ignore[arg-type]
            if whole:
                said = statement.WhichOneof("said") or "nothing"
                raise MalformedEntry(f"the head says kind {head.kind}, the statement {said}", expected="the same")
            return Read(statement, None, understood=False)
        if whole:
            self._check(head.actor, data)
        return Read(statement, known, understood=whole)

    def _check(self, actor: str, data: bytes) -> None:
        if actor != self._actor:
            self._actor, self._checker = actor, Checker(actor)
        try:
            self._checker.check(data)
        except InvalidStatement as error:
            raise MalformedEntry(error.what, where=error.where, expected=error.expected) from None


def read(data: bytes) -> Read:
    """A recorded statement by itself; see `Reader.read`."""
    return Reader().read(data)


def encode(statements: Sequence[bytes]) -> bytes:
    """The canonical bytes of `Statements` from canonical statements."""
    return StatementsBytes(statement=statements).SerializeToString()


def decode(blob: bytes) -> list[bytes]:
    """The statements that `encode` put together."""
    return list(StatementsBytes.FromString(blob).statement)


def commitment_at(data: bytes, path: str) -> bytes | None:
    """The commitment that stands in the sensitive field `path` (`<kind's field>.<field>`) of a statement that was read
    or admitted; None where nothing stands there, or the field is not sensitive."""
    statement = Statement.FromString(data)
    kind = SENSITIVE.get(path)
    if kind is None or kind.number != statement.head.kind:
        return None
    found: bytes = getattr(getattr(statement, kind.field), path.removeprefix(f"{kind.field}."))
    return found or None
