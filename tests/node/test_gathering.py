"""A ledger's node counts what its witnesses say, believes no cosignature it has not checked, and waits for none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tallystick.core.checkpoint import Checkpoint
from tallystick.core.errors import BehindSigned, MalformedNote, NotAllowed, SignatureInvalid, VerificationFailed
from tallystick.core.witnessing import open_cosigned
from tallystick_node import rounds, witness
from tallystick_node.signing import Published
from tests.harness import loop
from tests.harness.lying_node import LyingNode
from tests.harness.office import Office
from tests.harness.told_witnesses import NOW_S, Ledger
from tests.harness.witnesses import WAIT_S, gathered, record, witnessed_home


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Four witnesses, of which three are a quorum."""
    home, offices = witnessed_home(tmp_path, 4)
    with LyingNode(home) as node:
        yield Ledger(node, offices)


class Shown:
    """A witness at work: what it was shown, and has not answered yet."""

    def __init__(self, ledger: Ledger, number: int) -> None:
        self._ledger = ledger
        self._number = number
        self._shown: Published | None = None

    @property
    def size(self) -> int:
        return 0 if self._shown is None else self._shown.state.size

    @property
    def note(self) -> bytes:
        return b"" if self._shown is None else self._shown.note

    def look(self) -> None:
        """Be shown the next checkpoint."""
        gathering, name = self._ledger.node.gathering, self._ledger.witnesses[self._number].bureau.id
        self._shown = loop.run(gathering.next_shown(name, self._shown))

    def answer(self) -> None:
        """Cosign what was shown, if anything was."""
        if self._shown is not None:
            self._ledger.take(self._ledger.cosigned(self._shown.note, self._number), self._number)


def witnessed_size(ledger: Ledger) -> int:
    found = ledger.node.gathering.witnessed
    return 0 if found is None else found.checkpoint.size


def test_a_quorum_is_counted_by_who_cosigned_one_checkpoint(ledger: Ledger) -> None:
    """Three cosignatures on one note witness it; three on different notes witness none."""
    ledger.say(0)
    ledger.say(1)
    record(ledger.node, 1)
    ledger.say(2)
    assert witnessed_size(ledger) == 0
    ledger.say(3)
    ledger.say(1)
    size = ledger.node.sequencer.published.state.size
    assert witnessed_size(ledger) == size
    found = gathered(ledger.node, size)
    assert found is not None
    charter = ledger.charter
    assert open_cosigned(found.note, charter, ledger.node.home.office.bureau).count == 3


def test_saying_the_same_twice_counts_once(ledger: Ledger) -> None:
    """A witness that cosigns again, later or not, is still one witness; the later time stays."""
    for at_s in (NOW_S, NOW_S, NOW_S + 60, NOW_S + 30):
        ledger.say(0, at_s)
    ledger.say(1)
    assert witnessed_size(ledger) == 0
    found = open_cosigned(ledger.node.gathering.newest[0], ledger.charter, ledger.node.home.office.bureau)
    assert [cosigner.at_s for cosigner in found.cosigners] == [NOW_S + 60]


def test_witnesses_of_one_credit_code_count_once(tmp_path: Path) -> None:
    """Two bureaus of one body are no quorum of two; with one of another body they are."""
    home, offices = witnessed_home(tmp_path, 3)
    one, twin, another = (office.bureau for office in offices)
    offices[1].bureau = msgspec.structs.replace(twin, credit_code=one.credit_code)
    home.office.others = (one, offices[1].bureau, another)
    with LyingNode(home) as node:
        ledger = Ledger(node, offices)
        ledger.say(0)
        ledger.say(1)
        assert witnessed_size(ledger) == 0
        ledger.say(2)
        assert witnessed_size(ledger) == node.sequencer.published.state.size


def test_an_answer_that_comes_late_still_counts_where_it_belongs(ledger: Ledger) -> None:
    """A slow witness completes the round it answers, though others have gone on."""
    first = ledger.note
    size = ledger.node.sequencer.published.state.size
    for number in (0, 1):
        ledger.say(number)
    record(ledger.node, 1)
    for number in (0, 1):
        ledger.say(number)
    ledger.take(ledger.cosigned(first, 2), 2)
    assert witnessed_size(ledger) == size


Bend = Callable[[Ledger], bytes]


@pytest.mark.parametrize(
    ("bend", "error"),
    [
        (lambda ledger: b"junk", MalformedNote),
        (lambda ledger: ledger.note, SignatureInvalid),
        (lambda ledger: ledger.cosigned(ledger.note, 1), SignatureInvalid),
        (lambda ledger: ledger.cosigned(ledger.note, 0)[:-6] + b"AAA=\n", VerificationFailed),
        (lambda ledger: ledger.cosigned(_other_root(ledger, 0), 0), BehindSigned),
        (lambda ledger: ledger.cosigned(_other_root(ledger, 9), 0), BehindSigned),
        (lambda ledger: ledger.cosigned(Office("witness-1").note(3, b"\1" * 32), 0), SignatureInvalid),
    ],
)
def test_what_is_no_cosignature_of_this_ledger_is_refused(ledger: Ledger, bend: Bend, error: type[Exception]) -> None:
    """Junk, no cosignature, another witness's, a false one, one of what this ledger lacks: refused."""
    bent = bend(ledger)
    with pytest.raises(error):
        ledger.take(bent, 0)
    assert ledger.node.gathering.newest == []


def _other_root(ledger: Ledger, more: int) -> bytes:
    """What only the ledger's own key could sign: a checkpoint that its node does not have."""
    office = ledger.node.home.office
    return office.note(ledger.node.sequencer.published.state.size + more, b"\1" * 32)


def test_only_another_bureau_of_the_charter_is_shown_what_to_cosign(ledger: Ledger) -> None:
    """A stranger, and the ledger's own bureau, may not cosign."""
    for name in ("stranger", "market", ""):
        with pytest.raises(NotAllowed, match="may not cosign for market"):
            ledger.node.gathering.check_witness(name)


def test_what_was_heard_outlives_the_node(ledger: Ledger) -> None:
    """After a restart the quorum's note and each witness's newest are there, though no witness is."""
    for number in (0, 1, 2):
        ledger.say(number)
    witnessed, newest = ledger.node.gathering.witnessed, ledger.node.gathering.newest
    assert witnessed is not None
    ledger.node.stop()
    ledger.node.start()
    assert ledger.node.gathering.witnessed == witnessed
    assert ledger.node.gathering.newest == newest


def test_a_wait_ends_with_its_time_or_its_node(ledger: Ledger) -> None:
    """Where no quorum comes, a wait ends with nothing: when its time is over, and when the node stops."""
    assert gathered(ledger.node, 3, wait_s=0.01) is None

    async def waiting() -> object:
        waits = asyncio.create_task(ledger.node.gathering.gather(3, 3_600))
        await asyncio.sleep(0)
        ledger.node.gathering.refuse_more()
        return await waits

    assert loop.run(waiting()) is None


def test_checkpoints_carry_what_cosignatures_there_are(ledger: Ledger) -> None:
    """A reader is given the signed note with every cosignature that came for it, and the bare note where none did."""
    assert ledger.node.gathering.with_cosignatures(ledger.note) == ledger.note
    ledger.say(2)
    ledger.say(0)
    found = open_cosigned(
        ledger.node.gathering.with_cosignatures(ledger.note),
        ledger.charter,
        ledger.node.home.office.bureau,
    )
    assert {cosigner.witness.id for cosigner in found.cosigners} == {"witness-0", "witness-2"}
    state = ledger.node.sequencer.published.state
    assert found.checkpoint == Checkpoint(ledger.node.home.office.origin, state.size, state.root)
    assert not found.enough(ledger.charter)


def test_an_idle_ledger_is_shown_again_for_a_fresh_cosignature(ledger: Ledger) -> None:
    """When nothing new was signed for half the charter's freshness, a witness is shown the same checkpoint again."""
    gathering = ledger.node.gathering
    assert gathering.refresh_s == ledger.charter.witnessing.freshness_s / 2

    async def shown_twice() -> tuple[bytes, bytes]:
        gathering.refresh_s = 0.01
        first = await gathering.next_shown("witness-0", None)
        return first.note, (await gathering.next_shown("witness-0", first)).note

    assert loop.run(shown_twice()) == (ledger.note, ledger.note)


def test_what_was_once_said_and_is_said_again_pushes_out_no_round(ledger: Ledger) -> None:
    """Anybody may replay a witness's old cosignatures, which prove themselves: the newest checkpoint keeps its own."""
    notes = []
    for _ in range(70):
        record(ledger.node, 1)
        notes.append(ledger.note)
    ledger.say(0)
    ledger.say(1)
    ledger.say(2)
    size = ledger.node.sequencer.published.state.size
    record(ledger.node, 1)
    for number in range(2):
        ledger.say(number)
    for note in notes:
        ledger.take(ledger.cosigned(note, 2), 2)
    assert witnessed_size(ledger) == size
    ledger.say(2)
    assert witnessed_size(ledger) == size + 1


@pytest.mark.parametrize("takes", [(2, 2), (2, 3), (4, 7)], ids=str)
def test_a_quorum_meets_again_and_again_however_its_witnesses_are_out_of_step(
    ledger: Ledger, takes: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under a steady load, with one fast witness and two that take several rounds to answer, what is witnessed is never
    older than two quorums take to meet, each within twice the time of the slowest.
    """
    monkeypatch.setattr(witness, "ROUND_MAX_S", 0.0)  # each checkpoint is a round
    monkeypatch.setattr(witness, "ROUND_MIN_S", 0.0)
    fast, slow = Shown(ledger, 0), [Shown(ledger, number) for number in (1, 2)]
    sizes = []
    for now in range(60):
        sizes.append(record(ledger.node, 1).size)
        while fast.size < sizes[-1]:
            fast.answer()
            fast.look()
        for each, (asked, took) in zip(slow, enumerate(takes), strict=True):
            if (now - asked) % took == 0:
                each.answer()
                each.look()
        if now >= 4 * max(takes):
            assert witnessed_size(ledger) >= sizes[now - 4 * max(takes)]


def test_rounds_come_seldom_where_nobody_waits_and_at_once_where_somebody_does(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is recorded after a quorum met is not shown yet; a receipt that waits to be witnessed has it shown."""
    monkeypatch.setattr(witness, "ROUND_MIN_S", 3_600.0)
    gathering, name = ledger.node.gathering, ledger.witnesses[0].bureau.id

    async def shown_soon(after: Published | None) -> Published:
        async with asyncio.timeout(WAIT_S):
            return await gathering.next_shown(name, after)

    first = loop.run(shown_soon(None))
    size = record(ledger.node, 1).size
    for number in range(3):
        ledger.take(ledger.cosigned(first.note, number), number)
    assert witnessed_size(ledger) == first.state.size

    async def recorded_unseen() -> Published:
        waiting = asyncio.create_task(gathering.next_shown(name, first))
        await asyncio.sleep(0.05)  # time enough for a round to come; that none does, no event tells
        assert not waiting.done()
        gathered = asyncio.create_task(gathering.gather(size, WAIT_S))
        async with asyncio.timeout(WAIT_S):
            shown = await waiting
        gathered.cancel()
        return shown

    assert loop.run(recorded_unseen()).state.size == size


def test_a_round_that_is_gathered_is_pushed_out_by_nobody(ledger: Ledger) -> None:
    """A witness that cosigns whatever was ever signed leaves the others' cosignatures where they are."""
    held = ledger.note
    size = ledger.node.sequencer.published.state.size
    for number in range(2):
        ledger.take(ledger.cosigned(held, number), number)
    for _ in range(70):
        record(ledger.node, 1)
        ledger.say(3)
    ledger.take(ledger.cosigned(held, 2), 2)
    assert witnessed_size(ledger) == size


def test_no_round_is_held_for_ever_for_a_witness_that_cannot_come_to_it(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever breaks off whenever it is shown one checkpoint is shown another in the end, and counts there."""
    monkeypatch.setattr(witness, "ROUND_MAX_S", 0.0)
    monkeypatch.setattr(rounds, "_HELD_MAX", 4)
    able, impossible = [Shown(ledger, number) for number in (0, 1)], ledger.note
    for _ in range(8):
        size = record(ledger.node, 1).size
        for each in able:
            while each.size < size:
                each.answer()
                each.look()
        unable = Shown(ledger, 2)
        unable.look()
        if unable.note != impossible:
            unable.answer()
    assert witnessed_size(ledger)
