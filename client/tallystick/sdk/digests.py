"""Digests of files: BLAKE3, memory-mapped and on all cores. The data is read here and goes nowhere."""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from blake3 import blake3

from tallystick.core.commitment import salted_digest
from tallystick.core.errors import ConfigInvalid
from tallystick.core.identifiers import format_version_ref

# Called with how many bytes are done, and of how many.
Progress = Callable[[int, int], None]

_CHUNK_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileDigest:
    """BLAKE3-256 of a file's bytes, and how many there are."""

    blake3: bytes
    size: int


@contextmanager
def _regular(path: Path) -> Iterator[BinaryIO]:
    """A file, opened. Raises ConfigInvalid, also where reading it fails later."""
    try:
        # A pipe or a device has no length, and would read as an empty file, or keep us waiting.
        if not stat.S_ISREG(path.stat().st_mode):
            raise ValueError("it is not a file")
        with path.open("rb") as file:
            yield file
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigInvalid(f"the file cannot be read: {why}", where=str(path), expected="a regular file") from None


def size_of(path: Path) -> int:
    """How many bytes a file has that can be read. Raises ConfigInvalid."""
    with _regular(path) as file:
        return os.fstat(file.fileno()).st_size


def digest_file(path: Path, progress: Progress | None = None) -> FileDigest:
    """The digest of a file. Raises ConfigInvalid where it cannot be read, or changes its length meanwhile."""
    hasher = blake3(max_threads=blake3.AUTO)
    with _regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as view:
                for start in range(0, size, _CHUNK_BYTES):
                    hasher.update(view[start : start + _CHUNK_BYTES])
                    if progress is not None:
                        progress(min(start + _CHUNK_BYTES, size), size)
        after = os.fstat(file.fileno()).st_size
    if after != size:
        raise ConfigInvalid(
            f"it went from {size} to {after} bytes while it was read", where=str(path), expected="a file at rest"
        )
    return FileDigest(hasher.digest(), size)


def versioned(
    bureau: str, code: str, version: str | None, digest: bytes, salt: bytes | None
) -> tuple[str, bytes, bytes | None]:
    """A version's reference, the digest to record, and the salt it was made with.

    Without a name the version is called by its digest's first twelve digits. A salted digest depends on the version's
    name, so there the name comes from the digest salted for the code alone; the plain digest is never shown.
    """
    if salt is None:
        return format_version_ref(code, version or digest.hex()[:12]), digest, None
    name = version or salted_digest(salt, bureau, code, "", digest).hex()[:12]
    return format_version_ref(code, name), salted_digest(salt, bureau, code, name, digest), salt
