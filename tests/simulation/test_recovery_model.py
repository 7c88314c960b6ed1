"""The recovery rule (`survey.Survey`) in a world small enough to go through whole.

Up to four witnesses, each with a prefix of one ledger of at most three entries, with nothing, or silent; every floor
that an earlier version of the charter may have pinned.
"""

from __future__ import annotations

from itertools import product

import msgspec
import pytest

from tallystick.core.bureau import Floor
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.errors import Unreachable
from tallystick.core.hashing import chain_hash
from tallystick.core.merkle import EMPTY_ROOT
from tallystick.core.note import encode_base64
from tallystick.core.quorum import default_needed
from tallystick_node.survey import Holding, Survey
from tests.simulation.world import world

SIZE_MAX = 3
SILENT = -1


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
