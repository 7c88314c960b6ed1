"""Receipts: good for the one submission they are for, under the checkpoint they came with, and for nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tallystick.core.checkpoint import Checkpoint
from tallystick.core.errors import VerificationFailed
from tallystick.core.merkle import prove_inclusion
from tallystick.sdk.receipt import check_receipt, receipt_of
from tallystick_node.ledger import Ledger
from tallystick_node.store.memory import MemoryStore
from tallystick_proto.v1.entry_pb2 import Submission
from tallystick_proto.v1.ledger_pb2 import Receipt
from tallystick_proto.v1.statement_pb2 import Statement
from tests.harness.office import NOW_US, Office

OFFICE = Office()


@dataclass
class Case:
    """A ledger of 9 entries; a submission of one at #3, one of four at #4, another of one at #8."""

    ledger: Ledger
    submissions: list[Submission]

    @property
    def checkpoint(self) -> Checkpoint:
        return Checkpoint(OFFICE.origin, 9, self.ledger.state.root)

    def receipt(self, number: int) -> Receipt:
        first = (3, 4, 8)[number]
        signature = self.submissions[number].signature
        receipt = Receipt(
            standing=Receipt.RECORDED, submission_id=signature.submission_id, first=first, count=signature.count
        )
        if signature.count == 1:
            receipt.entry = self.ledger.entry(first)
            receipt.inclusion.extend(prove_inclusion(first, 9, self.ledger.reader()))
        return receipt


@pytest.fixture(scope="module")
def case() -> Case:
    from tallystick.core.submission import prepare

    submissions = [OFFICE.submission(OFFICE.declares(count)) for count in (1, 4, 1)]
    ledger = Ledger.create(MemoryStore(), OFFICE.origin)
    built = ledger.build([*OFFICE.founding(), *(prepare(each, OFFICE.origin) for each in submissions)], NOW_US)
    ledger.store.write(built.batch)
    ledger.adopt(built)
    return Case(ledger, submissions)


def test_good_receipts_pass(case: Case) -> None:
    """A single statement's receipt with its proof, and a batch's without, are what they should be."""
    for number, submission in enumerate(case.submissions):
        check_receipt(case.receipt(number), submission, OFFICE.bureau, case.checkpoint)


def flip(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


BENT: dict[str, Callable[[Receipt], object]] = {
    "another submission's id": lambda r: setattr(r, "submission_id", bytes(16)),
    "no id": lambda r: r.ClearField("submission_id"),
    "another count": lambda r: setattr(r, "count", 2),
    "no count": lambda r: r.ClearField("count"),
    "another index": lambda r: setattr(r, "first", 4),
    "an index beyond the checkpoint": lambda r: setattr(r, "first", 9),
    "an index beyond everything": lambda r: setattr(r, "first", 2**64 - 1),
    "no standing": lambda r: r.ClearField("standing"),
    "a standing nobody knows": lambda r: setattr(r, "standing", 99),
    "an altered entry": lambda r: setattr(r, "entry", flip(r.entry)),
    "garbage for an entry": lambda r: setattr(r, "entry", b"\xff"),
    "no entry": lambda r: r.ClearField("entry"),
    "no path": lambda r: r.ClearField("inclusion"),
    "a path too long": lambda r: r.inclusion.append(bytes(32)),
    "garbage in the path": lambda r: r.inclusion.__setitem__(0, b"x"),
    "a bent path": lambda r: r.inclusion.__setitem__(0, bytes(32)),
}


@pytest.mark.parametrize("name", BENT)
def test_every_bent_field_is_named(case: Case, name: str) -> None:
    """One field wrong: refused in one sentence that names the bureau."""
    receipt = case.receipt(0)
    BENT[name](receipt)
    with pytest.raises(VerificationFailed, match="receipt of market") as raised:
        check_receipt(receipt, case.submissions[0], OFFICE.bureau, case.checkpoint)
    assert "\n" not in str(raised.value)


def test_a_receipt_is_for_its_own_submission_only(case: Case) -> None:
    """Any submission's receipt, truly proven, is refused for any other."""
    for number, submission in enumerate(case.submissions):
        for other in range(3):
            if other != number:
                with pytest.raises(VerificationFailed, match="another submission"):
                    check_receipt(case.receipt(other), submission, OFFICE.bureau, case.checkpoint)


def test_the_entry_must_carry_what_was_signed(case: Case) -> None:
    """Under the same id: another statement, or another signature over the same one, is not what was sent."""
    id = case.submissions[0].signature.submission_id
    for said, key, says in (
        (OFFICE.declares(1, "OTHER"), None, "another entry"),
        (OFFICE.declares(1), OFFICE.keys["gateway"], "another entry"),
    ):
        sent = OFFICE.submission(said, id=id, key=key)
        with pytest.raises(VerificationFailed, match=says):
            check_receipt(case.receipt(0), sent, OFFICE.bureau, case.checkpoint)
    moved = case.receipt(2)
    moved.submission_id = id
    with pytest.raises(VerificationFailed, match="another entry"):
        check_receipt(moved, case.submissions[0], OFFICE.bureau, case.checkpoint)


def test_a_batch_beyond_its_checkpoint_is_refused(case: Case) -> None:
    """All entries of a batch lie within the checkpoint, its last one too."""
    receipt = case.receipt(1)
    receipt.first = 6
    with pytest.raises(VerificationFailed, match="beyond its checkpoint"):
        check_receipt(receipt, case.submissions[1], OFFICE.bureau, case.checkpoint)


def test_a_receipt_cites_what_it_can(case: Case) -> None:
    """A single statement's receipt is a citation; a batch's says which entry to read for one."""
    single = receipt_of(case.receipt(0), 0, Statement(), OFFICE.bureau, case.checkpoint)
    assert (single.reference, single.ref.index, single.standing) == ("market#3", 3, "recorded")
    third = receipt_of(case.receipt(1), 2, Statement(), OFFICE.bureau, case.checkpoint)
    assert third.reference == "market#6"
    with pytest.raises(RuntimeError, match="market#6"):
        _ = third.ref
