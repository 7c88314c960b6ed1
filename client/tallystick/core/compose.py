"""Statements composed from plain Python values, by the names a kind gives its fields.

What a value may be is said in `values`. What is empty, zero or None is not given. A sensitive field takes `Sensitive`:
its commitment can only be made at its place in a submission, so `place` does it later.

Each field is encoded by itself and the pieces are put together in the order of the fields' numbers, which is what
protobuf writes; so what was encoded once can be used again (`composer`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from tallystick.core.clocks import CLOCK_OFF_MAX_US
from tallystick.core.commitment import Place, commit
from tallystick.core.entry import varint
from tallystick.core.errors import InvalidIdentifier, InvalidStatement
from tallystick.core.kinds import BY_NAME, BY_VERB, KINDS, Kind, Use, enum_of
from tallystick.core.moments import moment_json
from tallystick.core.values import moment_us, setter_of
from tallystick.core.wire_fields import tag_of
from tallystick_proto.v1.entry_pb2 import Disclosure
from tallystick_proto.v1.statement_pb2 import Head, Statement

_SET_BY_ACTOR: Final = frozenset({"kind", "actor"})
_HEAD_TAG: Final = varint(tag_of(Statement.DESCRIPTOR.fields_by_name["head"]))


@dataclass(frozen=True, slots=True)
class Sensitive:
    """A value that must never stand on a ledger; a commitment to it will."""

    value: str | bytes

    def __repr__(self) -> str:
        return "Sensitive(…)"

    @property
    def data(self) -> bytes:
        return self.value.encode() if isinstance(self.value, str) else self.value


class Slot(NamedTuple):
    """What a keyword of a kind fills: the place of its piece in a draft, and how a value becomes that piece.

    `path` is set for a sensitive field: the kind's field and its own.
    """

    at: int
    use: Use
    message: Callable[[], Message]
    set_value: Callable[[Any, Any], None]
    path: str | None

    def piece(self, value: object) -> bytes:
        """The field as it stands in its message, encoded alone. Raises whatever a value that does not fit raises."""
        message = self.message()
        self.set_value(message, value)
        return message.SerializeToString()


@dataclass(frozen=True, slots=True)
class Form:
    """How statements of a kind are put together: `middle` slots of the head, the first for kind and actor, then those
    of what is said, each in the order of the fields' numbers.
    """

    kind: Kind
    tag: bytes
    slots: Mapping[str, Slot]
    middle: int
    end: int

    def blank(self, actor: str) -> list[bytes]:
        """The pieces of a statement that says nothing yet."""
        pieces = [b""] * self.end
        pieces[0] = Head(kind=self.kind.number, actor=actor).SerializeToString()
        return pieces


@dataclass(slots=True)
class Draft:
    """A statement before its place is known: its fields, encoded one by one. `sensitive` holds the values that `place`
    commits, by keyword.
    """

    form: Form
    pieces: list[bytes]
    sensitive: dict[str, bytes] = field(repr=False)

    @property
    def kind(self) -> Kind:
        return self.form.kind

    @property
    def statement(self) -> Statement:
        """The statement, as a message."""
        return Statement.FromString(self.encode())

    def encode(self) -> bytes:
        """The statement's canonical bytes."""
        head, said = b"".join(self.pieces[: self.form.middle]), b"".join(self.pieces[self.form.middle :])
        return b"".join((_HEAD_TAG, varint(len(head)), head, self.form.tag, varint(len(said)), said))


def kind_of(name: str) -> Kind:
    """A kind by its name or its verb. Raises InvalidStatement."""
    found = BY_NAME.get(name) or BY_VERB.get(name)
    if found is None:
        raise InvalidStatement(
            f"there is no kind {name!r}", expected="a kind's name, as in DataSent, or its verb, as in send"
        )
    return found


def form_of(name: str) -> Form:
    """The form of a kind by its name or its verb. Raises InvalidStatement."""
    return _FORMS[kind_of(name).number]


def compose(name: str, actor: str, values: Mapping[str, object]) -> Draft:
    """A statement of a kind (by name or verb) in an actor's name. Raises InvalidStatement for what fits no field.

    Bounds are not checked here: admission does, and `submission.prepare` is the one place where they are; but for what
    a clock says, which whoever records looks at (`check_happened`).
    """
    form = form_of(name)
    draft = Draft(form, form.blank(actor), {})
    for keyword, value in values.items():
        say(draft, keyword, value)
    return draft


def say(draft: Draft, keyword: str, value: object) -> Slot | None:
    """Say one thing in a draft; the slot that was filled, if one was. Raises as `compose`."""
    slots = draft.form.slots
    try:
        if not value:
            return None
        slot = slots[keyword]
        if slot.path is None:
            draft.pieces[slot.at] = slot.piece(value)
        else:
            draft.sensitive[keyword] = _sensitive(value)
        return slot
    except InvalidIdentifier as error:
        raise InvalidStatement(error.what, where=keyword, expected=error.expected) from None
    except (TypeError, ValueError, AttributeError, KeyError, OverflowError) as error:
        raise _unfit(draft.form, keyword, value, error) from None


def check_happened(values: Mapping[str, object], clock_us: Callable[[], int]) -> None:
    """What is said to have happened lies no further ahead than a clock may be off, which is looked at only for that.

    What was brought in is dated by another's clock, whose word is kept as it is. `values` were composed. Raises
    InvalidStatement.
    """
    happened = values.get("happened_at")
    if not happened or values.get("source"):
        return
    if (at_us := moment_us(happened)) > clock_us() + CLOCK_OFF_MAX_US:
        raise InvalidStatement(
            f"{moment_json(at_us) or at_us} is still to come",
            where="happened_at",
            expected="what has happened; or this machine's clock is behind",
        )


def place(
    draft: Draft, origin: str, submission_id: bytes, position: int, salt: Callable[[], bytes]
) -> list[Disclosure]:
    """Commit the draft's sensitive values at their place, each under a fresh salt; the disclosures that open them."""
    disclosures = []
    for keyword, value in draft.sensitive.items():
        slot = draft.form.slots[keyword]
        assert slot.path is not None
        fresh = salt()
        commitment = commit(Place(origin, submission_id, position, slot.path), fresh, value)
        draft.pieces[slot.at] = slot.piece(commitment)
        disclosures.append(Disclosure(position=position, field=slot.path, salt=fresh, value=value))
    return disclosures


def _unfit(form: Form, keyword: str, value: object, error: Exception) -> InvalidStatement:
    slot = form.slots.get(keyword)
    if slot is None:
        return InvalidStatement(f"{form.kind.name} has no {keyword!r}", expected="one of " + ", ".join(form.slots))
    expected = "a value of that field"
    if slot.use.field.type == FieldDescriptor.TYPE_ENUM:
        expected = "one of " + ", ".join(v.name.lower() for v in enum_of(slot.use.field).values if v.number)
    return InvalidStatement(f"{repr(value)[:80]} does not fit ({error})", where=keyword, expected=expected)


def _sensitive(value: object) -> bytes:
    if not isinstance(value, Sensitive):
        raise InvalidIdentifier("a sensitive value in the clear", expected="Sensitive(value)")
    if not isinstance(value.data, bytes):
        raise TypeError("neither text nor bytes")
    return value.data


def _form(kind: Kind) -> Form:
    said = GetMessageClass(kind.body)
    in_order = sorted(kind.uses, key=lambda use: (not use.in_head, use.field.number))
    of_head = [use for use in in_order if use.in_head]
    # Kind and actor have the lowest numbers: they come first, in one piece.
    places = {use.name: at for at, use in enumerate((use for use in in_order if use.name not in _SET_BY_ACTOR), 1)}
    slots = {
        use.name: Slot(
            at=places[use.name],
            use=use,
            message=Head if use.in_head else said,
            set_value=setter_of(use.field, use.options.format),
            path=f"{kind.field}.{use.field.name}" if use.options.sensitive else None,
        )
        for use in kind.uses
        if use.name in places
    }
    tag = varint(tag_of(Statement.DESCRIPTOR.fields_by_name[kind.field]))
    return Form(kind, tag, slots, middle=1 + len(of_head) - len(_SET_BY_ACTOR), end=1 + len(slots))


_FORMS: Final[dict[int, Form]] = {number: _form(kind) for number, kind in KINDS.items()}


def keywords_of(kind: Kind) -> list[Use]:
    """What a statement of this kind can be given, required ones first."""
    uses = [use for use in kind.uses if use.name not in _SET_BY_ACTOR]
    return sorted(uses, key=lambda use: not use.required)
