"""Proof files: what was written reads back, and nothing altered proves anything."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.checkpoint import Checkpoint, sign_checkpoint
from tallystick.core.cosignature import make_cosignature
from tallystick.core.errors import (
    MalformedProof,
    ProofFailed,
    SignatureInvalid,
    TallystickError,
)
from tallystick.core.keys import SigningKey
from tallystick.core.limits import (
    EVIDENCE_BYTES_MAX,
    LEDGER_ENTRIES_MAX,
    PROOF_HASHES_MAX,
)
from tallystick.core.merkle import prove_inclusion, root_of
from tallystick.core.note import COSIGNATURE_V1, VerifierKey, add_signatures, parse_note
from tallystick.core.tlog_proof import (
    HEADER,
    TlogProof,
    check_tlog_proof,
    format_tlog_proof,
    parse_tlog_proof,
)
from tallystick.core.tree import Tree

ORIGIN = "a.b/c"
LEDGER, WITNESS = SigningKey(sha256(b"ledger").digest()), SigningKey(sha256(b"witness").digest())
LEDGER_KEY = VerifierKey.of(ORIGIN, LEDGER.public)
WITNESS_KEY = VerifierKey.of("w.b/c", WITNESS.public, COSIGNATURE_V1)
LEAVES = [sha256(bytes([number])).digest() for number in range(6)]
INDEX = 4
TREE = Tree()
TREE.append(LEAVES)
SIGNED = sign_checkpoint(Checkpoint(ORIGIN, 6, root_of(LEAVES)), LEDGER)
COSIGNED = add_signatures(SIGNED, make_cosignature(parse_note(SIGNED).text, 7, WITNESS, WITNESS_KEY.name))
PROOF = TlogProof(None, INDEX, tuple(prove_inclusion(INDEX, 6, TREE.reader(lambda level, number: b""))), COSIGNED)
DATA = format_tlog_proof(PROOF)


def proves(data: bytes) -> bool:
    """Whether a file proves the leaf under both keys; only a domain error may say no."""
    try:
        check_tlog_proof(parse_tlog_proof(data), LEAVES[INDEX], LEDGER_KEY, [WITNESS_KEY])
    except TallystickError as error:
        return not str(error)
    return True


def altered(data: bytes) -> Iterator[bytes]:
    """Every truncation of `data`, and every change of one byte; within its checkpoint, every change of one bit.

    That no byte of a note can be changed at all is a property of notes.
    """
    for cut in range(len(data)):
        yield data[:cut]
    for at in range(len(data)):
        changes = range(1, 256) if at < len(data) - len(COSIGNED) else [1 << bit for bit in range(8)]
        for change in changes:
            yield data[:at] + bytes([data[at] ^ change]) + data[at + 1 :]


def test_every_truncation_and_every_changed_byte_is_refused() -> None:
    """With ledger and witness required, no shorter file and no file with another byte proves the leaf."""
    assert proves(DATA)
    assert [other for other in altered(DATA) if proves(other)] == []


def test_another_leaf_is_not_proven() -> None:
    """The leaf is the checker's, and no other stands at that index."""
    for number, leaf in enumerate(LEAVES):
        if number != INDEX:
            with pytest.raises(ProofFailed):
                check_tlog_proof(PROOF, leaf, LEDGER_KEY)


def test_every_cosigner_asked_for_is_required() -> None:
    """Without a cosigner only the ledger's signature counts; one that is asked for must be there."""
    alone = TlogProof(None, INDEX, PROOF.hashes, SIGNED)
    assert check_tlog_proof(alone, LEAVES[INDEX], LEDGER_KEY).size == 6
    with pytest.raises(SignatureInvalid):
        check_tlog_proof(alone, LEAVES[INDEX], LEDGER_KEY, [WITNESS_KEY])


HEAD, _, NOTE = DATA.partition(b"\n\n")
LINES = HEAD.decode().split("\n")


@pytest.mark.parametrize(
    "head",
    [
        [],
        [HEADER],
        [LINES[1]],
        [HEADER.replace("v1", "v2"), *LINES[1:]],
        [HEADER, "extra ", *LINES[1:]],
        [HEADER, "extra", *LINES[1:]],
        [HEADER, "extra AAA", *LINES[1:]],
        [HEADER, "extra AAB=", *LINES[1:]],
        [HEADER, "extra AAA=", "extra AAA=", *LINES[1:]],
        [HEADER, LINES[1], "extra AAA=", *LINES[2:]],
        [HEADER, "index", *LINES[2:]],
        [HEADER, "index ", *LINES[2:]],
        [HEADER, "index 04", *LINES[2:]],
        [HEADER, "index -1", *LINES[2:]],
        [HEADER, f"index {LEDGER_ENTRIES_MAX}", *LINES[2:]],
        [HEADER, "index " + "9" * 5000, *LINES[2:]],
        [HEADER, "Index 4", *LINES[2:]],
        [*LINES, "AAAA"],
        [*LINES, LINES[2] + "\r"],
        [*LINES, "é"],
        [*LINES, *[LINES[2]] * PROOF_HASHES_MAX],
    ],
)
def test_a_head_that_is_no_proof_is_malformed(head: list[str]) -> None:
    """Missing, doubled, misplaced or loosely written lines are refused."""
    with pytest.raises(MalformedProof):
        parse_tlog_proof("\n".join(head).encode() + b"\n\n" + NOTE)


def test_a_proof_no_reader_would_accept_is_not_written() -> None:
    """Empty extra data, an index or hashes out of bounds, and an oversized file are refused."""
    for proof in (
        TlogProof(b"", 0, (), b""),
        TlogProof(None, -1, (), b""),
        TlogProof(None, LEDGER_ENTRIES_MAX, (), b""),
        TlogProof(None, 0, (bytes(31),), b""),
        TlogProof(None, 0, (bytes(32),) * (PROOF_HASHES_MAX + 1), b""),
        TlogProof(None, 0, (), bytes(EVIDENCE_BYTES_MAX)),
    ):
        with pytest.raises(MalformedProof):
            format_tlog_proof(proof)
    with pytest.raises(MalformedProof):
        parse_tlog_proof(bytes(EVIDENCE_BYTES_MAX + 1))


@given(
    st.builds(
        TlogProof,
        st.none() | st.binary(min_size=1),
        st.integers(0, LEDGER_ENTRIES_MAX - 1),
        st.lists(st.binary(min_size=32, max_size=32), max_size=PROOF_HASHES_MAX).map(tuple),
        st.binary(),
    )
)
def test_any_proof_reads_back(proof: TlogProof) -> None:
    """A formatted proof parses to the very proof, whatever stands in place of its checkpoint."""
    assert parse_tlog_proof(format_tlog_proof(proof)) == proof


@given(st.binary(), st.integers(0, len(DATA)))
def test_garbage_proves_nothing(garbage: bytes, at: int) -> None:
    """Arbitrary bytes, alone or put into a proof, prove nothing and end in a domain error."""
    assert not proves(garbage)
    if garbage:
        assert not proves(DATA[:at] + garbage + DATA[at:])
