"""Evidence of equivocation: it proves exactly the forks that happened, and nothing that was touched proves anything."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from functools import cache
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core import equivocation
from tallystick.core.checkpoint import Checkpoint, sign_checkpoint
from tallystick.core.cosignature import make_cosignature
from tallystick.core.equivocation import (
    TwoNotes,
    check_equivocation,
    forked,
    format_equivocation,
    make_equivocation,
    parse_equivocation,
    verify_equivocation,
)
from tallystick.core.errors import Forked, MalformedNote, MalformedProof, ProofFailed, SignatureInvalid, TallystickError
from tallystick.core.keys import SigningKey
from tallystick.core.limits import EVIDENCE_BYTES_MAX, PROOF_HASHES_MAX
from tallystick.core.note import VerifierKey, add_signatures, parse_note
from tests.harness.ledger_maker import LedgerMaker, charter_of, key_of
from tests.reference.rfc6962 import Reference

MARKET, TAX = LedgerMaker().bureau, LedgerMaker(bureau="taxation").bureau
KEY, SIGNER = MARKET.ledger_verifier, key_of(MARKET.id, "node")
CHARTER = charter_of(MARKET, TAX)
SIZE = 20
ORIGINAL = Reference([f"entry {number}".encode() for number in range(SIZE)])


@cache
def rewritten(at: int) -> Reference:
    """The same history up to entry `at`, and other entries from there on."""
    return Reference([*ORIGINAL.entries[:at], *(f"other {number}".encode() for number in range(at, SIZE))])


def note(history: Reference, size: int, key: SigningKey = SIGNER, origin: str = MARKET.origin) -> bytes:
    return sign_checkpoint(Checkpoint(origin, size, history.mth(0, size)), key)


def evidence(at: int, smaller: int, larger: int) -> bytes:
    """Of a fork at entry `at`: the original at one size, the rewritten history at another, and what proves it."""
    other = rewritten(at)
    proof, root = other.proof(smaller, larger), other.mth(0, smaller)
    return make_equivocation(note(ORIGINAL, smaller), note(other, larger), KEY, proof, root)


def cosigned(signed: bytes, name: str, *witness: str) -> bytes:
    return add_signatures(signed, make_cosignature(parse_note(signed).text, 7, key_of(*witness), name))


def with_cosignatures() -> bytes:
    """Evidence made by hand of notes as nodes show them, with a witness's cosignature on each."""
    said = parse_equivocation(EVIDENCE["equal"])
    witness = f"{TAX.origin}/witness", TAX.id, "witness"
    return format_equivocation(TwoNotes(cosigned(said.smaller, *witness), cosigned(said.larger, *witness)))


EVIDENCE = {"equal": evidence(3, 9, 9), "of different sizes": evidence(3, 6, 13), "a power of two": evidence(3, 8, 9)}
COSIGNED = with_cosignatures()


def proves(data: bytes) -> bool:
    """Whether a file proves anything; only a domain error may say no."""
    try:
        verify_equivocation(data, CHARTER)
    except TallystickError as error:
        return not str(error)
    return True


def test_the_specifications_example_is_valid() -> None:
    """The worked example of the specification is evidence as it stands there, to the byte."""
    documentation = dedent((equivocation.__doc__ or "").partition("\n")[2])
    blocks = documentation.split("    tallystick/equivocation/v1\n")
    example = "tallystick/equivocation/v1\n" + dedent(blocks[2].partition("\nSuch a file")[0])
    key = VerifierKey.parse("pudong.example/ledger+b73d2b15+AVq8qpwiIgHPGU8aR0wNcaeaPXqNwWrklGKjsYCQsSlp")
    proven = check_equivocation(example.encode(), key)
    history = Reference([b"b", b"c"])
    assert (proven.smaller.root, proven.larger.root) == (Reference([b"a"]).mth(0, 1), history.mth(0, 2))
    assert (proven.root, parse_equivocation(example.encode()).proof) == (history.mth(0, 1), (history.mth(1, 2),))


@pytest.mark.parametrize("at", range(SIZE))
def test_exactly_the_sizes_behind_a_fork_are_evidence(at: int) -> None:
    """By the definition's own roots and proofs: two sizes prove a fork if both lie behind it, and otherwise never."""
    other = rewritten(at)
    for smaller in range(1, SIZE + 1):
        for larger in range(smaller, SIZE + 1):
            if smaller <= at:  # the rewritten history extends the original there: one history
                with pytest.raises(ProofFailed):
                    evidence(at, smaller, larger)
                continue
            bureau, proven = verify_equivocation(evidence(at, smaller, larger), CHARTER)
            assert bureau == MARKET
            assert (proven.smaller.size, proven.larger.size) == (smaller, larger)
            assert {proven.smaller.root, proven.root} == {ORIGINAL.mth(0, smaller), other.mth(0, smaller)}


def test_the_proof_tells_the_other_root_unless_the_smaller_size_is_a_power_of_two() -> None:
    """Given no root, the same file comes of the proof alone; of a power of two there is none without it."""
    other = rewritten(0)
    for smaller in range(1, SIZE):
        notes = note(ORIGINAL, smaller), note(other, SIZE)
        if smaller & smaller - 1:
            assert make_equivocation(*notes, KEY, other.proof(smaller, SIZE)) == evidence(0, smaller, SIZE)
        else:
            with pytest.raises(ProofFailed, match="leaves the old root out"):
                make_equivocation(*notes, KEY, other.proof(smaller, SIZE))


def test_whoever_finds_it_writes_the_same_file() -> None:
    """The order of the notes, and who else signed them, make no difference to the bytes."""
    other = rewritten(3)
    for smaller, larger in ((9, 9), (6, 13)):
        one, two = note(ORIGINAL, smaller), note(other, larger)
        seen = cosigned(two, f"{TAX.origin}/witness", TAX.id, "witness")
        proof = other.proof(smaller, larger)
        files = {make_equivocation(*pair, KEY, proof) for pair in ((one, two), (two, one), (one, seen), (seen, one))}
        assert files == {evidence(3, smaller, larger)}
        for file in files:
            assert format_equivocation(parse_equivocation(file)) == file


@pytest.mark.parametrize("name", EVIDENCE)
def test_every_truncation_and_every_changed_byte_is_refused(name: str) -> None:
    """No shorter file, no longer one, and none with another byte proves anything."""
    data = EVIDENCE[name]
    assert proves(data)
    assert not any(proves(data[:cut]) for cut in range(len(data)))
    assert not any(proves(longer) for longer in (data + b"\n", b"\n" + data, data + b"x\n", data + data))
    for at in range(len(data)):
        for change in (1, 2, 8, 32, 128):
            assert not proves(data[:at] + bytes([data[at] ^ change]) + data[at + 1 :]), at


def test_cosignatures_may_stand_beside_and_are_checked() -> None:
    """Another byte anywhere proves nothing; without the last cosignature it is the same two notes, and still does."""
    assert proves(COSIGNED)
    without = COSIGNED[: COSIGNED.rindex("\u2014".encode())]
    assert [cut for cut in range(len(COSIGNED)) if proves(COSIGNED[:cut])] == [len(without)]
    for at in range(len(COSIGNED)):
        for change in (1, 2, 8, 32, 128):
            assert not proves(COSIGNED[:at] + bytes([COSIGNED[at] ^ change]) + COSIGNED[at + 1 :]), at


def bent() -> Iterator[tuple[str, TwoNotes, type[TallystickError]]]:
    """Files that parse and prove nothing, by what is wrong with them."""
    equal, unequal = (parse_equivocation(EVIDENCE[name]) for name in ("equal", "of different sizes"))
    a, b, root, proof = unequal.smaller, unequal.larger, unequal.root, unequal.proof
    own = ORIGINAL.mth(0, 6)
    yield "swapped, of one size", TwoNotes(equal.larger, equal.smaller), MalformedProof
    yield "swapped, of two sizes", TwoNotes(b, a, root, proof), MalformedProof
    yield "the same note twice", TwoNotes(equal.smaller, equal.smaller), ProofFailed
    yield "a root of one size", TwoNotes(equal.smaller, equal.larger, root), MalformedProof
    yield "no root of two sizes", TwoNotes(a, b), MalformedProof
    yield "one history", TwoNotes(a, note(ORIGINAL, 13), own, tuple(ORIGINAL.proof(6, 13))), ProofFailed
    yield "another root", TwoNotes(a, b, bytes(32), proof), ProofFailed
    yield "no proof", TwoNotes(a, b, root), ProofFailed
    yield "a hash less", TwoNotes(a, b, root, proof[:-1]), ProofFailed
    yield "a hash more", TwoNotes(a, b, root, (*proof, bytes(32))), ProofFailed
    yield "a proof of other sizes", TwoNotes(a, b, root, tuple(rewritten(3).proof(6, 12))), ProofFailed
    yield "an empty ledger", TwoNotes(note(ORIGINAL, 0), b, root, proof), ProofFailed
    other_key, stranger = key_of("other"), note(rewritten(3), 13, key_of(TAX.id, "node"), TAX.origin)
    yield "another key", TwoNotes(a, note(rewritten(3), 13, other_key), root, proof), SignatureInvalid
    yield "another ledger", TwoNotes(a, stranger, root, proof), SignatureInvalid
    yield "a stranger's cosignature", TwoNotes(a, cosigned(b, "x.y/z", "x"), root, proof), MalformedNote
    forged = cosigned(b, f"{TAX.origin}/witness", TAX.id, "witness").replace(b"\n13\n", b"\n14\n")
    yield "a changed size", TwoNotes(a, forged, root, proof), SignatureInvalid


@pytest.mark.parametrize(("said", "error"), [pytest.param(*case[1:], id=case[0]) for case in bent()])
def test_what_does_not_prove_it_is_refused(said: TwoNotes, error: type[TallystickError]) -> None:
    """Every condition of the specification is one that a file can fail, and the error says which."""
    with pytest.raises(error):
        verify_equivocation(format_equivocation(said), CHARTER)


def test_a_ledger_outside_the_charter_is_not_judged() -> None:
    """By a charter without the ledger, or with another key for it, the same file proves nothing."""
    with pytest.raises(MalformedProof, match="no ledger"):
        verify_equivocation(EVIDENCE["equal"], charter_of(TAX))
    with pytest.raises(SignatureInvalid):
        check_equivocation(EVIDENCE["equal"], VerifierKey.of(MARKET.origin, key_of("another").public))


@pytest.mark.parametrize(
    "make",
    [
        lambda: format_equivocation(TwoNotes(b"", b"", None, (bytes(32),))),
        lambda: format_equivocation(TwoNotes(b"", b"", bytes(31), ())),
        lambda: format_equivocation(TwoNotes(b"", b"", bytes(32), (bytes(32),) * (PROOF_HASHES_MAX + 1))),
        lambda: parse_equivocation(bytes(EVIDENCE_BYTES_MAX + 1)),
        lambda: parse_equivocation(EVIDENCE["equal"].replace(b"v1\n", b"v1\n" + b"AAAA\n" * 1000)),
    ],
)
def test_what_no_reader_accepts_is_not_written(make: Callable[[], object]) -> None:
    """Hashes of another length, too many of them, or a proof without its root."""
    with pytest.raises(MalformedProof):
        make()


@given(st.binary(), st.integers(0, len(EVIDENCE["equal"])))
def test_garbage_proves_nothing(garbage: bytes, at: int) -> None:
    """Arbitrary bytes, alone or put into a file, prove nothing and end in a domain error."""
    data = EVIDENCE["equal"]
    assert not proves(garbage)
    assert not proves(b"tallystick/equivocation/v1\n" + garbage)
    if garbage:
        assert not proves(data[:at] + garbage + data[at:])


@pytest.mark.parametrize("name", ["equal", "of different sizes"])
def test_the_error_carries_its_evidence(name: str) -> None:
    """Wherever the error travels to in a program, the file that proves it goes with it."""
    error = forked("market", EVIDENCE[name], KEY)
    sizes = {"equal": "of 9 entries", "of different sizes": "of 6 and 13 entries"}[name]
    assert error.what == f"the key of market signed two different histories {sizes}"
    for moved in (error, error.at("there"), pickle.loads(pickle.dumps(error))):
        assert isinstance(moved, Forked)
        assert (moved.evidence, moved.known) == (EVIDENCE[name], {"equal": 9, "of different sizes": 6}[name])
