"""An index whose hashes collide: of each term's hash only the first byte counts."""

from __future__ import annotations

import pytest
from blake3 import blake3

from tallystick_node import index


class _Short:
    """BLAKE3, all but its first byte zero."""

    def __init__(self, data: bytes = b"") -> None:
        self._hash = blake3(data)

    def update(self, data: bytes) -> None:
        self._hash.update(data)

    def reset(self) -> None:
        self._hash.reset()

    def digest(self) -> bytes:
        return self._hash.digest()[:1] + bytes(31)


def collide(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, until the test ends, terms have one of 256 hashes."""
    monkeypatch.setattr(index, "blake3", _Short)
