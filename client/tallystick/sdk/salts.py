"""The salts of versions whose digest is not open: kept by who provides, to travel with the data.

One file a version, sealed. Whoever holds the salt and a guess of the data can check the guess; nobody else can.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tallystick.core.errors import ConfigInvalid, NotFound
from tallystick.core.keys import Signer
from tallystick.core.limits import SALT_BYTES
from tallystick.sdk.file_names import file_name
from tallystick.sdk.files import make_folder
from tallystick.sdk.sealed import SealedFolder

SALTS = "salts"
"""The folder of salts in a client's state."""


class SaltStore:
    """Salts in a folder, sealed under a key."""

    def __init__(self, folder: Path, key: Signer) -> None:
        self._sealed = salts_folder(folder, key)

    def keep(self, bureau: str, version_ref: str, salt: bytes) -> Path:
        """Keep a version's salt. Raises ConfigInvalid where another is kept already, or it cannot be written."""
        path = self.path_of(bureau, version_ref)
        with self._alone():
            if path.exists() and self.salt_of(bureau, version_ref) != salt:
                raise ConfigInvalid(
                    "another salt is kept for this version", where=str(path), expected="a new version name"
                )
            self._sealed.write(path.name, salt)
        return path

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep others from putting a salt here meanwhile: of two that look at once both would find none. Raises
        ConfigInvalid.
        """
        folder = self._sealed.path
        try:
            make_folder(folder)
            handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigInvalid(f"cannot be written: {error.strerror}", where=str(folder)) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def salt_of(self, bureau: str, version_ref: str) -> bytes:
        """Raises NotFound, or ConfigInvalid where the key does not open what is kept."""
        path = self.path_of(bureau, version_ref)
        try:
            salt = self._sealed.read(path.name)
        except OSError:
            salt = b""
        if len(salt) != SALT_BYTES:
            raise NotFound(f"no salt of {version_ref}", where=str(path), expected="the file made when it was provided")
        return salt

    def kept_or(self, bureau: str, version_ref: str, new: bytes) -> bytes:
        """The salt that is kept for a version, which one that was never recorded may have left; else a new one."""
        try:
            return self.salt_of(bureau, version_ref)
        except NotFound:
            return new

    def path_of(self, bureau: str, version_ref: str) -> Path:
        """The file a version's salt is kept in."""
        return self._sealed.path / f"{file_name(f'{bureau}.{version_ref}')}.salt"


def salts_folder(folder: Path, key: Signer) -> SealedFolder:
    """Where salts lie, sealed under a key."""
    return SealedFolder(folder, key, "salt")
