"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from errno import EINVAL, ENOTDIR
from pathlib import Path

from tallystick.core.errors import ConfigInvalid, Usage


def read_some(path: Path, bytes_max: int, expected: str) -> bytes:
    """The bytes of a file, or one more than it may have; `expected` says what it should be. Raises ConfigInvalid."""
    try:
        with path.open("rb") as file:
            return file.read(bytes_max + 1)
    except OSError as error:
        raise ConfigInvalid(f"cannot be read: {error.strerror}", where=str(path), expected=expected) from None


def write_whole(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file so that it is there whole or not at all, and durable when this returns; in a folder of its owner's
    alone, where it is to be the owner's alone and there is none yet. Raises ConfigInvalid.
    """
    try:
        if mode & 0o077:
            path.parent.mkdir(parents=True, exist_ok=True)
        else:
            make_folder(path.parent)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, mode)
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                Path(temporary).unlink()
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise ConfigInvalid(f"cannot be written: {error.strerror}", where=str(path)) from None


def check_new(path: Path, *, force: bool | None = None) -> None:
    """The rule of every `-o FILE`: folders on the way are made, and a file that is there is not replaced without
    `force`, which is None where the command has no such option. Raises Usage.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:  # a file among its folders, or a name that is too long
        raise Usage(f"cannot be written: {error.strerror}", where=str(path), expected="a file's name") from None
    if not path.is_file():
        raise Usage("it is there and is no file", where=str(path), expected="a file's name")
    if not force:
        other = "another name" if force is None else "another name, or --force"
        raise Usage("there is a file already", where=str(path), expected=other)


def sync_folder(folder: Path) -> None:
    """Make durable which files a folder has, by which names, where it and its file system let that be asked for. Raises
    OSError.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:  # one in which files may be put, and not looked for
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != EINVAL:  # as some shared folders say
            raise
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """A folder of mode 0700, and those above it that are not there. Raises OSError."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR), str(folder)) from error
