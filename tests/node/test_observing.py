"""Whoever else of the charter follows a ledger copies and cosigns it like a witness, and counts to nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tallystick.core.checkpoint import format_checkpoint
from tallystick.core.note import parse_note
from tallystick.core.witnessing import open_cosigned
from tests.harness.lying_node import LyingNode
from tests.harness.witnesses import WAIT_S, Witness, gathered, record, text_of, witnessed_home


@contextmanager
def following(folder: Path, others: int, listed: int = 0) -> Iterator[tuple[LyingNode, list[Witness]]]:
    """A ledger's node and the others of its charter, of whom so many are listed; every copy is sound at the end."""
    home, offices = witnessed_home(folder, others, listed=listed)
    with LyingNode(home) as node:
        made = [Witness(office, node) for office in offices]
        try:
            yield node, made
        finally:
            for each in made:
                each.stop()
    for each in made:
        each.check()


def cosigned_by(each: Witness, text: str) -> bytes:
    """Wait until one has cosigned a checkpoint; the note it made."""
    deadline = time.monotonic() + WAIT_S
    while not each.cosigned or text_of(each.cosigned) != text:
        assert time.monotonic() < deadline, f"{each.office.bureau.id} does not cosign"
        time.sleep(0.01)
    return each.cosigned


def test_a_cosignature_beyond_the_witnesses_counts_to_no_quorum(tmp_path: Path) -> None:
    """With one of two witnesses away, a third who is none cosigns, and nothing is witnessed until the other comes."""
    with following(tmp_path, 3, listed=2) as (node, (one, other, third)):
        one.start()
        third.start()
        checkpoint = record(node, 3)
        cosigned_by(one, format_checkpoint(checkpoint))
        note = cosigned_by(third, format_checkpoint(checkpoint))
        bureau = node.home.office.bureau
        assert open_cosigned(note, third.charter, bureau).count == 0
        assert gathered(node, checkpoint.size, 0.2) is None
        other.start()
        found = gathered(node, checkpoint.size)
        assert found is not None
        counted = open_cosigned(found.note, third.charter, bureau)
        assert {each.witness.id for each in counted.cosigners} == {one.office.bureau.id, other.office.bureau.id}
        names = {each.name for shown in node.gathering.newest for each in parse_note(shown).signatures}
        assert f"{third.office.origin}/witness" not in names


@pytest.mark.parametrize("restarts", [False, True], ids=["once", "again"])
def test_a_ledger_that_nobody_witnesses_is_copied_all_the_same(tmp_path: Path, restarts: bool) -> None:
    """Where there are too few for a quorum, who follows has every entry, and no receipt is called witnessed."""
    with following(tmp_path, 1) as (node, (one,)):
        one.start()
        checkpoint = record(node, 5)
        cosigned_by(one, format_checkpoint(checkpoint))
        if restarts:
            one.stop()
            checkpoint = record(node, 2)
            one.start()
            cosigned_by(one, format_checkpoint(checkpoint))
        ledger = node.sequencer.ledger
        assert one.entries == list(ledger.entries(0, ledger.state.size))
        assert gathered(node, checkpoint.size, 0.0) is None
