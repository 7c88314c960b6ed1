"""Submissions to one ledger, kept in files until what became of them is sure, so that a later program can see to them.

One file a submission (`spool.proto`), from before it is first sent until it is witnessed, or recorded where the ledger
has no quorum of witnesses. The file is named by the id the submission was first signed under, and is replaced whole:
by the same with its receipt, or by the same statements signed anew. So at every moment there is one file that says all.
A submission carries what opens its commitments, so that each file is sealed (`sealed`).

A spool is bounded in files and bytes; recording waits while it is full. One program at a time sees to what others left.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import DecodeError

from tallystick.core.errors import ConfigInvalid
from tallystick.core.keys import Signer
from tallystick.core.limits import SPOOL_BYTES_MAX, SPOOL_SUBMISSIONS_MAX, SUBMISSION_ID_BYTES
from tallystick.sdk.file_names import file_name
from tallystick.sdk.sealed import SealedFolder
from tallystick_proto.v1.entry_pb2 import Submission
from tallystick_proto.v1.ledger_pb2 import Receipt
from tallystick_proto.v1.spool_pb2 import Spooled

_SUFFIX = ".submission"
_LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class Left:
    """What a file of the spool says, without the submission's bytes; `receipt` is None where none was checked yet."""

    name: bytes
    submission_id: bytes
    receipt: Receipt | None


class Spool:
    """A folder of submissions to one ledger, sealed under a key; without one it keeps nothing. For several threads."""

    def __init__(
        self,
        folder: Path | None,
        origin: str,
        key: Signer | None = None,
        *,
        submissions_max: int = SPOOL_SUBMISSIONS_MAX,
        bytes_max: int = SPOOL_BYTES_MAX,
    ) -> None:
        if folder is not None and key is None:
            raise RuntimeError("what is kept is sealed, and there is no key")
        self._sealed = None if folder is None or key is None else spool_folder(folder, origin, key)
        self._folder = None if self._sealed is None else self._sealed.path
        self._submissions_max = submissions_max
        self._bytes_max = bytes_max
        self._counting = threading.Lock()
        self._sizes: dict[bytes, int] = {}
        self._bytes = 0
        self._held: int | None = None

    @property
    def keeps(self) -> bool:
        """Whether there is a folder."""
        return self._folder is not None

    @property
    def full(self) -> bool:
        """Whether it holds as much as it may."""
        return len(self._sizes) >= self._submissions_max or self._bytes >= self._bytes_max

    @property
    def count(self) -> int:
        """How many submissions it holds, of what was put here or found left over."""
        return len(self._sizes)

    def hold(self) -> bool:
        """Whether this program sees to what lies here from now on, until `close`; False while another does."""
        if self._folder is None or not self._folder.is_dir():
            return False  # nothing lies here
        try:
            held = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigInvalid(f"cannot be written: {error.strerror}", where=str(self._folder)) from None
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(held)
            return False
        self._held = held
        return True

    def close(self) -> None:
        """Let another program see to what lies here."""
        held, self._held = self._held, None
        if held is not None:
            os.close(held)

    def left_over(self) -> Iterator[Left]:
        """What lies here, oldest first. Raises ConfigInvalid where a file is not what was put there."""
        if self._folder is None or not self._folder.is_dir():
            return
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            try:
                name, spooled, size_bytes = self._read(path)
            except ConfigInvalid:
                if path.exists():
                    raise
                continue  # whoever put it here has seen to it meanwhile
            self._count(name, size_bytes)
            receipt = spooled.receipt if spooled.HasField("receipt") else None
            yield Left(name, spooled.submission.signature.submission_id, receipt)

    def get(self, name: bytes) -> Submission:
        """A submission that lies here. Raises ConfigInvalid where it does not."""
        return self._read(self._path(name))[1].submission

    def put(self, name: bytes, submission: Submission, receipt: Receipt | None = None) -> None:
        """Keep a submission in place of what stands under its name.

        Raises ConfigInvalid where it cannot be written; what was there then still is.
        """
        if self._sealed is not None:
            data = Spooled(submission=submission, receipt=receipt).SerializeToString()
            self._sealed.write(self._path(name).name, data)
            self._count(name, len(data))

    def remove(self, name: bytes) -> None:
        """Forget a submission. Raises ConfigInvalid."""
        if self._folder is not None:
            try:
                self._path(name).unlink(missing_ok=True)
            except OSError as error:
                raise ConfigInvalid(f"cannot be removed: {error.strerror}", where=str(self._path(name))) from None
            self._count(name, 0)

    def _count(self, name: bytes, size_bytes: int) -> None:
        with self._counting:
            self._bytes += size_bytes - self._sizes.pop(name, 0)
            if size_bytes:
                self._sizes[name] = size_bytes

    def _path(self, name: bytes) -> Path:
        assert self._folder is not None
        return self._folder / (name.hex() + _SUFFIX)

    def _read(self, path: Path) -> tuple[bytes, Spooled, int]:
        """A file's name as it was put, what it says, and its size in bytes."""
        assert self._sealed is not None
        try:
            name = bytes.fromhex(path.name.removesuffix(_SUFFIX))
            data = self._sealed.read(path.name)
            spooled = Spooled.FromString(data)
            if len(spooled.submission.signature.submission_id) != SUBMISSION_ID_BYTES:
                raise ValueError("it holds no submission")
        except (OSError, DecodeError, ValueError) as error:
            raise ConfigInvalid(f"a submission that was kept cannot be read ({error})", where=str(path)) from None
        return name, spooled, len(data)


def spool_of(state: Path, actor: str) -> Path:
    """Where in a client's state lies what an actor submitted, to whatever ledger."""
    return state / "spool" / actor.replace(":", "_")


def spool_folder(folder: Path, origin: str, key: Signer) -> SealedFolder:
    """Where the submissions to one ledger lie in a folder, sealed under a key."""
    return SealedFolder(folder / file_name(origin), key, f"spool\n{origin}")
