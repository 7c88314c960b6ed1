"""Submissions that have no receipt yet, kept in files so that a program that died can send them again.

One file a submission, named by its id, written whole before it is sent and removed when its receipt was checked. It
is bounded by how many a recorder has on their way at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from google.protobuf.message import DecodeError

from tallystick.core.errors import ConfigInvalid
from tallystick.sdk.files import write_whole
from tallystick_proto.v1.entry_pb2 import Submission

_SUFFIX = ".submission"


class Spool:
    """A folder of unanswered submissions to one ledger; without a folder it keeps nothing."""

    def __init__(self, folder: Path | None, origin: str) -> None:
        self._folder = None if folder is None else folder / quote(origin, safe="")

    def left_over(self) -> Iterator[Submission]:
        """What an earlier program left, oldest first. Raises ConfigInvalid where a file is not a submission."""
        if self._folder is None or not self._folder.is_dir():
            return
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            try:
                yield Submission.FromString(path.read_bytes())
            except (OSError, DecodeError) as error:
                raise ConfigInvalid(f"an unsent submission cannot be read ({error})", where=str(path)) from None

    def put(self, submission: Submission) -> None:
        """Keep a submission. Raises ConfigInvalid where it cannot be written; then it must not be sent."""
        if self._folder is not None:
            name = submission.signature.submission_id.hex() + _SUFFIX
            write_whole(self._folder / name, submission.SerializeToString(), 0o600)

    def remove(self, submission_id: bytes) -> None:
        """Its receipt was checked."""
        if self._folder is not None:
            (self._folder / (submission_id.hex() + _SUFFIX)).unlink(missing_ok=True)
