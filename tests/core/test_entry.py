"""Entries: written by hand as protobuf writes them, and read only in that one form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.entry import (
    MOMENT_MAX_US,
    Entry,
    decode_entry,
    encode_at,
    encode_entry,
    encode_first,
    encode_signed,
    encode_submission,
    varint,
)
from tallystick.core.errors import MalformedEntry, TallystickError
from tallystick.core.evidence import actors_of
from tallystick.core.hashing import chain_hash
from tallystick.core.history import History
from tallystick.core.limits import ENTRY_BYTES_MAX
from tallystick_proto.v1 import entry_pb2
from tallystick_proto.v1.entry_pb2 import Signature
from tests.harness import encodings
from tests.harness.encodings import field, pieces, uncanonical, with_unknown
from tests.harness.ledger_maker import LedgerMaker

SIGNATURE = Signature(submission_id=b"i" * 16, count=3, key=b"k" * 32, signature=b"s" * 64)
SIGNATURES = st.builds(
    Signature,
    submission_id=st.binary(min_size=16, max_size=16),
    count=st.integers(1, 1_000),
    key=st.binary(min_size=32, max_size=32),
    signature=st.binary(min_size=64, max_size=64),
)


def signed_entry(index: int = 5, signature: Signature = SIGNATURE, at_us: int = 7) -> bytes:
    return encode_entry(index, b"p" * 32, encode_at(at_us), b"statement", encode_signed(signature))


def later_entry(index: int = 5, first: int = 4) -> bytes:
    return encode_entry(index, b"p" * 32, encode_at(7), b"statement", encode_first(first))


@given(
    index=st.integers(0, 2**64 - 1),
    prev=st.binary(min_size=32, max_size=32),
    at_us=st.integers(0, MOMENT_MAX_US),
    statement=st.binary(min_size=1, max_size=400),
    authorship=SIGNATURES | st.integers(1, 999),
)
def test_entries_are_the_bytes_protobuf_writes(
    index: int, prev: bytes, at_us: int, statement: bytes, authorship: Signature | int
) -> None:
    """Any entry written by hand is what protobuf writes, and reads back as what went in."""
    if isinstance(authorship, Signature):
        encoded, signed, first = encode_signed(authorship), authorship, index
        parsed = entry_pb2.Entry(signed=authorship)
    else:
        first = max(0, index - authorship)
        index = first + authorship
        encoded, signed = encode_first(first), None
        parsed = entry_pb2.Entry(first=first)
    parsed.index, parsed.prev, parsed.recorded_at_us, parsed.statement = index % 2**64, prev, at_us, statement
    data = encode_entry(index % 2**64, prev, encode_at(at_us), statement, encoded)
    assert data == parsed.SerializeToString()
    if index < 2**64:
        assert decode_entry(data) == Entry(data, index, prev, at_us, statement, signed, first)


@given(st.integers(0, 2**40), st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=5))
def test_a_submission_is_its_entries_one_by_one(first: int, statements: list[bytes]) -> None:
    """Each entry carries the hash of the one before; the first is signed, the others point to it."""
    entries, following = encode_submission(first, b"p" * 32, 7, statements, SIGNATURE)
    prev = b"p" * 32
    for index, (entry, statement) in enumerate(zip(entries, statements, strict=True), first):
        signed = SIGNATURE if index == first else None
        assert decode_entry(entry) == Entry(entry, index, prev, 7, statement, signed, first)
        prev = chain_hash(entry)
    assert following == prev


@given(st.integers(0, 2**64 - 1))
def test_numbers_are_written_shortest(number: int) -> None:
    """A varint is protobuf's own."""
    assert varint(number) == encodings.varint(number)


@pytest.mark.parametrize("data", [signed_entry(), later_entry(), later_entry(1, 0)], ids=["signed", "later", "second"])
def test_only_the_canonical_encoding_is_an_entry(data: bytes) -> None:
    """Fields doubled, swapped, split, written long, with their default, or unknown, at either depth, are malformed."""
    decode_entry(data)
    message = entry_pb2.Entry.DESCRIPTOR
    cases = [*uncanonical(data, message), *with_unknown(data, message)]
    assert len(cases) > 20
    for name, other in cases:
        try:
            decode_entry(other)
        except MalformedEntry:
            continue
        pytest.fail(name)


def test_an_entry_has_one_author() -> None:
    """Both authorships, in either order, and none, are malformed; a first entry's index is written even when 0."""
    signed, first = field(5, SIGNATURE.SerializeToString()), field(6, 4)
    body = b"".join(field(*piece) for piece in pieces(later_entry())[:-1])
    assert body + first == later_entry()
    for authorship in (b"", signed + first, first + signed, field(5, b""), field(6, 4) + field(6, 4)):
        with pytest.raises(MalformedEntry):
            decode_entry(body + authorship)
    assert later_entry(1, 0).endswith(b"\x30\x00")
    assert decode_entry(later_entry(1, 0)).first == 0


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"prev": b"p" * 31}, "prev has 31 bytes"),
        ({"prev": b"p" * 33}, "prev has 33 bytes"),
        ({"prev": b""}, "prev has 0 bytes"),
        ({"recorded_at_us": -1}, "before 1970"),
        ({"recorded_at_us": MOMENT_MAX_US + 1}, "after 9999"),
        ({"statement": b""}, "no statement"),
        ({"first": 5}, "begins at 5"),
        ({"first": 6}, "begins at 6"),
        ({"index": 2_000, "first": 1_000}, "begins at 1000"),
        ({"index": 0, "first": 2**64 - 1}, "begins at"),
        ({"signed": Signature()}, "submission_id has 0 bytes"),
        ({"signed": Signature(submission_id=b"i" * 16, count=1, key=b"k" * 31)}, "key has 31 bytes"),
        ({"signed": Signature(submission_id=b"i" * 16, key=b"k" * 32, signature=b"s" * 64)}, "of 0 statements"),
        ({"signed": Signature(submission_id=b"i" * 16, count=1001, key=b"k" * 32, signature=b"s" * 64)}, "of 1001"),
    ],
)
def test_what_cannot_be_an_entry_is_named(changed: dict[str, object], what: str) -> None:
    """Lengths, times, counts and the reach of a submission are checked, each with its own sentence."""
    parsed = entry_pb2.Entry.FromString(later_entry())
    parsed.MergeFrom(entry_pb2.Entry(**changed))  # type: ignore[arg-type]
    for name, value in changed.items():
        if not isinstance(value, Signature):
            setattr(parsed, name, value)
    with pytest.raises(MalformedEntry, match=what):
        decode_entry(parsed.SerializeToString())


def test_a_submission_reaches_over_a_thousand_entries() -> None:
    """The last of 1,000 statements names a first entry 999 before it, and none names one further back."""
    assert decode_entry(later_entry(1_999, 1_000)).first == 1_000
    with pytest.raises(MalformedEntry):
        decode_entry(later_entry(2_000, 1_000))


def test_an_oversize_entry_is_refused() -> None:
    """65,535 bytes are an entry, and one more is not."""
    spare = ENTRY_BYTES_MAX - len(encode_entry(5, b"p" * 32, b"", b"x" * 60_000, encode_first(4)))
    largest = encode_entry(5, b"p" * 32, b"", b"x" * (60_000 + spare), encode_first(4))
    assert len(decode_entry(largest).raw) == ENTRY_BYTES_MAX
    with pytest.raises(MalformedEntry, match="65536 bytes"):
        decode_entry(encode_entry(5, b"p" * 32, b"", b"x" * (60_001 + spare), encode_first(4)))


def test_every_truncation_and_every_changed_byte_of_an_entry_shows() -> None:
    """No shorter entry and none with another byte stands in a ledger: its form, chain or signature says so."""
    maker = LedgerMaker()
    maker.record([maker.say("adopt_charter", "node", version=1, digest=bytes(32))], "node")
    (entry,) = maker.entries

    def stands(data: bytes) -> bool:
        history = History(actors_of(maker.bureau))
        try:
            history.extend([data])
        except TallystickError as error:
            return not str(error).startswith(f"{maker.origin}#0: ")
        return history.complete

    assert stands(entry)
    assert not any(stands(entry[:cut]) for cut in range(len(entry)))
    at_field = encode_at(maker.now_us)
    unsigned = range(entry.index(at_field), entry.index(at_field) + len(at_field))
    for at in range(len(entry)):
        for change in (1, 2, 4, 8, 16, 32, 64, 128, 255):
            other = entry[:at] + bytes([entry[at] ^ change]) + entry[at + 1 :]
            # When it was recorded is the ledger's word; the next entry's prev and the tree hold it to that.
            assert not stands(other) or at in unsigned


@given(st.binary(max_size=300))
def test_garbage_is_no_entry(garbage: bytes) -> None:
    """Arbitrary bytes are malformed, and raise nothing else."""
    with pytest.raises(MalformedEntry):
        decode_entry(garbage)
