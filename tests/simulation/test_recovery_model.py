"""The recovery rule (`survey.Survey`) in a world small enough to go through whole.

Up to four witnesses, each with a prefix of one ledger of at most three entries, with nothing, or silent; every floor
that an earlier version of the charter may have pinned. Then what they say is asked for, signed and proven (`survey`):
one of them lies about what it holds and how it extends what others hold, or was given another history.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from functools import cache
from itertools import product
from typing import Any

import msgspec
import pytest

from tallystick.core.bureau import Bureau, Floor
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.equivocation import verify_equivocation
from tallystick.core.errors import Forked, Unreachable
from tallystick.core.hashing import chain_hash, leaf_hash
from tallystick.core.merkle import EMPTY_ROOT, prove_consistency, prove_range, root_of
from tallystick.core.note import encode_base64
from tallystick.core.quorum import default_needed
from tallystick_node.survey import Holding, Survey, survey
from tallystick_proto.v1.ledger_pb2 import Bundle
from tallystick_proto.v1.witness_pb2 import HeldAnswer
from tests.harness.witnesses import cosigned
from tests.simulation.signing import counted
from tests.simulation.world import world

SIZE_MAX = 3
SILENT = -1
WORLD = world(5)

Histories = tuple[tuple[bytes, ...], ...]
ONE: Histories = ((b"#0", b"#1", b"#2"),)
TWO: Histories = (*ONE, (b"#0", b"other #1", b"other #2"))
SHARED = 1
"""How many entries the two histories share."""


def checkpoint(size: int) -> Checkpoint:
    return Checkpoint("pudong.example/market", size, chain_hash(bytes((size,))) if size else EMPTY_ROOT)


def surveyed(sizes: tuple[int, ...], pinned: int) -> Survey:
    """What is found where each witness holds so many entries."""
    office, *others = world(5).offices
    floor = Floor(pinned, encode_base64(checkpoint(pinned).root)) if pinned else None
    bureau = msgspec.structs.replace(office.bureau, floor=floor)
    holdings = [
        Holding(other.bureau, trouble=Unreachable("nobody answers"))
        if size == SILENT
        else Holding(other.bureau, checkpoint(size) if size else None)
        for other, size in zip(others, sizes, strict=False)
    ]
    return Survey(bureau, tuple(holdings))


@pytest.mark.parametrize("witnesses", [2, 3, 4])
def test_a_ledger_goes_on_from_all_that_was_witnessed_or_not_at_all(witnesses: int) -> None:
    """Where a witness is silent there is no floor. Else whatever a quorum holds is below it, somebody holds all of it,
    and it is below what was pinned before only if that exists nowhere any more: then it is what was pinned.
    """
    needed = default_needed(witnesses)
    for sizes, pinned in product(product(range(SILENT, SIZE_MAX + 1), repeat=witnesses), range(SIZE_MAX + 1)):
        found = surveyed(sizes, pinned)
        if SILENT in sizes:
            with pytest.raises(Unreachable):
                _ = found.floor
            continue
        witnessed = sorted(sizes)[-needed]
        assert found.floor == checkpoint(pinned if max(sizes) < pinned else max(sizes))
        assert found.floor.size >= max(witnessed, pinned)
        assert found.exists_nowhere == (max(sizes) == 0 or max(sizes) < pinned)
        assert found.exists_nowhere == (not found.holders(max(found.floor.size, 1)))


class Witness:
    """A peer that holds so many entries of a history, and proves it honestly, not at all, or falsely: by hashes of
    nothing.
    """

    def __init__(self, number: int, entries: tuple[bytes, ...], size: int, proves: str = "honestly") -> None:
        self._number = number
        self._leaves = [leaf_hash(entry) for entry in entries]
        self._size = size
        self._proves = proves

    async def __aenter__(self) -> Witness:
        if self._size == SILENT:
            raise Unreachable("nobody answers")
        return self

    async def __aexit__(self, *error: object) -> None:
        pass

    async def held(self, origin: str) -> HeldAnswer:
        if not self._size:
            return HeldAnswer(none=True)
        return HeldAnswer(note=[note_of(self._number, self._size, root_of(self._leaves[: self._size]))])

    async def prove_consistency(self, origin: str, smaller: int, larger: int) -> list[bytes]:
        if self._proves == "not at all":
            raise Unreachable("no proof")
        proof = prove_consistency(smaller, larger, self._read)
        return proof if self._proves == "honestly" else [bytes(32) for _ in proof]

    async def read_entries(self, origin: str, first: int, end: int, size: int) -> AsyncIterator[Bundle]:
        if self._proves == "not at all":
            raise Unreachable("no entries")
        path = prove_range(first, end, size, self._read)
        yield Bundle(first=first, path=path if self._proves == "honestly" else [bytes(32) for _ in path], size=size)

    def _read(self, level: int, index: int) -> bytes:
        return root_of(self._leaves[index << level : (index + 1) << level])


@cache
def note_of(number: int, size: int, root: bytes) -> bytes:
    """A checkpoint that the ledger's key signed and a witness cosigned."""
    office, *others = WORLD.offices
    return cosigned(office.note(size, root), [others[number]])


@pytest.fixture(autouse=True)
def each_signature_is_verified_once() -> Iterator[None]:
    with counted(Counter()):
        yield


def ask(witnesses: list[Witness]) -> Survey:
    """What a survey of these finds. Raises as that."""
    office, *others = WORLD.offices
    by_id = {other.bureau.id: witness for other, witness in zip(others, witnesses, strict=False)}
    named = tuple(by_id)
    bureau = msgspec.structs.replace(office.bureau, witnesses=named)
    charter = msgspec.structs.replace(
        WORLD.charter, bureau=tuple(bureau if each.id == bureau.id else each for each in WORLD.charter.bureau)
    )

    def reach(to: Bureau) -> Any:
        return by_id[to.id]

    return asyncio.run(survey(charter, bureau, reach))


PROVES = ("honestly", "not at all", "falsely")


@pytest.mark.parametrize("honest", [1, 2, 3])
def test_one_liar_among_the_holders_neither_lowers_the_floor_nor_accuses(honest: int) -> None:
    """Whatever it says it holds of the one ledger there is, and however it proves that: where there is a floor, all
    that a quorum cosigned is below it, though the liar had cosigned the most. Where there is none, a witness is silent,
    or the liar says that it holds the most and does not prove it; then it is named, and no other.
    """
    needed = default_needed(honest + 1)
    sizes = range(SILENT, SIZE_MAX + 1)
    for held, says, proves in product(product(sizes, repeat=honest), sizes, PROVES):
        liar = Witness(honest, ONE[0], says, proves)
        found = ask([*(Witness(number, ONE[0], size) for number, size in enumerate(held)), liar])
        unknown = [size == SILENT for size in (*held, says)]
        if says > max(held) and proves != "honestly" and any(size > 0 for size in held):
            unknown[-1] = True
        assert [each.trouble is not None for each in found.holdings] == unknown, (held, says, proves)
        if any(unknown):
            with pytest.raises(Unreachable):
                _ = found.floor
            continue
        assert found.floor.size == max(*held, says)
        assert found.floor.size >= sorted([*held, SIZE_MAX])[-needed]


@pytest.mark.parametrize("others", [1, 2, 3])
def test_another_history_is_proven_or_there_is_no_floor(others: int) -> None:
    """One witness was given a second history by the ledger's key, and may lie about it besides. Where somebody shows
    that the two contradict each other the evidence is against the ledger alone, and holds; else there is no floor
    either, since whoever holds the most proves nothing.
    """
    for held, size, proves in product(
        product(range(SILENT, SIZE_MAX + 1), repeat=others), range(1, SIZE_MAX + 1), PROVES
    ):
        witnesses = [Witness(number, TWO[0], each) for number, each in enumerate(held)]
        witnesses.append(Witness(others, TWO[1], size, proves))
        largest = max(held)
        contradict = min(size, largest) > SHARED
        shown = size <= largest or proves == "honestly"
        if contradict and shown:
            with pytest.raises(Forked) as raised:
                ask(witnesses)
            accused, proven = verify_equivocation(raised.value.evidence, WORLD.charter)
            assert (accused.id, proven.cosigners) == (WORLD.offices[0].bureau.id, ())
        elif contradict or SILENT in held:
            with pytest.raises(Unreachable):
                _ = ask(witnesses).floor
