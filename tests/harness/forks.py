"""Evidence that a ledger's key signed two histories, made by hand; with the cosignatures of whoever signed both."""

from __future__ import annotations

from functools import cache

from tallystick.core.charter import Charter
from tallystick.core.checkpoint import Checkpoint, sign_checkpoint
from tallystick.core.cosignature import make_cosignature
from tallystick.core.equivocation import keep_cosigners, make_equivocation, witness_keys
from tallystick.core.hashing import chain_hash
from tallystick.core.note import add_signatures, parse_note
from tests.harness.district import District, Said
from tests.harness.ledger_maker import key_of
from tests.reference.rfc6962 import Reference

FORKED_AT = 2
"""The first entry in which the two histories differ."""


@cache
def history(name: str, size: int = 12) -> Reference:
    """Histories that differ by their names from the third entry on."""
    shared = [f"entry {number}".encode() for number in range(FORKED_AT)]
    return Reference([*shared, *(f"{name} {number}".encode() for number in range(FORKED_AT, size))])


def note(charter: Charter, bureau: str, name: str, size: int, *cosigners: str, at_s: int = 1_800_000_000) -> bytes:
    """A checkpoint of one of a ledger's histories, cosigned by some bureaus at one second."""
    origin = charter.by_id(bureau).origin
    plain = sign_checkpoint(Checkpoint(origin, size, history(name).mth(0, size)), key_of(bureau, "node"))
    text = parse_note(plain).text
    lines = (
        make_cosignature(text, at_s, key_of(each, "witness"), f"{charter.by_id(each).origin}/witness")
        for each in cosigners
    )
    return add_signatures(plain, *lines) if cosigners else plain


def evidence(charter: Charter, bureau: str, smaller: int = 5, larger: int = 5, *cosigners: str) -> bytes:
    """That the key signed one history of a smaller size and another of a larger one, and who cosigned both."""
    one, other = (note(charter, bureau, name, size, *cosigners) for name, size in (("this", smaller), ("that", larger)))
    key = charter.by_id(bureau).ledger_verifier
    theirs = history("that")
    proof = theirs.proof(smaller, larger) if smaller < larger else ()
    made = make_equivocation(one, other, key, proof, theirs.mth(0, smaller) if smaller < larger else None)
    return keep_cosigners(made, (one, other), witness_keys(charter))


def reports(where: District, bureau: str, file: bytes, accused: str = "market") -> Said:
    """A bureau's node records what it holds against another's key."""
    said = {"accused": accused, "digest": chain_hash(file), "evidence": file.decode()}
    return where[bureau].say("report_equivocation", by="node", **said)
