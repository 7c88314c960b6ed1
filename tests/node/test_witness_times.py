"""A ledger records what its witnesses cosigned: once for what is new to it, and never only because it did so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tallystick.core.kinds import BY_NAME
from tallystick.core.limits import NOTED_COSIGNATURES_MAX
from tallystick.core.statement import read
from tallystick.core.witnessing import Witnessed, open_cosigned, others_of
from tallystick_node.witness_times import WitnessTimes
from tests.harness import loop
from tests.harness.lying_node import LyingNode
from tests.harness.told_witnesses import NOW_S, Ledger
from tests.harness.witnesses import record, witnessed_home

HOUR_S = 3_600.0


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Four witnesses, of which three are a quorum."""
    home, offices = witnessed_home(tmp_path, 4)
    with LyingNode(home) as node:
        yield Ledger(node, offices)


def times(ledger: Ledger, interval_s: float = HOUR_S) -> WitnessTimes:
    """What records, as a node's start makes it."""
    node = ledger.node
    office = node.home.office
    own = ledger.charter.by_id(office.bureau.id)
    return WitnessTimes(
        node.sequencer,
        node.gathering,
        ledger.charter,
        own,
        office.keys["node"],
        lambda: node.home.now_us,
        Random(1),
        interval_s,
    )


def opened(ledger: Ledger, note: bytes) -> Witnessed:
    return open_cosigned(note, ledger.charter, ledger.node.home.office.bureau)


def others_in(ledger: Ledger, note: bytes) -> set[str]:
    """Who cosigned a note and is no witness of the ledger."""
    charter = ledger.charter
    return {each.witness.id for each in others_of(note, charter, ledger.node.home.office.bureau, charter.bureau)}


def addressed(ledger: Ledger, number: int) -> None:
    """Something is recorded that is addressed to a witness."""
    office = ledger.node.home.office
    said = office.say("request", resource="R-1", provider=ledger.witnesses[number].bureau.id, purpose="tax")
    loop.run(ledger.node.sequencer.record(office.prepared([said])))


def recorded_notes(ledger: Ledger) -> list[bytes]:
    """The notes on the ledger, in order."""
    held = ledger.node.sequencer.ledger
    said = [read(entry.statement) for entry in held.decoded_all(0, held.state.size)]
    return [
        each.statement.checkpoint_witnessed.note.encode()
        for each in said
        if each.kind == BY_NAME["CheckpointWitnessed"]
    ]


def record_due(ledger: Ledger, by: WitnessTimes) -> bytes:
    """The note that is due, once it is recorded."""
    due = by.due()
    assert due is not None
    loop.run(by.record(due))
    assert recorded_notes(ledger)[-1] == due
    return due


def test_it_is_due_from_the_quorum_on_and_says_who_cosigned(ledger: Ledger) -> None:
    """Two of three needed are not enough; the note shows each cosignature that had come."""
    by = times(ledger)
    for number in (0, 1):
        ledger.say(number)
        assert by.due() is None
    for number in (2, 3):
        ledger.say(number)
    found = opened(ledger, record_due(ledger, by))
    assert (found.count, found.enough(ledger.charter)) == (4, True)


def test_a_note_gives_no_rise_to_another(ledger: Ledger) -> None:
    """When the note itself is witnessed, and what was shown to whom, nothing is due; what else is recorded is."""
    by = times(ledger)
    for number in range(4):
        ledger.say(number)
    record_due(ledger, by)
    office = ledger.node.home.office
    shown = office.say("note_shown", "node", shown=[{"to": "an auditor", "what": "log"}])
    loop.run(ledger.node.sequencer.record(office.prepared([shown], "node")))
    for number in range(4):
        ledger.say(number, NOW_S + 60)
    assert by.due() is None
    record(ledger.node, 1)
    assert by.due() is None  # not witnessed yet
    for number in range(4):
        ledger.say(number, NOW_S + 120)
    record_due(ledger, by)
    assert len(recorded_notes(ledger)) == 2


def test_an_addressee_that_cosigns_later_is_noted_too(ledger: Ledger) -> None:
    """Beyond the quorum, a note is due for whom something is addressed to, and for nobody else."""
    by = times(ledger)
    addressed(ledger, 3)
    for number in (0, 1):
        ledger.say(number)
    ledger.say(2)
    record_due(ledger, by)
    note = ledger.node.sequencer.published.note
    ledger.say(3)
    found = opened(ledger, record_due(ledger, by))
    assert "witness-3" in {cosigner.witness.id for cosigner in found.cosigners}
    for number in (2, 3):
        ledger.take(ledger.cosigned(note, number, NOW_S + 60), number)
    assert by.due() is None


def test_an_addressee_that_is_no_witness_is_noted_when_it_cosigns(tmp_path: Path) -> None:
    """Its cosignature makes a note due as a witness's does, is in it, and counts to no quorum; once, and after a
    restart no more.
    """
    home, offices = witnessed_home(tmp_path, 3, listed=2)
    with LyingNode(home) as node:
        ledger = Ledger(node, offices)
        by = times(ledger)
        addressed(ledger, 2)
        for number in (0, 1):
            ledger.say(number)
        record_due(ledger, by)
        ledger.say(2)
        note = record_due(ledger, by)
        assert others_in(ledger, note) == {"witness-2"}
        assert by.due() is None
        again = times(ledger)
        again._look_back()
        assert again.due() is None


def test_many_addressees_are_noted_in_few_notes(tmp_path: Path) -> None:
    """A note carries as many as it may, those not noted yet before others; and no note is refused for its length."""
    count = NOTED_COSIGNATURES_MAX + 20
    home, offices = witnessed_home(tmp_path, count, listed=2)
    with LyingNode(home) as node:
        ledger = Ledger(node, offices)
        by = times(ledger)
        for number in range(2, count):
            addressed(ledger, number)
        for number in range(count):
            ledger.say(number)
        noted: set[str] = set()
        while by.due() is not None:
            noted |= others_in(ledger, record_due(ledger, by))
        assert noted == {f"witness-{number}" for number in range(2, count)}
        assert len(recorded_notes(ledger)) == 2


def test_after_a_restart_it_goes_on_from_what_is_on_the_ledger(ledger: Ledger) -> None:
    """Nothing is said again that the last notes say."""
    addressed(ledger, 0)
    for number in range(4):
        ledger.say(number)
    record_due(ledger, times(ledger))
    ledger.node.stop()
    ledger.node.start()
    by = times(ledger)

    async def started() -> bytes | None:
        by.start()
        due = by.due()
        await by.stop()
        return due

    assert loop.run(started()) is None


def test_it_waits_its_time_and_ends_with_its_node(ledger: Ledger) -> None:
    """Nothing is recorded before the first interval is over; then what is due is; and a stopping node ends it."""
    late, soon = times(ledger), times(ledger, 0.0)
    for number in range(4):
        ledger.say(number)
    before = ledger.node.sequencer.published.state.size

    async def running() -> int:
        late.start()
        await asyncio.sleep(0)
        there = ledger.node.sequencer.published.state.size
        await late.stop()
        soon.start()
        await ledger.node.sequencer.changed()
        await soon.stop()
        return there

    assert loop.run(running()) == before
    assert len(recorded_notes(ledger)) == 1


def test_a_ledger_without_a_quorum_notes_nothing(tmp_path: Path) -> None:
    """One witness alone is none, and there is nothing to wait for."""
    home, offices = witnessed_home(tmp_path, 1)
    with LyingNode(home) as node:
        by = times(Ledger(node, offices), 0.0)

        async def started() -> bytes | None:
            by.start()
            await by.stop()
            return by.due()

        assert loop.run(started()) is None
