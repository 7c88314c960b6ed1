"""Submissions: what an actor signed is taken whole, and nothing that is bent, cut, misaddressed or badly signed."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.compose import Sensitive
from tallystick.core.errors import (
    InvalidSubmission,
    MalformedEntry,
    NotAuthentic,
    Refused,
    SignatureInvalid,
    StaleSubmission,
    TallystickError,
)
from tallystick.core.hashing import leaf_hash
from tallystick.core.identifiers import uuid7
from tallystick.core.keys import SigningKey
from tallystick.core.limits import SUBMISSION_AGE_MAX_US, SUBMISSION_AHEAD_MAX_US, SUBMISSION_BYTES_MAX
from tallystick.core.merkle import root_of
from tallystick.core.statement import encode
from tallystick.core.submission import (
    check_recorded,
    check_window,
    prepare,
    seal,
    signed_message,
    statements_root,
)
from tallystick_proto.v1.entry_pb2 import Disclosure, Signature, Submission
from tests.harness.encodings import field, with_unknown
from tests.harness.ledger_maker import START_US, LedgerMaker

MAKER = LedgerMaker()
ORIGIN, ACTOR, KEY = MAKER.origin, MAKER.actor("gateway"), MAKER.keys["gateway"]
USES = [MAKER.use() for _ in range(3)]


def made() -> Submission:
    """Three lookups."""
    return MAKER.submission(USES, "gateway")


def disclosing() -> Submission:
    """Two lookups, each of one person."""
    maker = LedgerMaker(1)
    subjects = [{"version": "A@1", "purpose": "audit", "subject": Sensitive(name)} for name in ("张三", "李四")]
    return maker.with_sensitive("use", "gateway", *subjects)


def refusal(submission: Submission, kind: type[TallystickError] = InvalidSubmission) -> str:
    with pytest.raises(kind) as caught:
        prepare(submission, ORIGIN)
    return str(caught.value)


def test_what_was_signed_is_prepared() -> None:
    """Statements, signature, actor and the id's time come out as they went in."""
    submission = made()
    prepared = prepare(submission, ORIGIN)
    assert prepared.statements == USES
    assert (prepared.actor, prepared.count, prepared.kinds) == (ACTOR, 3, [33] * 3)
    assert prepared.signature == submission.signature
    assert prepared.submission_id == submission.signature.submission_id
    assert prepared.id_time_us == START_US
    assert [len(terms) for terms in prepared.terms] == [5] * 3


def test_the_signed_message_is_the_format() -> None:
    """What is signed names origin, actor, id, count and the RFC 6962 root of the statements, a line each."""
    root = root_of([leaf_hash(use) for use in USES])
    assert statements_root(USES) == root
    assert signed_message("a.b/c", "a:b", bytes(range(16)), 3, bytes(32)) == (
        b"tallystick/submission/v1\na.b/c\na:b\n000102030405060708090a0b0c0d0e0f\n3\n"
        b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
    )


@pytest.mark.parametrize("count", [1, 2, 1_000])
def test_one_to_a_thousand_statements(count: int) -> None:
    """From one statement to a thousand, a submission is taken."""
    assert prepare(MAKER.submission(USES[:1] * count, "gateway"), ORIGIN).count == count


def test_none_and_a_thousand_and_one_are_refused() -> None:
    """No statement, and one more than a thousand, are refused with the bounds."""
    assert "0 statements; expected 1 to 1000" in refusal(MAKER.submission([], "gateway"))
    assert "1001 statements; expected 1 to 1000" in refusal(MAKER.submission(USES[:1] * 1_001, "gateway"))


def test_two_mebibytes_pass_and_no_more() -> None:
    """Statements of 2 MiB together are taken; one byte more is refused by its size."""
    large = MAKER.say("report_equivocation", "gateway", digest=bytes(32), evidence="x" * 60_000)
    statements = [large] * (SUBMISSION_BYTES_MAX // (len(large) + 4))
    spare = SUBMISSION_BYTES_MAX - len(encode(statements))
    filler = MAKER.say("report_equivocation", "gateway", digest=bytes(32), evidence="x" * 20_000)
    exact = MAKER.say(
        "report_equivocation", "gateway", digest=bytes(32), evidence="x" * (20_000 + spare - len(encode([filler])))
    )
    submission = MAKER.submission([*statements, exact], "gateway")
    assert len(submission.statements) == SUBMISSION_BYTES_MAX
    assert prepare(submission, ORIGIN).count == len(statements) + 1
    submission.statements += b"x"
    assert f"{SUBMISSION_BYTES_MAX + 1} bytes" in refusal(submission)


@pytest.mark.parametrize("origin", ["", "pudong.example/taxation", ORIGIN + "/", ORIGIN.upper()])
def test_a_submission_is_for_one_ledger(origin: str) -> None:
    """Addressed to another ledger, or to none, it is refused; so is one that was signed for another."""
    submission = made()
    submission.origin = origin
    assert "addressed to" in refusal(submission)
    elsewhere = seal("pudong.example/taxation", ACTOR, KEY, MAKER.new_id(), USES)
    elsewhere.origin = ORIGIN
    assert "does not verify" in refusal(elsewhere, NotAuthentic)


def test_the_actor_is_the_one_who_signed_and_whom_the_statements_name() -> None:
    """Another actor's name on the envelope, a malformed one, or one only in the signature, is refused."""
    submission = made()
    for actor in ("", "gateway", "taxation:", "a:b:c"):
        submission.actor = actor
        assert "is not an actor" in refusal(submission)
    submission.actor = MAKER.actor("clerk")
    assert "statement 0: head.actor" in refusal(submission, Refused)
    other = seal(ORIGIN, MAKER.actor("clerk"), KEY, MAKER.new_id(), USES)
    other.actor = ACTOR
    assert "does not verify" in refusal(other, NotAuthentic)


def test_the_count_is_part_of_what_was_signed() -> None:
    """A count that is not the number of statements is refused, before any signature is looked at."""
    submission = made()
    for count in (0, 2, 4, 2**32 - 1):
        submission.signature.count = count
        assert f"count: 3 statements; expected the signed {count}" in refusal(submission)


@pytest.mark.parametrize(
    "change", [lambda s: s[:-1], lambda s: s[::-1], lambda s: [*s, s[0]], lambda s: [s[0], s[0], s[2]]]
)
def test_statements_stand_as_they_were_signed(change: Callable[[list[bytes]], list[bytes]]) -> None:
    """One left out, out of order, doubled or exchanged: the signature is of others."""
    submission = made()
    others = change(USES)
    submission.statements = encode(others)
    submission.signature.count = len(others)
    assert "does not verify" in refusal(submission, NotAuthentic)


SMALL_ORDER = [bytes(32), b"\x01" + bytes(31), bytes.fromhex("ec" + "ff" * 30 + "7f")]


@pytest.mark.parametrize("key", [*SMALL_ORDER, b"\xff" * 32, b"", b"k" * 31])
def test_a_key_that_would_verify_anything_is_refused(key: bytes) -> None:
    """Keys of small order, not canonical, or of another length have signed nothing."""
    submission = made()
    submission.signature.key = key
    submission.signature.signature = b"\x01" + bytes(63)
    assert refusal(submission, NotAuthentic).startswith("signature: ")


@pytest.mark.parametrize("id_", [b"", bytes(16), b"x" * 15, b"x" * 17, b"\xff" * 16])
def test_an_id_is_a_uuid_of_version_7(id_: bytes) -> None:
    """An id of another length, version or variant is refused, though it was signed."""
    assert "is not an id" in refusal(seal(ORIGIN, ACTOR, KEY, id_, USES))


def test_every_truncation_and_every_changed_byte_is_refused() -> None:
    """No shorter submission and none with another byte is taken, and a domain error says so."""
    data = MAKER.submission(USES[:2], "gateway").SerializeToString()

    def taken(other: bytes) -> bool:
        try:
            submission = Submission.FromString(other)
        except Exception:  # what is no message never reaches `prepare`
            return False
        try:
            prepare(submission, ORIGIN)
        except TallystickError as error:
            return not str(error)
        return True

    assert taken(data)
    assert not any(taken(data[:cut]) for cut in range(len(data)))
    for at in range(len(data)):
        for change in (1, 2, 4, 8, 16, 32, 64, 128, 255):
            assert not taken(data[:at] + bytes([data[at] ^ change]) + data[at + 1 :]), at


def test_nothing_unknown_comes_with_a_submission() -> None:
    """Fields nobody declared are refused at any depth of the envelope."""
    data = disclosing().SerializeToString()
    prepare(Submission.FromString(data), ORIGIN)
    for name, other in with_unknown(data, Submission.DESCRIPTOR):
        try:
            prepare(Submission.FromString(other), ORIGIN)
        except Refused:
            continue
        pytest.fail(name)
    later = made()
    later.signature.MergeFromString(field(9, 1))
    assert "not known" in refusal(later)


# Disclosures.


def test_every_commitment_may_be_opened() -> None:
    """Disclosures that open their commitments come through as they are; without them the submission is taken too."""
    submission = disclosing()
    assert prepare(submission, ORIGIN).disclosures == tuple(submission.disclosures)
    del submission.disclosures[:]
    assert prepare(submission, ORIGIN).disclosures == ()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"value": "王五".encode()}, "do not open the commitment"),
        ({"salt": b"s" * 32}, "do not open the commitment"),
        ({"salt": b""}, "its place or salt is wrong"),
        ({"salt": b"s" * 33}, "its place or salt is wrong"),
        ({"position": 1}, "do not open the commitment"),
        ({"position": 2}, "its place or salt is wrong"),
        ({"position": 2**32 - 1}, "its place or salt is wrong"),
        ({"field": "data_used.purpose"}, "holds no commitment"),
        ({"field": "subject"}, "holds no commitment"),
        ({"field": ""}, "holds no commitment"),
        ({"field": "duty_assigned.person"}, "holds no commitment"),
    ],
)
def test_a_disclosure_opens_its_own_place(change: dict[str, object], what: str) -> None:
    """Another value, salt, position or field, or one that is not sensitive, is refused by the disclosure's number."""
    submission = disclosing()
    for name, value in change.items():
        setattr(submission.disclosures[0], name, value)
    sentence = refusal(submission)
    assert sentence.startswith("disclosure ")
    assert what in sentence


def test_a_place_is_opened_once() -> None:
    """The same disclosure twice is refused, and so is one of a field that holds nothing."""
    submission = disclosing()
    submission.disclosures.append(submission.disclosures[1])
    assert "disclosure 2: its place or salt is wrong" in refusal(submission)
    bare = made()
    bare.disclosures.append(Disclosure(position=0, field="data_used.subject", salt=bytes(32), value=b"x"))
    assert "holds no commitment" in refusal(bare)


# The window, and what was recorded.


def test_an_ids_time_lies_in_its_window() -> None:
    """7 days before and 5 minutes after recording pass to the microsecond; beyond, the sentence says by how much."""
    check_window(START_US - SUBMISSION_AGE_MAX_US, START_US)
    check_window(START_US + SUBMISSION_AHEAD_MAX_US, START_US)
    with pytest.raises(StaleSubmission, match="168 hours old; expected at most 7 days"):
        check_window(START_US - SUBMISSION_AGE_MAX_US - 1, START_US)
    with pytest.raises(StaleSubmission, match="300 seconds ahead of this node's clock; expected at most 5 minutes"):
        check_window(START_US + SUBMISSION_AHEAD_MAX_US + 1, START_US)


def test_what_was_recorded_verifies_and_nothing_else() -> None:
    """The recorded signature holds for these statements, origin and actor, and for no others."""
    signature = made().signature
    check_recorded(ORIGIN, ACTOR, signature, USES)
    for origin, actor, statements in (
        ("a.b/c", ACTOR, USES),
        (ORIGIN, MAKER.actor("clerk"), USES),
        (ORIGIN, ACTOR, USES[::-1]),
    ):
        with pytest.raises(SignatureInvalid):
            check_recorded(origin, actor, signature, statements)
    with pytest.raises(MalformedEntry, match="2 statements; expected the signed 3"):
        check_recorded(ORIGIN, ACTOR, signature, USES[:2])
    odd = seal(ORIGIN, ACTOR, KEY, b"x" * 16, USES).signature
    with pytest.raises(MalformedEntry, match="submission id"):
        check_recorded(ORIGIN, ACTOR, odd, USES)


@given(st.integers(1, 12))
def test_a_signature_is_of_one_order_of_statements(count: int) -> None:
    """Whatever the statements, their signature verifies for them in their order."""
    maker = LedgerMaker(count)
    statements = [maker.use() for _ in range(count)]
    signature = maker.submission(statements, "gateway").signature
    check_recorded(maker.origin, ACTOR, signature, statements)
    shuffled = sorted(statements, key=lambda each: sha256(each).digest())
    if shuffled != statements:
        with pytest.raises(SignatureInvalid):
            check_recorded(maker.origin, ACTOR, signature, shuffled)


def test_the_same_seed_and_id_make_the_same_bytes() -> None:
    """Sealing has no chance in it: the same again is the same submission, which makes it the unit of retry."""
    key, id_ = SigningKey(bytes(32)), uuid7(START_US, bytes(10))
    assert seal(ORIGIN, ACTOR, key, id_, USES) == seal(ORIGIN, ACTOR, key, id_, USES)
    assert seal(ORIGIN, ACTOR, key, id_, USES).signature == Signature(
        submission_id=id_,
        count=3,
        key=key.public,
        signature=key.sign(signed_message(ORIGIN, ACTOR, id_, 3, statements_root(USES))),
    )
