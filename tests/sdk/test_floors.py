"""A client and a floor: a node's ledger extends what the charter pins, whatever this client was shown before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tallystick.core.charter import Floor
from tallystick.core.errors import ProofFailed, RolledBack
from tallystick.core.note import encode_base64
from tallystick.sdk.reader import LedgerReader
from tallystick.sdk.trust_store import TrustStore
from tallystick.sdk.wire import Wire
from tests.harness.desk import Desk, desk_in


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_in(tmp_path) as made:
        yield made


def pinned(desk: Desk, size: int, root: bytes | None = None) -> LedgerReader:
    """A reader whose charter pins the ledger."""
    held = root or desk.node.sequencer.ledger.root_at(min(size, 23))
    bureau = msgspec.structs.replace(desk.node.bureau, floor=Floor(size, encode_base64(held)))
    desk.open.append(LedgerReader(Wire(bureau), desk.trust))
    return desk.open[-1]


@pytest.mark.parametrize("size", [1, 10, 23])
@pytest.mark.parametrize("shown", [False, True])
def test_a_ledger_that_extends_its_floor_is_read(desk: Desk, size: int, shown: bool) -> None:
    """With something trusted before or nothing, at every size of the floor, and on as the ledger grows."""
    if shown:
        desk.reader().refresh()
        desk.open.pop().close()
    reader = pinned(desk, size)
    assert len(list(reader.entries())) == 23
    desk.record(2)
    assert reader.refresh().size == 25
    reader.close()
    assert desk.node.calls.count("ProveConsistency") == (1 if shown and size < 23 else 0)


@pytest.mark.parametrize("shown", [False, True])
def test_one_that_does_not_is_refused_and_not_remembered(desk: Desk, tmp_path: Path, shown: bool) -> None:
    """A ledger of another root below, or of fewer entries than are pinned, is believed in nothing."""
    if shown:
        desk.reader().refresh()
        desk.open.pop().close()
    kept = TrustStore(tmp_path / "trust").load(desk.node.bureau.origin)
    for size, error in ((10, ProofFailed), (23, ProofFailed), (24, RolledBack)):
        reader = pinned(desk, size, bytes([size]) * 32)
        for _ in range(2):
            with pytest.raises(error, match="the charter pins"):
                reader.refresh()
        desk.open.pop().close()
        assert TrustStore(tmp_path / "trust").load(desk.node.bureau.origin) == kept
