"""`clock-skew`: a node dates its entries otherwise than its witnesses' cosignatures allow."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tallystick.core.identifiers import NOBODY
from tests.harness.cosigned import SECOND_US, note_of, put_note, witnessed
from tests.harness.district import RULEBOOK, District
from tests.harness.stories import declared, only

BUREAUS = ("market", "tax", "planning", "human-resources", "data-office")
DAY = "2027-03-02"
Bend = Callable[[District, int], None]


def ahead(where: District, seconds: int, by: str = "market") -> None:
    """A bureau's node dates an entry so much later than all others cosign it."""
    where.now_us += seconds * SECOND_US
    declared(where, by=by)
    where.now_us -= seconds * SECOND_US
    witnessed(where, by)


def behind(where: District, seconds: int) -> None:
    """All others cosign the market's entry; its node says that it had that in hand so much before."""
    declared(where)
    witnessed(where, "market", late_s=dict.fromkeys(BUREAUS, seconds))


def test_it_trips_alone_and_says_so() -> None:
    """An observation about nobody, whichever clock is wrong; the entry, and the note that shows it, are cited."""
    where = District(*BUREAUS)
    ahead(where, 600)
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau) == ("clock-skew", NOBODY)
    assert finding.references == ("market#0", "market#1")
    assert (finding.standing, finding.severity) == (Standing.OBSERVED, Severity.WARNING)
    assert where.sentence(finding, "en") == (
        "the node of market dates #0 9 minutes later than its witnesses' cosignatures allow"
        " (an observation, not proven)"
    )
    assert (
        where.sentence(finding, "zh")
        == "market局 的节点所记 #0 的入账时间比见证副署所容许的晚 9 分钟（观察所得，未证明）"
    )


def test_a_clock_that_is_behind_trips_it_too() -> None:
    """A node that has a cosignature in hand cannot have recorded it before that was made."""
    where = District(*BUREAUS)
    behind(where, 600)
    finding = only(where, DAY)
    assert finding.references == ("market#1",)
    assert where.sentence(finding, "en") == (
        "the node of market dates #1 10 minutes earlier than its witnesses' cosignatures allow"
        " (an observation, not proven)"
    )


def test_it_is_said_once_and_counted() -> None:
    """However often a clock is wrong the same way, it is one finding; the other way is another."""
    where = District(*BUREAUS)
    for _ in range(3):
        where.after(1)
        ahead(where, 600)
    assert [finding.times for finding in where.audit("2027-03-31")] == [3]


def test_the_clocks_of_two_nodes_are_two_findings() -> None:
    """That nobody answers for either does not make two ledgers' clocks one."""
    where = District(*BUREAUS)
    ahead(where, 600)
    ahead(where, 600, by="tax")
    assert {finding.facts["bureau"] for finding in where.audit(DAY, ["clock-skew"])} == {"market", "tax"}


@pytest.mark.parametrize("bend", [ahead, behind], ids=["ahead", "behind"])
@pytest.mark.parametrize(("seconds", "found"), [(300, False), (302, True)])
def test_five_minutes_are_no_skew_unless_the_rulebook_says_so(bend: Bend, seconds: int, found: bool) -> None:
    """Clocks may differ by five minutes, or by what the charter says."""
    where = District(*BUREAUS)
    bend(where, seconds)
    assert bool(where.audit(DAY)) is found
    wide = District(*BUREAUS, rulebook={**RULEBOOK, "thresholds": {**RULEBOOK["thresholds"], "clock_skew_minutes": 10}})
    bend(wide, seconds)
    assert not wide.audit(DAY)


@pytest.mark.parametrize("seconds", [-86_400, 86_400])
@pytest.mark.parametrize("liar", ["tax", "data-office"])
@pytest.mark.parametrize("away", ["planning", "human-resources", ""])
def test_one_witness_with_a_wrong_clock_accuses_nobody(seconds: int, liar: str, away: str) -> None:
    """Of four witnesses one may be wrong by any time, whoever else is away."""
    where = District(*BUREAUS)
    for _ in range(3):
        where.after(1)
        declared(where)
        witnessed(where, "market", away, late_s={liar: seconds})
    assert not where.audit("2027-03-31", ["clock-skew"])


@pytest.mark.parametrize("away", [("tax", "planning"), ("tax", "planning", "data-office")])
def test_fewer_than_a_quorum_bound_nothing(away: tuple[str, ...]) -> None:
    """Two of four witnesses prove no time, whatever they say."""
    where = District(*BUREAUS)
    declared(where)
    witnessed(where, "market", *away, late_s=dict.fromkeys(BUREAUS, 86_400))
    assert not where.audit(DAY)


def test_a_note_of_more_than_stands_before_it_bounds_nothing() -> None:
    """Its ledger contradicts it: whatever it is, it is not what this node had in hand."""
    where, larger = District(*BUREAUS), District(*BUREAUS)
    for number in range(3):
        declared(larger, f"R-{number}")
    at_s = dict.fromkeys(BUREAUS[1:], where.now_us // SECOND_US + 86_400)
    declared(where)
    put_note(where, "market", note_of(larger, "market", at_s))
    assert not where.audit(DAY)


def test_a_note_that_does_not_verify_bounds_nothing() -> None:
    """Not signed by the ledger's key, or with a witness's signature that does not hold: nobody is judged by it."""
    where = District(*BUREAUS)
    declared(where)
    at_s = dict.fromkeys(BUREAUS[1:], where.now_us // SECOND_US + 86_400)
    for note in (
        note_of(where, "tax", dict.fromkeys(BUREAUS[2:], at_s["tax"])),
        note_of(where, "market", at_s)[:-6] + b"AAA=\n",
        b"junk\n",
    ):
        put_note(where, "market", note)
    assert not where.audit(DAY)
