"""What the node of a bureau with a ledger does, whatever reaches it: it writes that, gathers cosignatures for it, and
observes the others as every node does (`observer`).

It starts in two steps. First it reads: its own ledger under what it signed last, its copies, and what it is asked by
others that start. It signs nothing, neither for its ledger nor as a witness, until its witnesses have answered
(`starting`); then it writes, and follows.

The pieces are put together here once, for a process that listens (`server`) as for whoever drives them otherwise. A
stop goes backwards: followers first, then whoever waits is let go, and last the writer, which finishes what is queued.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from tallystick.core.keys import Signer
from tallystick.core.submission import Prepared
from tallystick_node import gossip, observer, shown, witness_times
from tallystick_node.erasing import Expunging
from tallystick_node.own_statement import Voice
from tallystick_node.own_word import OwnWord
from tallystick_node.reports import Reports
from tallystick_node.sequencer import Sequencer
from tallystick_node.services.submit import SubmitService
from tallystick_node.shelf import Own
from tallystick_node.starting import Asking
from tallystick_node.store.current import CurrentStore
from tallystick_node.witness import Gathering
from tallystick_node.witness_times import WitnessTimes

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Who(observer.Who):
    """The same of a node that has a ledger, with the key by which it says something itself."""

    ledger_key: Signer


class Engine(observer.Observer):
    """An observer with the pieces that need a ledger. `start` before the first call is answered, `begin` once they are;
    `stop` at the end.

    `witness_times_s` is how long it waits at least before it records what was witnessed, and then again; `gossip_s` how
    long, more or less, before it swaps with another node, and then again; `shown_s` how long what was read waits to be
    recorded.
    """

    def __init__(
        self,
        who: Who,
        sequencer: Sequencer,
        adoption_due: Callable[[int], Prepared] | None = None,
        witness_times_s: float = witness_times.INTERVAL_S,
        gossip_s: float = gossip.INTERVAL_S,
        shown_s: float = shown.INTERVAL_S,
    ) -> None:
        self.sequencer = sequencer
        self.own_word = OwnWord(sequencer, who.bureau)
        self.asking = Asking(who.charter, who.bureau, sequencer, self.own_word, who.reach, who.rng)
        self.gathering = Gathering(sequencer, who.charter, who.bureau, self.own_word)
        store = CurrentStore(lambda: sequencer.ledger.store)
        super().__init__(
            who,
            store,
            gossip_s,
            shown_s,
            own=Own(sequencer, self.gathering),
            gathering=self.gathering,
            own_word=self.own_word,
            sequencer=sequencer,
            voice=Voice(sequencer, who.bureau, who.ledger_key, who.now_us, who.rng),
        )
        self.witness_times = WitnessTimes(
            sequencer,
            self.gathering,
            who.charter,
            who.bureau,
            who.ledger_key,
            who.now_us,
            who.rng,
            witness_times_s,
        )
        self.reports = Reports(sequencer, self.proven, who.bureau, who.ledger_key, who.now_us, who.rng)
        self.submit = SubmitService(sequencer, self.gathering)
        self.expunging = Expunging(store, sequencer.erased)
        self._adoption_due = adoption_due

    @property
    def records(self) -> bool:
        return self.sequencer.not_recording is None

    async def ended(self) -> None:
        await self.sequencer.ended.wait()

    @property
    def standing(self) -> dict[str, object]:
        """What the log says of it when it begins and ends."""
        state = self.sequencer.ledger.state
        return {"entries": state.size, "root": state.root.hex()[:16], **super().standing}

    async def start(self) -> None:
        """Take up what can be read, and what others ask for. A ledger that has nobody to ask is written at once."""
        await super().start()
        self.gathering.load()
        if self.asking.needed:
            self.sequencer.show_last(self.who.bureau, self.gathering.known)
        else:
            await self.write()

    async def begin(self) -> None:
        """Swap with other nodes, ask until this node may sign, then write its ledger and follow others.

        Raises BehindSigned.
        """
        self.gossip.start()
        self.following.ask()
        if self.asking.needed:
            await self.asking.until_it_may_sign()
            await self.write()
        self.follow()

    async def write(self) -> None:
        """Sign what is there, record a charter that is new to the ledger, and show it to the witnesses.

        Where nothing is recorded now, a later start records it.
        """
        await self.sequencer.start()
        if self._adoption_due is not None and self.records:
            await self.sequencer.record(self._adoption_due(self.who.now_us()))
            log.info("charter adopted", bureau=self.who.bureau.id, version=self.who.charter.version)
        self.gathering.start()
        self.witness_times.start()
        self.reports.start()
        self.expunging.start()
        self.shown.start()

    def refuse_more(self) -> None:
        """Refuse submissions, and let go of whoever waits; what is queued goes on."""
        self.sequencer.refuse_more()
        self.gathering.refuse_more()
        super().refuse_more()

    async def stop(self) -> None:
        """Finish what is queued, and write down what was heard."""
        await self.expunging.stop()
        await self.reports.stop()
        await self.witness_times.stop()
        await self.gathering.stop()
        await super().stop()
        await self.sequencer.stop()
