"""Statements, entries and submissions: what a node admits, and what a reader is shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from functools import cache

from google.protobuf.message import DecodeError

from tallystick.cli.describe import Describer
from tallystick.core.compose import compose
from tallystick.core.entry import decode_entry, encode_at, encode_entry, encode_first, encode_signed
from tallystick.core.evidence import actors_of
from tallystick.core.history import History
from tallystick.core.kinds import KINDS
from tallystick.core.statement import Read, admit, encode, read
from tallystick.core.submission import Prepared, prepare, renewed, seal
from tallystick.core.terms import pack_term, terms_of
from tallystick_proto.v1.entry_pb2 import StatementsBytes, Submission
from tests.fuzz.proofs import CHARTER, MARKET, maker
from tests.fuzz.target import Target, tried
from tests.harness.any_statement import ACTOR, least, most
from tests.harness.ledger_maker import LedgerMaker, Made, chain

_DESCRIBERS = (Describer(CHARTER, "en", UTC), Describer(CHARTER, "zh", UTC))


def statements(data: bytes) -> None:
    """What a reader understands a node would have admitted, with the same terms, and the other way round; and whatever
    a reader lets pass can be shown.
    """
    shown: Read | None = tried(read, data)
    actor = ACTOR if shown is None else shown.statement.head.actor
    admitted = tried(admit, encode([data]), actor)
    assert (admitted is not None) == (shown is not None and shown.understood)
    if shown is None:
        return
    terms = terms_of(shown.statement)
    if admitted is not None:
        assert admitted[1] == [tuple(pack_term(*term) for term in terms)]
    for describer in _DESCRIBERS:
        describer.facts(shown)
        assert len(describer.summary(shown)) <= 200
        describer.said_json(shown)


def entries(data: bytes) -> None:
    """An entry is written again as it was read; and so it is when its statement is taken out and put back."""
    entry = tried(decode_entry, data)
    if entry is None:
        return
    authorship = encode_signed(entry.signed) if entry.signed is not None else encode_first(entry.first)
    assert encode_entry(entry.index, entry.prev, encode_at(entry.recorded_at_us), entry.statement, authorship) == data
    tried(read, entry.statement)


def submissions(data: bytes) -> None:
    """A submission is admitted or refused, as it stands and signed by whom it names; what is admitted makes a history
    that every reader accepts, and is refused nowhere when it is signed anew.
    """
    try:
        submission = Submission.FromString(data)
    except DecodeError:
        return
    tried(prepare, submission, MARKET.origin)
    try:
        pieces = list(StatementsBytes.FromString(submission.statements).statement)
    except DecodeError:
        return
    name = submission.actor.removeprefix(f"{MARKET.id}:")
    key = maker().keys.get(name, maker().keys["clerk"])
    resigned = seal(
        MARKET.origin, submission.actor, key, submission.signature.submission_id, pieces, submission.disclosures
    )
    prepared: Prepared | None = tried(prepare, resigned, MARKET.origin)
    if prepared is not None:
        assert prepared.statements == pieces
        again = renewed(resigned, key, maker().new_id(), lambda: bytes(32))
        assert prepare(again, MARKET.origin).count == prepared.count
        made = [Made(7, each, prepared.signature, 0, at == 0) for at, each in enumerate(pieces)]
        tried(History(actors_of(MARKET)).extend, chain(MARKET.origin, made))


@cache
def _statements() -> tuple[bytes, ...]:
    """Each kind, with all that it may say and with the least."""
    return tuple(
        compose(kind.verb, ACTOR, values).statement.SerializeToString()
        for kind in KINDS.values()
        for values in (most(kind), least(kind))
    )


def _entries() -> Iterator[bytes]:
    yield from maker().entries
    made = LedgerMaker().found()
    made.record([made.use() for _ in range(3)], "gateway")
    yield from made.entries


def _submissions() -> Iterator[bytes]:
    made = maker()
    yield made.submission([made.use("clerk")]).SerializeToString()
    yield made.submission([made.declare("A"), made.declare("B")]).SerializeToString()
    yield made.submission([made.registers("new")], "registrar").SerializeToString()
    yield made.with_sensitive("use", "gateway", {"version": "A@1", "purpose": "audit"}).SerializeToString()


TARGETS = (
    Target("statements", statements, _statements),
    Target("entries", entries, _entries),
    Target("submissions", submissions, _submissions),
)
