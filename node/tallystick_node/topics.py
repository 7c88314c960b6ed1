"""Whom this node swaps with in a round of gossip, and of which ledgers they speak.

What a round costs grows with the ledgers a node follows, and not with the district. So a swap is of

  1. the node's own ledger, the other's, and those it follows;
  2. `DOUBTED_NAMED` of those of which a checkpoint is doubted, so that it meets whoever can settle it;
  3. `LACKING_NAMED` of the rest of which fewer than a quorum are known to have cosigned what is held, since its
     witnesses may hold another history;
  4. the `LATELY_NAMED` of the rest of which there was news last, so that what is new in a quiet district is everywhere
     after a number of rounds that grows with the logarithm of the bureaus;
  5. and others, `OTHERS_NAMED` with 3 and 4, so that nothing is missed for good where more is new than that.

Of 2, 3 and 5 each has its turn, where there are more. Of ledgers that evidence is held against nothing needs to be said
any more: evidence is told to all.

A round is a swap with one who follows a ledger that this node follows too, each ledger in its turn, so that two
histories of it meet where they are known; and, where not everybody is one of these, one with anybody else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from random import Random
from typing import Final

from tallystick.core.charter import Bureau, Charter
from tallystick_node.following import Following
from tallystick_node.heard import Heard

DOUBTED_NAMED: Final = 8
OTHERS_NAMED: Final = 8
"""Of how many ledgers that it neither follows nor doubts a node speaks in a swap."""
LACKING_NAMED: Final = 2
LATELY_NAMED: Final = 3


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

    def some(self, among: Collection[str], count: int) -> set[str]:
        """So many who come next, or all of them."""
        left = set(among)
        if len(left) > count:
            for _ in range(count):
                left.remove(self.next(left))
            return set(among) - left
        return left


class Topics:
    """Use within one event loop. What it says depends on `rng`, and on what is followed and heard by then."""

    def __init__(self, charter: Charter, own: Bureau, following: Following, heard: Heard, rng: Random) -> None:
        self._charter = charter
        self._own = own
        self._following = following
        self._heard = heard
        self._rng = rng
        self._nodes = {each.id: each for each in charter.bureau if each.id != own.id and each.state != "closed"}
        self._circles: dict[str, list[str]] = {}
        self._ledgers, self._doubted, self._lacking, self._rest = (Turns(rng) for _ in range(4))

    @property
    def anybody(self) -> bool:
        """Whether there is anybody to swap with."""
        return bool(self._nodes)

    def peers(self) -> list[Bureau]:
        """Whom to swap with in this round: nobody, where nobody else has a node, or one, or two."""
        circles = {ledger.id: circle for ledger in self._concern() if (circle := self._circle(ledger))}
        chosen = [self._rng.choice(circles[self._ledgers.next(circles)])] if circles else []
        near = {id for circle in circles.values() for id in circle}
        if len(near) < len(self._nodes):
            chosen.append(self._rng.choice([id for id in self._nodes if id not in chosen]))
        return [self._nodes[id] for id in chosen]

    def always(self) -> set[str]:
        """The origins of those ledgers of which this node speaks with whoever asks it, besides those he names: 1, 2."""
        doubted = [origin for origin, account in self._heard.accounts.items() if account.doubted]
        return {ledger.origin for ledger in self._concern()} | self._doubted.some(self._open(doubted), DOUBTED_NAMED)

    def for_swap(self, peer: Bureau) -> set[str]:
        """The origins of those ledgers of which this node speaks with a peer that it asks."""
        named = {*self.always(), peer.origin}
        accounts = self._heard.accounts
        rest = self._open(origin for origin in accounts if origin not in named)
        lacking = [origin for origin in rest if accounts[origin].lacks_quorum]
        others = self._lacking.some(lacking, LACKING_NAMED)  # 3
        others.update([origin for origin in self._heard.lately if origin in rest][-LATELY_NAMED:])  # 4
        return named | others | self._rest.some(rest - others, OTHERS_NAMED - len(others))  # 5

    def _open(self, origins: Iterable[str]) -> set[str]:
        """Those of some ledgers that no evidence is held against."""
        accounts, proven = self._heard.accounts, self._heard.proven
        return {origin for origin in origins if proven.against(accounts[origin].bureau) is None}

    def _concern(self) -> Iterator[Bureau]:
        yield self._own
        for follower in self._following.followers:
            yield follower.bureau

    def _circle(self, ledger: Bureau) -> list[str]:
        """Who else has a ledger or follows it, by the charter."""
        if ledger.id not in self._circles:
            follow = (ledger, *self._charter.witnesses_of(ledger))
            self._circles[ledger.id] = [each.id for each in follow if each.id in self._nodes]
        return self._circles[ledger.id]
