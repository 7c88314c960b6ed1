"""What is recorded stays in the spool until it is witnessed, and nobody waits for that longer than was said."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tallystick.core.errors import MalformedNote, NotVouchedFor, Overloaded, TallystickError, Unreconciled
from tallystick.sdk import settling
from tallystick_proto.v1.witness_pb2 import CosignedAnswer
from tests.harness.witnessed_bench import WAIT_S, WitnessedBench, codes, declare, witnessed_bench
from tests.harness.witnesses import cosigned


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[WitnessedBench]:
    """Four witnesses, of which three are a quorum, and none has said anything."""
    with witnessed_bench(tmp_path, 4) as made:
        yield made


def test_what_is_not_witnessed_stays_for_the_next_recorder(bench: WitnessedBench) -> None:
    """With witnesses away every receipt comes, all stays in the spool, and the next recorder leaves it there too."""
    with bench.recorder(batch_max=2) as recorder:
        pending = [declare(recorder, code) for code in codes(6)]
    assert [each.result(0).standing for each in pending] == ["recorded"] * 6
    assert (recorder.unwitnessed, len(bench.spooled())) == (3, 3)
    with bench.recorder() as again:
        pass
    assert (again.unwitnessed, len(bench.spooled())) == (3, 3)
    assert bench.codes() == codes(6)
    assert bench.node.calls.count("SubmitMany") == 1


@pytest.mark.parametrize("witnesses", [1, 2, 3, 4])
def test_what_a_quorum_cosigned_leaves_the_spool(bench: WitnessedBench, witnesses: int) -> None:
    """Below a quorum all stays; with one the next recorder lets it go, and sends nothing again."""
    with bench.recorder() as recorder:
        declare(recorder, "A")
    bench.hear(witnesses)
    with bench.recorder() as again:
        pass
    stays = 1 if witnesses < 3 else 0
    assert (again.unwitnessed, len(bench.spooled())) == (stays, stays)
    assert bench.node.calls.count("SubmitMany") == 1


def test_what_is_witnessed_while_it_runs_leaves_the_spool(bench: WitnessedBench) -> None:
    """A recorder that goes on looks by itself, between what it sends."""
    with bench.recorder(batch_max=1) as recorder:
        declare(recorder, "A").result(WAIT_S)
        bench.hear(3)
        bench.until(lambda: not recorder.unwitnessed)
        assert not bench.spooled()
        assert declare(recorder, "B").result(WAIT_S).index == 4
    assert (recorder.unwitnessed, len(bench.spooled())) == (1, 1)


def test_only_what_the_witnessed_checkpoint_covers_is_let_go(bench: WitnessedBench) -> None:
    """What was recorded after it stays, whether this program recorded it or one before."""
    with bench.recorder() as recorder:
        declare(recorder, "A")
    bench.hear(3)
    with bench.recorder(batch_max=1) as recorder:
        declare(recorder, "B").result(WAIT_S)
        (kept,) = bench.until(lambda: bench.spooled() if len(bench.spooled()) == 1 else [])
    assert recorder.unwitnessed == 1
    with bench.recorder() as recorder:
        pass
    assert bench.spooled() == [kept]
    bench.hear(3)
    bench.recorder().close()
    assert not bench.spooled()


def test_much_that_is_left_over_is_shown_bit_by_bit(bench: WitnessedBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many checkpoints receipts name, one look asks for so many proofs, and the next goes on."""
    monkeypatch.setattr(settling, "_PROOFS_MAX", 2)
    with bench.recorder(batch_max=1) as recorder:
        for code in codes(7):
            declare(recorder, code).result(WAIT_S)
    bench.hear(3)
    for left in (3, 0):  # a look at the start, another at the end
        with bench.recorder() as recorder:
            pass
        assert len(bench.spooled()) == recorder.unwitnessed == left


@pytest.mark.parametrize("witnesses", [0, 1])
def test_without_a_quorum_in_the_charter_recorded_is_enough(tmp_path: Path, witnesses: int) -> None:
    """Where too few may witness nothing is kept once its receipt was checked, and nobody is asked."""
    with witnessed_bench(tmp_path, witnesses) as bench:
        with bench.recorder() as recorder:
            declare(recorder, "A")
        assert (recorder.unwitnessed, len(bench.spooled())) == (0, 0)
        assert "GetCosigned" not in bench.node.calls


# A full spool.


def test_a_full_spool_makes_recording_wait_for_witnesses(bench: WitnessedBench) -> None:
    """With as many not witnessed as are kept the next call waits, and goes on once a quorum has cosigned."""
    with bench.recorder(batch_max=1, submissions_max=3) as recorder:
        for code in codes(3):
            declare(recorder, code).result(WAIT_S)
        more = threading.Thread(target=lambda: declare(recorder, "more"))
        more.start()
        more.join(0.05)
        assert more.is_alive()
        bench.hear(3)
        more.join(WAIT_S)
        assert not more.is_alive()
    assert bench.codes() == [*codes(3), "more"]


def test_looking_in_vain_does_not_make_the_wait_longer(bench: WitnessedBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Witnesses that are asked about again and again, and have cosigned nothing, are waited for as long as was said."""
    monkeypatch.setattr(settling, "_PAUSE_MIN_S", 0.01)
    monkeypatch.setattr(settling, "_PAUSE_MAX_S", 0.01)
    with bench.recorder(batch_max=1, submissions_max=1, give_up_s=0.5) as recorder:
        declare(recorder, "A").result(WAIT_S)
        with pytest.raises(Overloaded, match="full: 1 submissions are recorded"):
            declare(recorder, "B")
    assert bench.node.calls.count("GetCosigned") > 2


@pytest.mark.parametrize("bound", [{"submissions_max": 2}, {"bytes_max": 1_000}], ids=["files", "bytes"])
def test_a_ledger_that_is_never_witnessed_is_said_to_be_why(bench: WitnessedBench, bound: dict[str, Any]) -> None:
    """No call waits for ever: it fails and says how many are recorded and not yet witnessed; nothing is lost."""
    with bench.recorder(batch_max=1, give_up_s=0.01, **bound) as recorder:
        recorded: list[str] = []

        def record() -> None:
            for code in codes(100):
                declare(recorder, code).result(WAIT_S)
                recorded.append(code)

        with pytest.raises(Overloaded, match="submissions are recorded and not yet witnessed") as caught:
            record()
    assert f"full: {len(recorded)} submissions" in str(caught.value)
    assert bench.codes() == recorded
    assert len(bench.spooled()) == recorder.unwitnessed == len(recorded)


# A node that lies.

Lie = Callable[[CosignedAnswer], Any]


def lies(bench: WitnessedBench) -> dict[str, tuple[Lie, type[TallystickError], str]]:
    """What its node calls witnessed, and what is said of that."""
    note = bench.node.sequencer.published.note
    forged = bench.node.home.office.note(4, bytes(32))
    few = cosigned(note, bench.witnesses[:2])
    fork = cosigned(forged, bench.witnesses[:3])
    return {
        "too few": (lambda _: CosignedAnswer(witnessed=few), NotVouchedFor, "shows 2 cosignatures"),
        "junk": (lambda _: CosignedAnswer(witnessed=b"junk"), MalformedNote, "expected"),
        "fork": (lambda _: CosignedAnswer(witnessed=fork), Unreconciled, "does not show"),
    }


@pytest.mark.parametrize("name", ["too few", "junk", "fork"])
def test_what_is_not_witnessed_is_not_believed_to_be(bench: WitnessedBench, name: str) -> None:
    """A node that calls a lie witnessed is refused by name in closing, all stays kept, and recording went on."""
    with bench.recorder() as recorder:
        declare(recorder, "A")
    lie, error, words = lies(bench)[name]
    bench.node.lies["GetCosigned"] = lie
    recorder = bench.recorder(batch_max=1)
    assert declare(recorder, "B").result(WAIT_S).index == 4
    with pytest.raises(error, match=words):
        recorder.close()
    assert len(bench.spooled()) == 2
    bench.node.lies.clear()
    bench.hear(3)
    bench.recorder().close()
    assert not bench.spooled()
