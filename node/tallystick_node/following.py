"""Following ledgers: for each a task that fetches, has it checked, stores it and cosigns.

Which they are the charter says (`Charter.followed_by`); those that address this bureau come besides (`addressed`).
Before the first checkpoint of a start is cosigned, the ledger's other witnesses are asked what this one cosigned of it
(`reminding`).

A ledger's node shows one checkpoint at a time (`Witness.Cosign`). Its entries are fetched and checked in slices, so
that the node's own work goes on in between, and stored every thousand or so; the last of them come in one batch with
the record of what is cosigned:

  1. entries and record are written and synced     (from here on the checkpoint counts as cosigned)
  2. the cosignature is made and sent

What goes wrong with one ledger ends at its own task. A node that is slow, away, or shows what proves nothing is tried
again, ever more rarely; what its key signed and cannot stand is remembered, and its task is over.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

import structlog

from tallystick.core.charter import Bureau, Charter
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.equivocation import parse_equivocation
from tallystick.core.errors import BehindSigned, CharterMismatch, Forked, TallystickError, Unreachable
from tallystick.core.history import History, Recorded
from tallystick.core.merkle import check_consistency
from tallystick_node.charters import Charters
from tallystick_node.copies import COSIGNING, PROVEN, Copy
from tallystick_node.growing import fetch
from tallystick_node.peers import Peer, Reach
from tallystick_node.proven import Proven
from tallystick_node.reminding import Reminding
from tallystick_node.shelf import Shelf
from tallystick_proto.v1.storage_pb2 import Cosigning
from tallystick_proto.v1.witness_pb2 import Cosigned

log = structlog.get_logger()

_RETRY_FIRST_S: Final = 0.1
_RETRY_MAX_S: Final = 30.0

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Means:
    """What every follower of a node works with."""

    charter: Charter
    own: Bureau
    shelf: Shelf
    now_us: Callable[[], int]
    disk: ThreadPoolExecutor
    reach: Reach
    rng: random.Random
    proven: Proven
    charters: Charters

    async def in_thread(self, call: Callable[..., Result], *arguments: object) -> Result:
        """Run what waits for the disk."""
        return await asyncio.get_running_loop().run_in_executor(self.disk, call, *arguments)


class Following:
    """All that a node follows. `start` within the event loop, `stop` before the database is closed."""

    def __init__(
        self,
        charter: Charter,
        own: Bureau,
        shelf: Shelf,
        now_us: Callable[[], int],
        reach: Reach,
        rng: random.Random,
        proven: Proven,
        charters: Charters,
    ) -> None:
        disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="copy-write")
        self._means = Means(charter, own, shelf, now_us, disk, reach, rng, proven, charters)
        self.followers = [Follower(bureau, self._means) for bureau in charter.followed_by(own)]
        self._started = False
        self._tasks: list[asyncio.Task[None]] = []

    def follows(self, bureau: Bureau) -> bool:
        """Whether a bureau's ledger is followed."""
        return any(follower.bureau.id == bureau.id for follower in self.followers)

    def follow(self, bureau: Bureau) -> None:
        """Follow another ledger too, at once or once it is begun; it must not be followed yet."""
        follower = Follower(bureau, self._means)
        self.followers.append(follower)
        if self._started:
            self._begin(follower)

    def ask(self) -> None:
        """Begin to ask what of the ledgers was cosigned; whoever does not, does so when he begins to follow."""
        for follower in self.followers:
            follower.reminding.start()

    def start(self) -> None:
        """Begin to follow."""
        self._started = True
        for follower in self.followers:
            self._begin(follower)

    def _begin(self, follower: Follower) -> None:
        self._tasks.append(asyncio.create_task(follower.run(), name=f"follow {follower.bureau.id}"))

    async def stop(self) -> None:
        """Leave off where it stands; what is being written is written."""
        self._started = False
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for follower in self.followers:
            await follower.reminding.stop()
        self._means.disk.shutdown(wait=True)


class Follower:
    """Follows one ledger."""

    def __init__(self, bureau: Bureau, means: Means) -> None:
        self.bureau = bureau
        self.reminding = Reminding(means.charter, means.own, bureau, means.shelf, means.reach, means.rng)
        self._means = means
        self._copy: Copy
        self._as_on_disk = False
        """Whether the copy is what the disk has: not before it was opened, nor where a write may have failed."""
        self._retry_s = _RETRY_FIRST_S
        self._trouble = ""

    async def run(self) -> None:
        """Follow until cancelled, or until the ledger's key has signed what cannot stand."""
        self.reminding.start()
        while True:
            try:
                await self._attend()
            except TallystickError as error:
                self._tell(error)
            except Exception:  # a bug must not end the node, nor what it does for other ledgers
                log.exception("following failed", ledger=self.bureau.id)
            else:
                return
            await asyncio.sleep(self._retry_s * self._means.rng.uniform(0.5, 1.0))
            self._retry_s = min(2 * self._retry_s, _RETRY_MAX_S)

    async def _attend(self) -> None:
        """One connection, from the copy as the disk has it. Returns when the ledger is not to be cosigned any more."""
        means = self._means
        if not self._as_on_disk:
            await self._open()
        if self._copy.stopped:
            log.error("not cosigned", ledger=self.bureau.id, reason=self._copy.stopped)
            return
        await self.reminding.answered()
        if await self._is_proven() or not await self._remembers(means.shelf.reminder(self.bureau.origin)):
            return
        async with means.reach(self.bureau) as peer:
            stream = peer.cosign()
            try:
                first = Cosigned(origin=self.bureau.origin, witness=means.own.id, note=self._copy.cosigned)
                await stream.say(first)
                while True:
                    shown = await stream.next()
                    if not await self._remembers(shown.yours):
                        return
                    if not await self._cosign(peer, shown.checkpoint):
                        return
                    await stream.say(Cosigned(note=self._copy.cosigned))
                    self._at_ease()
            finally:
                stream.cancel()

    async def _open(self) -> None:
        means = self._means
        self._copy = await means.in_thread(means.shelf.open, self.bureau)
        means.shelf.put(self._copy)
        if not self._copy.size:
            await means.in_thread(self._copy.clear)
        self._as_on_disk = True

    async def _cosign(self, peer: Peer, note: bytes) -> bool:
        """Bring the copy to a checkpoint and remember that it is cosigned; False where it proves that it cannot be."""
        copy, means = self._copy, self._means
        if means.now_us() >= means.charter.expires_us:
            raise CharterMismatch("the charter has expired", where=means.charter.name, expected="a later version of it")
        means.charters.check()
        shown = copy.opened(note)
        await self._check_floor(peer, shown)
        try:
            copy.compare(shown, note)
            history, checked = await fetch(copy, peer, shown, self._write)
            copy.check_whole(history, shown)
        except PROVEN as error:
            evidence = error.evidence if isinstance(error, Forked) else b""
            if not evidence and (copy.outlived or (copy.rekeyed and isinstance(error, Forked))):
                raise await self._outlived(error.what) from None
            if evidence:
                await means.proven.keep(evidence)  # first: whether it is shown again is the forker's choice
            await self._stop(str(error), note)
            return False
        if await self._is_proven() or not await self._remembers(means.shelf.reminder(self.bureau.origin)):
            return False
        await self._write(history, checked, copy.cosign(note, means.now_us() // 1_000_000))
        log.debug("cosigned", ledger=self.bureau.id, size=shown.size)
        return True

    async def _check_floor(self, peer: Peer, shown: Checkpoint) -> None:
        """What is cosigned extends what the charter pins. Raises ProofFailed where what is shown does not, and
        CharterMismatch where what is held here does not.
        """
        copy, floor = self._copy, self.bureau.pinned
        if floor is None:
            return
        if copy.size < floor.size:
            within = 0 < floor.size < shown.size
            proof = await peer.prove_consistency(self.bureau.origin, floor.size, shown.size) if within else ()
            check_consistency(floor.size, floor.root, shown.size, shown.root, proof)
        elif not copy.holds_floor:
            raise await self._outlived(f"the charter pins others at {floor.size}")

    async def _outlived(self, why: str) -> CharterMismatch:
        """The ledger goes on otherwise from where the charter pins it; the copy is fetched again, if it may."""
        copy = self._copy
        self._as_on_disk = False
        again = copy.rekeyed and await self._means.in_thread(copy.start_over)
        return CharterMismatch(
            f"{copy.size} entries are held here, and the ledger that the charter pins goes on otherwise ({why})",
            where=self.bureau.id,
            expected="a copy of the ledger as it was recovered"
            + (": it is fetched again" if again else "; this one is kept: more or other was cosigned than is pinned"),
        )

    async def _remembers(self, note: bytes) -> bool:
        """Whether a note this witness cosigned is no news to it. If it is, its key cosigns the ledger no more."""
        if not note:
            return True
        try:
            self._copy.recall(note)
        except BehindSigned as error:
            await self._write(self._copy.history(), [], self._copy.forget(str(error), note))
            log.error("this witness forgot what it cosigned: not cosigned from now on", reason=str(error))
            return False
        return True

    async def _is_proven(self) -> bool:
        """Whether there is evidence against the ledger's key, whoever found it; then it is cosigned no more."""
        evidence = self._means.proven.against(self.bureau)
        if evidence is None:
            return False
        await self._stop("two histories under its key are proven", parse_equivocation(evidence).larger)
        return True

    async def _stop(self, why: str, shown: bytes) -> None:
        """Cosign the ledger no more, from the moment that this is durable."""
        await self._write(self._copy.history(), [], self._copy.stop(why, shown))
        log.error("not cosigned from now on", ledger=self.bureau.id, reason=why)

    async def _write(self, history: History, checked: list[Recorded], record: Cosigning | None = None) -> None:
        """Store checked entries, and with them what is cosigned from here on, in one synced batch."""
        copy = self._copy
        commit = copy.build(checked)
        if record is not None:
            commit.batch.put(COSIGNING, record.SerializeToString())
        write = copy.ledger.store.stage(commit.batch)
        self._as_on_disk = False
        await self._means.in_thread(write)  # 1
        copy.adopt(commit, history)
        if record is not None:
            copy.cosigning = record
            self._means.shelf.put(copy)
        self._as_on_disk = True

    def _tell(self, error: TallystickError) -> None:
        """Say once what is in the way, not at every try."""
        say = log.info if isinstance(error, Unreachable) else log.warning
        if str(error) == self._trouble:
            say = log.debug
        say("cannot follow", ledger=self.bureau.id, reason=str(error), error=type(error).__name__)
        self._trouble = str(error)

    def _at_ease(self) -> None:
        if self._trouble:
            log.info("follows again", ledger=self.bureau.id, entries=self._copy.size)
        self._retry_s, self._trouble = _RETRY_FIRST_S, ""
