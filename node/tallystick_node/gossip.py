"""Gossip: what this node and its peers hold of ledgers, swapped, reconciled, and proven to be two where it is two.

Now and then a peer is picked, or two (`topics`), and both tell each other what is news to the other (`core/news`), of
the ledgers they speak of. What is shown is `heard`; what needs a proof is kept apart there, and tried to be settled
after each swap:

  1. by this node's own copy of that ledger, where it reaches so far: no cooperation is needed of whoever forked it;
  2. by what two others show, picked by chance among the ledger's node and its witnesses.

What nobody proves stays a suspicion, and is tried again. What is proven is kept (`proven`), and from then on told in
place of checkpoints. Others' versions of the charter are held against those known here (`charters`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Final

import structlog

from tallystick.core.charter import Bureau, Charter
from tallystick.core.clocks import ahead_us
from tallystick.core.errors import (
    Forked,
    NotAllowed,
    TallystickError,
    Unreachable,
)
from tallystick.core.news import ledger_number, lines_of, news, proven_of
from tallystick.core.reconciling import Account, Seen
from tallystick_node.addressed import Addressed
from tallystick_node.charters import Charters
from tallystick_node.clocks import Clocks
from tallystick_node.counts import ROUNDS
from tallystick_node.heard import Heard
from tallystick_node.peers import Peer, Reach
from tallystick_node.settling import settle_by_copy, settle_by_peer
from tallystick_node.shelf import Shelf
from tallystick_node.topics import Topics
from tallystick_proto.v1.gossip_pb2 import NotCosigned, SwapAnswer, SwapRequest, TellRequest

log = structlog.get_logger()

INTERVAL_S: Final = 1.0
CALL_MAX_S: Final = 3.0
"""How long a peer may take to answer; another one is asked in the next round."""
SOURCES_ASKED: Final = 2
"""How many others are asked for the proof of one checkpoint, each time it is tried."""


class Gossip:
    """Swaps what is `heard` with peers, and asks for what proves it. Use within one event loop."""

    def __init__(
        self,
        heard: Heard,
        charter: Charter,
        own: Bureau,
        shelf: Shelf,
        charters: Charters,
        clocks: Clocks,
        addressed: Addressed,
        topics: Topics,
        now_us: Callable[[], int],
        reach: Reach,
        rng: Random,
        interval_s: float,
    ) -> None:
        self.heard = heard
        self.charters = charters
        self._clocks = clocks
        self._addressed = addressed
        self._topics = topics
        self._charter = charter
        self._own = own
        self._shelf = shelf
        self._now_us = now_us
        self._reach = reach
        self._rng = rng
        self._interval_s = interval_s
        self._peers: dict[str, Peer] = {}
        self._open = AsyncExitStack()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with the rounds."""
        if self._topics.anybody:
            self._task = asyncio.create_task(self._run(), name="gossip")

    async def stop(self) -> None:
        """Leave off."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._open.aclose()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s * self._rng.uniform(0.5, 1.5))
            try:
                await self.round()
                ROUNDS.add("done")
            except TallystickError:  # one peer's, or the disk's; another round follows
                ROUNDS.add("failed")
            except Exception:  # a bug must not end the node
                log.exception("gossip failed")

    async def round(self) -> None:
        """Meet each whose turn it is. Raises what went wrong last, once all were met, or tried to be."""
        trouble: TallystickError | None = None
        for bureau in self._topics.peers():
            try:
                await self.meet(bureau)
            except TallystickError as error:
                log.debug("not met", peer=bureau.id, reason=str(error))
                trouble = error
        if trouble is not None:
            raise trouble

    async def meet(self, bureau: Bureau) -> None:
        """One swap with one peer, and a try to settle what is apart. Raises Unreachable, or what the disk raises."""
        trouble: TallystickError | None = None
        try:
            await self.swap(bureau)
        except TallystickError as error:
            trouble = error
        # Not in a `finally`: what the disk raises there would take the place of a cancellation, and the rounds go on.
        self._clocks.judge()
        await self.settle()
        if trouble is not None:
            raise trouble
        async with self._asking(bureau) as peer:
            await self._addressed.ask(peer, self.heard.accounts.get(bureau.origin))

    # The swap.

    def answer(self, request: SwapRequest) -> SwapAnswer:
        """What is held here, and what of it is news to the asker: of all ledgers, or of those it names and those this
        node always speaks of.
        """
        named = self.heard.origins(line.ledger for line in request.line) if request.named_only else None
        fresh = news(self.heard.holdings(named), request.line, request.proven)
        mine = self.heard.holdings(None if named is None else named | self._topics.always())
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
        await self.heard.take_copies()
        mine = self.heard.holdings(self._topics.for_swap(bureau))
        before_us = self._now_us()
        async with self._asking(bureau) as peer:
            answer = await peer.swap(SwapRequest(line=lines_of(mine), proven=proven_of(mine), named_only=True))
        self._clocks.heard(bureau.id, ahead_us(before_us, answer.now_us, self._now_us()))
        brought = await self.heard.take(answer.note, answer.evidence, bureau.id)
        self.heard.brought += brought
        mine = self.heard.holdings(self.heard.origins(line.ledger for line in answer.line))
        async with self._asking(bureau) as peer:
            if fresh := news(mine, answer.line, answer.proven):
                await peer.tell(TellRequest(note=fresh.notes, evidence=fresh.evidence))
            await self.charters.hear(peer, answer.charter)

    # Proofs.

    async def settle(self) -> None:
        """Try to settle what is apart, and write down what came of it.

        What this round brought is tried though others may have been told so much meanwhile that it is apart no more:
        else a forker who tells without end would keep what contradicts him from ever being held against it.
        """
        brought, self.heard.brought = self.heard.brought, []
        waiting = {account.bureau.origin: [*account.apart] for account in self.heard.accounts.values()}
        for account, seen in brought:
            if seen != account.held and seen not in account.apart:
                waiting[account.bureau.origin].append(seen)
        accounts = self.heard.accounts
        await asyncio.gather(*(self._settle(accounts[origin], seen) for origin, seen in waiting.items() if seen))
        await self.heard.keep()
        await self.heard.proven.write()

    async def _settle(self, account: Account, waiting: list[Seen]) -> None:
        try:
            for seen in sorted(waiting, key=lambda each: -each.size):
                if self.heard.proven.against(account.bureau) is None:
                    await self._settle_one(account, seen)
        except Forked as error:
            await self.heard.proven.keep(account.naming_cosigners(error).evidence)
        except TallystickError as error:  # its copy's, or the disk's; the others' are settled all the same
            log.debug("not settled", ledger=account.bureau.id, reason=str(error))

    async def _settle_one(self, account: Account, seen: Seen) -> None:
        """Try to settle what is apart. Raises Forked."""
        if settle_by_copy(self._shelf, account, seen):  # 1
            self.heard.changed.add(account.bureau.origin)
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
                self.heard.changed.add(account.bureau.origin)
                return
        account.doubt(seen)

    def _sources(self, bureau: Bureau) -> Sequence[Bureau]:
        others = [bureau, *(each for each in self._charter.witnesses_of(bureau) if each.id != self._own.id)]
        return self._rng.sample(others, min(SOURCES_ASKED, len(others)))

    @asynccontextmanager
    async def _asking(self, bureau: Bureau) -> AsyncIterator[Peer]:
        """A connection, kept for the next time. Raises Unreachable where what is asked takes too long."""
        if bureau.id not in self._peers:
            self._peers[bureau.id] = await self._open.enter_async_context(self._reach(bureau))
        peer = self._peers[bureau.id]
        try:
            async with asyncio.timeout(CALL_MAX_S):
                yield peer
        except (Unreachable, NotAllowed):  # not reached, or let in no more on a connection that outlived a certificate
            if peer.outdated:  # once a certificate's life, so that the old one may wait for the end
                self._peers.pop(bureau.id, None)
            raise
        except TimeoutError:
            raise Unreachable("no answer in time", where=bureau.id, expected=f"one within {CALL_MAX_S:g} s") from None
