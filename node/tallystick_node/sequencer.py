"""The one writer of a ledger: it collects, commits, notes, signs, and only then releases receipts.

Everything that came in while the last write was on its way, or within a short linger, becomes one batch, each caller's
in turn (`intake`). The order is fixed:

  1. the batch is written and synced           (from here on it is durable but unsigned)
  2. size and root are noted outside the database, synced    (from here on a shorter database is noticed)
  3. the checkpoint is signed and published
  4. receipts go out

At most one write is in flight. If it fails, whether the batch reached the disk is unknown: every caller in it is told
so, and the database is reopened before anything else is written. What it then holds beyond the note is noted and
signed, and a caller who sends the same submission again gets its receipt.

`stop_writing` ends all this between two steps: what is on its way to the disk may still reach it, and is neither signed
nor acknowledged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog

from tallystick.core.actors import Actors
from tallystick.core.charter import Bureau
from tallystick.core.errors import Stopping, StorageFailed, TallystickError
from tallystick.core.keys import Signer
from tallystick.core.submission import Prepared, check_window
from tallystick_node.admission import Recent, admit, conflict, find_recorded, load_actors, touches_actors
from tallystick_node.disclosures import Disclosures
from tallystick_node.erasing import check_erasures, erase
from tallystick_node.intake import Intake, Placed, Waiting
from tallystick_node.ledger import Ledger, check_against_signed
from tallystick_node.ledger_state import State
from tallystick_node.refusals import Refusals
from tallystick_node.signed_size import SignedSize
from tallystick_node.signing import Published, Signing
from tallystick_node.store.store import Store

log = structlog.get_logger()

Result = TypeVar("Result")


class Sequencer(Refusals):
    """Owns a ledger's writes. Use within one event loop; `start` before the first submission, `stop` at the end."""

    def __init__(
        self,
        ledger: Ledger,
        signed_size: SignedSize,
        key: Signer,
        charter_actors: Actors,
        disclosures: Disclosures,
        *,
        now_us: Callable[[], int],
        reopen: Callable[[], Store],
        linger_s: float,
        queue_bytes_max: int,
        expires_us: int,
        state: str = "active",
    ) -> None:
        super().__init__(ledger.origin, state, expires_us, now_us)
        self.ledger = ledger
        self.disclosures = disclosures
        self._signing = Signing(ledger.origin, signed_size, key)
        self._charter_actors = charter_actors
        self._actors = load_actors(ledger, charter_actors.copy())
        self._recent = Recent(ledger.state)
        self._reopen = reopen
        self._linger_s = linger_s
        self._intake = Intake(ledger.origin, queue_bytes_max)
        self._arrived = asyncio.Event()
        self._changed = asyncio.Event()
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger-write")
        self._task: asyncio.Task[None] | None = None
        self._company = False  # whether the last group had more than one: a lone caller need not wait for others
        self._stopping = False
        self._broken = False
        self.ended = asyncio.Event()  # set by `stop_writing`
        self.erased = asyncio.Event()  # set when a disclosure was erased, or may have been

    @property
    def published(self) -> Published:
        """The newest signed checkpoint and the state under it. Raises `not_yet` where there is none to be shown yet."""
        published = self._signing.published
        if published is None:
            self.check_started()
            raise RuntimeError("not started")
        return published

    @property
    def queued_bytes(self) -> int:
        """How much waits to be written."""
        return self._intake.bytes

    @property
    def actors(self) -> Actors:
        """The actors as of the last commit."""
        return self._actors

    def show_last(self, own: Bureau, others: Iterable[bytes]) -> None:
        """Before it starts: let readers have what was signed last, as this node kept it or `others` show."""
        self._signing.publish_last(self.ledger, own, others)

    async def start(self) -> None:
        """Note and sign what the database holds, then begin to write."""
        await self._sign_what_is_there()
        self.not_yet = None
        self._task = asyncio.create_task(self._run(), name="sequencer")

    def stop_writing(self, why: TallystickError) -> None:
        """From now on refuse every submission with `why`, the queued ones too, and sign nothing more; the first reason
        stays. What was published goes on being read.
        """
        if self.stopped is not None:
            return
        self.stopped = why
        self.ended.set()
        self._fail(self._intake.take_all(), why)

    def refuse_more(self) -> None:
        """From now on refuse submissions and end whoever waits for a next checkpoint; what is queued goes on."""
        self._stopping = True
        self._arrived.set()
        self._changed.set()

    async def stop(self) -> None:
        """Finish what is queued, and let the disk thread end."""
        self.refuse_more()
        if self._task is not None:
            await self._task
        self._disk.shutdown(wait=True)

    async def changed(self) -> Published:
        """Wait for the next checkpoint. Raises Stopping when there will be none."""
        if self._stopping:
            raise Stopping("the node is shutting down", where=self.ledger.origin)
        event = self._changed
        await event.wait()
        if self._stopping:
            raise Stopping("the node is shutting down", where=self.ledger.origin)
        return self.published

    async def record(self, submission: Prepared) -> Placed:
        """Record a prepared submission; returns once it is durable and under a signed checkpoint.

        Raises what admission raises, why nothing is recorded (`refusals`), Overloaded where there is no room for it in
        the queue, Stopping, or StorageFailed: then the outcome is unknown, and the caller may send it again.
        """
        return await self._put(submission)

    async def queue(self, submission: Prepared) -> asyncio.Future[Placed]:
        """Wait for room in the queue, for the next of many; what comes of it is what `record` returns and raises."""
        await self._intake.room(submission)
        return self._put(submission)

    def _put(self, submission: Prepared) -> asyncio.Future[Placed]:
        self.check_recording()
        if self._stopping:
            raise Stopping("the node is shutting down", where=self.ledger.origin, expected="another try later")
        placed = self._intake.put(submission)
        self._arrived.set()
        return placed

    async def _run(self) -> None:
        while True:
            if not self._intake:
                if self._stopping:
                    return
                self._arrived.clear()
                await self._arrived.wait()
                if self._company and not self._stopping and self._linger_s:
                    await asyncio.sleep(self._linger_s)
                continue
            group = self._intake.take()
            self._company = len(group) > 1
            try:
                await self._commit(group)
            except TallystickError as error:
                self._fail(group, error)
            except Exception as error:  # a bug must not leave callers waiting, nor stop the writer silently
                self._broken = True
                self._fail(group, StorageFailed(f"an internal error: {type(error).__name__}", where=self.ledger.origin))
                log.exception("commit failed", origin=self.ledger.origin)

    async def _commit(self, group: list[Waiting]) -> None:
        if self._broken:
            await self._recover()
        now_us = self._now_us()
        accepted, repeats, actors = self._admit(group, now_us)
        if not accepted:
            self._release_repeats(repeats)
            return
        commit = self.ledger.build([waiting.submission for waiting in accepted], now_us)
        erasing = False
        for waiting, first in zip(accepted, commit.firsts, strict=True):
            self.disclosures.keep(waiting.submission, first, commit.batch)
            erasing |= erase(waiting.submission, commit.batch)
        try:
            # Staged here: each put lets go of the interpreter's lock, and a thread would wait for it again every time.
            write = self.ledger.store.stage(commit.batch)
            await self._in_thread(self._write, write, commit.state)
        except TallystickError:
            self._broken = True
            raise
        self._go_on()
        self.ledger.adopt(commit)
        self._actors = actors
        if erasing:
            self.erased.set()
        try:
            published = self._publish(commit.state)
        except TallystickError:  # durable, and unsigned: a device that holds the key may be away
            self._broken = True
            raise
        for waiting, first in zip(accepted, commit.firsts, strict=True):
            _resolve(waiting, Placed(first, published, again=False))
        self._release_repeats(repeats)

    def _admit(self, group: list[Waiting], now_us: int) -> tuple[list[Waiting], list[tuple[Waiting, int]], Actors]:
        """Sort a group into what is recorded now and what was recorded before; refuse the rest, each on its own.

        A repeat comes with the index at which it stands, or will stand once this group is durable.
        """
        actors = self._actors.copy()
        accepted: list[Waiting] = []
        repeats: list[tuple[Waiting, int]] = []
        by_id: dict[tuple[str, bytes], tuple[int, list[bytes]]] = {}
        first = self.ledger.state.size
        at_us = self.ledger.state.dated(now_us)
        for waiting in group:
            submission = waiting.submission
            key = (submission.actor, submission.submission_id)
            try:
                twin = by_id.get(key)
                known = twin[0] if twin is not None else find_recorded(self.ledger, submission, self._recent)
                if known is not None:
                    if twin is not None and twin[1] != submission.statements:
                        raise conflict(submission, known)
                    actors.authorise(submission.actor, submission.signature.key, known)
                    repeats.append((waiting, known))
                    continue
                check_window(submission.id_time_us, now_us)
                trial = actors.copy() if touches_actors(submission) else actors
                admit(submission, first, trial, at_us)
                check_erasures(submission, self.ledger, self.disclosures, now_us)
                actors = trial
            except TallystickError as error:
                self._fail([waiting], error)
                continue
            self._recent.note(submission)
            by_id[key] = first, submission.statements
            accepted.append(waiting)
            first += submission.count
        return accepted, repeats, actors

    def _release_repeats(self, repeats: list[tuple[Waiting, int]]) -> None:
        for waiting, first in repeats:
            _resolve(waiting, Placed(first, self.published, again=True))

    def _write(self, write: Callable[[], None], state: State) -> None:
        write()  # 1
        self._signing.note(state)  # 2

    def _publish(self, state: State) -> Published:
        published = self._signing.publish(state)  # 3
        event, self._changed = self._changed, asyncio.Event()
        event.set()
        return published

    def _go_on(self) -> None:
        """Raises what `stop_writing` was given."""
        if self.stopped is not None:
            raise self.stopped.with_traceback(None)

    async def _recover(self) -> None:
        """After a failed write: reopen, and go on from whatever the database then holds."""
        log.warning("reopening the database after a failed write", origin=self.ledger.origin)
        self.ledger.store = await self._in_thread(self._reopen_store)
        ledger = await self._in_thread(Ledger.open, self.ledger.store, self.ledger.origin)
        self.ledger.state = ledger.state
        self._actors = load_actors(self.ledger, self._charter_actors.copy())
        await self._sign_what_is_there()
        self._broken = False
        self.erased.set()

    async def _sign_what_is_there(self) -> None:
        """Note and sign the database's state, after making sure that it holds all that was noted before."""
        await self._in_thread(check_against_signed, self.ledger, self._signing.signed_size)
        self._go_on()
        await self._in_thread(self._signing.note, self.ledger.state)
        self._go_on()
        self._publish(self.ledger.state)

    def _reopen_store(self) -> Store:
        self.ledger.store.close()
        return self._reopen()

    async def _in_thread(self, call: Callable[..., Result], *arguments: object) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._disk, call, *arguments)

    def _fail(self, group: list[Waiting], error: TallystickError) -> None:
        for waiting in group:
            if not waiting.done.done():
                waiting.done.set_exception(error)


def _resolve(waiting: Waiting, placed: Placed) -> None:
    if not waiting.done.done():  # the caller may have gone
        waiting.done.set_result(placed)
