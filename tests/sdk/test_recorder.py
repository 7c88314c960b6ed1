"""Recording many: every statement has its receipt, none is there twice, whatever becomes of node, wire and program."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest

from tallystick.core.compose import Sensitive
from tallystick.core.entry import Entry, decode_entry
from tallystick.core.errors import (
    ConfigInvalid,
    InvalidStatement,
    NotAllowed,
    ProofFailed,
    StorageFailed,
    Unreachable,
    VerificationFailed,
)
from tallystick.core.limits import STATEMENT_BYTES_MAX, SUBMISSION_BYTES_MAX
from tallystick.core.statement import read
from tallystick.sdk.clock import now_us
from tallystick.sdk.reader import LedgerReader
from tallystick.sdk.recorder import Pending, Recorder
from tallystick.sdk.spool import Spool
from tallystick.sdk.trust_store import TrustStore
from tallystick.sdk.wire import Wire
from tallystick_proto.v1.ledger_pb2 import ErrorDetail, SubmitAnswer
from tallystick_proto.v1.statement_pb2 import Ref
from tests.harness.home import Home
from tests.harness.lying_node import LyingNode
from tests.harness.office import Office
from tests.harness.proxy import Proxy

WAIT_S = 30.0
DAY_US = 24 * 3600 * 1_000_000


class Bench:
    """A node behind a proxy, and recorders on it."""

    def __init__(self, node: LyingNode, proxy: Proxy, folder: Path) -> None:
        self.node, self.proxy, self.folder = node, proxy, folder
        self.trust = TrustStore(folder / "trust")
        self.spool = folder / "spool"

    def recorder(self, actor: str = "clerk", spool: Path | None = None, **options: object) -> Recorder:
        reader = LedgerReader(Wire(self.proxy.before(self.node.bureau)), self.trust)
        office = self.node.home.office
        options["spool"] = Spool(spool, office.origin, office.keys[actor])
        return Recorder(reader, office.actor(actor), office.keys[actor], **options)  # type: ignore[arg-type]

    def entries(self) -> list[Entry]:
        """What was recorded beyond the founding."""
        ledger = self.node.home.ledger()
        return [decode_entry(raw) for raw in ledger.entries(3, ledger.state.size)]

    def codes(self) -> list[str]:
        """The resources of the recorded statements, in their order."""
        return [read(entry.statement).statement.head.resource for entry in self.entries()]

    def counts(self) -> list[int]:
        """How many statements each submission holds, in order."""
        return [entry.signed.count for entry in self.entries() if entry.signed is not None]

    def spooled(self) -> list[Path]:
        return sorted(self.spool.rglob("*.submission"))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    (tmp_path / "home").mkdir()
    with LyingNode(Home(tmp_path / "home", Office(now_us=now_us()))) as node, Proxy(node.port) as proxy:
        yield Bench(node, proxy, tmp_path)
    assert not node.home.check().differences


def declare(recorder: Recorder, code: str) -> Pending:
    return recorder.declare(code, scheme="local", title=code, sharing="unconditional")


def codes(count: int, prefix: str = "R") -> list[str]:
    return [f"{prefix}-{number}" for number in range(count)]


def test_every_statement_has_a_receipt_of_its_own(bench: Bench) -> None:
    """Receipts name the entries that hold the very statements, in the order they were recorded."""
    with bench.recorder(batch_max=7) as recorder:
        pending = [declare(recorder, code) for code in codes(100)]
    receipts = [each.result(0) for each in pending]
    assert [receipt.index for receipt in receipts] == list(range(3, 103))
    assert [receipt.statement.head.resource for receipt in receipts] == codes(100) == bench.codes()
    assert {receipt.standing for receipt in receipts} == {"recorded"}
    assert all(each.done() for each in pending)


def test_a_batch_is_bounded_in_number(bench: Bench) -> None:
    """A full batch goes at once, the rest with the flush, and no batch is larger than asked for."""
    with bench.recorder(batch_max=10, linger_ms=1e6) as recorder:
        pending = [declare(recorder, code) for code in codes(25)]
        pending[19].result(WAIT_S)
        assert not pending[20].done()
        recorder.flush(WAIT_S)
        assert pending[24].done()
    assert bench.counts() == [10, 10, 5]


def test_a_batch_is_bounded_in_bytes(bench: Bench) -> None:
    """Statements of any size are packed into submissions that the node takes, full to the last byte."""
    frame = 4
    room = SUBMISSION_BYTES_MAX - STATEMENT_BYTES_MAX - frame
    sizes = [52_000] * 38
    sizes.append(room - 38 * (52_000 + frame) - frame)  # not over the bound yet, so that the largest still follows
    sizes.append(STATEMENT_BYTES_MAX)
    with bench.recorder(linger_ms=1e6) as recorder:
        pending = [recorder.declare("L", **sized(size)) for size in [*sizes, *sizes]]  # type: ignore[arg-type]
        recorder.flush(WAIT_S)
        assert [each.result(0).index for each in pending] == list(range(3, 83))
    assert bench.counts() == [40, 40]
    assert [len(entry.statement) for entry in bench.entries()] == [*sizes, *sizes]


@cache
def sized(size: int) -> dict[str, object]:
    """What a declaration says that has exactly so many bytes."""
    office = Office()
    said: dict[str, object] = {"scheme": "s", "title": "t", "sharing": "unconditional", "fields": []}

    def length() -> int:
        return len(office.say("declare", resource="L", **said))

    said["fields"] = [{"name": "界" * 100}] * ((size - length() - 100) // 306)
    for title in range(1, 401):
        said["title"] = "t" * title
        if length() == size:
            return said
    raise AssertionError(f"no statement of {size} bytes")


def test_what_lingers_is_sent_by_itself(bench: Bench) -> None:
    """A statement does not wait for others, nor for a flush."""
    with bench.recorder() as recorder:
        assert declare(recorder, "A").result(WAIT_S).index == 3


def test_recording_waits_while_too_much_is_on_its_way(bench: Bench) -> None:
    """With the node away no more than so many batches gather; the next call waits, and goes on when it is back."""
    bench.node.stop()
    recorder = bench.recorder(batch_max=1, in_flight_max=3)
    recorded = threading.Semaphore(0)
    most = 0

    def work() -> None:
        nonlocal most
        for code in codes(12):
            declare(recorder, code)
            with recorder._outbox.lock:
                most = max(most, recorder._outbox.on_their_way)
            recorded.release()

    thread = threading.Thread(target=work)
    thread.start()
    for _ in range(3):
        assert recorded.acquire(timeout=WAIT_S)
    assert not recorded.acquire(timeout=0.05)
    bench.node.start()
    thread.join(WAIT_S)
    recorder.close()
    assert most <= 3
    assert bench.codes() == codes(12)


def test_a_bad_statement_fails_at_the_call_and_harms_no_other(bench: Bench) -> None:
    """Whatever is wrong with one is said at once; those around it, their commitments too, stand as they are."""
    bad: list[Callable[[Recorder], object]] = [
        lambda r: r.declare("A@B", scheme="local", title="t", sharing="unconditional"),
        lambda r: r.declare("A", scheme="local", title="t", sharing="secret"),
        lambda r: r.declare("A", scheme="local", title="", sharing="withheld"),
        lambda r: r.declare("A", scheme="local", title="t" * 401, sharing="withheld"),
        lambda r: r.use("A@1", purpose="p", subject="in the clear"),  # type: ignore[arg-type]
        lambda r: r.use("A@1", purpose="p", happened_at=now_us() + DAY_US),
        lambda r: r.record("NoSuchKind"),
        lambda r: r.record("DataUsed", nonsense=1),
        lambda r: r.declare("A", scheme="s", title="t", sharing="withheld", basis="x" * 401),
    ]
    with bench.recorder(linger_ms=1e6) as recorder:
        pending = []
        for number, each in enumerate(bad):
            pending.append(recorder.use(f"A@{number}", purpose="p", subject=Sensitive(f"person {number}")))
            with pytest.raises(InvalidStatement):
                each(recorder)
        recorder.flush(WAIT_S)
    assert [each.result(0).index for each in pending] == list(range(3, 3 + len(bad)))
    assert bench.counts() == [len(bad)]


def test_a_statement_too_large_for_any_submission_fails_at_the_call(bench: Bench) -> None:
    """Beyond 64,000 bytes there is no way to record it, and the call says so."""
    with bench.recorder() as recorder:
        fields = [{"name": "n" * 120, "type": "t" * 60} for _ in range(500)]
        with pytest.raises(InvalidStatement, match=f"at most {STATEMENT_BYTES_MAX}"):
            recorder.declare("A", scheme="s", title="t", sharing="withheld", fields=fields)
        declare(recorder, "B")
    assert bench.codes() == ["B"]


def test_a_refused_batch_fails_alone(bench: Bench) -> None:
    """What the ledger refuses is told to its own callers; the batches before and after it are recorded."""
    grant = {"resource": "A", "to": "taxation", "request": {"origin": "a.b/c", "index": 0, "leaf": bytes(32)}}
    recorder = bench.recorder("gateway", batch_max=1)
    first, refused, last = declare(recorder, "A"), recorder.record("grant", **grant), declare(recorder, "B")
    with pytest.raises(NotAllowed, match="may not record AccessGranted"):
        refused.result(WAIT_S)
    assert (first.result(WAIT_S).index, last.result(WAIT_S).index) == (3, 4)
    recorder.record("grant", **grant)
    declare(recorder, "C")
    with pytest.raises(NotAllowed):
        recorder.close()
    assert bench.codes() == ["A", "B", "C"]


def test_a_stream_that_is_cut_loses_and_doubles_nothing(bench: Bench) -> None:
    """Connections cut at any moment: all is recorded once, in order, and every receipt holds."""
    with bench.recorder(batch_max=2, spool=bench.spool) as recorder:
        pending = []
        for number, code in enumerate(codes(300)):
            pending.append(declare(recorder, code))
            if number % 60 == 30:
                bench.proxy.cut()
    assert bench.codes() == codes(300)
    assert [each.result(0).index for each in pending] == list(range(3, 303))
    assert not bench.spooled()


def test_a_node_that_is_restarted_loses_and_doubles_nothing(bench: Bench) -> None:
    """Stopped and started again on the same disk in the middle: all is recorded once and in order."""
    with bench.recorder(batch_max=3) as recorder:
        pending = []
        for number, code in enumerate(codes(120)):
            pending.append(declare(recorder, code))
            if number in (40, 80):
                bench.node.stop()
                bench.node.start()
    assert bench.codes() == codes(120)
    assert [each.result(0).index for each in pending] == list(range(3, 123))


def test_a_write_that_failed_is_sent_again(bench: Bench) -> None:
    """A batch whose commit failed, before or after it was durable, is recorded once in the end."""
    with bench.recorder(batch_max=5) as recorder:
        for when in ("before", "after"):
            bench.node.home.fail_write(when)
            for code in codes(5, when):
                pending = declare(recorder, code)
            pending.result(WAIT_S)
    assert bench.codes() == codes(5, "before") + codes(5, "after")


def test_an_unreachable_node_is_given_up(bench: Bench) -> None:
    """After so long every statement on its way is Unreachable; what is recorded later is tried anew."""
    bench.node.stop()
    recorder = bench.recorder(give_up_s=0.0, batch_max=1, linger_ms=0.0)
    pending = [declare(recorder, code) for code in codes(3)]
    for each in pending:
        with pytest.raises(Unreachable, match="market"):
            each.result(WAIT_S)
    bench.node.start()
    recorder._delivery.give_up_s = WAIT_S
    assert declare(recorder, "later").result(WAIT_S).index == 3
    recorder.close()
    assert bench.codes() == ["later"]


def test_a_disk_that_stays_full_is_given_up_too(bench: Bench) -> None:
    """A node that answers every try with a failure of its disk is not tried for ever; callers learn the reason."""
    detail = ErrorDetail(name="DiskFull", what="the disk is full")
    bench.node.lies["SubmitMany"] = lambda answer: [SubmitAnswer(refusal=detail)]
    recorder = bench.recorder(give_up_s=0.0)
    with pytest.raises(StorageFailed, match="the disk is full"):
        declare(recorder, "A").result(WAIT_S)
    bench.node.lies.clear()
    recorder.close()


def test_a_stream_that_ends_without_answers_is_given_up(bench: Bench) -> None:
    """A node that takes everything and answers nothing is Unreachable in the end, not asked in circles."""
    bench.node.lies["SubmitMany"] = lambda answer: ()
    recorder = bench.recorder(give_up_s=0.0)
    with pytest.raises(Unreachable, match="market: it left submissions unanswered"):
        declare(recorder, "A").result(WAIT_S)
    recorder.close()
    assert bench.codes() == ["A"]


@pytest.mark.parametrize("how", ["flush", "close"])
def test_a_node_that_stays_silent_is_waited_for_no_longer_than_said(bench: Bench, how: str) -> None:
    """A node that takes all and answers nothing, its connection alive, is Unreachable in the end; nothing is lost."""
    bench.node.lies["SubmitMany"] = lambda answer: []
    recorder = bench.recorder(give_up_s=0.1, batch_max=1, spool=bench.spool)
    recorder.reader.wire.deadline_s = 0.1
    pending = [declare(recorder, code) for code in codes(3)]
    with pytest.raises(Unreachable, match="market: it has answered nothing"):
        getattr(recorder, how)()
    for each in pending:
        with pytest.raises(Unreachable):
            each.result(0)
    recorder.close()
    recorder._delivery.join(WAIT_S)
    assert recorder._delivery.ended
    assert len(bench.spooled()) == 3
    bench.node.lies.clear()
    bench.recorder(spool=bench.spool).close()
    assert not bench.spooled()
    assert bench.codes() == codes(3)


def test_what_is_said_may_wait_for_what_was_said_before(bench: Bench) -> None:
    """A citation that is known only once its entry has a receipt does not keep that receipt from coming."""

    class Cited:
        def __init__(self, pending: Pending) -> None:
            self.pending = pending

        @property
        def ref(self) -> Ref:
            return self.pending.result(WAIT_S).ref

    with bench.recorder() as recorder:
        first = declare(recorder, "A")
        recorder.record("grant", resource="A", to="taxation", request=Cited(first))
    granted = read(bench.entries()[1].statement).statement
    assert granted.head.about == first.result(0).ref


def test_many_threads_share_a_recorder(bench: Bench) -> None:
    """Each statement of each thread is recorded once, and each thread's in its order."""
    with bench.recorder(batch_max=9, in_flight_max=4) as recorder:

        def work(name: str) -> None:
            for code in codes(60, name):
                declare(recorder, code)

        threads = [threading.Thread(target=work, args=(name,)) for name in "abcdef"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = bench.codes()
    assert len(found) == 360
    for name in "abcdef":
        assert [code for code in found if code.startswith(f"{name}-")] == codes(60, name)


def test_a_closed_recorder_takes_nothing_and_lets_go(bench: Bench) -> None:
    """After close a call is a RuntimeError; what was verified is written down; closing twice does no harm."""
    recorder = bench.recorder()
    declare(recorder, "A")
    recorder.close()
    with pytest.raises(RuntimeError, match="closed"):
        declare(recorder, "B")
    recorder.close()
    assert recorder._delivery.ended
    assert LedgerReader(Wire(bench.proxy.before(bench.node.bureau)), bench.trust).trusted.size == 4


def test_an_error_in_the_block_is_the_one_that_is_seen(bench: Bench) -> None:
    """Leaving the block by an exception still sends what was recorded, and hides nothing."""

    def fail() -> None:
        with bench.recorder() as recorder:
            declare(recorder, "A")
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fail()
    assert bench.codes() == ["A"]


# Files that outlive the program.


def test_the_spool_is_empty_once_receipts_are_there(bench: Bench) -> None:
    """A file stands for each batch on its way, and none when all is answered."""
    bench.node.stop()
    with bench.recorder(batch_max=2, spool=bench.spool, linger_ms=0.0) as recorder:
        for code in codes(6):
            declare(recorder, code)
        bench.node.start()
    assert bench.codes() == codes(6)
    assert not bench.spooled()


@pytest.mark.parametrize("answered", [False, True])
def test_what_a_dead_program_left_is_sent_by_the_next(bench: Bench, answered: bool) -> None:
    """Whether or not the node had recorded it, the next recorder sends it under the same ids, and it stands once."""
    if answered:
        bench.node.lies["SubmitMany"] = lambda answer: [SubmitAnswer(refusal=ErrorDetail(name="Unreachable"))]
    else:
        bench.node.stop()
    left = bench.recorder(batch_max=2, spool=bench.spool, give_up_s=0.0)
    for code in codes(6):
        declare(left, code)
    with pytest.raises(Unreachable):
        left.close()
    kept = bench.spooled()
    assert len(kept) == 3
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept)
    bench.node.lies.clear()
    if not answered:
        bench.node.start()
    with bench.recorder(spool=bench.spool) as recorder:
        declare(recorder, "after")
    assert not bench.spooled()
    assert bench.codes() == [*codes(6), "after"]


def test_what_cannot_be_kept_is_not_sent(bench: Bench) -> None:
    """Where the spool cannot be written, the statement fails with that reason, and the ledger never sees it."""
    bench.spool.write_bytes(b"a file where the folder should be")
    recorder = bench.recorder(spool=bench.spool)
    with pytest.raises(ConfigInvalid, match="spool"):
        declare(recorder, "A").result(WAIT_S)
    bench.spool.unlink()
    assert declare(recorder, "B").result(WAIT_S).index == 3
    recorder.close()
    assert bench.codes() == ["B"]


def test_a_spool_file_that_does_not_read_is_named(bench: Bench) -> None:
    """Garbage among the unsent submissions stops the recorder before anything is sent, naming the file."""
    declare(recorder := bench.recorder(spool=bench.spool), "A").result(WAIT_S)
    recorder.close()
    (folder,) = bench.spool.iterdir()
    (folder / f"{'0' * 32}.submission").write_bytes(b"\xff\xff")
    with pytest.raises(ConfigInvalid, match=r"0000\.submission"):
        bench.recorder(spool=bench.spool)


# Nodes that lie.


def lies() -> dict[str, Callable[[SubmitAnswer], object]]:
    """One field of an answer bent at a time."""
    receipt: dict[str, list[object]] = {
        "submission_id": [b"", bytes(16)],
        "first": [3, 5, 2**63],
        "count": [0, 2, 1000],
        "checkpoint": [b"", b"garbage", b"\xff\xff"],
        "entry": [b"", b"\xff\xff"],
        "standing": [0],
    }
    found: dict[str, Callable[[SubmitAnswer], object]] = {}
    for name, values in receipt.items():
        for value in values:
            found[f"{name} {value!r}"] = lambda answer, name=name, value=value: setattr(answer.receipt, name, value)  # type: ignore[misc]
    found["another inclusion"] = lambda answer: answer.receipt.inclusion.append(bytes(32))
    found["garbage inclusion"] = lambda answer: answer.receipt.inclusion.insert(0, b"x")
    found["no inclusion"] = lambda answer: answer.receipt.ClearField("inclusion")
    found["no answer in it"] = lambda answer: answer.Clear()
    return found


@pytest.mark.parametrize("name", lies())
def test_a_receipt_with_a_bent_field_is_refused(bench: Bench, name: str) -> None:
    """Whatever single field of a receipt is bent, its statement is not taken for recorded, and the node is named."""
    with bench.recorder() as recorder:
        declare(recorder, "A").result(WAIT_S)
    size = LedgerReader(Wire(bench.proxy.before(bench.node.bureau)), bench.trust).trusted.size
    recorder = bench.recorder(batch_max=1)
    bend = lies()[name]
    bench.node.lies["SubmitMany"] = lambda answer: bend(answer) and None
    with pytest.raises(VerificationFailed, match="market") as raised:
        declare(recorder, "B").result(WAIT_S)
    assert "\n" not in str(raised.value)
    bench.node.lies.clear()
    recorder.close()
    assert LedgerReader(Wire(bench.proxy.before(bench.node.bureau)), bench.trust).trusted.size >= size
    with bench.recorder() as recorder:
        assert declare(recorder, "C").result(WAIT_S).index == 5


def test_answers_to_what_was_never_sent_are_named(bench: Bench) -> None:
    """More answers than requests: ProofFailed to whoever still waits, and no call hangs."""
    bench.node.lies["SubmitMany"] = lambda answer: [answer, answer]
    recorder = bench.recorder(batch_max=1)
    assert declare(recorder, "A").result(WAIT_S).index == 3
    bench.node.lies.clear()
    outcome = recorder.record("declare", resource="B", scheme="s", title="t", sharing="withheld")
    failed = outcome._batch.done.exception(WAIT_S)  # it may come before the second answer or after
    assert failed is None or (isinstance(failed, ProofFailed) and "market" in str(failed))
    with suppress(ProofFailed):
        recorder.close()
    assert recorder._delivery.ended
