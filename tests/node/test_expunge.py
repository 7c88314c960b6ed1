"""What is expunged from a database is in none of its files, however it came there."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random
from threading import Thread

import pytest

from tallystick.core.errors import StorageFailed
from tallystick_node.store import leveldb
from tallystick_node.store.leveldb import LevelDbStore
from tallystick_node.store.store import Batch
from tallystick_node.store.subspace import Subspace

HISTORIES = 40


def files_with(folder: Path, secret: bytes) -> list[str]:
    return [path.name for path in folder.iterdir() if secret in path.read_bytes()]


def put(store: LevelDbStore | Subspace, key: bytes, value: bytes) -> None:
    batch = Batch()
    batch.put(key, value)
    store.write(batch)


def history(folder: Path, random: Random) -> tuple[LevelDbStore, dict[bytes, list[bytes]]]:
    """A database that was written, opened again, and compacted at random; every value that each key ever had."""
    store, had = LevelDbStore.create(folder), dict[bytes, list[bytes]]()
    for _ in range(random.randint(1, 14)):
        step = random.choice(["put", "put", "put", "open", "compact", "beside", "delete"])
        key = b"d%d" % random.randrange(10)
        if step == "put":
            had.setdefault(key, []).append(random.randbytes(40))
            put(store, key, had[key][-1])
        elif step == "open":
            store.close()
            store = LevelDbStore.open(folder)
        elif step == "compact":
            assert store._db is not None
            store._db.compact(random.choice([b"a", key]), random.choice([b"z", key + b"\xff"]))
        elif step == "beside":
            put(store, random.choice([b"a", key + b"x", b"e"]), random.randbytes(1000))
        else:
            store.write(Batch(deletes=[key]))
    return store, had


def test_no_file_has_what_was_expunged_whatever_came_before(tmp_path: Path) -> None:
    """Neither a value that was deleted, nor one that was written over; what lies beside it is what it was."""
    found_before = 0
    for seed in range(HISTORIES):
        random, folder = Random(seed), tmp_path / str(seed)
        store, had = history(folder, random)
        gone = random.sample(sorted(had), min(len(had), random.randint(1, 3)))
        there = {key: value for key, value in store.range(b"", None) if key not in gone}
        found_before += sum(bool(files_with(folder, had[key][-1])) for key in gone)
        store.write(Batch(deletes=list(gone)))
        store.expunge(gone)
        for when in ("at once", "opened again"):
            for key in gone:
                for value in had[key]:
                    assert not files_with(folder, value), f"seed {seed}, {when}: {key.hex()}"
            assert dict(store.range(b"", None)) == there
            store.close()
            store = LevelDbStore.open(folder)
        store.close()
        shutil.rmtree(folder)
    assert found_before > HISTORIES / 2


def test_of_a_part_only_its_own_keys_are_expunged(tmp_path: Path) -> None:
    """Another part has the same key, and keeps it."""
    store = LevelDbStore.create(tmp_path / "db")
    parts = [Subspace(store, prefix) for prefix in (b"a", b"b")]
    for number, part in enumerate(parts):
        put(part, b"key", bytes([number]) * 40)
    parts[0].expunge([b"key"])
    assert not files_with(tmp_path / "db", bytes(40))
    assert (parts[0].get(b"key"), parts[1].get(b"key")) == (None, b"\x01" * 40)
    store.close()


def test_who_reads_an_older_snapshot_is_waited_for(tmp_path: Path) -> None:
    """As long as it reads, or holds it unread; a later one keeps nothing."""
    store = LevelDbStore.create(tmp_path / "db")
    put(store, b"key", b"secret" * 8)
    for begun in (False, True):
        older = store.snapshot()
        if begun:
            next(older)
        store.write(Batch(deletes=[b"key"]))
        expunging = Thread(target=store.expunge, args=([b"key"],))
        expunging.start()
        later = store.snapshot()
        assert files_with(tmp_path / "db", b"secret" * 8)
        del older
        expunging.join(leveldb._SNAPSHOTS_WAIT_S * 20)
        assert not expunging.is_alive()
        assert not files_with(tmp_path / "db", b"secret" * 8)
        assert list(later) == []
        put(store, b"key", b"secret" * 8)
    store.close()


def test_a_snapshot_that_is_never_let_go_of_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever expunges tries again later; it holds nobody up."""
    monkeypatch.setattr(leveldb, "_SNAPSHOTS_WAIT_S", 0.0)
    store = LevelDbStore.create(tmp_path / "db")
    put(store, b"key", b"secret" * 8)
    older = store.snapshot()
    store.write(Batch(deletes=[b"key"]))
    with pytest.raises(StorageFailed, match="still in a snapshot"):
        store.expunge([b"key"])
    assert list(older) == [(b"key", b"secret" * 8)]
    del older
    store.expunge([b"key"])
    assert not files_with(tmp_path / "db", b"secret" * 8)
    store.close()
    with pytest.raises(StorageFailed, match="closed"):
        store.expunge([b"key"])
