"""What a client hears of the charter's versions: a later one is told, two of one number stop it, words are words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tallystick.core.charter_chain import Version
from tallystick.core.errors import CharterForked, NotAllowed
from tallystick.core.versions import Fork
from tallystick.sdk.gossip import gossip
from tallystick.sdk.ledgers import Ledgers
from tallystick.sdk.node import Node
from tallystick.sdk.profile import Profile
from tests.harness.company import Company
from tests.harness.versions import CLIENTS, after, twins
from tests.harness.witnesses import record

MARKET, TAX, PLANNING = "market", "taxation", "planning"


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    """Three bureaus, each a witness of the other two."""
    with capture_logs(), Company(tmp_path, MARKET, TAX, PLANNING) as company:
        yield company


@pytest.fixture
def profile(company: Company) -> Profile:
    return company.profile("auditor")


@pytest.fixture
def first(company: Company, profile: Profile) -> Version:
    """The version that the client goes by, and all nodes with it."""
    return company.go_by_that_of(profile)


def test_a_later_version_is_kept_and_stops_nobody(company: Company, profile: Profile, first: Version) -> None:
    """The client is told of it and of who goes by it, reads on, and goes by it once it is adopted."""
    second = after(first, holder=CLIENTS)
    company.go_by(TAX, first, second)
    for _ in range(2):
        news = gossip(profile).charters
        assert news.later == [second]
        assert news.goes_by == {TAX: (2, second.digest)}
        assert not news.forks
    assert company[TAX].calls.count("GetCharter") == 1
    Ledgers.open(profile).close()
    profile.adopt(*profile.next_version(news.versions.place(second)))
    news = gossip(Profile.load(profile.path)).charters
    assert not news.later
    assert news.goes_by == dict.fromkeys((MARKET, PLANNING), (1, first.digest))


def test_two_versions_of_one_number_stop_the_client_and_the_nodes(
    company: Company, profile: Profile, first: Version
) -> None:
    """What it kept stops it whenever it would read live, and is told to the nodes; a version after both lifts it."""
    one, other = twins(first, CLIENTS)
    company.go_by(TAX, first, one)
    company.go_by(PLANNING, first, other)
    news = gossip(profile).charters
    (fork,) = news.forks
    assert {fork.known.digest, fork.other.digest} == {one.digest, other.digest}
    for opening in (Ledgers.open, Node.open):
        with pytest.raises(CharterForked, match=str(news.versions.place(fork))):
            opening(profile)
    for each in company.nodes:
        with pytest.raises(NotAllowed, match="signed two versions 2"):
            record(company[each], 1)
    for version in (one, after(one, holder=CLIENTS)):
        file = profile.path.parent / "next.note"
        file.write_bytes(version.note)
        profile.adopt(*profile.next_version(file))
        profile = Profile.load(profile.path)
        if version is one:
            with pytest.raises(CharterForked):
                Ledgers.open(profile)
    assert gossip(profile).charters.forks == [Fork(one, other)]
    Ledgers.open(profile).close()


@pytest.mark.parametrize("digest", [b"", b"\x07" * 32], ids=["none", "unknown"])
@pytest.mark.usefixtures("first")
def test_what_a_node_only_says_is_listed_at_most(company: Company, profile: Profile, digest: bytes) -> None:
    """A version that it does not show stops nobody, and one that cannot be is not even listed."""

    def lie(answer: Any) -> None:
        answer.charter[0].digest = digest

    company[TAX].lies["Swap"] = lie
    news = gossip(profile).charters
    assert (news.later, news.forks) == ([], [])
    assert list(news.goes_by) == ([TAX] if digest else [])
    Ledgers.open(profile).close()
