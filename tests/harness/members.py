"""What tests have a cluster's member record, and what they find on the disk of a stopped one."""

from __future__ import annotations

from dataclasses import dataclass

from tallystick.core.checkpoint import Checkpoint, open_checkpoint
from tallystick.sdk.receipt import Receipt
from tallystick_node.cluster.member import Member
from tallystick_node.copies import open_copy, read_cosigning
from tallystick_node.ledger import Ledger
from tallystick_node.store.leveldb import LevelDbStore
from tests.harness.waiting import WAIT_S


def declare(member: Member, code: str, wait_s: float = WAIT_S) -> Receipt:
    """A declaration, and a wait for its witnesses."""
    return member.sdk.record_witnessed(
        "declare", wait_s, resource=code, scheme="pudong", title=code, sharing="unconditional"
    )


def witnessed(member: Member, code: str) -> Receipt:
    """A declaration that a quorum has cosigned."""
    receipt = declare(member, code)
    assert receipt.standing == "witnessed"
    return receipt


def entries_of(member: Member) -> list[bytes]:
    """The entries of its own ledger."""
    store = LevelDbStore.open(member.settings.database)
    try:
        ledger = Ledger.open(store, member.bureau.origin)
        return list(ledger.entries(0, ledger.state.size))
    finally:
        store.close()


@dataclass(frozen=True, slots=True)
class Kept:
    """A copy of another's ledger: its entries, what was cosigned of it last and when, and why it is no more."""

    entries: list[bytes]
    cosigned: Checkpoint
    at_s: int
    stopped: str


def kept_by(member: Member, of: Member) -> Kept:
    """What it keeps of another member's ledger."""
    store = LevelDbStore.open(member.settings.database)
    try:
        copy = open_copy(store, of.bureau)
        record = read_cosigning(copy)
        cosigned = open_checkpoint(record.note, of.bureau.ledger_verifier)
        return Kept(list(copy.entries(0, copy.state.size)), cosigned, record.cosigned_at_s, record.stopped)
    finally:
        store.close()
