"""Whatever lawful things several bureaus do at once, nothing is found; and one slip is found by its own rule alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.audit.finding import Finding, Standing
from tallystick.audit.obligations import OBLIGATIONS
from tallystick.audit.rule import RULES
from tallystick.core.entry import decode_entry
from tallystick.core.identifiers import parse_entry_ref
from tallystick.core.kinds import KINDS
from tests.harness.district import BEGIN, District
from tests.harness.lawful import END, Story, World
from tests.harness.stories_of_office import SLIPS, STORIES

STRUCTURAL = {
    "chain-broken",
    "malformed-entry",
    "signature-invalid",
    "tree-mismatch",
    "rollback",
    "equivocation",
    "witness-inconsistent",
    "charter-fork",
    "acknowledged-lost",
    "unreconciled",
    "not-witnessed",
    "silent-ledger",
}
# They hang on what somebody may have said who is not shown: who was granted, a successor that was named.
NEEDS_A_THIRD = {"granted-not-served", "duty-gap"}
SEEDS = st.integers(0, 2**32)


def slipped(rule: str, seed: int, others: list[Story]) -> District:
    """A history that is lawful but for one breach of a rule; the next one by chance that comes to where it can be."""
    for attempt in range(1_000):
        world = World(Random(f"{seed}/{attempt}"), slip=rule)
        district = world.play([SLIPS[rule], *others])
        if world.slipped:
            return district
    raise AssertionError(f"no history comes to where {rule} can be broken")


@settings(max_examples=300)
@given(seed=SEEDS, bureaus=st.integers(3, 5), stories=st.lists(st.sampled_from(STORIES), min_size=1, max_size=16))
def test_lawful_histories_yield_no_finding(seed: int, bureaus: int, stories: list[Story]) -> None:
    """Requests, grants, exchanges, uses, recalls, duties, systems, concerns and imports, in time and in any order."""
    district = World(Random(seed), bureaus=bureaus).play(stories)
    found, _, coverage = district.look(END)
    assert [district.sentence(finding, "en") for finding in found] == []
    assert coverage.unjudged == {}


@settings(max_examples=300)
@given(seed=SEEDS, stories=st.lists(st.sampled_from(STORIES), min_size=1, max_size=16), cut=st.data())
def test_a_ledger_that_was_not_read_whole_accuses_nobody(seed: int, stories: list[Story], cut: st.DataObject) -> None:
    """Wherever one ledger breaks off, what would have followed is missing to nobody's charge.

    One thing alone is said, and as an absence: that a provider sent late what a custodian may have sent before.
    """
    district = World(Random(seed)).play(stories)
    bureau = cut.draw(st.sampled_from([*district.desks]))
    district.read_up_to[bureau] = cut.draw(st.integers(0, len(district[bureau].entries)))
    assert {
        district.sentence(finding, "en")
        for finding in district.audit(END)
        if (finding.rule, finding.standing) != ("granted-not-served", Standing.ABSENT)
    } == set()


@pytest.mark.parametrize("rule", SLIPS)
@settings(max_examples=12)
@given(seed=SEEDS, others=st.lists(st.sampled_from(STORIES), max_size=4))
def test_one_slip_is_found_by_its_rule_and_by_no_other(rule: str, seed: int, others: list[Story]) -> None:
    """A history that is lawful but for one thing has that one finding, whatever else goes on around it."""
    district = slipped(rule, seed, others)
    assert [finding.rule for finding in district.audit(END)] == [rule]


@pytest.mark.parametrize("rule", sorted(SLIPS.keys() - NEEDS_A_THIRD))
@settings(max_examples=4)
@given(seed=SEEDS, others=st.lists(st.sampled_from(STORIES), max_size=2))
def test_a_ledger_nobody_read_hides_no_finding_of_others(rule: str, seed: int, others: list[Story]) -> None:
    """With any ledger gone that has no part in it, what was found is found."""
    district = slipped(rule, seed, others)
    (finding,) = district.audit(END)
    parts = {finding.bureau, *(parse_entry_ref(reference).bureau for reference in finding.references)}
    for bureau in district.desks.keys() - parts:
        district.uncovered = {bureau}
        assert finding.id in {each.id for each in district.audit(END)}


@settings(max_examples=150)
@given(
    seed=SEEDS,
    rule=st.sampled_from([*SLIPS]),
    others=st.lists(st.sampled_from(STORIES), max_size=8),
    days=st.integers(0, (END - BEGIN).days),
)
def test_what_is_recorded_later_changes_no_earlier_day(seed: int, rule: str, others: list[Story], days: int) -> None:
    """An audit as of a day finds what it would have found had nothing been recorded since."""
    district, day = slipped(rule, seed, others), BEGIN + timedelta(days=days)
    now = _without_sizes(district.audit(day))
    end_us = district.rulebook.calendar.end_us(day)
    for desk in district.desks.values():
        del desk.entries[sum(decode_entry(raw).recorded_at_us < end_us for raw in desk.entries) :]
    assert now == _without_sizes(district.audit(day))


def _without_sizes(found: list[Finding]) -> list[Finding]:
    """How far a ledger was read is of the coverage, and grows."""
    return [replace(each, facts={name: fact for name, fact in each.facts.items() if name != "size"}) for each in found]


def test_every_rule_about_what_is_said_has_a_slip() -> None:
    """The histories lack no rule but those on the ledgers themselves."""
    assert SLIPS.keys() | STRUCTURAL == RULES.keys()


def test_the_histories_hold_every_kind_and_meet_every_obligation() -> None:
    """They would be lawful too if they were empty: they are not."""
    said: set[str] = set()
    met: set[str] = set()
    for seed in range(40):
        district = World(Random(seed)).play(STORIES * 2)
        for desk in district.desks.values():
            said |= {type(entry.said).DESCRIPTOR.name for entry in desk.on_entries() if hasattr(entry, "said")}
        _, seen, _ = district.look(END)
        met |= {rule for (_, rule), times in seen.obligations.times.items() if times.answered}
    by_nodes = {kind.name for kind in KINDS.values() if kind.section == "node"} - {
        "ActorRegistered",
        "CheckpointWitnessed",
    }
    assert said == {kind.name for kind in KINDS.values()} - by_nodes
    assert met == {obligation.rule for obligation in OBLIGATIONS}
