"""Whom a node swaps with and of which ledgers it speaks: of as many in every district, and in turn of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from math import ceil
from pathlib import Path
from random import Random

import msgspec
import pytest

from tallystick.core.charter import Bureau, Charter
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.equivocation import make_equivocation
from tallystick.core.note import NoteSignature
from tallystick.core.reconciling import Said, Seen
from tallystick.sdk.heard_versions import HeardVersions
from tallystick_node.observer import Observer, Who
from tallystick_node.peers import Peer
from tallystick_node.store.memory import MemoryStore
from tallystick_node.topics import DOUBTED_NAMED, LACKING_NAMED, LATELY_NAMED, OTHERS_NAMED, Topics, Turns
from tests.simulation.world import world

WITNESSES = 7
LARGE = 60


class Node:
    """The first bureau's node in a district, as far as it has topics. A district of more than seven lists witnesses."""

    def __init__(self, bureaus: int, folder: Path) -> None:
        place = world(bureaus, WITNESSES if bureaus > WITNESSES else 0)
        self.charter: Charter = place.charter
        office = place.offices[0]
        self.bureau = self.charter.by_id(office.bureau.id)
        versions = HeardVersions([place.version], folder)
        who = Who(versions, self.bureau, office.keys["witness"], lambda: 0, Peer, Random(1))
        engine = Observer(who, MemoryStore())
        self.heard, self.following = engine.heard, engine.following
        self.topics = Topics(self.charter, self.bureau, engine.following, engine.heard, Random(2))

    @property
    def followed(self) -> set[str]:
        return {follower.bureau.origin for follower in self.following.followers}

    @property
    def rest(self) -> list[str]:
        """The ledgers that it neither has nor follows, by origin."""
        return [origin for origin in self.heard.accounts if origin not in self.followed]

    def holds(self, origins: Iterable[str], *, lacking: int = 0) -> None:
        """It holds a checkpoint of some ledgers, cosigned by a quorum but for so many."""
        for origin in origins:
            account = self.heard.accounts[origin]
            quorum = self.charter.quorum_of(account.bureau)
            assert quorum is not None
            cosigners = self.charter.witnesses_of(account.bureau)[: quorum.needed - lacking]
            said = {each.id: Said(NoteSignature(each.id, bytes(4), b""), 1) for each in cosigners}
            account.held = Seen(Checkpoint(origin, 3, bytes(32)), (), said)

    def a_stranger(self) -> Bureau:
        """One whose ledger it does not follow."""
        return self.charter.by_origin(self.rest[-1])

    def circle(self, ledger: Bureau) -> set[str]:
        """Who have a ledger or witness it, but for this node's bureau."""
        return {ledger.id, *(each.id for each in self.charter.witnesses_of(ledger))} - {self.bureau.id}


@pytest.fixture
def node(tmp_path: Path) -> Callable[[int], Node]:
    return lambda bureaus: Node(bureaus, tmp_path)


@pytest.mark.parametrize("bureaus", [30, 300])
def test_a_swap_is_of_what_is_followed_and_of_as_many_others_in_every_district(
    node: Callable[[int], Node], bureaus: int
) -> None:
    one = node(bureaus)
    always, stranger = {one.bureau.origin, *one.followed}, one.a_stranger()
    assert one.topics.always() == always
    named = one.topics.for_swap(stranger)
    assert always < named
    assert stranger.origin in named
    assert len(named - always - {stranger.origin}) == OTHERS_NAMED


@pytest.mark.parametrize("bureaus", [2, 5, WITNESSES, 12])
def test_a_small_district_speaks_of_all_its_ledgers(node: Callable[[int], Node], bureaus: int) -> None:
    one = node(bureaus)
    assert one.topics.for_swap(one.charter.ledgers[1]) == {each.origin for each in one.charter.ledgers}


@pytest.mark.parametrize("busy", [False, True])
def test_every_ledger_has_its_turn(node: Callable[[int], Node], busy: bool) -> None:
    """Also where there is always other news, and some that lack cosignatures: then slower."""
    one = node(LARGE)
    one.holds(one.rest)
    if busy:
        one.holds(one.rest[:5], lacking=1)
        one.heard.lately = dict.fromkeys(one.rest[5:9])
    swaps = ceil(len(one.rest) / (OTHERS_NAMED - busy * (LACKING_NAMED + LATELY_NAMED)))
    named = {origin for _ in range(swaps) for origin in one.topics.for_swap(one.a_stranger())}
    assert set(one.rest) <= named


def test_the_newest_is_spoken_of_in_each_swap(node: Callable[[int], Node]) -> None:
    """However much there is that lacks cosignatures, or is news of what is followed."""
    one = node(LARGE)
    old, *newest = one.rest[: LATELY_NAMED + 1]
    one.holds(one.rest[:20])
    one.heard.lately = dict.fromkeys([old, *newest, *one.followed])
    swaps = [one.topics.for_swap(one.a_stranger()) for _ in range(10)]
    assert all(set(newest) <= named for named in swaps)
    assert not all(old in named for named in swaps)


def test_what_no_quorum_is_known_to_have_cosigned_comes_before_the_rest(node: Callable[[int], Node]) -> None:
    """Its witnesses may have been shown another history, and are to hear of this one; each in its turn."""
    one = node(LARGE)
    lacking = one.rest[:4]
    one.holds(one.rest)
    one.holds(lacking, lacking=1)
    for _ in range(5):
        named = [one.topics.for_swap(one.a_stranger()) & set(lacking) for _ in range(len(lacking) // LACKING_NAMED)]
        assert set().union(*named) == set(lacking)


def test_who_is_doubted_is_spoken_of_with_everybody(node: Callable[[int], Node]) -> None:
    one = node(LARGE)
    doubted = one.rest[0]
    assert doubted not in one.topics.always()
    one.heard.accounts[doubted].doubted.add(Checkpoint(doubted, 3, bytes(32)))
    assert doubted in one.topics.always() & one.topics.for_swap(one.a_stranger())


def test_of_many_that_are_doubted_each_has_its_turn(node: Callable[[int], Node]) -> None:
    one = node(LARGE)
    doubted = set(one.rest[: 2 * DOUBTED_NAMED])
    for origin in doubted:
        one.heard.accounts[origin].doubted.add(Checkpoint(origin, 3, bytes(32)))
    first, second = (one.topics.always() & doubted for _ in range(2))
    assert len(first) == len(second) == DOUBTED_NAMED
    assert first | second == doubted


def test_of_a_ledger_that_evidence_is_held_against_nothing_is_said(node: Callable[[int], Node]) -> None:
    """It takes nobody's place: neither as news, nor as doubted, nor as lacking cosignatures."""
    one = node(LARGE)
    forked = one.a_stranger()
    office = next(each for each in world(LARGE, WITNESSES).offices if each.bureau.id == forked.id)
    first, second = (office.note(9, bytes([number]) * 32) for number in range(2))
    one.heard.proven.hold(make_equivocation(first, second, forked.ledger_verifier))
    one.heard.accounts[forked.origin].doubted.add(Checkpoint(forked.origin, 3, bytes(32)))
    one.heard.lately = {forked.origin: None}
    other = one.charter.by_origin(one.rest[0])
    assert not any(forked.origin in one.topics.for_swap(other) for _ in range(LARGE))


def test_a_round_is_with_one_who_follows_the_same_and_with_anybody(node: Callable[[int], Node]) -> None:
    """Each ledger has its turn to say with whom, and in time everybody is met as often as others, or oftener."""
    one = node(LARGE)
    ledgers = [one.bureau, *(follower.bureau for follower in one.following.followers)]
    near = set().union(*(one.circle(ledger) for ledger in ledgers))
    others = {each.id for each in one.charter.bureau} - {one.bureau.id}
    rounds = [[peer.id for peer in one.topics.peers()] for _ in range(20 * LARGE)]
    for first, second in rounds:
        assert first in near
        assert second != first
    turn = [first for first, _ in rounds[: len(ledgers)]]
    assert all(one.circle(ledger) & set(turn) for ledger in ledgers)
    met = Counter(second for _, second in rounds)
    assert met.keys() == others
    assert max(met.values()) < 4 * len(rounds) / len(others)


def test_in_a_small_district_a_round_is_with_any_one(node: Callable[[int], Node]) -> None:
    one = node(5)
    rounds = [one.topics.peers() for _ in range(100)]
    assert {len(each) for each in rounds} == {1}
    assert {peer.id for each in rounds for peer in each} == {each.id for each in one.charter.bureau} - {one.bureau.id}


def test_who_has_closed_is_not_met(node: Callable[[int], Node]) -> None:
    """Nor is anybody where nobody else is left."""
    one = node(2)
    closed = tuple(msgspec.structs.replace(each, state="closed") for each in one.charter.bureau if each != one.bureau)
    charter = msgspec.structs.replace(one.charter, bureau=(one.bureau, *closed))
    assert one.topics.peers()
    assert not Topics(charter, one.bureau, one.following, one.heard, Random(1)).peers()


def test_turns_go_round_among_those_who_come_and_go() -> None:
    turns = Turns(Random(1))
    assert {turns.next("abc") for _ in range(3)} == set("abc")
    first = turns.next("abc")
    assert [turns.next(first) for _ in range(3)] == [first] * 3
    assert {turns.next("wxyz") for _ in range(4)} == set("wxyz")
