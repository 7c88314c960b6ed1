"""The services over a real wire: what is answered proves, what is refused says why, in a status a program can read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest

from tallystick.core.checkpoint import open_checkpoint
from tallystick.core.errors import StorageFailed, StoreDamaged
from tallystick.core.hashing import leaf_hash
from tallystick.core.kinds import TERM_FIELDS
from tallystick.core.limits import SUBMISSION_BYTES_MAX
from tallystick.core.merkle import check_consistency, check_inclusion
from tallystick.sdk.receipt import check_receipt
from tallystick_node import keyspace, newest
from tallystick_node.store.store import Batch
from tallystick_proto.v1.entry_pb2 import Signature, Submission
from tallystick_proto.v1.ledger_pb2 import (
    CheckpointRequest,
    ConsistencyRequest,
    FindRequest,
    InclusionRequest,
    ReadRequest,
    Receipt,
    SubmitAnswer,
    SubmitRequest,
    Term,
)
from tests.harness.client import WAIT_S, Client, client_in, refusal
from tests.harness.faulty_store import Fault
from tests.harness.office import Office, key_of

CODES = grpc.StatusCode


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with client_in(tmp_path) as made:
        yield made


def test_a_receipt_proves_the_statement(client: Client) -> None:
    """A single statement's receipt carries its entry, its path and, where asked for, the proof from a known size."""
    before = client.checkpoint()
    submission = client.office.submission(client.office.declares(1))
    receipt = client.submit.Submit(SubmitRequest(submission=submission, known_size=3), timeout=WAIT_S)
    checkpoint = open_checkpoint(receipt.checkpoint, client.office.bureau.ledger_verifier)
    check_receipt(receipt, submission, client.office.bureau, checkpoint)
    check_consistency(3, before.root, checkpoint.size, checkpoint.root, receipt.consistency)
    assert (receipt.first, receipt.known_size, receipt.standing) == (3, 3, Receipt.RECORDED)
    again = client.submit.Submit(SubmitRequest(submission=submission), timeout=WAIT_S)
    check_receipt(again, submission, client.office.bureau, client.checkpoint())
    assert (again.first, again.repeated_submission, again.known_size) == (3, True, 0)


def test_a_known_size_beyond_the_ledger_gets_no_proof(client: Client) -> None:
    """Who claims to know more than there is gets the signed truth, and can see that it is less."""
    receipt = client.record(known_size=10**6)
    assert (receipt.known_size, list(receipt.consistency)) == (0, [])
    answer = client.ledger.GetCheckpoint(CheckpointRequest(origin=client.office.origin, known_size=10**6))
    assert not answer.consistency


def test_a_stream_answers_in_order_and_refuses_one_by_one(client: Client) -> None:
    """Each request of a stream gets its answer in its order; a refusal ends only its own; proofs chain along."""
    office = client.office
    good = [office.submission(office.declares(count)) for count in (1, 3, 1, 40)]
    bad = office.submission(office.declares(1), key=key_of("nobody"))
    sent = [good[0], bad, good[1], good[0], good[2], good[3]]
    requests = (SubmitRequest(submission=submission, known_size=3) for submission in sent)
    known = client.checkpoint()
    answers = list(client.submit.SubmitMany(requests, timeout=WAIT_S))
    assert [answer.WhichOneof("answer") for answer in answers] == ["receipt", "refusal", *["receipt"] * 4]
    assert answers[1].refusal.name == "NotAuthentic"
    for submission, answer in zip(sent, answers, strict=True):
        if not answer.HasField("receipt"):
            continue
        checkpoint = open_checkpoint(answer.receipt.checkpoint, office.bureau.ledger_verifier)
        check_consistency(known.size, known.root, checkpoint.size, checkpoint.root, answer.receipt.consistency)
        check_receipt(answer.receipt, submission, office.bureau, checkpoint)
        known = checkpoint
    assert [answer.receipt.first for answer in answers if answer.HasField("receipt")] == [3, 4, 3, 7, 8]
    assert client.size == 48


def test_a_stream_takes_more_than_its_window(client: Client) -> None:
    """Hundreds of submissions on one stream, sent without waiting, are all answered in order."""
    office = client.office
    requests = [SubmitRequest(submission=office.submission(office.declares(1))) for _ in range(300)]
    answers: list[SubmitAnswer] = list(client.submit.SubmitMany(iter(requests), timeout=WAIT_S))
    assert [answer.receipt.first for answer in answers] == list(range(3, 303))


def bad_submissions() -> dict[str, tuple[Callable[[Office], Submission], grpc.StatusCode, str, str]]:
    """What a submission can be wrong in: its maker, the status, the error, and words of its sentence."""

    def bent(**fields: object) -> Callable[[Office], Submission]:
        def make(office: Office) -> Submission:
            submission = office.submission(office.declares(2))
            for name, value in fields.items():
                owner = submission.signature if name in Signature.DESCRIPTOR.fields_by_name else submission
                setattr(owner, name, value)
            return submission

        return make

    def of(make: Callable[[Office], list[bytes]]) -> Callable[[Office], Submission]:
        return lambda office: office.submission(make(office))

    week = 8 * 24 * 3600 * 1_000_000
    invalid = CODES.INVALID_ARGUMENT
    return {
        "another origin": (bent(origin="pudong.example/taxation"), invalid, "InvalidSubmission", "addressed to"),
        "no origin": (bent(origin=""), invalid, "InvalidSubmission", "pudong.example/market"),
        "no statement": (of(lambda office: []), invalid, "InvalidSubmission", "1 to 1000"),
        "1,001 statements": (
            of(lambda office: office.declares(1) * 1001),
            invalid,
            "InvalidSubmission",
            "1001 statements",
        ),
        "oversize statement": (
            of(
                lambda o: [
                    o.say(
                        "declare", resource="A", scheme="s", title="t", sharing="withheld", premises=["x" * 400] * 200
                    )
                ]
            ),
            invalid,
            "InvalidStatement",
            "64000|items",
        ),
        "oversize submission": (
            bent(statements=bytes(SUBMISSION_BYTES_MAX + 1)),
            invalid,
            "InvalidSubmission",
            "2097153 bytes",
        ),
        "garbage statements": (bent(statements=b"\xff\xff"), invalid, "InvalidSubmission", "parse"),
        "a count that is not signed": (bent(count=3), invalid, "InvalidSubmission", "the signed 3"),
        "no id": (bent(submission_id=b""), invalid, "InvalidSubmission", ""),
        "an id that is no UUIDv7": (bent(submission_id=bytes(16)), invalid, "InvalidSubmission", ""),
        "no actor": (bent(actor=""), invalid, "InvalidSubmission", "actor"),
        "another actor": (bent(actor="market:gateway"), invalid, "InvalidStatement", "the submission's actor"),
        "a bad signature": (bent(signature=bytes(64)), CODES.UNAUTHENTICATED, "NotAuthentic", "signature"),
        "a cut key": (bent(key=b"x"), CODES.UNAUTHENTICATED, "NotAuthentic", "32"),
        "a key of small order": (bent(key=bytes(32)), CODES.UNAUTHENTICATED, "NotAuthentic", "small order"),
        "an unknown key": (
            lambda office: office.submission(office.declares(1), key=key_of("nobody")),
            CODES.UNAUTHENTICATED,
            "NotAuthentic",
            "not registered",
        ),
        "a role that may not": (
            of(lambda o: [o.say("revoke_actor", revoked="market:gateway", key=o.keys["gateway"].public)]),
            CODES.PERMISSION_DENIED,
            "NotAllowed",
            "may not record",
        ),
        "a stale id": (
            lambda office: office.submission(office.declares(1), id=office.new_id(office.now_us - week)),
            CODES.FAILED_PRECONDITION,
            "StaleSubmission",
            "hours old",
        ),
        "a clock far off": (
            lambda office: office.submission(office.declares(1), id=office.new_id(office.now_us + week)),
            CODES.FAILED_PRECONDITION,
            "StaleSubmission",
            "check both clocks",
        ),
    }


@pytest.mark.parametrize("name", bad_submissions())
def test_a_bad_submission_is_refused_with_its_reason(client: Client, name: str) -> None:
    """Each way to be wrong has its status code, its error by name, and a sentence; unary and streamed alike."""
    make, code, error, words = bad_submissions()[name]
    request = SubmitRequest(submission=make(client.office))
    found, detail = refusal(lambda: client.submit.Submit(request, timeout=WAIT_S))
    assert (found, detail.name) == (code, error)
    sentence = f"{detail.where} {detail.what} {detail.expected}"
    assert any(word in sentence for word in words.split("|")), sentence
    (streamed,) = client.submit.SubmitMany(iter([request]), timeout=WAIT_S)
    assert streamed.refusal.name == error
    assert client.size == 3


def test_a_conflict_carries_its_index(client: Client) -> None:
    """The same id with other bytes is ALREADY_EXISTS, and a program can read at which index it stands."""
    id = client.office.new_id()
    submissions = [client.office.submission([client.office.declare(code)], id=id) for code in "AB"]
    client.submit.Submit(SubmitRequest(submission=submissions[0]), timeout=WAIT_S)
    code, detail = refusal(lambda: client.submit.Submit(SubmitRequest(submission=submissions[1]), timeout=WAIT_S))
    assert (code, detail.name, detail.has_known, detail.known) == (CODES.ALREADY_EXISTS, "SubmissionConflict", True, 3)


def bad_reads(origin: str) -> dict[str, tuple[str, object, str]]:
    """Questions that cannot be answered: the call, the request, the error's name. The ledger has 3 entries."""
    other = "pudong.example/taxation"
    not_found, invalid = "NotFound", "InvalidIdentifier"
    return {
        **{
            f"{call} elsewhere": (call, request(origin=other), not_found)
            for call, request in (
                ("GetCheckpoint", CheckpointRequest),
                ("WatchCheckpoints", CheckpointRequest),
                ("ProveConsistency", ConsistencyRequest),
                ("ProveInclusion", InclusionRequest),
                ("ProvePresence", InclusionRequest),
                ("ReadEntries", ReadRequest),
                ("Find", FindRequest),
            )
        },
        "inclusion beyond": ("ProveInclusion", InclusionRequest(origin=origin, index=3, size=3), not_found),
        "inclusion in none": ("ProveInclusion", InclusionRequest(origin=origin), not_found),
        "inclusion in a later tree": ("ProveInclusion", InclusionRequest(origin=origin, index=1, size=4), not_found),
        "presence beyond": ("ProvePresence", InclusionRequest(origin=origin, index=2**64 - 1, size=3), not_found),
        "presence in a later tree": (
            "ProvePresence",
            InclusionRequest(origin=origin, index=1, size=2**64 - 1),
            not_found,
        ),
        "consistency backwards": (
            "ProveConsistency",
            ConsistencyRequest(origin=origin, old_size=3, new_size=2),
            not_found,
        ),
        "consistency with a later tree": (
            "ProveConsistency",
            ConsistencyRequest(origin=origin, old_size=1, new_size=4),
            not_found,
        ),
        "entries backwards": ("ReadEntries", ReadRequest(origin=origin, first=2, end=1, size=3), not_found),
        "entries beyond": ("ReadEntries", ReadRequest(origin=origin, first=2, end=4, size=3), not_found),
        "entries of a later tree": ("ReadEntries", ReadRequest(origin=origin, end=4, size=4), not_found),
        "find in a later tree": ("Find", FindRequest(origin=origin, size=4), not_found),
        "find by no term": ("Find", FindRequest(origin=origin, size=3, term=[Term(field=14, value=b"x")]), invalid),
        "find too many": ("Find", FindRequest(origin=origin, size=3, limit=1001), invalid),
        "follow backwards": ("Find", FindRequest(origin=origin, size=3, follow=True, newest_first=True), invalid),
        "follow to an end": ("Find", FindRequest(origin=origin, size=3, follow=True, end=9), invalid),
        "follow so many": ("Find", FindRequest(origin=origin, size=3, follow=True, limit=9), invalid),
    }


@pytest.mark.parametrize("name", bad_reads(""))
def test_a_bad_question_is_refused_with_its_reason(client: Client, name: str) -> None:
    """A wrong origin, a size beyond, a bad range or term: a status and a sentence, never an empty answer."""
    call, request, error = bad_reads(client.office.origin)[name]
    code, detail = refusal(lambda: getattr(client.ledger, call)(request, timeout=WAIT_S))
    assert detail.name == error
    assert code == {"NotFound": CODES.NOT_FOUND, "InvalidIdentifier": CODES.INVALID_ARGUMENT}[error]


def test_proofs_over_the_wire_hold_for_every_index(client: Client) -> None:
    """Inclusion for each index and consistency for each pair of sizes verify against the signed roots."""
    client.record(*client.office.declares(9))
    origin, checkpoint = client.office.origin, client.checkpoint()
    raws = [
        raw for bundle in client.ledger.ReadEntries(ReadRequest(origin=origin, end=12, size=12)) for raw in bundle.entry
    ]
    for index, raw in enumerate(raws):
        proof = client.ledger.ProveInclusion(InclusionRequest(origin=origin, index=index, size=12))
        check_inclusion(leaf_hash(raw), index, 12, checkpoint.root, proof.hashes)
    ledger = client.node.home.ledger()
    for new in range(13):
        for old in range(new + 1):
            proof = client.ledger.ProveConsistency(ConsistencyRequest(origin=origin, old_size=old, new_size=new))
            check_consistency(old, ledger.root_at(old), new, ledger.root_at(new), proof.hashes)


def test_following_shows_each_new_statement_once_in_order(client: Client) -> None:
    """A follower gets what is there and what comes later, whatever the commits, with proofs from one to the next."""
    office, actor = client.office, (TERM_FIELDS["actor"], b"market:clerk")
    client.record(*office.declares(2))
    request = FindRequest(origin=office.origin, size=5, follow=True, term=[Term(field=actor[0], value=actor[1])])
    stream = client.ledger.Find(request, timeout=WAIT_S)
    found: list[int] = []
    checkpoint = client.checkpoint()
    for round_ in range(6):
        if round_:
            used = office.say("use", "gateway", resource="A", purpose="p", system="s")
            client.submit.Submit(SubmitRequest(submission=office.submission([used], "gateway")), timeout=WAIT_S)
            client.record(*office.declares(round_))
        expected = 2 + sum(range(round_ + 1))
        while len(found) < expected:
            bundle = next(stream)
            if bundle.checkpoint:
                newer = open_checkpoint(bundle.checkpoint, office.bureau.ledger_verifier)
                check_consistency(checkpoint.size, checkpoint.root, newer.size, newer.root, bundle.consistency)
                checkpoint = newer
            found += range(bundle.first, bundle.first + len(bundle.entry))
    stream.cancel()
    assert found == [
        index for index in range(3, client.size) if b"gateway" not in client.node.home.ledger().entry(index)
    ]


def test_watching_shows_every_growth_and_ends_with_the_node(client: Client) -> None:
    """A watcher gets the checkpoint now and the last after each change, chained by proofs, and Stopping at the end."""
    request = CheckpointRequest(origin=client.office.origin)
    stream = client.ledger.WatchCheckpoints(request, timeout=WAIT_S)
    known = open_checkpoint(next(stream).checkpoint, client.office.bureau.ledger_verifier)
    for _ in range(5):
        receipt = client.record()
        while known.size < receipt.first + 1:
            answer = next(stream)
            newer = open_checkpoint(answer.checkpoint, client.office.bureau.ledger_verifier)
            assert newer.size > known.size
            check_consistency(known.size, known.root, newer.size, newer.root, answer.consistency)
            known = newer
    follower = client.ledger.Find(FindRequest(origin=client.office.origin, size=8, follow=True), timeout=WAIT_S)
    next(follower)
    client.node.stop()
    for waiting in (stream, follower):
        code, detail = refusal(partial(iter, waiting))
        assert (code, detail.name) == (CODES.UNAVAILABLE, "Stopping")


def test_a_watcher_that_left_keeps_nothing_back(client: Client) -> None:
    """A cancelled follower ends on the node too, and recording goes on."""
    streams = [client.ledger.WatchCheckpoints(CheckpointRequest(origin=client.office.origin)) for _ in range(20)]
    for stream in streams:
        next(stream)
        stream.cancel()
    assert client.record().first == 3
    client.node.stop(grace_s=0.5)


def test_a_stopped_node_finishes_what_it_took(client: Client) -> None:
    """Submissions in flight when the node stops are recorded and answered, or told Stopping; none is left in doubt."""
    office = client.office
    submissions = [office.submission(office.declares(2)) for _ in range(40)]
    futures = [client.submit.Submit.future(SubmitRequest(submission=each), timeout=WAIT_S) for each in submissions]
    futures[0].result()
    client.node.stop()
    ledger = client.node.home.ledger()
    recorded = 0
    for future in futures:
        error = future.exception()
        if error is None:
            recorded += 1
            assert future.result().first + 2 <= ledger.state.size
        else:
            assert isinstance(error, grpc.RpcError)
            assert error.code() in (CODES.UNAVAILABLE, CODES.CANCELLED)
    assert ledger.state.size >= 3 + 2 * recorded
    assert not client.node.home.check().differences


def test_a_failing_disk_is_told_as_such(client: Client) -> None:
    """A failed write is UNAVAILABLE, damage met by a read DATA_LOSS; the same submission again gets its receipt."""
    home, submission = client.node.home, client.office.submission(client.office.declares(1))
    home.fail_write("after", StorageFailed)
    code, detail = refusal(lambda: client.submit.Submit(SubmitRequest(submission=submission), timeout=WAIT_S))
    assert (code, detail.name) == (CODES.UNAVAILABLE, "StorageFailed")
    assert client.submit.Submit(SubmitRequest(submission=submission), timeout=WAIT_S).first == 3
    # Some more than the one: what looks for erased disclosures after a reopening reads too.
    for number in range(home.store.reads, home.store.reads + 8):
        home.store.plan[("read", number)] = Fault("read", number, "before", StoreDamaged)
    request = ReadRequest(origin=client.office.origin, end=4, size=4)
    code, detail = refusal(lambda: client.ledger.ReadEntries(request, timeout=WAIT_S))
    home.store.plan.clear()
    assert (code, detail.name) == (CODES.DATA_LOSS, "StoreDamaged")


def test_a_hole_in_the_database_is_data_loss(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where stored entries are gone, every answer that needs them is refused, and none is shorter."""
    monkeypatch.setattr(newest, "BYTES_MAX", 0)
    client.record(*client.office.declares(100))
    client.record(*client.office.declares(1))  # now the hundred are no more at hand but on the disk
    batch = Batch()
    batch.delete(keyspace.segment(64))
    client.node.home.store.write(batch)
    origin = client.office.origin
    for call, request in (
        ("ReadEntries", ReadRequest(origin=origin, end=103, size=103)),
        ("Find", FindRequest(origin=origin, size=103)),
        ("Find", FindRequest(origin=origin, size=103, newest_first=True)),
        ("ProvePresence", InclusionRequest(origin=origin, index=70, size=103)),
    ):
        code, detail = refusal(partial(getattr(client.ledger, call), request, timeout=WAIT_S))
        assert (code, detail.name) == (CODES.DATA_LOSS, "StoreDamaged")
        assert detail.where in (f"{origin}#64", f"{origin}#70")


def test_a_bug_tells_the_client_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unforeseen exception is INTERNAL without its text, and a commit's is told to all its callers."""
    secret = "the text of a traceback"

    def broken(*_: object) -> object:
        raise KeyError(secret)

    monkeypatch.setattr(client.node.sequencer.ledger, "reader", broken)
    with pytest.raises(grpc.RpcError) as raised:
        client.ledger.ProveInclusion(InclusionRequest(origin=client.office.origin, size=3), timeout=WAIT_S)
    assert raised.value.code() == CODES.INTERNAL
    assert secret not in str(raised.value)
    monkeypatch.undo()
    monkeypatch.setattr(client.node.sequencer.ledger, "build", broken)
    submission = client.office.submission(client.office.declares(1))
    code, detail = refusal(lambda: client.submit.Submit(SubmitRequest(submission=submission), timeout=WAIT_S))
    assert (code, detail.name) == (CODES.UNAVAILABLE, "StorageFailed")
    assert secret not in detail.what
    monkeypatch.undo()
    assert client.submit.Submit(SubmitRequest(submission=submission), timeout=WAIT_S).first == 3


def test_bytes_that_are_no_request_end_only_their_call(client: Client) -> None:
    """Garbage instead of a message is a status on every call, and the next call is answered."""
    garbage: Any = b"\xff\xff\xff"
    for name in ("Submit/Submit", "Ledger/GetCheckpoint", "Submit/SubmitMany"):
        call: Any = client.channel.stream_stream(f"/tallystick.v1.{name}")
        with pytest.raises(grpc.RpcError) as raised:
            list(call(iter([garbage]), timeout=WAIT_S))
        assert raised.value.code() in (CODES.INTERNAL, CODES.UNKNOWN)
        assert client.size == 3


def test_concurrent_callers_all_get_their_own(client: Client) -> None:
    """Many threads at once: each receipt is for its caller's statement, and the indexes are those of the ledger."""
    found: list[int] = []

    def work() -> None:
        for _ in range(10):
            submission = client.office.submission(client.office.declares(1))
            receipt = client.submit.Submit(SubmitRequest(submission=submission), timeout=WAIT_S)
            checkpoint = open_checkpoint(receipt.checkpoint, client.office.bureau.ledger_verifier)
            check_receipt(receipt, submission, client.office.bureau, checkpoint)
            found.append(receipt.first)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(3, 83))
