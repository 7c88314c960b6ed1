"""Digests of files: BLAKE3 of the very bytes, whatever their length, and salted ones that name their version."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from blake3 import blake3

from tallystick.core.commitment import salted_digest
from tallystick.core.errors import ConfigInvalid
from tallystick.sdk import digests
from tallystick.sdk.digests import digest_file, versioned


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 1025, 4096, 100_000])
def test_the_digest_is_that_of_the_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Across chunks and at every length, the digest is BLAKE3 of the file; progress goes to the end."""
    monkeypatch.setattr(digests, "_CHUNK_BYTES", 4096)
    data = os.urandom(size)
    (tmp_path / "data").write_bytes(data)
    told: list[tuple[int, int]] = []
    found = digest_file(tmp_path / "data", lambda done, of: told.append((done, of)))
    assert (found.blake3, found.size) == (blake3(data).digest(), size)
    assert told == [(min(start + 4096, size), size) for start in range(0, size, 4096)]


def test_a_file_that_grows_or_shrinks_meanwhile_is_refused(tmp_path: Path) -> None:
    """A file that is not at rest has no digest, and the error says both lengths."""
    path = tmp_path / "data"
    for length, after in ((10, 15), (10_000, 9_990)):
        path.write_bytes(bytes(length))
        with pytest.raises(ConfigInvalid, match=f"from {length} to {after} bytes"):
            digest_file(path, lambda done, of, after=after: os.truncate(path, after))  # type: ignore[misc]


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    """No file, a folder, a pipe or a device has no digest; none of them is waited for."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none", tmp_path, tmp_path / "pipe", Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(ConfigInvalid, match=str(path)):
            digest_file(path)


def test_an_open_version_is_named_by_its_digest() -> None:
    """Without salt the digest stands in the clear, and its first twelve digits name the version."""
    digest = blake3(b"data").digest()
    assert versioned("market", "A", None, digest, None) == (f"A@{digest.hex()[:12]}", digest, None)
    assert versioned("market", "A", "v1", digest, None) == ("A@v1", digest, None)


def test_a_salted_version_shows_nothing_of_its_digest() -> None:
    """With a salt neither the name nor the digest tells the data's digest, and the name is bound into the digest."""
    digest, salt = blake3(b"data").digest(), bytes(range(32))
    name, salted, kept = versioned("market", "A", None, digest, salt)
    assert kept == salt
    assert digest.hex()[:12] not in name
    assert salted == salted_digest(salt, "market", "A", name.partition("@")[2], digest)
    assert versioned("market", "A", "v1", digest, salt)[1] == salted_digest(salt, "market", "A", "v1", digest)
    assert versioned("market", "A", None, digest, bytes(32))[0] != name
