"""Proofs of presence as files (C2SP tlog-proof).

    c2sp.org/tlog-proof@v1
    extra <base64>                      optional, opaque, and *not* authenticated by anything here
    index 123                           decimal without leading zeros
    13j66Jm9VYYPPBvSG2WOXlWx/Wqn…       the inclusion proof, a base64 hash a line, from the leaf's sibling upwards
                                        blank line
    pudong.example/market-regulation    the checkpoint, a signed note, to the end of the file
    …

Which entry the proof is about, and which keys must have signed, the checker brings along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.core.checkpoint import Checkpoint, open_checkpoint
from tallystick.core.errors import InvalidIdentifier, MalformedProof
from tallystick.core.identifiers import parse_decimal
from tallystick.core.limits import EVIDENCE_BYTES_MAX, HASH_BYTES, LEDGER_ENTRIES_MAX, PROOF_HASHES_MAX
from tallystick.core.merkle import check_inclusion
from tallystick.core.note import VerifierKey, check_signed_by_all, decode_base64, encode_base64

HEADER = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class TlogProof:
    """`hashes` lead from the leaf at `index` to the root in `checkpoint`, a signed note; `extra` is opaque."""

    extra: bytes | None
    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes


def format_tlog_proof(proof: TlogProof) -> bytes:
    """The bytes of the file. Raises MalformedProof if no reader would accept them."""
    if proof.extra == b"":
        raise MalformedProof("the extra data is empty", expected="none at all, or some")
    if not 0 <= proof.index < LEDGER_ENTRIES_MAX:
        raise MalformedProof(f"the index is {proof.index}", expected=f"0 to {LEDGER_ENTRIES_MAX - 1}")
    if len(proof.hashes) > PROOF_HASHES_MAX or any(len(hash_) != HASH_BYTES for hash_ in proof.hashes):
        raise MalformedProof("the hashes are not a proof", expected=f"at most {PROOF_HASHES_MAX} of {HASH_BYTES} bytes")
    lines = [HEADER]
    if proof.extra is not None:
        lines.append(f"extra {encode_base64(proof.extra)}")
    lines.append(f"index {proof.index}")
    lines.extend(encode_base64(hash_) for hash_ in proof.hashes)
    data = "".join(f"{line}\n" for line in [*lines, ""]).encode() + proof.checkpoint
    if len(data) > EVIDENCE_BYTES_MAX:
        raise MalformedProof(f"the proof has {len(data)} bytes", expected=f"at most {EVIDENCE_BYTES_MAX}")
    return data


def parse_tlog_proof(data: bytes) -> TlogProof:
    """Reads the file; the checkpoint is neither read nor verified. Raises MalformedProof."""
    if len(data) > EVIDENCE_BYTES_MAX:
        raise MalformedProof(f"the proof has {len(data)} bytes", expected=f"at most {EVIDENCE_BYTES_MAX}")
    head, blank, checkpoint = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n", PROOF_HASHES_MAX + 3)
    except UnicodeDecodeError:
        raise MalformedProof("the proof is not ASCII before its checkpoint") from None
    if not blank or lines.pop(0) != HEADER:
        raise MalformedProof("this is not a proof file", expected=f"{HEADER}, a blank line, and a checkpoint")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = decode_base64(lines.pop(0).removeprefix("extra "), MalformedProof, "extra data")
    if not lines or not lines[0].startswith("index "):
        raise MalformedProof("the proof names no index", expected="a line: index <decimal>")
    try:
        index = parse_decimal(lines.pop(0).removeprefix("index "), LEDGER_ENTRIES_MAX - 1)
    except InvalidIdentifier as error:
        raise MalformedProof(error.what, where="index", expected=error.expected) from None
    hashes = tuple(decode_base64(line, MalformedProof, "hash of a proof") for line in lines)
    proof = TlogProof(extra, index, hashes, checkpoint)
    if format_tlog_proof(proof) != data:
        raise MalformedProof("the proof is not written canonically")
    return proof


def check_tlog_proof(
    proof: TlogProof, leaf: bytes, ledger_key: VerifierKey, cosigners: Sequence[VerifierKey] = ()
) -> Checkpoint:
    """The checkpoint, signed by `ledger_key` and *every* one of `cosigners`, under which leaf hash `leaf` stands.

    Raises MalformedNote, SignatureInvalid, ProofFailed.
    """
    checkpoint = open_checkpoint(proof.checkpoint, ledger_key)
    if cosigners:
        check_signed_by_all(proof.checkpoint, cosigners)
    check_inclusion(leaf, proof.index, checkpoint.size, checkpoint.root, proof.hashes)
    return checkpoint
