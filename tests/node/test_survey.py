"""Who is called silent in a survey: one who holds the most, and does not prove that it extends what others hold."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from tallystick.core.charter import Bureau
from tallystick.core.charter_note import open_charter
from tallystick.core.errors import Forked, ProofFailed, TallystickError, Unreachable, Unreconciled
from tallystick.core.merkle import prove_consistency
from tallystick_node.cluster.roster import credit_code
from tallystick_node.ledger import Ledger
from tallystick_node.store.memory import MemoryStore
from tallystick_node.survey import Survey, survey
from tallystick_proto.v1.witness_pb2 import HeldAnswer
from tests.harness.office import NOW_US, Office
from tests.harness.witnesses import cosigned

WITHHELD, AWAY = ProofFailed("no proof"), Unreachable("nobody answers")


class Holder:
    """A peer that holds so many entries of a ledger, and fails to prove it as `fails` says, one time after another."""

    def __init__(self, ledger: Ledger, notes: list[bytes], fails: list[TallystickError]) -> None:
        self._ledger = ledger
        self._notes = notes
        self._fails = fails

    async def __aenter__(self) -> Holder:
        return self

    async def __aexit__(self, *error: object) -> None:
        pass

    async def held(self, origin: str) -> HeldAnswer:
        return HeldAnswer(note=self._notes)

    async def prove_consistency(self, origin: str, smaller: int, larger: int) -> list[bytes]:
        if self._fails:
            raise self._fails.pop(0)
        return prove_consistency(smaller, larger, self._ledger.reader())


class District:
    """A ledger, and witnesses that hold so many entries of it."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.office = Office()
        self._witnesses = [Office(name) for name in sizes]
        for number, other in enumerate(self._witnesses, 2):
            other.bureau = msgspec.structs.replace(other.bureau, credit_code=credit_code(number))
        self.office.others = tuple(other.bureau for other in self._witnesses)
        self.ledger = Ledger.create(MemoryStore(), self.office.origin)
        commit = self.ledger.build([*self.office.founding(), self.office.prepared(self.office.declares(4))], NOW_US)
        self.ledger.store.write(commit.batch)
        self.ledger.adopt(commit)
        self.told: list[bytes] = []
        """What each was told besides."""
        self.notes = {name: self.office.note(size, self.ledger.root_at(size)) for name, size in sizes.items()}

    def survey(self, **fails: list[TallystickError]) -> Survey:
        """What is found, under the charter of the office as it is by now."""
        holders = {
            other.bureau.id: Holder(
                self.ledger,
                [cosigned(self.notes[other.bureau.id], [other]), *self.told],
                list(fails.get(other.bureau.id, ())),
            )
            for other in self._witnesses
        }

        def reach(bureau: Bureau) -> Any:
            return holders[bureau.id]

        return asyncio.run(survey(open_charter(*self.office.charter()), self.office.bureau, reach))


def silent(found: Survey) -> list[str]:
    """Of whom it is not known what they hold."""
    return [each.witness.id for each in found.holdings if each.trouble is not None]


@pytest.mark.parametrize("fails", [(WITHHELD, AWAY), (AWAY, WITHHELD)], ids=["withheld first", "away first"])
def test_who_withholds_a_proof_is_silent_and_nobody_else(fails: tuple[TallystickError, ...]) -> None:
    """However it fails to prove that what it holds extends what two others hold, they are not the ones to be removed:
    it is named, with what it failed in first.
    """
    found = District({"taxation": 7, "planning": 6, "health": 5}).survey(taxation=list(fails))
    assert silent(found) == ["taxation"]
    with pytest.raises(Unreachable, match=rf"not known what taxation holds \(taxation: {fails[0].what}"):
        found.floor  # noqa: B018, for what it raises


def test_one_of_those_who_hold_the_most_proves_it_for_all() -> None:
    """Where another who holds as much proves it, who does not keeps nobody from going on; else each is named."""
    district = District({"taxation": 7, "planning": 7, "health": 5})
    found = district.survey(taxation=[WITHHELD])
    assert silent(found) == []
    assert found.floor.size == 7
    assert silent(district.survey(taxation=[WITHHELD], planning=[AWAY])) == ["planning", "taxation"]


def test_two_keys_may_each_have_signed_a_history() -> None:
    """A proof that what one key signed is not what the next went on from is no evidence, and nobody failed to give it;
    of one key it is evidence. Of what a witness was only told it keeps nobody from going on.
    """
    district = District({"taxation": 7, "planning": 5})
    before, other = district.notes["planning"], district.office.note(5, bytes(32))
    district.notes["planning"] = other
    with pytest.raises(Forked):
        district.survey()
    district.office = district.office.recovered(6, district.ledger.root_at(6))
    district.notes["taxation"] = district.office.note(7, district.ledger.root_at(7))
    with pytest.raises(Unreconciled, match=r"5 entries that a witness holds .* by two keys"):
        district.survey()
    district.notes["planning"], district.told = before, [other]
    assert district.survey().floor.size == 7
