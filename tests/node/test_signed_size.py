"""The noted size and root: what was noted last is remembered, and damage is never a smaller size."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import DiskFull, StorageFailed, StoreDamaged
from tallystick.core.merkle import EMPTY_ROOT
from tallystick_node.signed_size import SignedSize

ORIGIN = "example.org/market"


def root(number: int) -> bytes:
    return bytes([number % 256]) * 32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that notes sizes 1 to 4 in turn."""
    noted = SignedSize.create(tmp_path / "signed-size", ORIGIN)
    for size in range(1, 5):
        noted.note(size, root(size))
    noted.close()
    return tmp_path / "signed-size"


def reopened(path: Path) -> tuple[int, bytes]:
    noted = SignedSize.open(path, ORIGIN)
    try:
        return noted.value
    finally:
        noted.close()


def test_a_new_file_notes_an_empty_ledger(tmp_path: Path) -> None:
    """Size 0 and the empty tree's root, also after reopening; a second creation is refused."""
    noted = SignedSize.create(tmp_path / "signed-size", ORIGIN)
    assert noted.value == (0, EMPTY_ROOT)
    noted.close()
    assert reopened(tmp_path / "signed-size") == (0, EMPTY_ROOT)
    with pytest.raises(StorageFailed, match="already"):
        SignedSize.create(tmp_path / "signed-size", ORIGIN)
    with pytest.raises(StorageFailed):
        SignedSize.create(tmp_path / "missing" / "signed-size", ORIGIN)


def test_the_last_note_is_remembered(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever ascending sizes are noted, with reopening anywhere between, the last one is read."""

    @given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=12))
    def check(steps: list[tuple[int, bool]]) -> None:
        path = tmp_path_factory.mktemp("noted") / "signed-size"
        noted = SignedSize.create(path, ORIGIN)
        expected = (0, EMPTY_ROOT)
        for growth, reopen in steps:
            if growth:
                expected = (expected[0] + growth, root(expected[0] + growth))
            noted.note(*expected)
            if reopen:
                noted.close()
                noted = SignedSize.open(path, ORIGIN)
            assert noted.value == expected
        noted.close()
        assert reopened(path) == expected

    check()


def test_nothing_is_noted_backwards(path: Path) -> None:
    """A smaller size, or another root at the same size, is our bug and changes nothing."""
    noted = SignedSize.open(path, ORIGIN)
    for size, other in ((3, root(3)), (4, root(9)), (0, EMPTY_ROOT)):
        with pytest.raises(RuntimeError):
            noted.note(size, other)
    noted.note(4, root(4))
    noted.close()
    assert reopened(path) == (4, root(4))


def test_any_altered_byte_leaves_the_last_note_or_the_one_before_or_is_refused(path: Path) -> None:
    """Both slots hold; a byte of one altered leaves the other, and foreign bytes between them are refused."""
    original = path.read_bytes()
    outcomes: set[int | None] = set()
    for position in [*range(200), 2_000, 4_095, *range(4_096, len(original))]:
        data = bytearray(original)
        data[position] ^= 0x40
        path.write_bytes(data)
        try:
            outcomes.add(reopened(path)[0])
        except StoreDamaged:
            outcomes.add(None)
    assert outcomes == {4, 3, None}


def test_a_torn_write_leaves_the_note_before(path: Path) -> None:
    """However much of the newest slot reached the disk, the note before stands, and noting goes on from it."""
    after = path.read_bytes()
    older = SignedSize.open(path, ORIGIN)
    older.note(5, root(5))
    older.close()
    whole = path.read_bytes()
    changed = [position for position in range(len(after)) if after[position] != whole[position]]
    for torn in range(changed[0] + 1, changed[-1] + 1, 7):
        path.write_bytes(whole[:torn] + after[torn:])
        assert reopened(path) == (4, root(4))
        noted = SignedSize.open(path, ORIGIN)
        noted.note(6, root(6))
        noted.close()
        assert reopened(path) == (6, root(6))


def test_every_truncation_leaves_an_earlier_note_or_is_refused(path: Path) -> None:
    """A file cut short never reads as anything that was not noted; without a whole slot it is refused."""
    original = path.read_bytes()
    named: list[bool] = []
    for length in [*range(130), 4_000, *range(4_096, len(original))]:
        path.write_bytes(original[:length])
        try:
            assert reopened(path) in ((3, root(3)), (4, root(4)))
        except StoreDamaged as error:
            named.append(str(path) in str(error))
    assert named
    assert all(named)
    path.write_bytes(original + b"\x01")
    with pytest.raises(StoreDamaged):
        reopened(path)


def test_slots_of_different_times_are_refused(path: Path) -> None:
    """A slot put back from an old copy beside a newer one does not pass, nor slots that changed places."""
    old = path.read_bytes()
    noted = SignedSize.open(path, ORIGIN)
    for size in range(5, 8):
        noted.note(size, root(size))
    noted.close()
    new = path.read_bytes()
    for mixed in (old[:4096] + new[4096:], new[:4096] + old[4096:], new[4096:] + bytes(3984) + new[:112]):
        path.write_bytes(mixed)
        with pytest.raises(StoreDamaged):
            reopened(path)


def test_a_missing_file_and_another_ledgers_are_refused_with_their_meaning(path: Path, tmp_path: Path) -> None:
    """The refusal says what the absence means; another origin's file is no note at all."""
    with pytest.raises(StoreDamaged, match="memory of what was signed"):
        SignedSize.open(tmp_path / "nothing", ORIGIN)
    with pytest.raises(StoreDamaged, match="another ledger"):
        SignedSize.open(path, "example.org/taxation")


@pytest.mark.parametrize(("number", "expected"), [(errno.ENOSPC, DiskFull), (errno.EIO, StorageFailed)])
def test_a_failing_disk_is_reported_and_the_note_before_stands(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int, expected: type[StorageFailed]
) -> None:
    """When the sync fails the value is as before, and the same note can be made once the disk is well."""
    noted = SignedSize.open(path, ORIGIN)

    def failing(file: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as faulty:
        faulty.setattr(os, "fdatasync", failing)
        with pytest.raises(expected) as caught:
            noted.note(5, root(5))
        assert type(caught.value) is expected
    assert noted.value == (4, root(4))
    noted.note(5, root(5))
    noted.close()
    assert reopened(path) == (5, root(5))
    with pytest.raises(StorageFailed, match="closed"):
        noted.note(6, root(6))
