"""A program that dies at one of its file operations: from there on nothing it does reaches the disk.

Operations are those that change what stands below a folder: a file made, synced, renamed, removed. They are counted
from 0, each once before it happened and once after; `dead` says whether it has come to that.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


class Died(BaseException):
    """The program is gone. No domain error, and caught by nobody."""


class DyingFiles:
    """Dies at the given count; never where that many do not come."""

    def __init__(self, folder: Path, at: int) -> None:
        self.folder = folder
        self.at = at
        self.count = 0

    @property
    def dead(self) -> bool:
        return self.count > self.at

    def around(self, operation: Callable[..., Any], path_of: Callable[..., Path | str]) -> Callable[..., Any]:
        """The operation, before and after which the program may die; `path_of` says of its arguments where it is."""

        def call(*arguments: Any, **named: Any) -> Any:
            if not Path(path_of(*arguments, **named)).is_relative_to(self.folder):
                return operation(*arguments, **named)
            self._step()
            done = operation(*arguments, **named)
            self._step()
            return done

        return call

    def _step(self) -> None:
        self.count += 1
        if self.dead:
            raise Died


@contextmanager
def dying(folder: Path, at: int) -> Iterator[DyingFiles]:
    """Every program of this process, within the block."""
    files = DyingFiles(folder, at)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "mkstemp", files.around(tempfile.mkstemp, lambda dir, **_: dir))
        patch.setattr(os, "fsync", files.around(os.fsync, lambda handle: os.readlink(f"/proc/self/fd/{handle}")))
        patch.setattr(os, "replace", files.around(os.replace, lambda _, there: there))
        patch.setattr(Path, "unlink", files.around(Path.unlink, lambda path, **_: path))
        yield files
