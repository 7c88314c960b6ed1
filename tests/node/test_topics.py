"""Whom a node swaps with and of which ledgers it speaks: of as many in every district, and in turn of all."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from pathlib import Path
from random import Random

import msgspec
import pytest

from tallystick.core.charter import Bureau, Charter
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.note import NoteSignature
from tallystick.core.reconciling import Said, Seen
from tallystick.sdk.heard_versions import HeardVersions
from tallystick_node.observer import Observer, Who
from tallystick_node.peers import Peer
from tallystick_node.store.memory import MemoryStore
from tallystick_node.topics import LATELY_NAMED, OTHERS_NAMED, Topics, Turns
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
    assert one.topics.with_any() == always
    named = one.topics.with_peer(stranger)
    assert always < named
    assert stranger.origin in named
    assert len(named - always - {stranger.origin}) == OTHERS_NAMED


@pytest.mark.parametrize("bureaus", [2, 5, WITNESSES, 12])
def test_a_small_district_speaks_of_all_its_ledgers(node: Callable[[int], Node], bureaus: int) -> None:
    one = node(bureaus)
    assert one.topics.with_peer(one.charter.ledgers[1]) == {each.origin for each in one.charter.ledgers}


@pytest.mark.parametrize("busy", [False, True])
def test_every_ledger_has_its_turn(node: Callable[[int], Node], busy: bool) -> None:
    """Also where there is always other news: then half as fast."""
    one = node(LARGE)
    if busy:
        one.heard.lately = dict.fromkeys(one.rest[:LATELY_NAMED])
    in_turn = OTHERS_NAMED - len(one.heard.lately)
    swaps = ceil(len(one.rest) / in_turn)
    named = {origin for _ in range(swaps) for origin in one.topics.with_peer(one.a_stranger())}
    assert set(one.rest) <= named


def test_news_is_spoken_of_before_others_turn_comes(node: Callable[[int], Node]) -> None:
    """Of the newest few, in each swap; what is followed is none of them, however much there is of it."""
    one = node(LARGE)
    old, *newest = one.rest[: LATELY_NAMED + 1]
    one.heard.lately = dict.fromkeys([old, *newest, *one.followed])
    swaps = [one.topics.with_peer(one.a_stranger()) for _ in range(3)]
    assert all(set(newest) <= named for named in swaps)
    assert not all(old in named for named in swaps)


def test_what_no_quorum_is_known_to_have_cosigned_is_spoken_of_before_later_news(node: Callable[[int], Node]) -> None:
    """Its witnesses may have been shown another history, and are to hear of this one."""
    one = node(LARGE)
    first, second, *later = one.rest[: LATELY_NAMED + 2]
    one.heard.lately = dict.fromkeys([first, second, *later])
    for origin in one.heard.lately:
        account = one.heard.accounts[origin]
        cosigners = one.charter.witnesses_of(account.bureau)
        quorum = one.charter.quorum_of(account.bureau)
        assert quorum is not None
        count = quorum.needed - (origin == first)
        said = {each.id: Said(NoteSignature(each.id, bytes(4), b""), 1) for each in cosigners[:count]}
        account.held = Seen(Checkpoint(origin, 3, bytes(32)), (), said)
    swaps = [one.topics.with_peer(one.a_stranger()) for _ in range(3)]
    assert all(first in named for named in swaps)
    assert all(set(later[1:]) <= named for named in swaps)
    assert not all(second in named for named in swaps)


def test_who_is_doubted_is_spoken_of_with_everybody(node: Callable[[int], Node]) -> None:
    one = node(LARGE)
    doubted = one.rest[0]
    assert doubted not in one.topics.with_any()
    one.heard.accounts[doubted].doubted.add(Checkpoint(doubted, 3, bytes(32)))
    assert doubted in one.topics.with_any() & one.topics.with_peer(one.a_stranger())


def test_a_round_is_with_one_who_follows_the_same_and_one_of_the_others(node: Callable[[int], Node]) -> None:
    """Each ledger has its turn to say whom, and in time everybody is met."""
    one = node(LARGE)
    ledgers = [one.bureau, *(follower.bureau for follower in one.following.followers)]
    near = set().union(*(one.circle(ledger) for ledger in ledgers))
    rounds = [[peer.id for peer in one.topics.peers()] for _ in range(20 * LARGE)]
    for number, (first, second) in enumerate(rounds):
        assert (first in near, second in near) == (True, False), number
    turn = [first for first, _ in rounds[: len(ledgers)]]
    assert all(one.circle(ledger) & set(turn) for ledger in ledgers)
    assert {id for each in rounds for id in each} == {each.id for each in one.charter.bureau} - {one.bureau.id}


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
