"""A stolen disk tells nothing without its node's key; and what was erased is in none of its files with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallystick.core.compose import Sensitive
from tallystick.sdk import recorder as sdk_recorder
from tallystick.sdk import singles as sdk_singles
from tallystick.sdk.clock import new_salt, now_us
from tallystick.sdk.ledgers import Ledgers
from tallystick.sdk.receipt import Receipt
from tallystick_node import keyspace
from tallystick_node.backup import make_backup
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.member import Member
from tallystick_node.config import Settings
from tallystick_node.disclosures import Sealed, read_sealed
from tallystick_node.identity import load_disclosures
from tallystick_node.store.leveldb import LevelDbStore
from tests.harness.waiting import until

TAX, FIELD = "taxation", "data_used.subject"
MANY = 3_000
"""Lookups: more than is left in the log alone, in tables too once the node was started again."""


def files_of(home: Path) -> dict[str, bytes]:
    """Every file of a home but its keys, as whoever stole the disk reads them."""
    keys = home / "keys"
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in sorted(home.rglob("*"))
        if path.is_file() and not path.is_relative_to(keys)
    }


def files_with(home: Path, *secrets: bytes) -> list[str]:
    return [name for name, data in files_of(home).items() if any(secret in data for secret in secrets)]


def sealed_at(member: Member, folder: Path, index: int) -> Sealed:
    """Both records of a disclosure, out of a backup: they are stored as they are, uncompressed."""
    make_backup(member.settings, folder, now_us(), lambda written: None, with_keys=False)
    store = LevelDbStore.open(Settings.load(folder / "tallyd.toml").database)
    try:
        return read_sealed(store, index, FIELD)
    finally:
        store.close()


@pytest.fixture
def salts(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every salt that a client makes here."""
    made: list[bytes] = []

    def salt() -> bytes:
        made.append(new_salt())
        return made[-1]

    for module in (sdk_singles, sdk_recorder):
        monkeypatch.setattr(module, "new_salt", salt)
    return made


def looked_up(member: Member, subject: str) -> Receipt:
    return member.gateway.use("R-1@1", purpose="joint-supervision", case="one", subject=Sensitive(subject))


def test_a_stolen_disk_tells_no_value_no_salt_and_no_key(cluster: LocalCluster, salts: list[bytes]) -> None:
    """Of thousands that were recorded, read, searched for and erased: in no file of any node, running or stopped."""
    tax = cluster[TAX]
    subjects = [f"3101151980{number:08d}" for number in range(MANY)]
    with tax.gateway.recorder() as record:
        for subject in subjects:
            record.use("R-1@1", purpose="joint-supervision", case="one", subject=Sensitive(subject))
    last = looked_up(tax, "the last of all")
    tax.sdk.assign_duty("planning", duty="approver", person=Sensitive("Wang Xiaoming"), matter="M-1")
    tax.sdk.erase(entry=last.ref, field_path=FIELD, reason="a test")
    with Ledgers.open(cluster.auditor_profile) as ledgers:
        list(ledgers[TAX].wire.find_openings(FIELD, subjects[7].encode(), 0, last.index))
    secrets = [*(subject.encode() for subject in subjects), b"the last of all", b"Wang Xiaoming", *salts]
    assert len(salts) == MANY + 2
    tax.stop()
    tax.start()
    cluster.stop()
    charter, bureau = tax.settings.open_charter()
    disclosures = load_disclosures(tax.settings, charter, bureau)
    store = LevelDbStore.open(tax.settings.database)
    try:
        kept = [key for key, _ in store.range(keyspace.DATA_KEY, b"l")]
        for key in kept[:200]:
            sealed = store.get(key)
            assert sealed is not None
            secrets.append(disclosures._unwrapped(sealed, disclosures._place + key[1:]))
    finally:
        store.close()
    assert len(kept) > MANY
    for member in cluster:
        for name, data in files_of(member.home).items():
            assert not [secret for secret in secrets if secret in data], f"{member.id}: {name}"


@pytest.mark.parametrize("crash", [False, True], ids=["running", "killed"])
def test_what_was_erased_is_in_no_file(cluster: LocalCluster, tmp_path: Path, crash: bool) -> None:
    """Neither the sealed value nor its sealed key, which both were before; also where the node was killed at once. No
    other node had them at any time.
    """
    tax = cluster[TAX]
    kept, gone = looked_up(tax, "to be kept"), looked_up(tax, "to be erased")
    if crash:  # one disclosure in tables, the other in the log
        tax.stop()
        tax.start()
        gone = looked_up(tax, "to be erased")
    erased = sealed_at(tax, tmp_path / "before", gone.index)
    other = sealed_at(tax, tmp_path / "other", kept.index)
    for record in (*erased, *other):
        assert record is not None
        assert files_with(tax.home, record)
        assert not [other.id for other in cluster if other is not tax and files_with(other.home, record)]
    tax.sdk.erase(entry=gone.ref, field_path=FIELD, reason="the case is closed")
    if crash:
        tax.kill()
        tax.start()
    until(lambda: not files_with(tax.home, *filter(None, erased)))
    assert sealed_at(tax, tmp_path / "after", gone.index) == (None, None)
    assert sealed_at(tax, tmp_path / "still", kept.index) == other
    for record in other:
        assert files_with(tax.home, record or b"?")
    with Ledgers.open(cluster.auditor_profile) as ledgers:
        assert ledgers.show(gone.ref).reference == gone.reference
    cluster.stop()
    assert not files_with(tax.home, *filter(None, erased))
