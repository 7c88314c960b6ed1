"""Statements: every kind is admitted and read back, and nothing but the one canonical encoding of what is known."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.compose import compose, place
from tallystick.core.errors import InvalidStatement, InvalidSubmission, MalformedEntry, Refused
from tallystick.core.kinds import HEAD, KINDS, TERM_FIELDS, Kind, Use, field_options
from tallystick.core.limits import STATEMENT_BYTES_MAX
from tallystick.core.statement import admit, commitment_at, encode, read
from tallystick.core.terms import Term, pack_term, terms_of
from tallystick.core.validation import RULES
from tallystick_proto.v1.statement_pb2 import DataUsed, Head, Statement, Statements
from tests.harness.any_statement import ACTOR, any_values, least, most
from tests.harness.encodings import field, uncanonical, varint, with_undeclared, with_unknown

each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
ORIGIN = "pudong.example/market-regulation"
USE = compose("use", ACTOR, {"version": "A@1", "case": b"c" * 16, "purpose": "audit"}).statement.SerializeToString()


def bytes_of(kind: Kind, values: dict[str, Any]) -> bytes:
    """A statement of these values, its sensitive ones committed at the first place of some submission."""
    draft = compose(kind.name, ACTOR, values)
    place(draft, ORIGIN, bytes(16), 0, lambda: bytes(32))
    return draft.statement.SerializeToString()


def admitted(data: bytes) -> bool:
    """Whether one statement is admitted; only a refusal may say no."""
    try:
        admit(encode([data]), ACTOR)
    except Refused as error:
        return not str(error)
    return True


def packed(terms: list[Term]) -> tuple[bytes, ...]:
    """Terms as admission gives them."""
    return tuple(pack_term(*term) for term in terms)


def refused(data: bytes) -> str:
    """The sentence with which one statement is refused."""
    with pytest.raises(Refused) as caught:
        admit(encode([data]), ACTOR)
    return str(caught.value)


@each_kind
@pytest.mark.parametrize("values", [least, most], ids=["least", "most"])
def test_every_kind_is_composed_admitted_and_read_back(kind: Kind, values: Callable[[Kind], dict[str, Any]]) -> None:
    """With nothing but what is required, and with every field, a kind passes admission and reads back understood."""
    data = bytes_of(kind, values(kind))
    (piece,), (terms,), (number,) = admit(encode([data]), ACTOR)
    assert (piece, number) == (data, kind.number)
    found = read(data)
    assert (found.kind, found.understood) == (kind, True)
    assert found.statement.SerializeToString() == data
    assert packed(terms_of(found.statement)) == terms


@each_kind
def test_without_what_is_required_a_kind_is_refused(kind: Kind) -> None:
    """Each required field, left out, is named; every other may be left out, an `absent` one among them."""
    for use in kind.uses:
        values = most(kind)
        if values.pop(use.name, None) is None:
            continue
        data = bytes_of(kind, values)
        if use.required:
            assert f"{use.field.name} is missing" in refused(data)
            with pytest.raises(MalformedEntry, match="is missing"):
                read(data)
        else:
            assert admitted(data), use.name


@each_kind
def test_fields_of_the_head_that_a_kind_does_not_use_are_refused(kind: Kind) -> None:
    """A field of the head neither named by the kind nor open to all has no place in its statements."""
    used = {use.field.name for use in kind.head_uses}
    full = Head(
        resource="A",
        version="A@1",
        exchange=bytes(16),
        counterparty="a",
        system="a",
        matter="a",
        derived_from=["A@1"],
    )
    full.about.CopyFrom(read(bytes_of(KINDS[42], least(KINDS[42]))).statement.head.about)
    for descriptor, value in full.ListFields():
        statement = read(bytes_of(kind, least(kind))).statement
        if descriptor.name not in used:
            statement.head.MergeFrom(Head(**{descriptor.name: value}))
            assert f"does not use {descriptor.name}" in refused(statement.SerializeToString())


@each_kind
def test_only_the_canonical_encoding_is_admitted_or_read(kind: Kind) -> None:
    """Fields doubled, swapped, split, written long or with their default, at any depth, are refused and malformed."""
    data = bytes_of(kind, most(kind))
    for name, other in uncanonical(data, Statement.DESCRIPTOR):
        assert not admitted(other), name
        with pytest.raises(MalformedEntry):
            read(other)


@each_kind
def test_fields_nobody_declared_are_refused_but_no_fault_of_who_recorded_them(kind: Kind) -> None:
    """Admission refuses unknown fields at any depth; a reader never takes them for understood."""
    data = bytes_of(kind, most(kind))
    for name, other in with_unknown(data, Statement.DESCRIPTOR):
        assert not admitted(other), name
        assert not read(other).understood, name
    later = read(data + field(1_000, b"later"))
    assert (later.kind, later.understood, later.statement) == (kind, False, read(data).statement)


@each_kind
def test_what_cannot_be_meant_is_refused(kind: Kind) -> None:
    """Empty submessages and values no enum declares are refused by admission, and malformed to a reader."""
    data = bytes_of(kind, most(kind))
    for name, other in with_undeclared(data, Statement.DESCRIPTOR):
        assert not admitted(other), name
        with pytest.raises(MalformedEntry):
            read(other)


def test_the_submission_itself_is_canonical() -> None:
    """Around the statements nothing else stands: no other field, no long length, no statement that is no message."""
    blob = encode([USE, USE])
    assert admit(blob, ACTOR)[2] == [33, 33]
    others = {
        "unknown": blob + field(2, b"x"),
        "unknown before": field(2, b"x") + blob,
        "wrong type": blob + field(1, 1),
        "group": blob + b"\x13\x14",
        "long length": b"\x0a" + varint(len(USE), long=True) + USE,
        "long tag": b"\x8a\x00" + varint(len(USE)) + USE,
        "nothing": b"",
        "an empty statement": encode([b""]),
        "text": b"no protobuf",
    }
    for name, other in others.items():
        try:
            admit(other, ACTOR)
        except Refused:
            continue
        pytest.fail(name)


def test_a_statement_is_a_head_and_one_thing_said() -> None:
    """No head, an empty one, nothing said, two things said, and a kind nobody knows are refused."""
    head, said = field(1, USE[2 : 2 + USE[1]]), USE[2 + USE[1] :]
    assert head + said == USE
    other = field(11, b"")
    for data in (b"", head, said, field(1, b"") + said, head + said + other, head + other + said, said + head):
        assert not admitted(data)
        with pytest.raises(MalformedEntry):
            read(data)


def test_a_kind_this_version_does_not_know_is_not_understood() -> None:
    """A reader keeps a later kind as not understood, and admission has no rules for it."""
    later = field(1, Head(kind=99, actor=ACTOR).SerializeToString()) + field(99, b"")
    assert (read(later).kind, read(later).understood) == (None, False)
    assert "no kind 99" in refused(later)


def test_the_head_says_which_kind_it_is() -> None:
    """A head of another kind than what is said, or of none, is refused and malformed."""
    for number in (0, 32, 99):
        statement = Statement.FromString(USE)
        statement.head.kind = number
        data = statement.SerializeToString()
        assert "head.kind" in refused(data)
        with pytest.raises(MalformedEntry):
            read(data)


def test_all_statements_speak_for_the_submissions_actor() -> None:
    """A statement in another's name, or in none, is refused at its place; where it is the only one, that needs none."""
    other = compose("use", "taxation:clerk", {"purpose": "audit"}).statement
    with pytest.raises(InvalidStatement, match=r"statement 1: head\.actor: 'taxation:clerk'"):
        admit(encode([USE, other.SerializeToString()]), ACTOR)
    other.head.ClearField("actor")
    with pytest.raises(InvalidStatement, match=r"statement 1: head\.actor"):
        admit(encode([USE, other.SerializeToString()]), ACTOR)
    with pytest.raises(InvalidStatement, match=r"^head\.actor: 'nobody' is not an actor"):
        admit(encode([compose("use", "nobody", {"purpose": "a"}).statement.SerializeToString()]), "nobody")


def test_an_oversize_statement_is_refused() -> None:
    """64,000 bytes pass, and one more does not."""
    values = {"digest": bytes(32), "evidence": "的" * 21_000}
    statement = compose("report_equivocation", ACTOR, values).statement
    statement.equivocation_found.evidence += "x" * (STATEMENT_BYTES_MAX - statement.ByteSize())
    assert statement.ByteSize() == STATEMENT_BYTES_MAX
    assert admitted(statement.SerializeToString())
    statement.equivocation_found.evidence += "x"
    assert "64001 bytes; expected at most 64000" in refused(statement.SerializeToString())
    with pytest.raises(MalformedEntry, match="64001 bytes"):
        read(statement.SerializeToString())


@each_kind
def test_every_length_is_kept(kind: Kind) -> None:
    """A text or byte string as long as its bound passes, one longer is refused; hashes have their one length."""
    for use in kind.uses:
        if use.field.is_repeated or use.options.format:
            continue
        a_unit: str | bytes = "x" if use.field.type == FieldDescriptor.TYPE_STRING else b"x"
        lengths = {
            use.options.len: (use.options.len - 1, use.options.len + 1),
            use.options.max_len: (use.options.max_len + 1,),
        }
        for right, wrong in lengths.items():
            if right:
                assert admitted(_with(kind, use, a_unit * right)), use.name
                assert not any(admitted(_with(kind, use, a_unit * length)) for length in wrong), use.name


def _with(kind: Kind, use: Use, value: str | bytes) -> bytes:
    statement = Statement.FromString(bytes_of(kind, most(kind)))
    setattr(statement.head if use.in_head else getattr(statement, kind.field), use.field.name, value)
    return statement.SerializeToString()


def test_lists_and_what_stands_in_them_are_bounded() -> None:
    """As many items as declared pass, one more does not; an item out of bounds is named by its place."""
    used = DataUsed(purpose="a", fields=["x"] * 500)
    statement = Statement(head=Head(kind=33, actor=ACTOR), data_used=used)
    assert admitted(statement.SerializeToString())
    statement.data_used.fields.append("y")
    assert "fields: 501 items; expected at most 500" in refused(statement.SerializeToString())
    statement.data_used.fields[:] = ["x", "x", "x" * 129]
    assert "fields[2]: 129 characters" in refused(statement.SerializeToString())
    statement.data_used.fields[:] = ["x", "的" * 128]
    assert admitted(statement.SerializeToString())
    statement.data_used.fields[:] = []
    statement.head.documents.add(kind="seal")
    statement.head.documents.add().digest.blake3 = bytes(31)
    assert "head.documents[1].digest.blake3: 31 bytes" in refused(statement.SerializeToString())
    statement.head.documents[1].Clear()
    assert "head.documents[1]: an empty message" in refused(statement.SerializeToString())


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("version", "no at sign"),
        ("officer", "nobody"),
        ("happened_at", -1),
        ("happened_at", 253_402_300_800_000_000),
        ("provider", "Taxation"),
        ("purpose", "x" * 65),
        ("system", "a#b"),
    ],
)
def test_forms_are_kept(keyword: str, value: object) -> None:
    """A value that does not have its field's form is refused."""
    data = compose("use", ACTOR, {"purpose": "audit", keyword: value}).statement.SerializeToString()
    assert not admitted(data)


def test_what_was_in_order_once_is_so_only_where_it_was() -> None:
    """A value that passed in one field, kind or message is looked at again in another."""
    first = compose("use", ACTOR, {"purpose": "audit", "system": "taxation"}).statement.SerializeToString()
    unused = Statement(head=Head(kind=31, actor=ACTOR, exchange=bytes(16), counterparty="a", system="taxation"))
    unused.data_received.size = 1
    assert admit(encode([first, unused.SerializeToString()]), ACTOR)[2] == [33, 31]
    unused.head.derived_from.append("A@1")
    with pytest.raises(InvalidStatement, match=r"statement 1: head\.derived_from"):
        admit(encode([first, unused.SerializeToString()]), ACTOR)
    twice = compose("use", ACTOR, {"purpose": "audit"}).statement
    twice.data_used.ClearField("purpose")
    with pytest.raises(InvalidStatement, match=r"statement 1: purpose"):
        admit(encode([first, twice.SerializeToString()]), ACTOR)


def test_terms_are_what_questions_are_asked_by() -> None:
    """Kind, actor, code and version, ids, citation and sources are terms; documents, moments and imports are none."""
    values = {
        "version": "A@2",
        "derived_from": ["B@1", "C@1"],
        "digest": f"blake3:{'5a' * 32}",
        "officer": "taxation:o-1",
        "case": b"c" * 16,
        "happened_at": 7,
        "source": "dcat",
        "documents": [{"kind": "seal"}],
    }
    data = compose("provide_version", ACTOR, values).statement.SerializeToString()
    named = {number: name for name, number in TERM_FIELDS.items()}
    assert [(named[term[0]], term[1:]) for term in admit(encode([data]), ACTOR)[1][0]] == [
        ("kind", b"12"),
        ("actor", ACTOR.encode()),
        ("version", b"A@2"),
        ("resource", b"A"),
        ("case", b"c" * 16),
        ("officer", b"taxation:o-1"),
        ("derived_from", b"B@1"),
        ("derived_from", b"C@1"),
    ]
    about = compose("acknowledge", ACTOR, least(KINDS[42])).statement.SerializeToString()
    assert pack_term(TERM_FIELDS["about"], b"pudong.example/taxation#1") in admit(encode([about]), ACTOR)[1][0]


@given(st.data())
def test_admission_and_reading_find_the_same_terms(data: st.DataObject) -> None:
    """For random statements of every kind, the terms admission indexed are those of the statement read back."""
    kinds = data.draw(st.lists(st.sampled_from(list(KINDS.values())), min_size=1, max_size=5))
    statements = [bytes_of(kind, data.draw(any_values(kind))) for kind in kinds]
    pieces, terms, numbers = admit(encode(statements), ACTOR)
    assert pieces == statements
    assert numbers == [kind.number for kind in kinds]
    assert terms == [packed(terms_of(read(piece).statement)) for piece in pieces]


@given(st.binary(max_size=200), st.integers(0, len(USE)))
def test_garbage_is_refused_in_the_domains_words(garbage: bytes, at: int) -> None:
    """Arbitrary bytes, alone or within a statement, raise a domain error or nothing."""
    for data in (garbage, USE[:at] + garbage + USE[at:]):
        with suppress(MalformedEntry):
            read(data)
        for blob in (data, encode([data])):
            with suppress(Refused):
                admit(blob, ACTOR)


def test_checks_can_be_run_on_a_message_before_it_is_sent() -> None:
    """A rule checks a message made here as it checks received bytes, and names the field."""
    rules = RULES[33]
    statement = Statement.FromString(USE)
    rules.head.check(statement.head)
    rules.body.check(statement.data_used)
    with pytest.raises(InvalidStatement, match="purpose is missing"):
        rules.body.check(DataUsed(rows=1))
    with pytest.raises(InvalidStatement, match="does not use exchange"):
        rules.head.check(Head(kind=33, actor=ACTOR, exchange=bytes(16)))


def test_a_commitment_is_found_at_its_path_alone() -> None:
    """The commitment in a sensitive field is found by its path; nothing is found elsewhere, or in a later kind."""
    statement = Statement.FromString(USE)
    statement.data_used.subject = bytes(range(32))
    data = statement.SerializeToString()
    assert commitment_at(data, "data_used.subject") == bytes(range(32))
    for path in ("subject", "data_used.purpose", "data_used", "", "head.case", "duty_assigned.person"):
        assert commitment_at(data, path) is None
    assert commitment_at(USE, "data_used.subject") is None
    later = field(1, Head(kind=99, actor=ACTOR).SerializeToString()) + field(99, b"")
    assert commitment_at(later, "data_used.subject") is None


def test_the_head_has_the_fields_the_options_speak_of() -> None:
    """Every field open to all kinds can be said by every kind."""
    always = {each.name for each in HEAD.fields if field_options(each).always}
    for kind in KINDS.values():
        assert always <= {use.field.name for use in kind.head_uses}


def test_statements_encode_as_protobuf_does() -> None:
    """The bytes of statements are those protobuf writes."""
    statements = [USE, USE, bytes_of(KINDS[10], most(KINDS[10]))]
    parsed = Statements(statement=[Statement.FromString(each) for each in statements])
    assert encode(statements) == parsed.SerializeToString()
    assert not encode([])
    with pytest.raises(InvalidSubmission, match="0 statements"):
        admit(b"", ACTOR)
