"""Files and folders that their owner alone may touch: keys, tokens, what a client keeps.

What others may read is refused and not mended, since whoever could read it may have; and so is a folder in which others
may put a file of theirs in its place. A folder with the sticky bit, such as /tmp, keeps them from that.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from tallystick.core.errors import ConfigInvalid
from tallystick.sdk.files import make_folder, sync_folder

OF_OTHERS: Final = 0o077
_WRITTEN_BY_OTHERS: Final = 0o022


def read_secret(path: Path, what: str, bytes_max: int) -> bytes:
    """A secret's bytes, `bytes_max` at most. Raises ConfigInvalid where it does not read, or others may touch it."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read(bytes_max)
    except OSError as error:
        raise ConfigInvalid(
            f"the {what} cannot be read: {error.strerror}", where=str(path), expected=f"a {what}'s file"
        ) from None
    if mode & OF_OTHERS:
        raise ConfigInvalid(
            f"its mode is {mode:04o}", where=str(path), expected=f"0600: a {what} that others may touch is no secret"
        )
    for folder in dict.fromkeys((path.parent, path.resolve().parent)):  # of the link, and of what it leads to
        check_folder(folder)
    return data


def write_new_secret(path: Path, what: str, data: bytes) -> None:
    """A secret in a new file of mode 0600, whole and durable, or none. Raises ConfigInvalid where the file exists or
    cannot be made.
    """
    try:
        make_folder(path.parent)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            sync_folder(path.parent)
        except BaseException:
            with suppress(OSError):
                path.unlink()
            raise
    except FileExistsError:
        raise ConfigInvalid(f"there is a {what} already", where=str(path), expected="a path without one") from None
    except OSError as error:
        raise ConfigInvalid(f"the {what} cannot be written: {error.strerror}", where=str(path)) from None


def check_folder(folder: Path, others: int = _WRITTEN_BY_OTHERS) -> None:
    """Refuses a folder that others may use as `others` says, by default to write in it; one that is not there is as
    good as any. Raises ConfigInvalid.
    """
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError:
        return
    if mode & stat.S_ISVTX:  # which keeps nobody from reading
        others &= ~_WRITTEN_BY_OTHERS
    if mode & others:
        raise ConfigInvalid(
            f"the folder's mode is {mode:04o}", where=str(folder), expected="0700: what is in it is its owner's alone"
        )
