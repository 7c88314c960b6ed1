"""Gossip: what this node and its peers hold of every ledger, swapped, reconciled, and proven to be two where it is two.

Now and then a peer is picked by chance, and both tell each other what is news to the other (`core/news`), so that news
is everywhere after a number of rounds that grows with the logarithm of the bureaus. What is shown is taken in
(`core/reconciling`); what needs a proof is kept apart, and each round tries to settle it:

  1. by this node's own copy of that ledger, where it reaches so far: no cooperation is needed of whoever forked it;
  2. by what two others show, picked by chance among the ledger's node and its witnesses.

What nobody proves stays a suspicion, and is tried again. What is proven is kept (`proven`), and from then on told in
place of checkpoints. Notes of this node's own ledger are held against that ledger (`own_word`), and
others' versions of the charter against those known here (`charters`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import islice
from random import Random
from typing import Final

import structlog
from google.protobuf.message import DecodeError

from tallystick.core.charter import Bureau, Charter
from tallystick.core.clocks import ahead_us
from tallystick.core.equivocation import parse_equivocation
from tallystick.core.errors import (
    BehindSigned,
    Forked,
    NotFound,
    SignatureInvalid,
    StorageFailed,
    TallystickError,
    Unreachable,
    VerificationFailed,
)
from tallystick.core.news import Holding, ledger_number, lines_of, news, proven_of
from tallystick.core.note import parse_note
from tallystick.core.reconciling import APART_MAX, Account, Seen, see
from tallystick_node import keyspace
from tallystick_node.addressed import Addressed
from tallystick_node.charters import Charters
from tallystick_node.clocks import Clocks
from tallystick_node.own_word import OwnWord
from tallystick_node.peers import Peer, Reach
from tallystick_node.proven import Proven
from tallystick_node.settling import settle_by_copy, settle_by_peer
from tallystick_node.shelf import Shelf
from tallystick_node.store.store import Batch, Store
from tallystick_proto.v1.gossip_pb2 import NotCosigned, SwapAnswer, SwapRequest, TellRequest
from tallystick_proto.v1.storage_pb2 import Gossiped

log = structlog.get_logger()

INTERVAL_S: Final = 1.0
CALL_MAX_S: Final = 3.0
"""How long a peer may take to answer; another one is asked in the next round."""
SOURCES_ASKED: Final = 2
"""How many others are asked in a round for the proof of one checkpoint."""

_SHOWN_MAX: Final = 1 + APART_MAX

Brought = tuple[Account, Seen]
"""A checkpoint that is new here, and of which ledger."""


class Gossip:
    """What one node holds of all ledgers but its own. Use within one event loop; `load` before the first call."""

    def __init__(
        self,
        charter: Charter,
        own: Bureau,
        store: Store,
        shelf: Shelf,
        own_word: OwnWord | None,
        proven: Proven,
        charters: Charters,
        clocks: Clocks,
        addressed: Addressed,
        now_us: Callable[[], int],
        reach: Reach,
        rng: Random,
        interval_s: float,
    ) -> None:
        self.accounts = {each.origin: Account(charter, each) for each in charter.ledgers if each.id != own.id}
        self.proven = proven
        self.charters = charters
        self._clocks = clocks
        self._addressed = addressed
        self._charter = charter
        self._own = own
        self._store = store
        self._shelf = shelf
        self._own_word = own_word
        self._now_us = now_us
        self._reach = reach
        self._rng = rng
        self._interval_s = interval_s
        self._others = [each for each in charter.bureau if each.id != own.id and each.state != "closed"]
        self._own_seen: Seen | None = None
        self._copied: dict[str, list[bytes]] = {}
        self._changed: set[str] = set()
        self._brought: list[Brought] = []
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gossip-write")
        self._peers: dict[str, Peer] = {}
        self._open = AsyncExitStack()
        self._task: asyncio.Task[None] | None = None

    def load(self) -> None:
        """Take up what was kept; under a floor it has to be proven anew."""
        self.proven.load()
        for origin, account in self.accounts.items():
            notes = self._copied_notes(origin)
            with suppress(DecodeError):  # damaged: it is heard again
                notes += Gossiped.FromString(self._store.get(keyspace.gossip(origin)) or b"").note
            for note in notes:
                try:
                    account.show(note)
                except Forked as error:
                    self.proven.hold(error.evidence)
                except VerificationFailed as error:  # of an earlier charter
                    log.info("a checkpoint is not believed any more", ledger=account.bureau.id, reason=str(error))
        if evidence := self.proven.against(self._own):
            self._check_own(evidence)

    def start(self) -> None:
        """Begin with the rounds."""
        if self._others:
            self._task = asyncio.create_task(self._run(), name="gossip")

    async def stop(self) -> None:
        """Leave off, and write down what was heard last."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._open.aclose()
        with suppress(StorageFailed):
            await self._keep()
        self._disk.shutdown(wait=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s * self._rng.uniform(0.5, 1.5))
            try:
                await self.round()
            except TallystickError as error:  # one peer's, or the disk's; another round follows
                log.debug("a round of gossip failed", reason=str(error))
            except Exception:  # a bug must not end the node
                log.exception("gossip failed")

    async def round(self) -> None:
        """One swap with one peer, and a try to settle what is apart. Raises Unreachable, or what the disk raises."""
        bureau = self._rng.choice(self._others)
        try:
            await self.swap(bureau)
        finally:
            self._clocks.judge()
            await self.settle()
        async with self._asking(bureau) as peer:
            await self._addressed.ask(peer, self.accounts.get(bureau.origin))

    # The swap.

    def answer(self, request: SwapRequest) -> SwapAnswer:
        """What is held here, and what of it is news to the asker."""
        mine = self._holdings()
        fresh = news(mine, request.line, request.proven)
        return SwapAnswer(
            line=lines_of(mine),
            proven=proven_of(mine),
            note=fresh.notes,
            evidence=fresh.evidence,
            now_us=self._now_us(),
            not_cosigned=[NotCosigned(ledger=ledger_number(at), why=why) for at, why in self._shelf.stopped.items()],
            charter=self.charters.versions.lines(),
        )

    async def swap(self, bureau: Bureau) -> None:
        """Tell a bureau's node, and be told, what is news. Raises Unreachable, or what the node says."""
        await self.take_copies()
        mine = self._holdings()
        before_us = self._now_us()
        async with self._asking(bureau) as peer:
            answer = await peer.swap(SwapRequest(line=lines_of(mine), proven=proven_of(mine)))
        self._clocks.heard(bureau.id, ahead_us(before_us, answer.now_us, self._now_us()))
        self._brought += await self.take(answer.note, answer.evidence, bureau.id)
        async with self._asking(bureau) as peer:
            if fresh := news(self._holdings(), answer.line, answer.proven):
                await peer.tell(TellRequest(note=fresh.notes, evidence=fresh.evidence))
            await self.charters.hear(peer, answer.charter)

    async def take(self, notes: Iterable[bytes], evidence: Iterable[bytes], by: str) -> list[Brought]:
        """Take in what `by` shows, and tell what of it is new. What does not verify proves nothing, and is left out; so
        is more of a ledger than anybody has to show.
        """
        brought: list[Brought] = []
        for file in islice(evidence, len(self.accounts) + 1):
            with suppress(TallystickError):
                if self.proven.hold(file) == self._own:
                    self._check_own(file)
                await self.proven.write()
            await asyncio.sleep(0)
        shown = Counter[str]()
        for note in notes:
            try:
                origin = parse_note(note).text.partition("\n")[0]
                shown[origin] += 1
                if shown[origin] <= _SHOWN_MAX:
                    brought += await self._take(origin, note, by)
            except TallystickError as error:
                log.debug("a checkpoint is not taken in", shown_by=by, reason=str(error))
            await asyncio.sleep(0)  # each costs some signatures; others want to be served in between
        return brought

    async def _take(self, origin: str, note: bytes, by: str) -> list[Brought]:
        account = self.accounts.get(origin)
        if origin == self._own.origin:
            if self._own_word is not None:  # an observer has no ledger to have signed for
                self._own_word.check(note, by)
        elif account is not None and self.proven.against(account.bureau) is None:
            try:
                if seen := account.show(note):
                    self._changed.add(origin)
                    with suppress(TallystickError):  # most are not cosigned by this node
                        self._shelf.remind(origin, note)
                    return [(account, seen)]
            except Forked as error:
                await self.proven.keep(error.evidence)
        return []

    def known(self, origin: str) -> list[bytes]:
        """Every checkpoint of another's ledger that is held, or kept apart."""
        account = self.accounts.get(origin)
        return [] if account is None else [seen.note for seen in account.known]

    def _check_own(self, evidence: bytes) -> None:
        """Of two histories under this node's own key, it has one at most: it writes no more."""
        assert self._own_word is not None  # nothing is proven against an observer, which signs no checkpoint
        two = parse_equivocation(evidence)
        for note in (two.smaller, two.larger):
            with suppress(BehindSigned, SignatureInvalid):  # or by a key that was retired: then it is history
                self._own_word.check(note, "evidence")

    # Proofs.

    async def take_copies(self) -> None:
        """What this node has cosigned itself is news as what others bring; so is what kept it from cosigning."""
        for origin in self.accounts:
            notes = self._copied_notes(origin)
            if self._copied.get(origin) != notes:
                self._brought += await self.take(notes, (), self._own.id)
                self._copied[origin] = notes

    def _copied_notes(self, origin: str) -> list[bytes]:
        try:
            return [note for note in (self._shelf.at(origin).note, self._shelf.contradicting(origin)) if note]
        except NotFound:
            return []

    async def settle(self) -> None:
        """Try to settle what is apart, and write down what came of it.

        What this round brought is tried though others may have been told so much meanwhile that it is apart no more:
        else a forker who tells without end would keep what contradicts him from ever being held against it.
        """
        brought, self._brought = self._brought, []
        waiting = {account.bureau.origin: [*account.apart] for account in self.accounts.values()}
        for account, seen in brought:
            if seen != account.held and seen not in account.apart:
                waiting[account.bureau.origin].append(seen)
        await asyncio.gather(*(self._settle(self.accounts[origin], seen) for origin, seen in waiting.items() if seen))
        await self._keep()
        await self.proven.write()

    async def _settle(self, account: Account, waiting: list[Seen]) -> None:
        try:
            for seen in sorted(waiting, key=lambda each: -each.size):
                if self.proven.against(account.bureau) is None:
                    await self._settle_one(account, seen)
        except Forked as error:
            await self.proven.keep(account.naming_cosigners(error).evidence)
        except TallystickError as error:  # its copy's, or the disk's; the others' are settled all the same
            log.debug("not settled", ledger=account.bureau.id, reason=str(error))

    async def _settle_one(self, account: Account, seen: Seen) -> None:
        """Try to settle what is apart. Raises Forked."""
        if settle_by_copy(self._shelf, account, seen):  # 1
            self._changed.add(account.bureau.origin)
            return
        for source in self._sources(account.bureau):  # 2
            try:
                async with self._asking(source) as peer:
                    await settle_by_peer(peer, account, seen)
            except Forked:
                raise
            except TallystickError as error:
                log.debug("not reconciled", ledger=account.bureau.id, size=seen.size, reason=str(error))
            else:
                self._changed.add(account.bureau.origin)
                return

    def _sources(self, bureau: Bureau) -> Sequence[Bureau]:
        others = [bureau, *(each for each in self._charter.witnesses_of(bureau) if each.id != self._own.id)]
        return self._rng.sample(others, min(SOURCES_ASKED, len(others)))

    @asynccontextmanager
    async def _asking(self, bureau: Bureau) -> AsyncIterator[Peer]:
        """A connection, kept for the next time. Raises Unreachable where what is asked takes too long."""
        if bureau.id not in self._peers:
            self._peers[bureau.id] = await self._open.enter_async_context(self._reach(bureau))
        try:
            async with asyncio.timeout(CALL_MAX_S):
                yield self._peers[bureau.id]
        except TimeoutError:
            raise Unreachable("no answer in time", where=bureau.id, expected=f"one within {CALL_MAX_S:g} s") from None

    # What is held.

    def _holdings(self) -> dict[int, Holding]:
        held = {
            ledger_number(origin): Holding(each.held, tuple(each.apart), self.proven.against(each.bureau))
            for origin, each in self.accounts.items()
        }
        own = self._shelf.own
        if own is not None:
            with suppress(TallystickError):  # it has nothing to show while it starts
                note = own.note
                if self._own_seen is None or self._own_seen.note != note:
                    self._own_seen = see(note, self._charter, self._own)
            held[ledger_number(self._own.origin)] = Holding(self._own_seen, (), self.proven.against(self._own))
        return held

    async def _keep(self) -> None:
        """Write down what is held of the ledgers that something new was heard of."""
        changed, self._changed = self._changed, set()
        batch = Batch()
        for origin in sorted(changed):
            batch.put(keyspace.gossip(origin), Gossiped(note=self.known(origin)).SerializeToString())
        try:
            if changed:
                await asyncio.get_running_loop().run_in_executor(self._disk, self._store.stage(batch))
        except TallystickError:
            self._changed |= changed
            raise
