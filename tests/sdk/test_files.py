"""Files that are written whole: nothing else is left beside them, and they are there after a power cut."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tallystick.core.errors import ConfigInvalid
from tallystick.sdk.files import write_whole
from tallystick.sdk.secret_file import write_new_secret


@pytest.mark.parametrize("operation", ["fsync", "chmod", "replace"])
def test_what_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
    """What was there still is, and no half of what was to be, which may be a secret, lies beside it."""
    write_whole(tmp_path / "file", b"before", 0o600)

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, operation, fails)
    with pytest.raises(ConfigInvalid, match="cannot be written: No space left"):
        write_whole(tmp_path / "file", b"after", 0o600)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"before")]


def test_a_secret_that_cannot_be_written_leaves_no_half_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a full disk cut short would be taken for a key that is there already, and opens nothing."""

    def fails(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(os, "fsync", fails)
        with pytest.raises(ConfigInvalid, match="cannot be written: No space left"):
            write_new_secret(tmp_path / "key", "key", b"data")
    assert [*tmp_path.iterdir()] == []
    write_new_secret(tmp_path / "key", "key", b"data")


@pytest.mark.parametrize("write", [write_whole, lambda path, data: write_new_secret(path, "key", data)], ids="ws")
def test_what_was_written_has_its_name_after_a_power_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: object
) -> None:
    """The file is synced, then named, then the folder that has the name is synced."""
    synced: list[tuple[str, list[str]]] = []
    fsync = os.fsync

    def noted(handle: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{handle}"))
        synced.append(("folder" if path.is_dir() else "file", [each.name for each in tmp_path.iterdir()]))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    write(tmp_path / "file", b"data")  # type: ignore[operator]
    assert [what for what, _ in synced] == ["file", "folder"]
    assert synced[1][1] == ["file"]


def test_a_folder_that_cannot_be_synced_is_written_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some file systems know no syncing of folders, and some folders may not be read: that is no failure to write."""
    fsync, open_ = os.fsync, os.open

    def unknown(handle: int) -> None:
        if Path(os.readlink(f"/proc/self/fd/{handle}")).is_dir():
            raise OSError(22, "Invalid argument")
        fsync(handle)

    def unreadable(path: str | Path, flags: int, *mode: int) -> int:
        if flags & os.O_DIRECTORY:
            raise PermissionError(13, "Permission denied")
        return open_(path, flags, *mode)

    for name, fault in (("fsync", unknown), ("open", unreadable)):
        with monkeypatch.context() as faulty:
            faulty.setattr(os, name, fault)
            write_whole(tmp_path / name, b"data")
        assert (tmp_path / name).read_bytes() == b"data"
