"""Two bureaus and an observer, real nodes: it witnesses, answers for who is away, and an audit reads it alone."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tallystick.core.charter import Bureau
from tallystick.core.errors import NotAllowed, NotFound
from tallystick.sdk.auditing import audit
from tallystick.sdk.clock import now_us
from tallystick.sdk.key_file import generate_key
from tallystick.sdk.ledgers import Ledgers
from tallystick.sdk.observing import Holding, holdings
from tallystick.sdk.profile import Profile
from tallystick.sdk.wire import Wire
from tallystick_node import doctor
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tallystick_node.doctor.report import Report
from tallystick_proto.v1.ledger_pb2 import SubmitRequest
from tests.harness.clusters import checked_cluster
from tests.harness.members import declare, witnessed
from tests.harness.processes import BIN, refused, tallyd

MARKET, TAXATION, OBSERVER = "market-regulation", "taxation", "observer-1"
WAIT_S = 30.0
DAY = date(2027, 6, 30)


@pytest.fixture
def observed(tmp_path: Path, nursery: Nursery) -> Iterator[LocalCluster]:
    """Two bureaus and an observer."""
    with checked_cluster(tmp_path / "observed", 2, nursery, observers=1) as made:
        yield made


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[LocalCluster]:
    """The same, for tests that only record and read: nothing on it may be stopped or altered."""
    with checked_cluster(tmp_path_factory.mktemp("watched"), 2, nursery, observers=1) as made:
        yield made


def observer_of(cluster: LocalCluster) -> Bureau:
    return cluster.charter.by_id(OBSERVER)


def held_of(cluster: LocalCluster) -> list[Holding]:
    """What the observer holds of every ledger, as an auditor is shown it."""
    credentials = Profile.load(cluster.auditor_profile).credentials
    return holdings(observer_of(cluster), cluster.charter, WAIT_S, credentials)


def held_up_to(cluster: LocalCluster, ledger: str, size: int) -> None:
    """Wait until the observer has cosigned so many entries of a ledger."""
    deadline = time.monotonic() + WAIT_S
    while not any(each.ledger == ledger and each.size >= size for each in held_of(cluster)):
        assert time.monotonic() < deadline, f"{ledger} is not held up to {size}"
        time.sleep(0.05)


def through(cluster: LocalCluster) -> Ledgers:
    """Every ledger as the auditor reads it at the observer's node."""
    return Ledgers.open(cluster.auditor_profile, source=OBSERVER)


def checked(cluster: LocalCluster) -> Report:
    """The stopped observer's database is sound."""
    report = cluster[OBSERVER].fsck()
    assert report.clean, report.differences[0]
    return report


def test_two_bureaus_are_witnessed_by_each_other_and_the_observer(observed: LocalCluster) -> None:
    """A receipt names both of its quorum of two, and the observer holds what it cosigned on its disk."""
    receipts = [witnessed(observed[MARKET], "R-1"), witnessed(observed[TAXATION], "R-2")]
    assert [set(receipt.cosigned_by) for receipt in receipts] == [{TAXATION, OBSERVER}, {MARKET, OBSERVER}]
    held = {each.ledger: each.size for each in held_of(observed)}
    assert all(held[receipt.reference.partition("#")[0]] > receipt.index for receipt in receipts)
    assert checked(observed).copied >= sum(held.values())


def test_the_observer_answers_for_a_bureau_that_is_away(observed: LocalCluster) -> None:
    """What a killed bureau recorded is read, and proven, at the observer's node, whether that was named or not."""
    receipt = witnessed(observed[MARKET], "R-1")
    held_up_to(observed, MARKET, receipt.ref.index + 1)
    for bureau in (MARKET, TAXATION):
        observed[bureau].kill()
    with Ledgers.open(observed.auditor_profile) as ledgers:
        assert ledgers.show(receipt.ref).entry.raw == receipt.entry
        assert (ledgers[MARKET].keeper, ledgers[MARKET].away) == (OBSERVER, True)
    with through(observed) as kept:
        assert kept.show(receipt.ref).entry.raw == receipt.entry
        assert kept.prove(receipt.reference)


def test_an_audit_reads_everything_from_the_observer_alone(observed: LocalCluster) -> None:
    """With both bureaus stopped it finds what it found before, on a full pass, and says from whose copies."""
    witnessed(observed[MARKET], "R-1")
    sent = observed[MARKET].sdk.sending(
        "R-1@1", to=TAXATION, digest=f"blake3:{'ab' * 32}", size=7, wait_witnessed_s=WAIT_S
    )
    with sent as sending:
        assert sending.receipt.standing == "witnessed"
    witnessed(observed[TAXATION], "R-2")
    before = audit(observed.auditor, DAY)
    assert before.findings
    for ledger in before.coverage.ledgers:
        held_up_to(observed, ledger.bureau, ledger.size)
    with through(observed) as kept:
        assert all(ledger.witnessed == ledger.size for ledger in audit(kept, DAY).coverage.ledgers)
    for bureau in (MARKET, TAXATION):
        observed[bureau].stop()
    with through(observed) as kept:
        after = audit(kept, DAY)
    assert [(each.id, each.standing) for each in after.findings] == [
        (each.id, each.standing) for each in before.findings
    ]
    assert after.coverage.complete == {MARKET, TAXATION}
    assert after.coverage.entries >= before.coverage.entries
    assert {ledger.keeper for ledger in after.coverage.ledgers} == {OBSERVER}
    assert {ledger.keeper for ledger in before.coverage.ledgers} == {""}


def test_a_copy_that_is_behind_is_late_and_accuses_nobody(observed: LocalCluster) -> None:
    """Where the observer was away, what it holds is less than what the auditor saw: a gap, and no finding."""
    witnessed(observed[MARKET], "R-1")
    observed[OBSERVER].stop()
    market = observed[MARKET]
    market.sdk.declare("R-2", scheme="pudong", title="R-2", sharing="unconditional")
    seen = observed.auditor[MARKET].refresh()
    observed.auditor[MARKET].remember()
    for bureau in (MARKET, TAXATION):
        observed[bureau].stop()
    observed[OBSERVER].start()
    with through(observed) as kept:
        found = audit(kept, DAY)
    assert not found.findings
    (gap,) = [ledger.gap for ledger in found.coverage.ledgers if ledger.bureau == MARKET]
    assert f"its copy has {seen.size - 1} entries, and {seen.size} were shown to this client before" in gap
    assert found.coverage.exit_code == 3
    observed.start()
    witnessed(observed[MARKET], "R-3")
    with through(observed) as kept:
        assert audit(kept, DAY).coverage.complete == {MARKET, TAXATION}


def test_an_observer_that_was_away_catches_up(observed: LocalCluster) -> None:
    """Killed and started again it takes what it missed, and the quorum that lacked it is reached again."""
    witnessed(observed[MARKET], "R-1")
    observed[OBSERVER].kill()
    receipt = declare(observed[MARKET], "R-2", wait_s=0.2)
    assert (receipt.standing, receipt.cosigned_by.count(OBSERVER)) == ("recorded", 0)
    checked(observed)
    observed[OBSERVER].start()
    later = witnessed(observed[MARKET], "R-3")
    with through(observed) as kept:
        assert kept.show(receipt.ref).entry.raw == receipt.entry
        assert kept[MARKET].trusted.size > later.index
    observed.stop()
    assert checked(observed).copied > later.index
    told: list[tuple[int, int]] = []
    doctor.run(observed[OBSERVER].settings, lambda done, of: told.append((done, of)))
    assert later.index < max(done for done, of in told if done == of)


def test_an_observer_that_is_away_is_named_by_status(observed: LocalCluster) -> None:
    """Its row says so, the ledgers' rows say what they would, and the command ends as where any node is away."""
    observed[OBSERVER].kill()
    status = subprocess.run(
        [BIN / "tally", "status", "--profile", observed.auditor_profile], capture_output=True, text=True
    )
    assert status.returncode == 3, status.stderr
    (row,) = [line for line in status.stdout.splitlines() if line.startswith(OBSERVER)]
    assert f"unreachable: {OBSERVER} at {observer_of(observed).endpoint}: nobody answers (Connection refused)" in row
    assert "2 of 2 ledgers answered" in status.stdout
    checked(observed)


def test_what_needs_a_ledger_is_refused_in_one_sentence(watched: LocalCluster) -> None:
    """Its node records nothing and gathers nothing, no reference leads to it, and its home has no ledger's key."""
    witnessed(watched[MARKET], "R-1")
    observer, says = observer_of(watched), f"{OBSERVER}: it is an observer and has no ledger"
    wire = Wire(observer, credentials=Profile.load(watched.auditor_profile).credentials)
    try:
        with pytest.raises(NotFound, match=says):
            wire.cosigned()
        for submit in (lambda: wire.submit(SubmitRequest()), lambda: list(wire.submit_many([SubmitRequest()]))):
            with pytest.raises(NotAllowed):
                submit()
        with pytest.raises(NotFound, match="no ledger"):
            wire.checkpoint(0)
    finally:
        wire.close()
    with pytest.raises(NotFound, match=says):
        watched.auditor.show(f"{OBSERVER}#0")
    home = watched[OBSERVER].home
    assert sorted(path.name for path in (home / "keys").iterdir()) == ["witness.key"]


def test_what_does_not_belong_into_its_database_is_named(observed: LocalCluster) -> None:
    """An altered entry of a copy, and a key that only a ledger's database has, are differences."""
    receipt = witnessed(observed[MARKET], "R-1")
    with observed[OBSERVER].stopped(broken_on_purpose=True, restart=False) as disk:
        disk.put(b"p" + bytes(16), b"x")
        copied = [key for key in disk.keys(b"c") if key[17:18] == b"e"]
        disk.flip(copied[0], 200)
    report = observed[OBSERVER].fsck()
    places = "\n".join(map(str, report.differences))
    assert f"key {(b'p' + bytes(16)).hex()}: expected no such key" in places
    assert "copy of pudong.example/" in places
    assert receipt.index < report.copied


def test_another_key_is_not_the_observers(observed: LocalCluster) -> None:
    """A home whose witness key is not the one the charter names does not start, and keeps its copies."""
    home = observed[OBSERVER].home
    observed[OBSERVER].stop()
    (home / "keys" / "witness.key").rename(home / "keys" / "kept.key")
    generate_key(home / "keys" / "witness.key")
    assert f"this is not the witness key of {OBSERVER}" in refused(2, "run", home)
    (home / "keys" / "kept.key").replace(home / "keys" / "witness.key")
    assert now_us() < observed.charter.expires_us
    assert tallyd("fsck", home).returncode == 0


def test_the_commands_know_it(watched: LocalCluster) -> None:
    """`cluster status` shows it serving with what it has cosigned, and another number of observers is refused."""
    receipt = witnessed(watched[MARKET], "R-1")
    (standing,) = [each for each in watched.status() if each.bureau == OBSERVER]
    assert standing.state == "serving"
    assert standing.entries is not None
    assert standing.entries > receipt.index
    assert "0 observers" in refused(2, "cluster", "up", "--dir", watched.folder, "--observers", "0")


def test_its_backup_is_a_home_of_copies(watched: LocalCluster, tmp_path: Path) -> None:
    """Taken while it runs, a backup is sound, and a home made of it has the one key it needs."""
    witnessed(watched[MARKET], "R-1")
    made = tallyd("backup", watched[OBSERVER].home, tmp_path / "backup", "--with-keys")
    assert made.returncode == 0, made.stderr
    checked_copy = tallyd("fsck", tmp_path / "backup")
    assert checked_copy.returncode == 0, checked_copy.stdout
    assert "0 entries, and" in checked_copy.stdout
    restored = tallyd("restore", tmp_path / "backup", tmp_path / "again")
    assert restored.returncode == 0, restored.stderr
    assert sorted(path.name for path in (tmp_path / "again" / "keys").iterdir()) == ["witness.key"]
