"""What a witness holds is checked like its own: every alteration of a copy, or of what was cosigned, is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tallystick_node import doctor, keyspace
from tallystick_node.copies import COSIGNING, open_copy
from tallystick_node.signed_size import SignedSize
from tallystick_node.store.memory import MemoryStore
from tallystick_node.store.store import Batch, Store
from tallystick_node.store.subspace import Subspace
from tallystick_proto.v1.storage_pb2 import Cosigning, Segment
from tests.harness.home import Home
from tests.harness.lying_node import LyingNode
from tests.harness.office import Office
from tests.harness.witnesses import Witness, gathered, record, witnessed_home


class Disk:
    """The database of a bureau with a ledger of its own and a copy of another's."""

    def __init__(self, store: MemoryStore, own: Home, ledger: Office) -> None:
        self.store = store
        self._own = own
        self._ledger = ledger

    @property
    def copy(self) -> Store:
        """The copy's own part."""
        return Subspace(self.store, keyspace.copy(self._ledger.origin))

    def check(self) -> doctor.Report:
        signed = SignedSize.open(self._own.noted, self._own.office.origin)
        try:
            return doctor.check(self.store, signed, self._own.office.bureau, [self._ledger.bureau])
        finally:
            signed.close()


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    """A founded ledger's database, and in it a copy of three hundred entries and more, which was cosigned."""
    home, offices = witnessed_home(tmp_path, 2)
    (tmp_path / "own").mkdir()
    own = Home(tmp_path / "own", offices[0])
    with LyingNode(home) as node:
        witnesses = [Witness(office, node) for office in offices]
        witnesses[0].disk = own.disk
        for witness in witnesses:
            witness.start()
        assert gathered(node, record(node, 300).size) is not None
        for witness in witnesses:
            witness.stop()
    return Disk(witnesses[0].disk.reopened(), own, home.office)


def test_a_sound_copy_is_counted(disk: Disk) -> None:
    """Nothing differs, and the report says how many entries are held of others."""
    report = disk.check()
    assert report.clean, report.differences
    assert (report.size, report.copied) == (3, 303)


def _put(store: Store, key: bytes, value: bytes) -> None:
    batch = Batch()
    batch.put(key, value)
    store.write(batch)


def _flip_entry(disk: Disk) -> None:
    key, value = next(disk.copy.range(keyspace.SEGMENT, None))
    segment = Segment.FromString(value)
    segment.entry[1] = segment.entry[1][:-1] + bytes([segment.entry[1][-1] ^ 1])
    _put(disk.copy, key, segment.SerializeToString())


def _flip_tile(disk: Disk) -> None:
    key, value = next(disk.copy.range(keyspace.TILE, None))
    _put(disk.copy, key, bytes([value[0] ^ 1]) + value[1:])


def _drop_state(disk: Disk) -> None:
    batch = Batch()
    batch.delete(keyspace.STATE)
    disk.copy.write(batch)


def _drop_posting(disk: Disk) -> None:
    key, _ = next(disk.copy.range(b"p", None))
    batch = Batch()
    batch.delete(key)
    disk.copy.write(batch)


def _other_record(**changes: bytes) -> Callable[[Disk], None]:
    def change(disk: Disk) -> None:
        record = Cosigning.FromString(disk.copy.get(COSIGNING) or b"")
        for name, value in changes.items():
            setattr(record, name, value)
        _put(disk.copy, COSIGNING, record.SerializeToString())

    return change


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (_flip_entry, "copy of pudong.example/market#1"),
        (_flip_tile, "tile 0/0"),
        (_drop_state, "copy of"),
        (_drop_posting, "copy of index"),
        (_other_record(note=b"junk"), "cosigning record"),
        (_other_record(note=Office().note(9, b"\1" * 32)), "cosigning record of pudong.example/market: expected root"),
        (_other_record(note=Office().note(999, b"\1" * 32)), "cosigning record"),
        (lambda disk: _put(disk.copy, COSIGNING, b"\x10\x80\x00"), "cosigning record"),
        (lambda disk: _put(disk.copy, COSIGNING, b"\xff"), "what was cosigned"),
        (lambda disk: _put(disk.copy, b"d stray", b""), "no such key"),
        (lambda disk: _put(disk.copy, COSIGNING + b"market", b""), "no such key"),
        (lambda disk: _put(disk.store, keyspace.copy("pudong.example/nobody") + b"z", b""), "no such key"),
        (lambda disk: _put(disk.store, keyspace.COPY, b""), "no such key"),
        (lambda disk: _put(disk.store, keyspace.cosigned("market"), b"junk"), "cosigned checkpoint under key"),
    ],
)
def test_what_was_altered_in_a_copy_is_named(disk: Disk, damage: Callable[[Disk], None], named: str) -> None:
    """Entries, tiles, state, index, the record of what was cosigned, and keys that nothing explains."""
    damage(disk)
    report = disk.check()
    assert any(named in str(difference) for difference in report.differences), report.differences


def test_a_copy_is_read_as_a_ledger_is(disk: Disk) -> None:
    """It opens as the ledger it is of, at its size and root, whatever else is in the database."""
    copy = open_copy(disk.store, Office().bureau)
    assert copy.state.size == 303
    assert copy.root_at(303) == copy.state.root
    assert [entry.index for entry in copy.decoded_all(0, 303)] == list(range(303))
