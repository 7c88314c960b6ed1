"""The stores: the same promises in memory and on disk, damage is met, and closing is safe."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice, product
from pathlib import Path
from threading import Barrier, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import DirectoryHeld, DiskFull, StorageFailed, StoreDamaged
from tallystick_node.store.leveldb import LevelDbStore
from tallystick_node.store.memory import MemoryStore
from tallystick_node.store.store import Batch, Store
from tests.harness.changes import CHANGES, KEYS, batch_of
from tests.harness.faulty_store import Fault, FaultyStore, disk_full


@pytest.fixture(params=["memory", "leveldb"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Makes fresh stores of one kind."""
    made: list[Store] = []

    def make() -> Store:
        made.append(MemoryStore() if request.param == "memory" else LevelDbStore.create(tmp_path / str(len(made))))
        return made[-1]

    yield make
    for store in made:
        store.close()


def test_a_store_is_a_sorted_map(new_store: Callable[[], Store]) -> None:
    """After any batches, get and range answer as a dict with sorted keys does."""

    @given(st.lists(CHANGES, max_size=4), KEYS, KEYS | st.none())
    def check(batches: list[list[tuple[bytes, bytes | None]]], start: bytes, stop: bytes | None) -> None:
        store, model = new_store(), dict[bytes, bytes]()
        for changes in map(dict, batches):
            store.write(batch_of(changes))
            model.update({key: value for key, value in changes.items() if value is not None})
            for key in [key for key, value in changes.items() if value is None]:
                model.pop(key, None)
        expected = sorted((k, v) for k, v in model.items() if start <= k and (stop is None or k < stop))
        assert list(store.range(start, stop)) == expected
        assert list(store.range(start, stop, reverse=True)) == expected[::-1]
        assert all(store.get(key) == model.get(key) for key in [start, *model])
        store.close()

    check()


def test_a_range_longer_than_any_page_is_whole(new_store: Callable[[], Store]) -> None:
    """Items come once each and in order across pages, bounded by number or by bytes, in both directions."""
    store = new_store()
    items = [(b"%06d" % number, b"v" * (300_000 if number % 1000 < 9 else 3)) for number in range(3_000)]
    store.write(batch_of(dict(items)))
    assert list(store.range(b"", None)) == items
    assert list(store.range(b"000010", b"002990", reverse=True)) == items[10:2990][::-1]


def test_a_snapshot_sees_what_stood_when_it_was_taken(new_store: Callable[[], Store]) -> None:
    """Whatever is changed, added or removed meanwhile, and however far it was read, it is of that time."""
    store = new_store()
    items = {b"%05d" % number: b"old" for number in range(1_200)}
    store.write(batch_of(dict(items)))
    whole, part = store.snapshot(), store.snapshot(b"00100", b"01100")
    seen = list(islice(whole, 600))
    store.write(batch_of({key: b"new" if key[-1] % 2 else None for key in items} | {b"00000x": b"more"}))
    assert seen + list(whole) == list(items.items())
    assert list(part) == list(items.items())[100:1100]
    assert len(list(store.snapshot())) == 601


def test_a_staged_batch_is_written_by_its_call_only(new_store: Callable[[], Store]) -> None:
    """Handing over changes nothing; the call does."""
    store = new_store()
    write = store.stage(batch_of({b"a": b"1"}))
    assert store.get(b"a") is None
    write()
    assert store.get(b"a") == b"1"


def test_a_closed_store_refuses_every_call(new_store: Callable[[], Store]) -> None:
    """After close, reads, ranges under way, staged batches and writes raise StorageFailed; closing again is fine."""
    store = new_store()
    store.write(batch_of({b"%03d" % number: b"" for number in range(100)}))
    staged = store.stage(batch_of({b"b": b"2"}))
    under_way = store.range(b"", None)
    next(under_way)
    taken = store.snapshot()
    assert next(taken)[0] == b"000"
    store.close()
    store.close()
    calls: list[Callable[[], object]] = [
        lambda: store.get(b"a"),
        lambda: list(store.range(b"", None)),
        lambda: list(under_way),
        lambda: list(taken),
        store.snapshot().__next__ if isinstance(store, MemoryStore) else store.snapshot,
        staged,
        lambda: store.write(Batch()),
    ]
    for call in calls:
        with pytest.raises(StorageFailed, match="closed"):
            call()


def test_closing_under_users_is_safe_and_waits_for_nobody_who_left(tmp_path: Path) -> None:
    """Readers and writers in threads meet a StorageFailed, never a crash; a range left half-way holds nobody up."""
    for attempt in range(5):
        store = LevelDbStore.create(tmp_path / str(attempt))
        store.write(batch_of({b"%06d" % number: b"v" * 50 for number in range(5_000)}))
        left = store.range(b"", None)
        next(left)
        ready = Barrier(7)
        ended: list[str] = []

        def use(work: Callable[[], object], ready: Barrier = ready, ended: list[str] = ended) -> None:
            ready.wait()
            try:
                while True:
                    work()
            except StorageFailed as error:
                ended.append(error.what)

        def read(store: Store = store) -> None:
            list(islice(store.range(b"", None), 2_000))
            store.get(b"000100")

        works = [read] * 4 + [lambda store=store: store.write(batch_of({b"x": b"y"}))] * 2
        threads = [Thread(target=use, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        ready.wait()
        store.close()
        for thread in threads:
            thread.join()
        assert ended == ["the database is closed"] * 6


def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    """A written batch is durable, and deletes are too."""
    store = LevelDbStore.create(tmp_path / "db")
    store.write(batch_of({b"a": b"1", b"b": b"2"}))
    store.write(batch_of({b"a": None}))
    store.close()
    again = LevelDbStore.open(tmp_path / "db")
    assert list(again.range(b"", None)) == [(b"b", b"2")]
    again.close()


def test_a_database_is_made_by_create_alone_and_once(tmp_path: Path) -> None:
    """Open makes nothing, not even a file; create refuses a directory that holds a database."""
    (tmp_path / "empty").mkdir()
    for name in ("missing", "empty"):
        with pytest.raises(StoreDamaged, match=r"no database here.*tallyd init"):
            LevelDbStore.open(tmp_path / name)
    assert [path.name for path in tmp_path.rglob("*")] == ["empty"]
    LevelDbStore.create(tmp_path / "db").close()
    with pytest.raises(StorageFailed, match="already"):
        LevelDbStore.create(tmp_path / "db")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageFailed, match="cannot be made"):
        LevelDbStore.create(tmp_path / "file" / "db")


def test_a_directory_held_by_another_process_is_refused_by_name(tmp_path: Path) -> None:
    """The lock of a living process is respected, whoever asks, and the directory is named."""
    held = tmp_path / "db"
    LevelDbStore.create(held).close()
    code = "import plyvel, sys; db = plyvel.DB(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(held)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(DirectoryHeld) as caught:
            LevelDbStore.open(held)
        assert str(held) in str(caught.value)
        holder.communicate()
    store = LevelDbStore.open(held)
    with pytest.raises(DirectoryHeld):
        LevelDbStore.open(held)
    store.close()


def test_a_missing_library_is_one_clear_sentence() -> None:
    """Without plyvel the module imports, and create and open say what to install."""
    code = """
import sys
from pathlib import Path
sys.modules["plyvel"] = None
from tallystick.core.errors import StorageFailed
from tallystick_node.store.leveldb import LevelDbStore
for call in (LevelDbStore.create, LevelDbStore.open):
    try:
        call(Path("nowhere"))
    except StorageFailed as error:
        print(error)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert all("pip install plyvel" in line and "libleveldb-dev" in line for line in lines)


RECORDS = {b"%05d" % number: bytes([number % 251]) * 200 for number in range(2_000)}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with tables, from earlier sessions, and a log."""
    path = tmp_path_factory.mktemp("written") / "db"
    store = LevelDbStore.create(path)
    keys = sorted(RECORDS)
    for part in range(4):
        store.write(batch_of({key: RECORDS[key] for key in keys[part * 500 : part * 500 + 500]}))
        if part < 3:
            store.close()
            store = LevelDbStore.open(path)
    store.close()
    return path


def found_or_refused(path: Path) -> dict[bytes, bytes] | None:
    """All that the database at `path` gives; None where it is refused at opening or at reading, with a domain error."""
    try:
        store = LevelDbStore.open(path)
    except StorageFailed:
        return None
    try:
        return dict(store.range(b"", None))
    except StoreDamaged:
        return None
    finally:
        store.close()


def test_a_flipped_bit_in_any_file_is_never_believed(written: Path, tmp_path: Path) -> None:
    """Whatever byte of a table or log is altered, reading refuses or gives exactly what was written."""
    files = [path.name for path in written.iterdir() if path.suffix in (".ldb", ".log") and path.stat().st_size]
    assert {Path(name).suffix for name in files} == {".ldb", ".log"}
    refused = 0
    for name in files:
        size = (written / name).stat().st_size
        for position in {0, 3, 6, size // 3, size // 2, size - 60, size - 30, size - 9, size - 1}:
            copy = shutil.copytree(written, tmp_path / f"{name}-{position}")
            data = bytearray((copy / name).read_bytes())
            data[position] ^= 0x10
            (copy / name).write_bytes(data)
            found = found_or_refused(copy)
            refused += found is None
            assert found in (None, RECORDS), f"{name} at {position}"
    assert refused


def test_a_flipped_bit_in_a_table_is_met_from_every_side(written: Path, tmp_path: Path) -> None:
    """A damaged block is refused by get, and by every range, either way, that has to give a key of it."""
    keys = sorted(RECORDS)
    tables = sorted(path.name for path in written.iterdir() if path.suffix == ".ldb")
    for table, share in product((tables[0], tables[-1]), (0.01, 0.5, 0.9)):
        copy = shutil.copytree(written, tmp_path / f"{table}-{share}")
        data = bytearray((copy / table).read_bytes())
        data[int(len(data) * share)] ^= 1
        (copy / table).write_bytes(data)
        store = LevelDbStore.open(copy)
        inside = [key for key in keys if is_refused(store, key)]
        assert 0 < len(inside) < 100
        before, after = keys[: keys.index(inside[0])][-3:], keys[keys.index(inside[-1]) + 1 :][:3]
        bounds = [b"", *before, *inside[:2], inside[len(inside) // 2], inside[-1], inside[-1] + b"\x00", *after]
        for start, stop, step in product(bounds, [*bounds, None], (1, -1)):
            expected = [key for key in keys if start <= key and (stop is None or key < stop)]
            try:
                found = [key for key, _ in store.range(start, stop, reverse=step < 0)]
            except StoreDamaged:
                continue
            assert found == expected[::step], (table, share, start, stop, step)
        store.close()


def is_refused(store: Store, key: bytes) -> bool:
    try:
        return store.get(key) is None
    except StoreDamaged:
        return True


def test_truncated_and_deleted_files_lose_nothing_silently_but_the_logs_tail(written: Path, tmp_path: Path) -> None:
    """Without a table, its half, or a bookkeeping file nothing is read; a cut log is an earlier state and no other."""
    for path in sorted(written.iterdir()):
        if path.name in ("LOCK", "LOG", "LOG.old"):
            continue
        size = path.stat().st_size
        for cut in (None, 0, size // 2, size - 1):
            copy = shutil.copytree(written, tmp_path / f"{path.name}-{cut}")
            if cut is None:
                (copy / path.name).unlink()
            else:
                os.truncate(copy / path.name, cut)
            found = found_or_refused(copy)
            if path.suffix == ".log":
                earlier = [dict(list(RECORDS.items())[:end]) for end in (1_500, 2_000)]
                assert found is None or found in earlier, f"{path.name} cut at {cut}"
            else:
                assert found is None, f"{path.name} cut at {cut}"


@contextmanager
def no_room(path: Path, more: int) -> Iterator[None]:
    """Files may grow so much beyond the database's log and then no more, so that a write fails in its middle."""
    (log,) = path.glob("*.log")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + more, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("more", [0, 5, 3_000])
def test_what_is_written_after_a_write_that_failed_is_there_after_reopening(tmp_path: Path, more: int) -> None:
    """Whoever wrote what failed: half a record in the log does not cost what others were told is durable."""
    store = LevelDbStore.create(tmp_path / "db")
    store.write(Batch([(b"before", bytes(1_000))]))
    staged = store.stage(Batch([(b"staged", b"1")]))
    seen = store.snapshot()
    with no_room(store.path, more):
        for _ in range(2):
            with pytest.raises(StorageFailed):
                store.write(Batch([(b"a copy's", bytes(20_000))]))
    staged()
    for number in range(5):
        store.write(Batch([(b"%d" % number, bytes(3_000))]))
    assert store.get(b"before") == bytes(1_000)
    with pytest.raises(StorageFailed):
        list(seen)
    found = dict(store.range(b"", None))
    store.close()
    again = LevelDbStore.open(tmp_path / "db")
    assert dict(again.range(b"", None)) == found
    assert {b"before", b"staged", *(b"%d" % number for number in range(5))} <= found.keys()
    again.close()


def test_a_database_that_could_not_be_opened_anew_is_tried_again_by_who_reads(tmp_path: Path) -> None:
    """As long as there is no room for that, and no longer: reading does not wait for somebody to write."""
    store = LevelDbStore.create(tmp_path / "db")
    store.write(Batch([(b"before", bytes(1_000))]))
    with no_room(store.path, 5):
        with pytest.raises(StorageFailed):
            store.write(Batch([(b"more", bytes(20_000))]))
        current = store.path / "CURRENT"
        current.rename(tmp_path / "aside")
        for _ in range(2):
            with pytest.raises(StorageFailed):
                store.write(Batch([(b"more", b"1")]))
        with pytest.raises(StorageFailed):
            store.get(b"before")
        (tmp_path / "aside").rename(current)
    assert store.get(b"before") == bytes(1_000)
    store.write(Batch([(b"more", b"1")]))
    store.close()
    with pytest.raises(StorageFailed):
        store.write(Batch([(b"more", b"2")]))
    again = LevelDbStore.open(tmp_path / "db")
    assert dict(again.range(b"", None)) == {b"before": bytes(1_000), b"more": b"1"}
    again.close()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_faulty_store_fails_where_the_plan_says(when: str) -> None:
    """A planned write or read fails, before anything happened or after all did; the others pass."""
    plan = [
        Fault("write", 1, "before" if when == "before" else "after"),
        Fault("read", 1, "before" if when == "before" else "after"),
    ]
    inner = MemoryStore()
    store = FaultyStore(inner, plan)
    store.write(batch_of({b"a": b"1"}))
    with pytest.raises(StorageFailed, match="write 1"):
        store.write(batch_of({b"b": b"2"}))
    assert (inner.get(b"b") is None) == (when == "before")
    assert store.get(b"a") == b"1"
    seen: list[tuple[bytes, bytes]] = []
    with pytest.raises(StorageFailed, match="read 1"):
        seen.extend(store.range(b"", None))
    assert store.get(b"a") == b"1"
    full = FaultyStore(inner, [disk_full(0)])
    with pytest.raises(DiskFull):
        full.write(batch_of({b"c": b"3"}))
    assert inner.get(b"c") is None
