"""What this client was shown before: per ledger, the last checkpoint it trusted, as the signed note it was.

One file a ledger, replaced whole under a lock, so that several commands at once never go backwards. Beside it stand a
checkpoint that contradicts the trusted one, where that proves nothing yet, and the evidence against the ledger's key,
where it does: one piece of it a key, the first that was found; and versions of the charter that contradict one this
client knows.
"""

from __future__ import annotations

import fcntl
import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tallystick.core.charter import Bureau
from tallystick.core.checkpoint import open_checkpoint
from tallystick.core.equivocation import accused_key
from tallystick.core.errors import CharterMismatch, ConfigInvalid, VerificationFailed
from tallystick.core.hashing import chain_hash
from tallystick.core.note import VerifierKey
from tallystick.sdk.charter_files import fork_place, forks_in
from tallystick.sdk.file_names import file_name
from tallystick.sdk.files import make_folder, write_whole


class TrustStore:
    """The trusted notes in a folder; made when first written to. `expires_us` is when the charter they are trusted
    under expires, in microseconds since 1970.
    """

    def __init__(self, folder: Path, expires_us: int | None = None) -> None:
        self.folder = folder
        self._expires_us = expires_us

    def check_current(self, now_us: int) -> None:
        """Raises CharterMismatch once the charter has expired: who goes on reading ends there."""
        if self._expires_us is not None and now_us >= self._expires_us:
            raise CharterMismatch(
                "the charter has expired meanwhile",
                where=str(self.folder),
                expected="a later version; an expired one still verifies evidence",
            )

    def load(self, origin: str) -> bytes | None:
        """The trusted note of a ledger, or None. Raises ConfigInvalid where it cannot be read."""
        return _read(self._path(origin))

    @contextmanager
    def replacing(self, origin: str, *, wait: bool = True) -> Iterator[bytes | None]:
        """Hold a ledger's lock; gives the note that stands there now. BlockingIOError where `wait` is not wanted."""
        try:
            make_folder(self.folder)
            lock = os.open(self._path(origin, ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
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
        shown_path = self._path(origin, f"+conflict-{chain_hash(shown).hex()[:12]}.note")
        try:
            make_folder(self.folder)
            shown_path.write_bytes(shown)
            if trusted is not None:
                self._path(origin, f"+trusted-{chain_hash(trusted).hex()[:12]}.note").write_bytes(trusted)
        except OSError as error:
            raise ConfigInvalid(f"cannot be written: {error.strerror}", where=str(shown_path)) from None
        return shown_path

    def conflicts(self, origin: str) -> list[tuple[Path, bytes]]:
        """The notes of a ledger that were kept for contradicting the trusted one, with their paths."""
        paths = self._paths(origin, "+conflict-*.note")
        return [(path, note) for path in paths if (note := _read(path)) is not None]

    def clear_conflict(self, path: Path) -> None:
        """Forget a note that was kept, since it contradicts nothing after all."""
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise ConfigInvalid(f"cannot be removed: {error.strerror}", where=str(path)) from None

    def evidence(self, bureau: Bureau) -> list[tuple[Path, bytes]]:
        """What is kept against keys of a ledger, with its paths: that against the present one first, what does not
        read last. Raises ConfigInvalid."""
        paths = (self._path(bureau.origin, ".equivocation"), *self._paths(bureau.origin, "+against-*.equivocation"))
        kept = [(path, data) for path in paths if (data := _read(path)) is not None]
        order = {bureau.ledger_verifier: 0, None: 2}
        return sorted(kept, key=lambda each: order.get(_accused(each[1], bureau), 1))

    def keep_evidence(self, bureau: Bureau, evidence: bytes) -> Path:
        """Keep evidence against a key of a ledger, unless there is some against that key; the path where it stands.

        That against a key which was given up is in nobody's way, and must not be in that of what the next one signs.
        """
        key, kept = accused_key(evidence, bureau), self.evidence(bureau)
        for path, data in kept:
            if _accused(data, bureau) == key:
                return path
        path = self._path(bureau.origin, f"+against-{key.key_id.hex()}.equivocation" if kept else ".equivocation")
        try:
            make_folder(self.folder)
        except OSError as error:
            raise ConfigInvalid(f"cannot be written: {error.strerror}", where=str(self.folder)) from None
        write_whole(path, evidence, 0o600)
        return path

    def set_aside_unvouched(self, bureau: Bureau, version: int) -> Path | None:
        """Put a trusted note aside whose key, under the charter's version of that number, no longer vouches for it.

        That is one beyond the floor at which its key was retired. Returns where it is kept, or None.
        """
        if self.load(bureau.origin) is None:
            return None
        with self.replacing(bureau.origin) as note:
            if note is None:
                return None
            try:
                open_checkpoint(note, bureau.ledger_verifier, bureau.ends)
            except VerificationFailed:
                place = self._path(bureau.origin)
                aside = self._path(bureau.origin, f"+before-charter-{version}.note")
                try:
                    os.replace(place, aside)
                except OSError as error:
                    raise ConfigInvalid(f"cannot be put aside: {error.strerror}", where=str(place)) from None
                return aside
        return None

    def set_aside(self, origin: str) -> list[tuple[Path, bytes]]:
        """The notes of a ledger that were put aside, with their paths."""
        paths = self._paths(origin, "+before-charter-*.note")
        return [(path, note) for path in paths if (note := _read(path)) is not None]

    def keep_charter_fork(self, note: bytes) -> Path:
        """Keep a version of the charter that contradicts one this client knows; the path where it stands."""
        path = fork_place(self.folder, note)
        try:
            make_folder(self.folder)
        except OSError as error:
            raise ConfigInvalid(f"cannot be written: {error.strerror}", where=str(self.folder)) from None
        write_whole(path, note, 0o600)
        return path

    def charter_forks(self) -> list[bytes]:
        """The versions of the charter that were kept so."""
        return [note for path in forks_in(self.folder) if (note := _read(path)) is not None]

    def _path(self, origin: str, what: str = ".note") -> Path:
        return self.folder / f"{file_name(origin)}{what}"

    def _paths(self, origin: str, what: str) -> list[Path]:
        """The files of a ledger that a pattern fits, in order."""
        return sorted(self.folder.glob(f"{glob.escape(file_name(origin))}{what}"))


def _accused(evidence: bytes, bureau: Bureau) -> VerifierKey | None:
    """The key that a file is about; None where it is no such file."""
    with suppress(VerificationFailed):
        return accused_key(evidence, bureau)
    return None


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigInvalid(f"cannot be read: {error.strerror}", where=str(path)) from None
