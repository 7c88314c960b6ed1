"""A ledger that lost what it had promised and was put back to what its witnesses hold: the spool brings it all again.

What was recorded and not witnessed is sent again under the same id, or, where that has grown too old, signed anew once
its place is shown to be another's; whatever happens, nothing stands on the ledger twice.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tallystick.core.compose import Sensitive
from tallystick.core.errors import Forked, NotAuthentic, StaleSubmission
from tallystick.core.identifiers import uuid7
from tallystick.sdk import clock, delivery, outbox
from tallystick.sdk.recorder import Recorder
from tallystick.sdk.spool import Spool
from tallystick_proto.v1.ledger_pb2 import Receipt
from tests.harness.dying_files import DyingFiles, dying
from tests.harness.witnessed_bench import WAIT_S, WitnessedBench, codes, declare, witnessed_bench

WEEK_LATER_US = 8 * 24 * 3600 * 1_000_000


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[WitnessedBench]:
    """Four witnesses, of which three are a quorum."""
    with witnessed_bench(tmp_path, 4) as made:
        yield made


@contextmanager
def later(us: int) -> Iterator[int]:
    """This client's clock goes so much ahead; what it then is."""

    def now_us() -> int:
        return clock.now_us() + us

    def new_id() -> bytes:
        return uuid7(now_us(), clock.new_salt()[:10])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery, "now_us", now_us)
        for room in (delivery, outbox):
            patch.setattr(room, "new_id", new_id)
        yield now_us()


def record(recorder: Recorder, batches: list[list[str]]) -> None:
    """Each list as one submission; its first statement commits to a subject."""
    for batch in batches:
        recorder.use(f"{batch[0]}@1", purpose="p", subject=Sensitive("somebody"))
        for code in batch[1:]:
            declare(recorder, code)
        recorder.flush(WAIT_S)


def named(sizes: list[int], prefix: str) -> list[list[str]]:
    return [codes(size, f"{prefix}{number}") for number, size in enumerate(sizes)]


def flat(batches: list[list[str]]) -> list[str]:
    return [code for batch in batches for code in batch]


@settings(max_examples=25, phases=(Phase.explicit, Phase.reuse, Phase.generate))  # each is a node put back
@given(
    sizes=st.lists(st.integers(1, 3), min_size=1, max_size=4),
    witnessed=st.integers(0, 4),
    lost=st.integers(0, 4),
    others=st.integers(0, 3),
    us=st.sampled_from([0, WEEK_LATER_US]),
)
def test_whatever_the_witnesses_held_all_is_there_once(
    sizes: list[int], witnessed: int, lost: int, others: int, us: int
) -> None:
    """Wherever the cut falls at or above what was witnessed, whoever writes there first, and however late it is."""
    batches = named(sizes, "A")
    held = max(min(witnessed, len(batches)), len(batches) - lost)
    with tempfile.TemporaryDirectory() as folder, witnessed_bench(Path(folder), 4) as bench:
        with bench.recorder() as recorder:
            record(recorder, batches[:witnessed])
        bench.hear(3)
        with bench.recorder() as recorder:
            record(recorder, batches[witnessed:])
        with later(us) as now_us:
            bench.put_back(3 + len(flat(batches[:held])), now_us=now_us)
            with bench.recorder(actor="gateway") as recorder:
                for code in codes(others, "O"):
                    declare(recorder, code)
            with bench.recorder() as recorder:
                declare(recorder, "new")
            expected = [*flat(batches[:held]), *codes(others, "O"), *flat(batches[held:]), "new"]
            order = sorted if us else list  # what is signed anew comes after what was on its way beside it
            assert order(bench.codes()) == order(expected)
            bench.hear(3)
            bench.recorder().close()
            bench.recorder(actor="gateway").close()
        assert not bench.spooled()
        assert order(bench.codes()) == order(expected)


def test_a_ledger_may_be_lost_more_than_once(bench: WitnessedBench) -> None:
    """What was sent again is kept as what was sent first, until it is witnessed."""
    with bench.recorder() as recorder:
        record(recorder, named([2, 1], "A"))
    for _ in range(3):
        bench.put_back(3)
        assert bench.codes() == []
        bench.recorder().close()
        assert bench.codes() == flat(named([2, 1], "A"))
        assert len(bench.spooled()) == 2
    bench.hear(3)
    bench.recorder().close()
    assert not bench.spooled()


def test_what_was_promised_and_is_refused_now_is_not_given_up(bench: WitnessedBench) -> None:
    """Its author's registration is lost too: the refusal is told each time, and once he is registered it stands."""
    office = bench.node.home.office
    registration = office.submission([office.registers("courier")], "registrar", id=clock.new_id())
    bench.submit(registration)
    with bench.recorder(actor="courier") as recorder:
        declare(recorder, "A")
    bench.put_back(3)
    for _ in range(2):
        recorder = bench.recorder(actor="courier")
        with pytest.raises(NotAuthentic, match="not registered"):
            recorder.close()
        assert (recorder.unwitnessed, len(bench.spooled())) == (1, 1)
    bench.submit(registration)
    bench.hear(3)
    bench.recorder(actor="courier").close()
    bench.hear(3)
    bench.recorder(actor="courier").close()
    assert bench.codes()[1:] == ["A"]
    assert not bench.spooled()


def test_what_stands_where_its_receipt_says_is_not_signed_anew(bench: WitnessedBench) -> None:
    """A node that calls stale what its ledger holds is not believed: the entry is there, and nothing is sent again."""
    with bench.recorder() as recorder:
        declare(recorder, "A")
    with later(WEEK_LATER_US) as now_us:
        bench.put_back(4, now_us=now_us)
        refusal = StaleSubmission("its id is 192 hours old")
        bench.refuse(refusal)
        recorder = bench.recorder()
        with pytest.raises(StaleSubmission):
            recorder.close()
        bench.node.lies.clear()
        assert bench.codes() == ["A"]
        assert len(bench.spooled()) == 1
        bench.hear(3)
        bench.recorder().close()
        bench.hear(3)
        bench.recorder().close()
    assert bench.codes() == ["A"]
    assert not bench.spooled()


# A program that dies at any of its file operations.


def run_and_die(bench: WitnessedBench, at: int, *said: str) -> tuple[DyingFiles, list[str]]:
    """A recorder says something and the witnesses cosign it, until the program dies; what of it had a receipt."""
    with dying(bench.spool, at) as files:
        recorder = bench.recorder(batch_max=1)
        pending = {code: declare(recorder, code) for code in said}

        def over() -> bool:
            if not files.dead and all(each.done() for each in pending.values()) and not recorder._outbox.on_their_way:
                bench.hear(3)
                recorder.close()
            return files.dead or recorder._delivery.ended

        bench.until(over)
        if files.dead:  # what a dead process leaves is let go
            recorder.reader.wire.close()
            recorder._outbox.close()
            recorder._delivery.join(WAIT_S)
        return files, [code for code, each in pending.items() if each.done() and each._batch.done.exception() is None]


@pytest.mark.parametrize("us", [0, WEEK_LATER_US], ids=["soon", "late"])
def test_a_program_may_die_at_any_file_operation(
    bench: WitnessedBench, us: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it sends again or signs anew what was lost, and records: the next finds all, and nothing is there twice."""
    monkeypatch.setattr(threading, "excepthook", lambda _: None)  # a program's threads die with it
    with bench.recorder(batch_max=1) as recorder:
        for code in codes(2):
            declare(recorder, code)
    kept, at = tmp_path / "kept", 0
    shutil.copytree(bench.spool, kept)
    with later(us) as now_us:
        while True:
            shutil.rmtree(bench.spool)
            shutil.copytree(kept, bench.spool)
            bench.put_back(3, now_us=now_us)
            files, recorded = run_and_die(bench, at, "new")
            bench.recorder().close()
            bench.hear(3)
            bench.recorder().close()
            found = bench.codes()
            assert sorted(found)[:2] == codes(2)
            assert len(found) == len(set(found))
            assert set(recorded) <= set(found) <= {*codes(2), "new"}
            assert not bench.spooled()
            if not files.dead:
                break
            at += 1
    assert at > 20


def test_a_receipt_from_another_history_under_the_same_key_promises_nothing(bench: WitnessedBench) -> None:
    """It is evidence: kept, told, and nothing more is recorded; nothing is sent again for it either."""
    with bench.recorder() as recorder:
        declare(recorder, "A")
    office = bench.node.home.office
    submission = office.submission(office.declares(1, "B"), id=clock.new_id())
    forged = Receipt(first=3, count=1, checkpoint=office.note(4, bytes(32)))
    spool = Spool(bench.spool / "market_clerk", office.origin, office.keys["clerk"])
    spool.put(submission.signature.submission_id, submission, forged)
    bench.hear(3)
    recorder = bench.recorder()
    with pytest.raises(Forked, match="two different histories"):
        recorder.close()
    assert bench.trust.evidence(office.bureau)
    assert len(bench.spooled()) == 2
    recorder = bench.recorder(batch_max=1)
    with pytest.raises(Forked):
        declare(recorder, "C").result(WAIT_S)
    with pytest.raises(Forked):
        recorder.close()
    assert bench.codes() == ["A"]
