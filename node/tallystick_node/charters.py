"""The versions of the charter that peers go by: a later one is told once, and two of one number freeze the node.

What is heard is kept beside the settings (`sdk/heard_versions`). A later version changes nothing until it is adopted.
Where the holders signed two of the number this node goes by, or of a later one, nobody can say which charter is in
force: the node records nothing and cosigns nothing, also after a restart, and goes on answering and swapping. It works
again once it goes by a version after these two.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import structlog

from tallystick.core.charter_chain import Version
from tallystick.core.errors import NotAllowed, NotFound, Refused, TallystickError
from tallystick.core.versions import LINES_MAX, Fork
from tallystick.sdk.heard_versions import HeardVersions
from tallystick_node.peers import Peer
from tallystick_node.sequencer import Sequencer
from tallystick_proto.v1.gossip_pb2 import CharterLine

log = structlog.get_logger()


class Charters:
    """What this node knows of the charter's versions. Use within one event loop; an observer has no `sequencer`."""

    def __init__(self, versions: HeardVersions, sequencer: Sequencer | None) -> None:
        self.versions = versions
        self._sequencer = sequencer
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="charter-write")

    def load(self) -> None:
        """Say what was kept, and freeze where that says so."""
        kept: list[Version | Fork] = [*self.versions.later, *self.versions.forks.values()]
        for heard in kept:
            self._tell(heard)

    @property
    def frozen(self) -> NotAllowed | None:
        """Why this node records and cosigns nothing; None where it does."""
        fork = self.versions.unsettled
        if fork is None:
            return None
        return NotAllowed(
            fork.sentence,
            where=self.versions.current.charter.name,
            expected="a version after these two, adopted; nothing is recorded or cosigned until then",
        )

    def check(self) -> None:
        """Raises NotAllowed where this node is frozen."""
        if (frozen := self.frozen) is not None:
            raise frozen

    def note(self, digest: bytes) -> bytes:
        """The note of a version that is held here. Raises NotFound."""
        note = self.versions.note(digest)
        if note is None:
            raise NotFound("no such version of the charter is here", expected="the digest of one that was said to be")
        return note

    async def hear(self, peer: Peer, lines: Iterable[CharterLine]) -> None:
        """Ask a peer for what it holds that may be news, the lowest version first. Raises Unreachable."""
        lines = list(lines)
        while (line := self.versions.asks(peer.bureau.id, lines)) is not None:
            try:
                await self.take([await peer.charter(line.digest)])
            except Refused as error:
                log.debug("a version of the charter is not shown", peer=peer.bureau.id, reason=str(error))
            self.versions.answered(peer.bureau.id, line)

    async def take(self, notes: Iterable[bytes]) -> None:
        """Take in what somebody shows; what proves nothing is left out, and so is more than anybody has to show."""
        for note in islice(notes, LINES_MAX):
            await asyncio.sleep(0)  # each costs some signatures; others want to be served in between
            heard = self.versions.take(note)
            if heard is not None:
                self._tell(heard)
                try:
                    await asyncio.get_running_loop().run_in_executor(self._disk, self.versions.keep, heard)
                except TallystickError as error:  # it is heard again after a restart
                    log.error("a version of the charter could not be kept", reason=str(error))

    def stop(self) -> None:
        """Let the disk thread end."""
        self._disk.shutdown(wait=True)

    def _tell(self, heard: Version | Fork) -> None:
        place = str(self.versions.place(heard))
        if isinstance(heard, Version):
            log.warning(
                "a later version of the charter is there; `tallyd charter adopt` takes it up",
                version=heard.number,
                file=place,
            )
            return
        frozen = self.frozen
        log.error(
            "two versions of the charter are signed",
            reason=heard.sentence,
            file=place,
            records=frozen is None,
        )
        if self._sequencer is not None:
            self._sequencer.frozen = frozen
