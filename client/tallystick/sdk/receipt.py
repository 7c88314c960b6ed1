"""Receipts, checked: what a node signed for when it took a submission."""

from __future__ import annotations

from dataclasses import dataclass

from tallystick.core.charter import Bureau, Charter
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.entry import decode_entry
from tallystick.core.errors import ProofFailed, VerificationFailed
from tallystick.core.hashing import leaf_hash
from tallystick.core.merkle import check_inclusion
from tallystick.core.statement import encode
from tallystick.core.witnessing import Witnessed, open_cosigned
from tallystick_proto.v1 import ledger_pb2
from tallystick_proto.v1.entry_pb2 import Submission
from tallystick_proto.v1.statement_pb2 import Ref, Statement


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where one statement stands. `entry` holds its bytes where the statement was sent alone.

    `cosigned_by` are the witnesses whose cosignatures of its checkpoint were verified here, `standing` what they make
    it: `witnessed` under a quorum, else `recorded`. `waited` says whether they were waited for.
    """

    bureau: str
    origin: str
    index: int
    standing: str
    again: bool
    statement: Statement
    checkpoint: Checkpoint
    entry: bytes | None = None
    cosigned_by: tuple[str, ...] = ()
    waited: bool = False

    @property
    def reference(self) -> str:
        return f"{self.bureau}#{self.index}"

    @property
    def ref(self) -> Ref:
        """The citation of the entry. Of a batch, only its node can tell: read the entry first (RuntimeError)."""
        if self.entry is None:
            raise RuntimeError(f"the receipt of {self.reference} came with a batch; read the entry for its citation")
        return Ref(origin=self.origin, index=self.index, leaf=leaf_hash(self.entry))

    @property
    def version_ref(self) -> str:
        """The version the statement speaks of."""
        return self.statement.head.version


def check_receipt(receipt: ledger_pb2.Receipt, submission: Submission, bureau: Bureau, checkpoint: Checkpoint) -> None:
    """A receipt is for this submission, within its checkpoint; of a single statement, the entry holds what was signed.

    Raises ProofFailed or MalformedEntry.
    """

    def refuse(what: str, expected: str) -> ProofFailed:
        return ProofFailed(what, where=f"receipt of {bureau.id}", expected=expected)

    signature = submission.signature
    if receipt.submission_id != signature.submission_id or receipt.count != signature.count:
        raise refuse("it is for another submission", f"{signature.submission_id.hex()}")
    if receipt.first + receipt.count > checkpoint.size:
        raise refuse(f"#{receipt.first} is beyond its checkpoint", f"less than {checkpoint.size}")
    if receipt.standing not in (ledger_pb2.Receipt.RECORDED, ledger_pb2.Receipt.WITNESSED):
        raise refuse(f"it says nothing of where the submission stands ({receipt.standing})", "recorded or witnessed")
    if receipt.count > 1:
        return
    try:
        check_inclusion(leaf_hash(receipt.entry), receipt.first, checkpoint.size, checkpoint.root, receipt.inclusion)
        entry = decode_entry(receipt.entry)
    except VerificationFailed as error:
        raise error.at(f"receipt of {bureau.id}") from None
    if entry.index != receipt.first or entry.signed != signature:
        raise refuse(f"#{receipt.first} is another entry", "the submission's own")
    if submission.statements != encode([entry.statement]):
        raise refuse(f"#{receipt.first} holds another statement", "the one that was signed")


def check_standing(receipt: ledger_pb2.Receipt, charter: Charter, bureau: Bureau) -> Witnessed:
    """Who cosigned a receipt's checkpoint. Raises ProofFailed where it is called witnessed and they are too few."""
    found = open_cosigned(receipt.checkpoint, charter, bureau)
    if receipt.standing == ledger_pb2.Receipt.WITNESSED and not found.enough(charter):
        raise ProofFailed(
            f"it says witnessed, and shows {found.count} cosignatures",
            where=f"receipt of {bureau.id}",
            expected="a quorum's",
        )
    return found


def receipt_of(
    answer: ledger_pb2.Receipt,
    position: int,
    statement: Statement,
    bureau: Bureau,
    checkpoint: Checkpoint,
    cosigned: Witnessed | None = None,
    *,
    enough: bool = False,
    waited: bool = False,
) -> Receipt:
    """The receipt of the statement at `position` of a submission whose receipt was checked.

    `cosigned` is who cosigned its checkpoint, where that was looked at, and `enough` whether they are a quorum.
    """
    return Receipt(
        bureau=bureau.id,
        origin=bureau.origin,
        index=answer.first + position,
        standing="witnessed" if enough else "recorded",
        again=answer.repeated_submission,
        statement=statement,
        checkpoint=checkpoint,
        entry=answer.entry if answer.count == 1 else None,
        cosigned_by=() if cosigned is None else tuple(found.witness.id for found in cosigned.cosigners),
        waited=waited,
    )
