"""What this client was shown before: per ledger, the last checkpoint it trusted, as the signed note it was.

One file a ledger, replaced whole under a lock, so that several commands at once never go backwards. A checkpoint that
contradicts the trusted one is kept beside it: two notes under one key may be proof.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from tallystick.core.errors import ConfigInvalid
from tallystick.core.hashing import chain_hash


class TrustStore:
    """The trusted notes in a folder; made when first written to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, origin: str) -> bytes | None:
        """The trusted note of a ledger, or None. Raises ConfigInvalid where it cannot be read."""
        path = self._path(origin)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigInvalid(f"cannot be read: {error.strerror}", where=str(path)) from None

    @contextmanager
    def replacing(self, origin: str, *, wait: bool = True) -> Iterator[bytes | None]:
        """Hold a ledger's lock; gives the note that stands there now. BlockingIOError where `wait` is not wanted."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._path(origin).with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigInvalid(f"cannot be written: {error.strerror}", where=str(self.folder)) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield self.load(origin)
        finally:
            os.close(lock)

    def save(self, origin: str, note: bytes) -> None:
        """Replace the trusted note; call within `replacing`. Not synced: a lost update costs a little memory, no
        truth.
        """
        path = self._path(origin)
        temporary = path.with_suffix(f".{os.getpid()}.new")
        try:
            temporary.write_bytes(note)
            os.replace(temporary, path)
        except OSError as error:
            raise ConfigInvalid(f"cannot be written: {error.strerror}", where=str(path)) from None

    def keep_conflict(self, origin: str, trusted: bytes | None, shown: bytes) -> Path:
        """Keep a note that contradicts the trusted one, with that one; returns the path of the pair's second."""
        stem = self._path(origin).with_suffix("")
        shown_path = stem.with_name(f"{stem.name}.conflict-{chain_hash(shown).hex()[:12]}.note")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            shown_path.write_bytes(shown)
            if trusted is not None:
                stem.with_name(f"{stem.name}.trusted-{chain_hash(trusted).hex()[:12]}.note").write_bytes(trusted)
        except OSError as error:
            raise ConfigInvalid(f"cannot be written: {error.strerror}", where=str(shown_path)) from None
        return shown_path

    def _path(self, origin: str) -> Path:
        return self.folder / (quote(origin, safe="") + ".note")
