"""Versions of the charter that were heard of and are not gone by, kept as files in a folder.

    charter-later-3.note                  a later version, properly signed; `adopt` takes that file
    charter-fork-0123456789ab.charter     another version of a number that is known, by the hash of its note

A node keeps them beside its settings, a client with what it trusts. What lies there is judged anew whenever it is read:
a file that proves nothing any more, or never did, counts for nothing, and one that is removed is forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tallystick.core.charter_chain import Version
from tallystick.core.versions import Fork, Versions
from tallystick.sdk.charter_files import fork_place, forks_in, known_versions, read_note
from tallystick.sdk.files import write_whole


class HeardVersions(Versions):
    """The versions one knows, with what was heard and is kept in `folder`."""

    def __init__(self, known: Sequence[Version], folder: Path) -> None:
        super().__init__(known)
        self.folder = folder
        for path in self._kept():
            self.take(read_note(path))

    @classmethod
    def open(cls, charter: Path, digest: str, folder: Path) -> HeardVersions:
        """With the versions in the charter's file and beside it. Raises ConfigInvalid, VerificationFailed."""
        return cls(known_versions(charter, digest), folder)

    def place(self, heard: Version | Fork) -> Path:
        """Where what was heard is kept."""
        if isinstance(heard, Version):
            return self.folder / f"charter-later-{heard.number}.note"
        return fork_place(self.folder, heard.other.note)

    def keep(self, heard: Version | Fork) -> None:
        """Write down what `take` found. Raises ConfigInvalid."""
        write_whole(self.place(heard), heard.note if isinstance(heard, Version) else heard.other.note)

    def _kept(self) -> list[Path]:
        later = sorted(self.folder.glob("charter-later-*.note"), key=lambda path: (len(path.name), path.name))
        return [*later, *forks_in(self.folder)]
