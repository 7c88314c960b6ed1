"""What every node does, with a ledger or without: it follows others' ledgers, cosigns them, answers for its copies.

An observer's node is this and no more. The node of a bureau with a ledger is one too (`engine.Engine`), and has besides
what needs a ledger. So a piece stands where it belongs, here or there, and need not ask in which kind of node it is:
what is to be recorded is not recorded by an observer, since the piece that would record it is not there.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from tallystick.core.charter import Bureau, Charter
from tallystick.core.keys import Signer
from tallystick.sdk.heard_versions import HeardVersions
from tallystick_node.addressed import Addressed
from tallystick_node.charters import Charters
from tallystick_node.clocks import Clocks
from tallystick_node.following import Following
from tallystick_node.gossip import INTERVAL_S, Gossip
from tallystick_node.heard import Heard
from tallystick_node.own_statement import Voice
from tallystick_node.own_word import OwnWord
from tallystick_node.peers import Reach
from tallystick_node.proven import Proven
from tallystick_node.sequencer import Sequencer
from tallystick_node.services.gossip import GossipService
from tallystick_node.services.ledger import LedgerService
from tallystick_node.services.submit import NoSubmitService, SubmitService
from tallystick_node.services.witness import WitnessService
from tallystick_node.shelf import Held, Shelf
from tallystick_node.shown import INTERVAL_S as SHOWN_S
from tallystick_node.shown import Shown
from tallystick_node.store.store import Store
from tallystick_node.topics import Topics
from tallystick_node.witness import Gathering


@dataclass(frozen=True, slots=True)
class Who:
    """As whom a node works: its bureau under the versions of a charter, its witness key, its clock, how it reaches the
    others, and its chance, from which salts come: a process's is its system's.
    """

    versions: HeardVersions
    bureau: Bureau
    witness_key: Signer
    now_us: Callable[[], int]
    reach: Reach
    rng: random.Random

    @property
    def charter(self) -> Charter:
        """The version it goes by."""
        return self.versions.current.charter


class Observer:
    """The pieces of a node that need no ledger. `start` before the first call is answered, `begin` once they are;
    `stop` at the end. `store` stays its opener's to close; `gossip_s` is how long, more or less, it waits before it
    swaps with another node, and then again; `shown_s` how long what was read waits to be recorded, or here logged.
    """

    def __init__(
        self,
        who: Who,
        store: Store,
        gossip_s: float = INTERVAL_S,
        shown_s: float = SHOWN_S,
        *,
        own: Held | None = None,
        gathering: Gathering | None = None,
        own_word: OwnWord | None = None,
        sequencer: Sequencer | None = None,
        voice: Voice | None = None,
    ) -> None:
        self.who = who
        self.store = store
        self.shelf = Shelf(store, who.witness_key, f"{who.bureau.origin}/witness", own)
        self.proven = Proven(who.charter, store)
        self.charters = Charters(who.versions, sequencer)
        self.following = Following(
            who.charter, who.bureau, self.shelf, who.now_us, who.reach, who.rng, self.proven, self.charters
        )
        self.addressed = Addressed(who.bureau, self.shelf, self.following)
        self.clocks = Clocks(who.charter, who.bureau, sequencer)
        self.heard = Heard(who.charter, who.bureau, store, self.shelf, own_word, self.proven)
        topics = Topics(who.charter, who.bureau, self.following, self.heard, who.rng)
        self.gossip = Gossip(
            self.heard,
            who.charter,
            who.bureau,
            self.shelf,
            self.charters,
            self.clocks,
            self.addressed,
            topics,
            who.now_us,
            who.reach,
            who.rng,
            gossip_s,
        )
        self.swaps = GossipService(self.gossip)
        self.shown = Shown(who.charter, who.bureau, voice, who.now_us, shown_s)
        self.ledger = LedgerService(self.shelf, self.shown, None if sequencer is None else sequencer.disclosures)
        self.witness = WitnessService(who.bureau, gathering, self.shelf, self.heard)
        self.submit: SubmitService | NoSubmitService = NoSubmitService(who.bureau)

    @property
    def standing(self) -> dict[str, object]:
        """What the log says of it when it begins and ends."""
        return {"copies": len(self.shelf.origins)}

    async def start(self) -> None:
        """Take up what is held of others."""
        self.shelf.load(bureau for bureau in self.who.charter.ledgers if bureau != self.who.bureau)
        self.heard.load()
        self.charters.load()
        self.addressed.load(self.who.charter.ledgers)

    async def begin(self) -> None:
        """Swap with other nodes, and follow."""
        self.shown.start()
        self.gossip.start()
        self.follow()

    @property
    def records(self) -> bool:
        """Whether it takes submissions now."""
        return False

    async def ended(self) -> None:
        """Wait until it takes them no more."""

    def follow(self) -> None:
        """Begin to follow the ledgers this node witnesses or observes, or that address its bureau."""
        self.following.start()

    async def unfollow(self) -> None:
        """Follow no more, ask no more, and record what was read so far."""
        await self.following.stop()
        await self.gossip.stop()
        await self.heard.stop()
        await self.shown.settle()

    def refuse_more(self) -> None:
        """Let go of whoever waits."""
        self.shelf.refuse_more()

    async def stop(self) -> None:
        """Keep no more evidence, and no more versions."""
        self.shown.stop()
        self.charters.stop()
        self.proven.stop()
