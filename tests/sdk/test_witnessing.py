"""What a node calls witnessed is counted by its reader, under the reader's charter, or not believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tallystick.core.charter import Charter
from tallystick.core.charter_note import open_charter
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.errors import (
    Forked,
    MalformedNote,
    NotFound,
    NotVouchedFor,
    Refused,
    RolledBack,
    TallystickError,
    Unreconciled,
)
from tallystick.sdk.reader import LedgerReader
from tallystick.sdk.trust_store import TrustStore
from tallystick.sdk.wire import Wire
from tallystick.sdk.witnessing import Standing, WitnessStanding, refreshed, shown_cosigned, standing
from tallystick_proto.v1.witness_pb2 import CosignedAnswer
from tests.harness.lying_node import LyingNode
from tests.harness.office import Office
from tests.harness.witnesses import AT_S, cosigned, hear, record, witnessed_home


class Ledger:
    """A ledger with four witnesses, and a reader of it."""

    def __init__(self, node: LyingNode, witnesses: list[Office], reader: LedgerReader) -> None:
        self.node = node
        self.witnesses = witnesses
        self.reader = reader

    @property
    def charter(self) -> Charter:
        return open_charter(*self.node.home.office.charter())

    @property
    def note(self) -> bytes:
        return self.node.sequencer.published.note

    def cosigned(self, note: bytes, *numbers: int) -> bytes:
        """A note with the cosignatures of some witnesses."""
        return cosigned(note, [self.witnesses[number] for number in numbers])

    def say(self, *numbers: int) -> None:
        """The node hears from some witnesses."""
        hear(self.node, [self.witnesses[number] for number in numbers])

    def standing(self) -> Standing:
        return standing(self.reader, self.charter)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Four witnesses, of which three are a quorum."""
    (tmp_path / "home").mkdir()
    home, offices = witnessed_home(tmp_path / "home", 4)
    with LyingNode(home) as node:
        reader = LedgerReader(Wire(node.bureau), TrustStore(tmp_path / "trust"))
        yield Ledger(node, offices, reader)
        reader.wire.close()


def test_the_witnessed_size_is_what_a_quorum_cosigned(ledger: Ledger) -> None:
    """It follows the quorum, not the ledger, and each witness is shown with how far it has come."""
    assert ledger.standing().witnessed == 0
    ledger.say(0, 1, 2)
    assert ledger.standing().witnessed == 3
    record(ledger.node, 2)
    ledger.say(0)
    found = ledger.standing()
    assert (found.checkpoint.size, found.witnessed) == (5, 3)
    assert found.witnesses == (
        WitnessStanding("witness-0", 5, AT_S),
        WitnessStanding("witness-1", 3, AT_S),
        WitnessStanding("witness-2", 3, AT_S),
        WitnessStanding("witness-3"),
    )


Lie = Callable[[Ledger], Callable[[CosignedAnswer], Any]]


def _instead(note: Callable[[Ledger], bytes]) -> Lie:
    """What is called witnessed is another note."""
    return lambda ledger: lambda answer: CosignedAnswer(witnessed=note(ledger))


def _forked(ledger: Ledger, size: int) -> bytes:
    """Another history that a quorum cosigned, by the ledger's own key."""
    return ledger.cosigned(ledger.node.home.office.note(size, b"\1" * 32), 0, 1, 2)


@pytest.mark.parametrize(
    ("lie", "error", "words"),
    [
        (_instead(lambda ledger: ledger.cosigned(ledger.note, 0, 1)), NotVouchedFor, "shows 2 cosignatures"),
        (_instead(lambda ledger: ledger.note), NotVouchedFor, "shows 0 cosignatures"),
        (_instead(lambda ledger: b"junk"), MalformedNote, ""),
        (_instead(lambda ledger: _forked(ledger, 4)), Unreconciled, "does not show that its 5 entries extend the 4"),
        (_instead(lambda ledger: _forked(ledger, 5)), Unreconciled, "does not show"),
        (_instead(lambda ledger: _forked(ledger, 9)), RolledBack, "of which 9 were witnessed"),
        (lambda ledger: lambda answer: CosignedAnswer(newest=[ledger.note] * 65), MalformedNote, "at most 64"),
    ],
)
def test_a_node_that_calls_witnessed_what_is_not_is_not_believed(
    ledger: Ledger, lie: Lie, error: type[TallystickError], words: str
) -> None:
    """Too few, none, junk, and histories that its checkpoint does not extend."""
    record(ledger.node, 2)
    ledger.node.lies["GetCosigned"] = lie(ledger)
    with pytest.raises(error) as caught:
        ledger.standing()
    assert words in str(caught.value)


def test_a_node_whose_version_has_more_witnesses_is_believed(ledger: Ledger) -> None:
    """What it shows of those is not counted, and what it shows of the others is."""
    ledger.say(0, 1, 2)

    def with_another(answer: CosignedAnswer) -> CosignedAnswer:
        return CosignedAnswer(witnessed=answer.witnessed, newest=[*answer.newest, ledger.note, ledger.note])

    ledger.node.lies["GetCosigned"] = with_another
    shown = ledger.standing()
    assert shown.witnessed == shown.checkpoint.size
    assert [each.size for each in shown.witnesses] == [shown.checkpoint.size] * 3 + [None]


def test_reading_counts_as_witnessed_what_a_quorum_cosigned_and_no_more(ledger: Ledger) -> None:
    """Whoever reads is told how many of the entries that are shown a quorum holds."""
    assert refreshed(ledger.reader, ledger.charter)[1] == 0
    ledger.say(0, 1, 2)
    assert refreshed(ledger.reader, ledger.charter)[1] == 3
    record(ledger.node, 2)
    ledger.say(0, 1)
    checkpoint, witnessed = refreshed(ledger.reader, ledger.charter)
    assert (checkpoint.size, witnessed) == (5, 3)
    ledger.say(2)
    assert refreshed(ledger.reader, ledger.charter)[1] == 5


def _refuse(answer: CosignedAnswer) -> Any:
    raise NotFound("not today")


@pytest.mark.parametrize(
    ("lie", "read"),
    [
        (_instead(lambda ledger: ledger.cosigned(ledger.note, 0, 1)), 0),
        (_instead(lambda ledger: b"junk"), 0),
        (_instead(lambda ledger: _forked(ledger, 9)), 0),
        (lambda ledger: _refuse, None),
    ],
    ids=["too-few", "junk", "beyond", "refused"],
)
def test_what_is_not_shown_to_be_witnessed_is_not_read_as_witnessed(ledger: Ledger, lie: Lie, read: int | None) -> None:
    """No reading ends because its node says of witnesses what does not hold. That nobody says is not that none is."""
    record(ledger.node, 2)
    ledger.node.lies["GetCosigned"] = lie(ledger)
    checkpoint, witnessed = refreshed(ledger.reader, ledger.charter)
    assert (checkpoint.size, witnessed) == (5, read)


@pytest.mark.parametrize("size", [3, 4, 5])
def test_a_witnessed_note_of_another_history_is_evidence(ledger: Ledger, size: int, tmp_path: Path) -> None:
    """Its ledger's key signed both, which the node's own proof shows."""
    record(ledger.node, 2)
    ledger.node.lies["GetCosigned"] = _instead(lambda ledger: _forked(ledger, size))(ledger)
    with pytest.raises(Forked):
        refreshed(ledger.reader, ledger.charter)
    assert list((tmp_path / "trust").glob("*.equivocation"))


def test_a_ledger_without_a_quorum_is_not_asked(tmp_path: Path) -> None:
    """Where the charter lets too few witness, nothing is witnessed and nothing is asked."""
    (tmp_path / "home").mkdir()
    home, _ = witnessed_home(tmp_path / "home", 1)
    with LyingNode(home) as node:
        reader = LedgerReader(Wire(node.bureau), TrustStore(tmp_path / "trust"))
        state = node.sequencer.published.state
        found = standing(reader, open_charter(*home.office.charter()))
        reader.wire.close()
        assert found == Standing(Checkpoint(home.office.origin, state.size, state.root), None, 0, ())
        assert "GetCosigned" not in node.calls


def sizes(ledger: Ledger) -> list[tuple[int, int]] | None:
    """What an audit is shown: of each note how large its checkpoint is, and how many cosigned it."""
    ledger.reader.refresh()
    shown = shown_cosigned(ledger.reader, ledger.charter)
    return None if shown is None else [(each.checkpoint.size, each.count) for each in shown]


def test_an_audit_is_shown_the_quorums_note_and_each_witnesss_newest(ledger: Ledger) -> None:
    """Nothing before anybody cosigned, and None where neither the node says nor its witnesses, who are away."""
    assert sizes(ledger) == []
    ledger.say(0, 1, 2)
    record(ledger.node, 2)
    ledger.say(0)
    assert sizes(ledger) == [(3, 3), (5, 1), (3, 1), (3, 1)]
    ledger.node.lies["GetCosigned"] = refusing
    assert sizes(ledger) is None


def refusing(answer: CosignedAnswer) -> CosignedAnswer:
    raise Refused("not today", where="market", expected="another day")


@pytest.mark.parametrize(
    "note",
    [
        pytest.param(lambda ledger: b"junk", id="junk"),
        pytest.param(lambda ledger: ledger.cosigned(ledger.note, 0)[:-6] + b"AAA=\n", id="a bad signature"),
        pytest.param(lambda ledger: _forked(ledger, 9), id="of more than there is"),
    ],
)
def test_what_shows_nothing_is_left_out_and_the_rest_is_not(ledger: Ledger, note: Callable[[Ledger], bytes]) -> None:
    """One bad note among good ones bounds nothing, and takes nothing away."""
    record(ledger.node, 2)
    bad, good = note(ledger), ledger.cosigned(ledger.note, 1, 2, 3)
    ledger.node.lies["GetCosigned"] = lambda answer: CosignedAnswer(witnessed=good, newest=[bad, good])
    assert sizes(ledger) == [(5, 3), (5, 3)]


@pytest.mark.parametrize("size", [4, 5])
def test_another_history_is_proven(ledger: Ledger, size: int) -> None:
    """The key signed two: that is evidence, however many cosigned it."""
    record(ledger.node, 2)
    other = _forked(ledger, size)
    ledger.node.lies["GetCosigned"] = lambda answer: CosignedAnswer(witnessed=other)
    with pytest.raises(Forked):
        sizes(ledger)
