"""A suspicion is settled by whoever can, and what this node cannot tell keeps nobody else from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from tallystick.core.charter_note import open_charter
from tallystick.core.reconciling import Account, see
from tallystick_node.ledger import Ledger
from tallystick_node.settling import settle_by_copy
from tallystick_node.store.memory import MemoryStore
from tests.harness.office import NOW_US, Office


@dataclass
class Outlived:
    """A shelf on which there is one copy, up to what was cosigned of it."""

    ledger: Ledger
    note: bytes

    @property
    def size(self) -> int:
        return self.ledger.state.size

    def at(self, origin: str) -> Outlived:
        assert origin == self.ledger.origin
        return self


def test_a_copy_that_its_ledger_was_recovered_without_settles_nothing_and_says_so() -> None:
    """It ends in entries under a key that the charter ended before them: somebody else has to be asked."""
    office = Office()
    ledger = Ledger.create(MemoryStore(), office.origin)
    for submissions in (office.founding(), [office.prepared(office.declares(5))]):
        commit = ledger.build(submissions, NOW_US)
        ledger.store.write(commit.batch)
        ledger.adopt(commit)
    cosigned = office.note(8, ledger.root_at(8))
    after = office.recovered(5, ledger.root_at(5))
    charter = open_charter(*after.charter())
    account = Account(charter, after.bureau)
    account.held, other = (see(after.note(size, bytes([size]) * 32), charter, after.bureau) for size in (9, 7))
    account.apart = [other]
    assert not settle_by_copy(cast(Any, Outlived(ledger, cosigned)), account, other)
    assert account.apart == [other]
