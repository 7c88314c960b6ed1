"""A backup of a real node, made while it records: one state of it, for who may read its home."""

from __future__ import annotations

import threading
from pathlib import Path

import grpc
import pytest

from tallystick.core.bureau import Bureau
from tallystick.core.compose import Sensitive
from tallystick.core.errors import ConfigInvalid, NotAuthentic
from tallystick.sdk.clock import now_us
from tallystick_node import doctor
from tallystick_node.backup import make_backup
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.member import Member
from tallystick_node.config import Settings
from tallystick_node.copies import open_copy
from tallystick_node.ledger import Ledger
from tallystick_node.store.leveldb import LevelDbStore
from tallystick_proto.v1.operate_pb2 import BackupRequest
from tallystick_proto.v1.operate_pb2_grpc import OperateStub
from tests.harness.channels import channel_to
from tests.harness.members import witnessed
from tests.harness.processes import tallyd

MARKET, TAXATION, CODE = "market-regulation", "taxation", "SCJG-0001@1"
BACKUPS = 3


def entries(settings: Settings, of: Bureau) -> list[bytes]:
    """What a stopped node's database has of its own ledger, or of another's."""
    store = LevelDbStore.open(settings.database)
    try:
        ledger = Ledger.open(store, of.origin) if of.id == settings.config.bureau else open_copy(store, of)
        return list(ledger.entries(0, ledger.state.size))
    finally:
        store.close()


def test_a_backup_under_load_is_one_state_of_the_ledger(cluster: LocalCluster, tmp_path: Path) -> None:
    """While records and copies go on, every backup is sound in itself, and a prefix of the ledger and of each copy; of
    a copy it has what its node had cosigned by then.
    """
    market, taxation = cluster[MARKET], cluster[TAXATION]
    with market.gateway.recorder() as record:
        for number in range(1_000):
            record.use(CODE, purpose="joint-supervision", case="one", subject=Sensitive(f"person {number}"))
    enough = threading.Event()

    def load(member: Member) -> None:
        while not enough.is_set():
            member.gateway.use(CODE, purpose="joint-supervision", case="two", subject=Sensitive("a person"))

    recording = [threading.Thread(target=load, args=(member,)) for member in (market, taxation)]
    for each in recording:
        each.start()
    cosigned = []
    try:
        for number in range(BACKUPS):
            receipt = witnessed(taxation, f"SW-{number}")
            assert MARKET in receipt.cosigned_by
            cosigned.append(receipt.index + 1)
            target = tmp_path / f"backup-{number}"
            make_backup(market.settings, target, now_us(), lambda written: None, with_keys=False)
    finally:
        enough.set()
        for each in recording:
            each.join()
    cluster.stop()
    whole, copied = (entries(member.settings, member.bureau) for member in (market, taxation))
    sizes = []
    for number in range(BACKUPS):
        copy = Settings.load(tmp_path / f"backup-{number}" / "tallyd.toml")
        report = doctor.run(copy)
        assert report.clean, "\n".join(map(str, report.differences))
        prefix, of_copy = (entries(copy, member.bureau) for member in (market, taxation))
        assert prefix == whole[: len(prefix)]
        assert of_copy == copied[: len(of_copy)]
        assert len(of_copy) >= cosigned[number]
        sizes.append(len(prefix))
    assert sizes == sorted(sizes)
    assert sizes[0] > 1_000


def test_who_cannot_read_the_home_is_told_nothing(cluster: LocalCluster, tmp_path: Path) -> None:
    """Without the token, or with another, a call is refused in one word; the file is its owner's alone, and new at
    every start.
    """
    market = cluster[MARKET]
    path = market.settings.operator_token
    before = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    with channel_to(market.settings) as channel:
        for token in (b"", b"wrong", bytes(32)):
            with pytest.raises(grpc.RpcError, match="refused") as told:
                list(OperateStub(channel).Backup(BackupRequest(token=token)))
            assert told.value.code() == grpc.StatusCode.UNAUTHENTICATED
            assert told.value.details() == "refused"
    path.write_text("00" * 32)
    with pytest.raises(NotAuthentic, match="refused"):
        make_backup(market.settings, tmp_path / "backup", now_us(), lambda written: None, with_keys=False)
    path.write_text("no token")
    with pytest.raises(ConfigInvalid, match="it holds no token"):
        make_backup(market.settings, tmp_path / "backup", now_us(), lambda written: None, with_keys=False)
    assert not list(tmp_path.iterdir())
    market.stop()
    market.start()
    assert path.read_text() not in (before, "no token")


def test_a_restored_ledger_is_told_who_is_asked_before_it_signs(shared_cluster: LocalCluster, tmp_path: Path) -> None:
    """By the charter's own numbers, and what no witness would say of it; as a witness it may have forgotten."""
    assert tallyd("backup", shared_cluster[MARKET].home, tmp_path / "backup").returncode == 0
    restored = tallyd("restore", tmp_path / "backup", tmp_path / "again")
    assert restored.returncode == 0, restored.stderr
    for said in (
        "was signed after the backup, this home does not know",
        "its node signs nothing before 2 of its 2 witnesses have said what they hold of its ledger",
        "nobody holds, it does not hear of",
        f"if it cosigned other ledgers after the backup, first: tallyd charter renew {tmp_path / 'again'} witness",
    ):
        assert said in restored.stdout
