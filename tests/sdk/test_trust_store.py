"""What a client was shown before: kept on disk, replaced whole, and contradictions kept beside it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from tallystick.core.bureau import Floor, Retired
from tallystick.core.checkpoint import Checkpoint, sign_checkpoint
from tallystick.core.equivocation import make_equivocation
from tallystick.core.errors import ConfigInvalid, Forked
from tallystick.core.keys import SigningKey
from tallystick.core.note import VerifierKey, encode_base64
from tallystick.sdk.contradictions import refuse_proven
from tallystick.sdk.trust_store import TrustStore
from tests.harness.ledger_maker import LedgerMaker, key_of

ORIGIN, OTHER = "pudong.example/market", "pudong.example/taxation"
KEY = key_of("the ledger's")
BUREAU = replace(LedgerMaker().bureau, origin=ORIGIN, ledger_key=VerifierKey.of(ORIGIN, KEY.public).format())
FLOOR = Floor(2, encode_base64(b"\1" * 32))


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


def evidence(keys: SigningKey, size: int = 2, origin: str = ORIGIN) -> bytes:
    """Two checkpoints of a ledger that a key signed."""
    one, other = (sign_checkpoint(Checkpoint(origin, size, bytes([number]) * 32), keys) for number in (1, 2))
    return make_equivocation(one, other, VerifierKey.of(origin, keys.public))


def test_the_first_evidence_against_a_key_is_kept(tmp_path: Path) -> None:
    """One piece a key, in a file of its owner's alone; another ledger's is another file, and no trusted note."""
    store = TrustStore(tmp_path / "trust")
    assert store.evidence(BUREAU) == []
    path = store.keep_evidence(BUREAU, evidence(KEY))
    assert store.keep_evidence(BUREAU, evidence(KEY, 3)) == path
    other = replace(BUREAU, origin=OTHER, ledger_key=VerifierKey.of(OTHER, KEY.public).format())
    assert store.keep_evidence(other, evidence(KEY, origin=OTHER)) != path
    assert store.evidence(BUREAU) == [(path, evidence(KEY))]
    assert store.load(ORIGIN) is None
    assert path.stat().st_mode & 0o077 == store.folder.stat().st_mode & 0o077 == 0
    path.unlink()
    assert store.evidence(BUREAU) == []


def test_evidence_against_a_key_that_was_given_up_is_in_no_ones_way(tmp_path: Path) -> None:
    """What the next key signs is kept too, and comes first; so does what stands where no evidence reads."""
    store, given_up = TrustStore(tmp_path / "trust"), key_of("given up")
    old = store.keep_evidence(BUREAU, evidence(given_up))
    recovered = replace(BUREAU, floor=FLOOR, retired=(Retired(VerifierKey.of(ORIGIN, given_up.public).format(), 2),))
    present = store.keep_evidence(recovered, evidence(KEY))
    assert store.keep_evidence(recovered, evidence(KEY, 3)) == present
    assert store.evidence(recovered) == [(present, evidence(KEY)), (old, evidence(given_up))]
    with pytest.raises(Forked, match="2 entries"):
        refuse_proven(store, recovered)
    old.write_bytes(b"junk")
    assert store.evidence(recovered) == [(present, evidence(KEY)), (old, b"junk")]


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """A file where the folder should be, or a folder where the note should be, is ConfigInvalid with its path."""
    (tmp_path / "file").write_bytes(b"")
    store = TrustStore(tmp_path / "file" / "trust")
    with pytest.raises(ConfigInvalid, match="file"), store.replacing(ORIGIN):
        pass
    with pytest.raises(ConfigInvalid, match="file"):
        store.keep_conflict(ORIGIN, None, b"shown")
    with pytest.raises(ConfigInvalid, match="file"):
        store.keep_evidence(BUREAU, evidence(KEY))
    with pytest.raises(ConfigInvalid, match="file"):
        store.load(ORIGIN)
    (tmp_path / "trust" / "pudong.example%2Fmarket.note").mkdir(parents=True)
    store = TrustStore(tmp_path / "trust")
    with pytest.raises(ConfigInvalid, match="market"):
        store.load(ORIGIN)
    with pytest.raises(ConfigInvalid, match="market"):
        store.save(ORIGIN, b"note")
