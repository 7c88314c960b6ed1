"""What a client was shown before: kept on disk, replaced whole, and contradictions kept beside it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tallystick.core.errors import ConfigInvalid
from tallystick.sdk.trust_store import TrustStore

ORIGIN, OTHER = "pudong.example/market", "pudong.example/taxation"


def test_a_note_is_kept_per_ledger(tmp_path: Path) -> None:
    """What was saved is loaded by any later store on the folder; another ledger's is another file."""
    store = TrustStore(tmp_path / "trust")
    assert store.load(ORIGIN) is None
    assert not store.folder.exists()
    for origin, note in ((ORIGIN, b"one"), (OTHER, b"other"), (ORIGIN, b"two")):
        with store.replacing(origin):
            store.save(origin, note)
    again = TrustStore(tmp_path / "trust")
    assert (again.load(ORIGIN), again.load(OTHER)) == (b"two", b"other")


def test_only_its_owner_may_look_into_the_folder(tmp_path: Path) -> None:
    """Which ledgers somebody reads is nobody else's business."""
    store = TrustStore(tmp_path / "trust")
    with store.replacing(ORIGIN):
        store.save(ORIGIN, b"note")
    assert store.folder.stat().st_mode & 0o077 == 0


def test_replacing_shows_what_another_wrote(tmp_path: Path) -> None:
    """Under the lock the note is read again, so nobody overwrites what he has not seen."""
    mine, theirs = TrustStore(tmp_path), TrustStore(tmp_path)
    with mine.replacing(ORIGIN) as there:
        assert there is None
        mine.save(ORIGIN, b"mine")
    with theirs.replacing(ORIGIN) as there:
        assert there == b"mine"


def test_writers_take_turns(tmp_path: Path) -> None:
    """Many at once, each replacing what it read by one more: none is lost."""

    def work() -> None:
        store = TrustStore(tmp_path)
        for _ in range(50):
            with store.replacing(ORIGIN) as there:
                store.save(ORIGIN, str(int(there or b"0") + 1).encode())

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert TrustStore(tmp_path).load(ORIGIN) == b"300"
    assert {path.suffix for path in tmp_path.iterdir()} == {".note", ".lock"}


def test_the_lock_is_let_go_after_an_error(tmp_path: Path) -> None:
    """An exception under the lock leaves the note as it was, and the lock free."""
    store = TrustStore(tmp_path)

    def fail() -> None:
        with store.replacing(ORIGIN):
            raise KeyError

    for _ in range(3):
        with pytest.raises(KeyError):
            fail()
    assert store.load(ORIGIN) is None


def test_both_sides_of_a_contradiction_are_kept(tmp_path: Path) -> None:
    """The trusted note and the one shown stand side by side; another contradiction does not replace the first."""
    store = TrustStore(tmp_path / "trust")
    first = store.keep_conflict(ORIGIN, b"trusted", b"shown")
    second = store.keep_conflict(ORIGIN, b"trusted", b"shown later")
    alone = store.keep_conflict(ORIGIN, None, b"shown alone")
    assert [path.read_bytes() for path in (first, second, alone)] == [b"shown", b"shown later", b"shown alone"]
    kept = {path.read_bytes() for path in store.folder.iterdir()}
    assert kept == {b"trusted", b"shown", b"shown later", b"shown alone"}
    assert store.load(ORIGIN) is None


def test_the_first_evidence_is_kept(tmp_path: Path) -> None:
    """One piece a ledger, in a file of its owner's alone; another ledger's is another file, and no trusted note."""
    store = TrustStore(tmp_path / "trust")
    assert store.evidence(ORIGIN) is None
    path = store.keep_evidence(ORIGIN, b"first")
    assert store.keep_evidence(ORIGIN, b"second") == path
    assert store.keep_evidence(OTHER, b"other") != path
    assert store.evidence(ORIGIN) == (path, b"first")
    assert store.load(ORIGIN) is None
    assert path.stat().st_mode & 0o077 == store.folder.stat().st_mode & 0o077 == 0
    path.unlink()
    assert store.evidence(ORIGIN) is None


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """A file where the folder should be, or a folder where the note should be, is ConfigInvalid with its path."""
    (tmp_path / "file").write_bytes(b"")
    store = TrustStore(tmp_path / "file" / "trust")
    with pytest.raises(ConfigInvalid, match="file"), store.replacing(ORIGIN):
        pass
    with pytest.raises(ConfigInvalid, match="file"):
        store.keep_conflict(ORIGIN, None, b"shown")
    with pytest.raises(ConfigInvalid, match="file"):
        store.keep_evidence(ORIGIN, b"evidence")
    with pytest.raises(ConfigInvalid, match="file"):
        store.load(ORIGIN)
    (tmp_path / "trust" / "pudong.example%2Fmarket.note").mkdir(parents=True)
    store = TrustStore(tmp_path / "trust")
    with pytest.raises(ConfigInvalid, match="market"):
        store.load(ORIGIN)
    with pytest.raises(ConfigInvalid, match="market"):
        store.save(ORIGIN, b"note")
