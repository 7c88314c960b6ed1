"""Whose ledgers say something to this bureau: it follows and cosigns them, besides those it witnesses.

What is addressed to a bureau is served when it cosigned a checkpoint that covers it, so it has to learn that there is
something. Whoever a round of gossip swaps with is asked for the newest entry on his own ledger that is addressed to
this bureau: one small call, and none where that ledger has not grown since he was asked last. What he shows is held
against the newest checkpoint that is known of it; that there is nothing is his word, and puts nobody in the wrong.

Nothing is written down of it. After a start the copy itself says so, by its index; what was asked and not copied yet is
asked again.
"""

from __future__ import annotations

import structlog

from tallystick.core.charter import Bureau
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.entry import decode_entry
from tallystick.core.errors import ProofFailed
from tallystick.core.hashing import leaf_hash
from tallystick.core.merkle import check_range
from tallystick.core.reconciling import Account
from tallystick.core.statement import read
from tallystick_node.answers import says_to
from tallystick_node.following import Following
from tallystick_node.peers import Peer
from tallystick_node.shelf import Shelf
from tallystick_proto.v1.ledger_pb2 import Bundle

log = structlog.get_logger()


class Addressed:
    """What a bureau knows of the ledgers it does not follow yet. `load` once the copies are open."""

    def __init__(self, own: Bureau, shelf: Shelf, following: Following) -> None:
        self._own = own
        self._shelf = shelf
        self._following = following
        self._asked: dict[str, int] = {}

    def load(self, bureaus: tuple[Bureau, ...]) -> None:
        """Follow again those ledgers whose copies hold something for this bureau."""
        for bureau in bureaus:
            if bureau.origin not in self._shelf.origins:
                continue
            held = self._shelf.at(bureau.origin)
            if self.wants(bureau, held.size) and says_to(held.ledger, self._own.id, 0, held.size):
                self._following.follow(bureau)

    def wants(self, bureau: Bureau, size: int) -> bool:
        """Whether it is to be asked if a bureau's ledger, of so many entries, says something to this one."""
        return (
            self._own.state == bureau.state == "active"
            and not self._following.follows(bureau)
            and size > self._asked.get(bureau.origin, 0)
        )

    async def ask(self, peer: Peer, account: Account | None) -> None:
        """Ask a ledger's node, if it is wanted, for something in what is known of it, and follow it if there is.

        Raises ProofFailed or MalformedEntry where what the node shows is not that, and what the peer raises.
        """
        if account is None or account.held is None or not self.wants(account.bureau, account.held.size):
            return
        bureau, known = account.bureau, account.held.checkpoint
        first = self._asked.get(bureau.origin, 0)
        shown = await peer.find_newest(bureau.origin, self._own.id, first, known.size)
        if shown is not None:
            self._check(shown, bureau, known)
            self._following.follow(bureau)
            log.info("follows from now on, being addressed", ledger=bureau.id, entry=shown.first)
        self._asked[bureau.origin] = known.size

    def _check(self, shown: Bundle, bureau: Bureau, known: Checkpoint) -> None:
        """An entry of a ledger that is addressed to this bureau."""
        expected = f"one entry of {known.size} that is addressed to {self._own.id}"
        if len(shown.entry) != 1:
            raise ProofFailed(f"{len(shown.entry)} entries", where=bureau.id, expected=expected)
        check_range(shown.first, [leaf_hash(shown.entry[0])], known.size, known.root, shown.path)
        addressee = read(decode_entry(shown.entry[0]).statement).statement.head.counterparty
        if addressee != self._own.id:
            raise ProofFailed(f"an entry that is addressed to {addressee!r}", where=bureau.id, expected=expected)
