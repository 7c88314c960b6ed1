"""Whom this node swaps with in a round of gossip, and of which ledgers they speak.

What a round costs grows with the ledgers a node follows, and not with the district. So a swap is of

  1. the node's own ledger, the other's, and those it follows;
  2. those of which a checkpoint is doubted, so that it meets whoever can settle it;
  3. `OTHERS_NAMED` of the rest: the `LATELY_NAMED` of which there was news last, so that what is new in a quiet
     district is everywhere after a number of rounds that grows with the logarithm of the bureaus; and before others
     those of which no quorum is known to have cosigned what is held, since its witnesses may hold another history;
  4. and others, each in its turn, so that nothing is missed for good where more is new than that.

A round is a swap with one who follows a ledger that this node follows too, each ledger in its turn, so that two
histories of it meet where they are known; and one with any of all the others, where there are others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from random import Random
from typing import Final

from tallystick.core.charter import Bureau, Charter
from tallystick_node.following import Following
from tallystick_node.heard import Heard

OTHERS_NAMED: Final = 8
"""Of how many ledgers that it does not follow a node speaks in a swap."""
LATELY_NAMED: Final = 4
"""Of how many of them because there was news of them."""


class Turns:
    """Has each of some come in its turn, in an order by chance, which is drawn anew once all had theirs."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._waiting: list[str] = []

    def next(self, among: Collection[str]) -> str:
        """Who comes next, of those who may, of whom there must be one."""
        while True:
            while self._waiting:
                if (each := self._waiting.pop()) in among:
                    return each
            self._waiting = self._rng.sample(sorted(among), len(among))


class Topics:
    """Use within one event loop. What it says depends on `rng`, and on what is followed and heard by then."""

    def __init__(self, charter: Charter, own: Bureau, following: Following, heard: Heard, rng: Random) -> None:
        self._charter = charter
        self._own = own
        self._following = following
        self._heard = heard
        self._rng = rng
        self._nodes = {each.id: each for each in charter.bureau if each.id != own.id and each.state != "closed"}
        self._ledgers = Turns(rng)
        self._rest = Turns(rng)

    def peers(self) -> list[Bureau]:
        """Whom to swap with in this round: nobody, where nobody else has a node, or one, or two."""
        circles = {ledger.id: circle for ledger in self._concern() if (circle := self._circle(ledger))}
        near = {id for circle in circles.values() for id in circle}
        far = [id for id in self._nodes if id not in near]
        chosen = [self._rng.choice(circles[self._ledgers.next(circles)])] if circles else []
        return [self._nodes[id] for id in (*chosen, *([self._rng.choice(far)] if far else ()))]

    def with_any(self) -> set[str]:
        """The origins of those ledgers of which this node speaks with whoever asks it, besides those he names: 1, 2."""
        doubted = (origin for origin, account in self._heard.accounts.items() if account.doubted)
        return {*(ledger.origin for ledger in self._concern()), *doubted}

    def with_peer(self, peer: Bureau) -> set[str]:
        """The origins of those ledgers of which this node speaks with a peer it asks."""
        named = {*self.with_any(), peer.origin}
        accounts = self._heard.accounts
        lately = [origin for origin in self._heard.lately if origin not in named]
        lately.sort(key=lambda origin: accounts[origin].lacks_quorum)  # which leaves the newest last
        lately = lately[-LATELY_NAMED:]  # 3
        named.update(lately)
        rest = accounts.keys() - named
        for _ in range(min(OTHERS_NAMED - len(lately), len(rest))):  # 4
            rest.remove(origin := self._rest.next(rest))
            named.add(origin)
        return named

    def _concern(self) -> Iterator[Bureau]:
        yield self._own
        for follower in self._following.followers:
            yield follower.bureau

    def _circle(self, ledger: Bureau) -> list[str]:
        """Who else has a ledger or follows it, by the charter."""
        return [each.id for each in (ledger, *self._charter.witnesses_of(ledger)) if each.id in self._nodes]
