"""What other nodes say on the wire: receipts, entries, presence, errors, and what is swapped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache

from google.protobuf.message import DecodeError

from tallystick.core.checkpoint import Checkpoint
from tallystick.core.errors import TallystickError
from tallystick.core.hashing import leaf_hashes
from tallystick.core.merkle import root_of
from tallystick.core.news import Holding, lines_of, news, proven_of
from tallystick.core.reconciling import Account, see
from tallystick.core.trusted_ledger import TrustedLedger
from tallystick.core.versions import Versions
from tallystick.sdk.receipt import check_receipt, check_standing, receipt_of
from tallystick.sdk.wire_errors import from_detail, to_detail
from tallystick_proto.v1.entry_pb2 import Signature, Submission
from tallystick_proto.v1.gossip_pb2 import CharterLine, SwapAnswer
from tallystick_proto.v1.ledger_pb2 import Bundle, CheckpointAnswer, ErrorDetail, Receipt
from tallystick_proto.v1.statement_pb2 import Statement
from tests.fuzz.charters import VERSION
from tests.fuzz.proofs import CHARTER, MARKET, maker
from tests.fuzz.target import Target, tried


@cache
def _trusted() -> bytes:
    return maker().note(2)


@cache
def _root(size: int) -> bytes:
    return maker().root(size)


@cache
def _held() -> Holding:
    return Holding(see(_trusted(), CHARTER, MARKET))


def _receipt(data: bytes) -> None:
    receipt = Receipt.FromString(data)
    size = min(receipt.first + receipt.count, maker().size)
    checkpoint = Checkpoint(MARKET.origin, size, _root(size))
    sent = Submission(signature=Signature(submission_id=receipt.submission_id, count=receipt.count))
    tried(check_receipt, receipt, sent, MARKET, checkpoint)
    tried(check_standing, receipt, CHARTER, MARKET)
    shown = receipt_of(receipt, 0, Statement(), MARKET, checkpoint)
    assert shown.reference


def _bundle(data: bytes) -> None:
    bundle = Bundle.FromString(data)
    ledger = TrustedLedger(MARKET.id, MARKET.ledger_verifier, _trusted(), ends=MARKET.ends)
    tried(ledger.check_raws, bundle.first, bundle.entry, bundle.path, ledger.checkpoint)
    tried(ledger.advance, bundle.checkpoint, bundle.consistency)
    if bundle.entry:
        size = len(bundle.entry)
        whole = Checkpoint(MARKET.origin, size, root_of(leaf_hashes(bundle.entry)))
        tried(ledger.check_raws, 0, bundle.entry, (), whole)
        tried(lambda: list(ledger.decode(bundle.first, bundle.entry)))


def _checkpoint(data: bytes) -> None:
    answer = CheckpointAnswer.FromString(data)
    for trusted in (None, _trusted()):
        ledger = TrustedLedger(MARKET.id, MARKET.ledger_verifier, trusted, ends=MARKET.ends)
        tried(ledger.advance, answer.checkpoint, answer.consistency)


def _error(data: bytes) -> None:
    error = from_detail(ErrorDetail.FromString(data))
    assert isinstance(error, TallystickError)
    again = from_detail(to_detail(error))
    assert (type(again), str(again)) == (type(error), str(error))


def _swap(data: bytes) -> None:
    answer = SwapAnswer.FromString(data)
    mine = {1: _held()}
    news(mine, answer.line, answer.proven)
    assert lines_of(mine)
    assert not proven_of(mine)
    account = Account(CHARTER, MARKET)
    for note in answer.note:
        seen = tried(account.show, note)
        if seen is not None:
            tried(account.wanted, seen)
            tried(account.settle, seen, answer.evidence)
    versions = Versions([VERSION])
    line: CharterLine | None = versions.asks("b1", answer.charter)
    for note in (*answer.note, *answer.evidence):
        versions.take(note)
    if line is not None:
        versions.answered("b1", line)


_PARSERS: tuple[Callable[[bytes], None], ...] = (_receipt, _bundle, _checkpoint, _error, _swap)


def answers(data: bytes) -> None:
    """Whatever a node answers is taken, or refused in a sentence. The first byte says which answer it is."""
    if data:
        with suppress(DecodeError):
            _PARSERS[data[0] % len(_PARSERS)](data[1:])


def _seeds() -> Iterator[bytes]:
    made = maker()
    entries, note = made.entries, made.note()
    receipt = Receipt(
        standing=Receipt.RECORDED,
        submission_id=bytes(16),
        first=3,
        count=1,
        checkpoint=note,
        consistency=made.consistency(2),
        known_size=2,
        entry=entries[3],
        inclusion=made.inclusion(3),
    )
    yield b"\0" + receipt.SerializeToString()
    bundle = Bundle(first=0, entry=entries[:2], size=2, checkpoint=note, consistency=made.consistency(2), next=2)
    yield b"\1" + bundle.SerializeToString()
    yield b"\2" + CheckpointAnswer(checkpoint=note, consistency=made.consistency(2)).SerializeToString()
    detail = ErrorDetail(name="ProofFailed", what="w", where="h", expected="e", known=7, has_known=True)
    yield b"\3" + detail.SerializeToString()
    lines = lines_of({1: _held()})
    charter = CharterLine(number=2, digest=bytes(32))
    swap = SwapAnswer(line=lines, proven=[2], note=[note, VERSION.note], now_us=7, charter=[charter])
    yield b"\4" + swap.SerializeToString()


TARGETS = (Target("answers", answers, _seeds),)
