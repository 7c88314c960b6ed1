"""A client and a floor: a node's ledger extends what the charter pins, whatever this client was shown before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tallystick.core.bureau import Floor, Retired
from tallystick.core.checkpoint import Checkpoint, sign_checkpoint
from tallystick.core.equivocation import make_equivocation
from tallystick.core.errors import Forked, ProofFailed, RolledBack
from tallystick.core.note import VerifierKey, encode_base64
from tallystick.sdk.contradictions import refuse_proven
from tallystick.sdk.reader import LedgerReader
from tallystick.sdk.trust_store import TrustStore
from tallystick.sdk.wire import Wire
from tests.harness.desk import Desk, desk_in
from tests.harness.office import key_of


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


def test_evidence_against_a_key_ends_the_reading_under_that_key_alone(desk: Desk) -> None:
    """What proves two histories keeps a client from reading, until a charter retires the key and pins one of them."""
    office = desk.office
    office.keys["old"] = key_of("the old key of the ledger")
    old = VerifierKey.of(office.origin, office.keys["old"].public)
    one, other = (
        sign_checkpoint(Checkpoint(office.origin, 2, bytes([number]) * 32), office.keys["old"]) for number in (1, 2)
    )
    before = msgspec.structs.replace(desk.node.bureau, ledger_key=old.format())
    desk.trust.keep_evidence(before, make_equivocation(one, other, old))
    with pytest.raises(Forked, match="signed two different histories of 2 entries"):
        refuse_proven(desk.trust, before)
    root = encode_base64(desk.node.sequencer.ledger.root_at(10))
    after = msgspec.structs.replace(desk.node.bureau, floor=Floor(10, root), retired=(Retired(old.format(), 10),))
    desk.open.append(LedgerReader(Wire(after), desk.trust))
    assert desk.open[-1].refresh().size == 23


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
