"""Notes, checkpoints, and the files that prove something offline."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from google.protobuf.message import DecodeError

from tallystick.core.checkpoint import Checkpoint, format_checkpoint, open_checkpoint, parse_checkpoint
from tallystick.core.compose import Sensitive
from tallystick.core.cosignature import make_cosignature
from tallystick.core.equivocation import (
    canonical_equivocation,
    format_equivocation,
    make_equivocation,
    parse_equivocation,
)
from tallystick.core.evidence import check_presence, verify_presence
from tallystick.core.hashing import leaf_hash
from tallystick.core.note import NoteSignature, VerifierKey, add_signatures, format_note, open_note, parse_note
from tallystick.core.tlog_proof import format_tlog_proof, parse_tlog_proof
from tallystick.core.witnessing import open_cosigned
from tallystick_proto.v1.entry_pb2 import Presence
from tests.fuzz.target import Target, tried
from tests.harness.ledger_maker import LedgerMaker, charter_of
from tests.harness.rosters import roster_of


@cache
def maker() -> LedgerMaker:
    """A ledger of four entries, the last about a person, which is disclosed."""
    made = LedgerMaker().found()
    subject = {"version": "A@1", "purpose": "audit", "subject": Sensitive("310115199001010011")}
    made.record(made.with_sensitive("use", "gateway", subject))
    return made


MARKET = LedgerMaker().bureau
CHARTER = charter_of(MARKET, *roster_of(5)[1:])
WITNESSES = [bureau.witness_verifier for bureau in CHARTER.bureau]


def notes(data: bytes) -> None:
    """A note is written again as it was read, whatever is in it; so are a checkpoint, a signature line and a key."""
    note = tried(parse_note, data)
    if note is not None:
        assert format_note(note) == data
        assert all(NoteSignature.parse(line.format()) == line for line in note.signatures)
        checkpoint = tried(parse_checkpoint, note.text)
        assert checkpoint is None or format_checkpoint(checkpoint) == note.text
        tried(open_note, data, [MARKET.ledger_verifier, *WITNESSES])
        tried(open_checkpoint, data, MARKET.ledger_verifier, MARKET.ends)
        tried(open_cosigned, data, CHARTER, MARKET)
    text = data.decode(errors="replace")
    key = tried(VerifierKey.parse, text)
    assert key is None or key.format() == text


def proofs(data: bytes) -> None:
    """A proof, or evidence, is written again as it was read, and refused in a sentence where it proves nothing."""
    proof = tried(parse_tlog_proof, data)
    if proof is not None:
        assert format_tlog_proof(proof) == data
    tried(verify_presence, data, CHARTER)
    fork = tried(parse_equivocation, data)
    if fork is not None:
        assert format_equivocation(fork) == data
    tried(canonical_equivocation, data, CHARTER)


def presences(data: bytes) -> None:
    """What shows an entry and its author is proven or refused, under a checkpoint that holds that entry."""
    try:
        presence = Presence.FromString(data)
    except DecodeError:
        return
    checkpoint = Checkpoint(MARKET.origin, 1, leaf_hash(presence.entry))
    tried(check_presence, presence, 0, (), MARKET, checkpoint)


def _notes() -> Iterator[bytes]:
    note = maker().note()
    yield note
    witness = make_cosignature(parse_note(note).text, 7, maker().keys["witness"], f"{MARKET.origin}/witness")
    yield add_signatures(note, witness)
    yield maker().note(0)
    yield MARKET.ledger_key.encode()
    yield MARKET.witness_key.encode()


def _proofs() -> Iterator[bytes]:
    made = maker()
    yield from (made.evidence(index) for index in range(made.size))
    other = LedgerMaker(1).found()
    yield make_equivocation(made.note(3), other.note(3), MARKET.ledger_verifier)
    yield make_equivocation(made.note(2), other.note(3), MARKET.ledger_verifier, other.consistency(2, 3), other.root(2))


def _presences() -> Iterator[bytes]:
    first = LedgerMaker()
    first.record([first.say("adopt_charter", "node", version=1, digest=bytes(32))], "node")
    for made in (first, maker()):
        yield from (made.presence(index).SerializeToString() for index in range(made.size))


TARGETS = (
    Target("notes", notes, _notes),
    Target("proofs", proofs, _proofs),
    Target("presences", presences, _presences),
)
