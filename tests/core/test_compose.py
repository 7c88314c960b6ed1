"""Composing: plain values become the fields they are meant for, and what does not fit is named by its keyword."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.clocks import CLOCK_OFF_MAX_US
from tallystick.core.commitment import Place, check_opening
from tallystick.core.compose import Draft, Sensitive, check_happened, compose, keywords_of, kind_of, place
from tallystick.core.entry import MOMENT_MAX_US
from tallystick.core.errors import InvalidStatement, ProofFailed
from tallystick.core.kinds import KINDS, Kind
from tallystick.core.values import exchange_id
from tallystick_proto.v1.statement_pb2 import Basis, Digest, Ref
from tests.harness.any_statement import any_values, most

ACTOR = "taxation:clerk"
ORIGIN = "pudong.example/taxation"
REF = Ref(origin=ORIGIN, index=3, leaf=bytes(32))
DIGEST = f"blake3:{'5a' * 32}"
each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)


def refusal(kind: str, /, **values: object) -> str:
    with pytest.raises(InvalidStatement) as caught:
        compose(kind, ACTOR, values)
    return str(caught.value)


@each_kind
def test_a_kind_goes_by_its_name_and_by_its_verb(kind: Kind) -> None:
    """Name and verb compose the same statement, which names its kind and actor."""
    by_name, by_verb = (compose(called, ACTOR, most(kind)) for called in (kind.name, kind.verb))
    assert by_name.statement == by_verb.statement
    assert by_name.kind is kind
    assert (by_name.statement.head.kind, by_name.statement.head.actor) == (kind.number, ACTOR)
    assert by_name.statement.WhichOneof("said") == kind.field


@each_kind
def test_every_keyword_sets_its_own_field(kind: Kind) -> None:
    """A value given alone stands in the field its keyword names, and nowhere else."""
    values = most(kind)
    for use in keywords_of(kind):
        if use.name in values:
            draft = compose(kind.name, ACTOR, {use.name: values[use.name]})
            body = getattr(draft.statement, kind.field)
            head = {field.name for field, _ in draft.statement.head.ListFields()} - {"kind", "actor"}
            said = {field.name for field, _ in body.ListFields()}
            assert (head, said) == (({use.field.name}, set()) if use.in_head else (set(), {use.field.name}))


@each_kind
def test_what_is_empty_is_not_given(kind: Kind) -> None:
    """None, empty, zero and False leave a field out, the statement of a kind that says nothing more included."""
    empty: tuple[object, ...] = (None, "", b"", (), [], {}, 0, False)
    for nothing in empty:
        draft = compose(kind.name, ACTOR, dict.fromkeys((use.name for use in keywords_of(kind)), nothing))
        assert draft.statement == compose(kind.name, ACTOR, {}).statement
        assert not draft.sensitive


def test_there_is_no_other_kind_or_keyword() -> None:
    """A kind nobody declared, and a keyword the kind does not have, are named with what there is instead."""
    with pytest.raises(InvalidStatement, match="there is no kind 'lend'"):
        kind_of("lend")
    assert "DataUsed has no 'colour'; expected one of version" in refusal("use", colour="red")
    assert "has no 'actor'" in refusal("use", actor="taxation:other")
    assert "has no 'kind'" in refusal("use", kind=31)


def set_by(kind: str, /, **values: object) -> Any:
    """What one keyword put into the statement."""
    (keyword,) = values
    draft = compose(kind, ACTOR, values)
    use = draft.kind.use(keyword)
    assert use is not None
    return getattr(draft.statement.head if use.in_head else getattr(draft.statement, draft.kind.field), use.field.name)


def test_ids_are_taken_in_any_of_their_forms() -> None:
    """Bytes, a UUID and its text are that id; other text is the first 16 bytes of its BLAKE3."""
    uuid = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
    for given_as in (uuid, uuid.bytes, str(uuid), uuid.hex, f"urn:uuid:{uuid}"):
        assert set_by("use", case=given_as) == uuid.bytes == exchange_id(given_as)
    assert set_by("send", exchange="2027/4711") == blake3(b"2027/4711").digest()[:16]
    assert "exchange" in refusal("send", exchange=4711)


def test_moments_and_days_are_taken_from_dates() -> None:
    """A moment with a time zone is microseconds since 1970, a day its text; without a zone it is nobody's moment."""
    moment = datetime(2027, 3, 1, 8, 30, 0, 123_457, tzinfo=timezone(timedelta(hours=8)))
    assert set_by("use", happened_at=moment) == 1_803_861_000_123_457
    assert set_by("use", happened_at=7) == 7
    assert set_by("register_system", approved_on=date(2027, 3, 1)) == "2027-03-01"
    assert set_by("register_system", approved_on="2027-03-01") == "2027-03-01"
    assert "no time zone" in refusal("use", happened_at=datetime(2027, 3, 1))
    assert "happened_at" in refusal("use", happened_at="yesterday")


def test_what_is_recorded_has_happened() -> None:
    """By a clock that may be off; what was brought in is by another's clock, and when nothing is said it is now."""
    now, later = datetime(2027, 3, 1, tzinfo=UTC), CLOCK_OFF_MAX_US
    now_us = set_by("use", happened_at=now)
    for values in ({}, {"happened_at": None}, {"happened_at": now}, {"happened_at": now_us + later}):
        check_happened(values, lambda: now_us)
    ahead: dict[str, object] = {"happened_at": now_us + later + 1}
    check_happened({**ahead, "source": "xroad"}, lambda: now_us)
    for happened in (now_us + later + 1, now + timedelta(days=1), MOMENT_MAX_US):
        with pytest.raises(InvalidStatement, match=r"happened_at: .* is still to come"):
            check_happened({"happened_at": happened}, lambda: now_us)


@given(st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)))
def test_no_microsecond_is_lost(moment: datetime) -> None:
    """A moment reads back as the very microsecond that was given."""
    found = set_by("use", happened_at=moment)
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=found) == moment


def test_enums_go_by_their_names() -> None:
    """An enum takes a value's name in lower case or its number, and a wrong name is answered with the right ones."""
    assert set_by("declare", sharing="withheld") == set_by("declare", sharing=3) == 3
    assert "expected one of unconditional, conditional, withheld" in refusal("declare", sharing="secret")


def test_citations_digests_bases_and_versions_are_taken_as_they_come() -> None:
    """A Ref or what has one, a digest as text, a basis as its words, a version reference or what has one."""
    assert set_by("send", grant=REF) == set_by("send", grant=SimpleNamespace(ref=REF)) == REF
    assert set_by("send", digest=DIGEST) == Digest(blake3=b"\x5a" * 32)
    assert set_by("send", digest=DIGEST.replace("blake3", "committed")) == Digest(committed=b"\x5a" * 32)
    assert set_by("send", digest=Digest(committed=bytes(32))) == Digest(committed=bytes(32))
    assert set_by("deny", basis="article 4") == set_by("deny", basis={"words": "article 4"}) == Basis(words="article 4")
    assert set_by("use", version=SimpleNamespace(version_ref="A@1")) == set_by("use", version="A@1") == "A@1"
    assert set_by("provide_version", derived_from=["A@1", SimpleNamespace(version_ref="B@1")]) == ["A@1", "B@1"]
    assert set_by("declare", fields=[{"name": "a", "sensitivity": "personal"}])[0].sensitivity == 1
    (shown,) = set_by("note_shown", shown=[{"to": "a", "at_us": datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)}])
    assert shown.at_us == 1_000_000


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("send", {"grant": "taxation#3"}),
        ("send", {"grant": Digest(blake3=bytes(32))}),
        ("send", {"grant": {"ledger": "x"}}),
        ("send", {"digest": "5a" * 32}),
        ("send", {"digest": "committed:5a"}),
        ("send", {"digest": "md5:" + "5a" * 16}),
        ("send", {"digest": {"blake3": "text"}}),
        ("send", {"digest": 5}),
        ("send", {"size": -1}),
        ("send", {"size": 2**64}),
        ("send", {"size": "many"}),
        ("send", {"to": 5}),
        ("send", {"to": "\ud800"}),
        ("declare", {"fields": "name"}),
        ("declare", {"fields": {"name": "a"}}),
        ("declare", {"fields": ["name"]}),
        ("declare", {"fields": 5}),
        ("declare", {"methods": b"file"}),
        ("declare", {"methods": [5]}),
        ("declare", {"basis": 5}),
        ("declare", {"level": "high"}),
        ("register_actor", {"key": "text"}),
        ("use", {"subject": Sensitive(5)}),  # type: ignore[arg-type]
        ("use", {"subject": Sensitive("\ud800")}),
    ],
)
def test_what_does_not_fit_is_named_by_its_keyword(kind: str, values: dict[str, object]) -> None:
    """A value of the wrong type, range or form is refused, never passed on and never a bare Python error."""
    (keyword,) = values
    assert refusal(kind, **values).startswith(f"{keyword}: ")


def test_a_sensitive_value_never_stands_in_the_clear() -> None:
    """A sensitive field takes nothing but `Sensitive`, not even 32 bytes, and shows it to nobody."""
    for clear in ("310115199001010011", b"x" * 32, 5, {"value": "x"}):
        assert "a sensitive value in the clear" in refusal("use", subject=clear)
    draft = compose("use", ACTOR, {"subject": Sensitive("310115199001010011"), "purpose": "audit"})
    assert draft.statement.data_used.subject == b""
    assert b"3101151990" not in draft.statement.SerializeToString()
    assert "3101151990" not in repr(draft)
    assert Sensitive("张三").data == "张三".encode() == Sensitive("张三".encode()).data


def salts(*given_out: bytes) -> Callable[[], bytes]:
    """Each salt once."""
    left = iter(given_out)
    return lambda: next(left)


def test_a_commitment_opens_at_its_place_alone_under_a_salt_of_its_own() -> None:
    """Each sensitive value is committed under a fresh salt, and its disclosure opens it there and only there."""
    submission, value = bytes(range(16)), "310115199001010011"
    drafts = [compose("use", ACTOR, {"subject": Sensitive(value), "purpose": "audit"}) for _ in range(2)]
    fresh = salts(b"a" * 32, b"b" * 32)
    (first,), (second,) = (place(draft, ORIGIN, submission, at, fresh) for at, draft in enumerate(drafts))
    assert (first.salt, second.salt) == (b"a" * 32, b"b" * 32)
    assert (first.position, second.position) == (0, 1)
    assert (first.field, first.value) == ("data_used.subject", value.encode())
    commitments = [draft.statement.data_used.subject for draft in drafts]
    assert commitments[0] != commitments[1]
    check_opening(commitments[0], Place(ORIGIN, submission, 0, first.field), first.salt, first.value)
    with pytest.raises(ProofFailed, match="do not open"):
        check_opening(commitments[0], Place(ORIGIN, submission, 1, first.field), first.salt, first.value)


def test_every_sensitive_field_gets_a_salt() -> None:
    """A draft asks for as many salts as it has sensitive values; one without asks for none."""
    for kind in KINDS.values():
        sensitive = {use.name: Sensitive("x") for use in keywords_of(kind) if use.options.sensitive}
        draft = compose(kind.name, ACTOR, sensitive)
        disclosures = place(draft, ORIGIN, bytes(16), 0, salts(*(bytes([n]) * 32 for n in range(len(sensitive)))))
        assert len(disclosures) == len(sensitive) == len(draft.sensitive)


@given(st.data())
def test_composing_needs_no_order(data: st.DataObject) -> None:
    """The order of the keywords does not change the bytes."""
    kind = data.draw(st.sampled_from(list(KINDS.values())))
    values = data.draw(any_values(kind))
    drafts: list[Draft] = [
        compose(kind.name, ACTOR, dict(order)) for order in (values.items(), reversed(values.items()))
    ]
    assert drafts[0].statement.SerializeToString() == drafts[1].statement.SerializeToString()
