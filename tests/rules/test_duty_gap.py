"""`duty-gap`: a duty that was accepted is over, and nobody has accepted it since."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.district import District, Said
from tests.harness.stories import district, only, then


def assigned(where: District, holder: str = "tax", duty: str = "steward", **values: str) -> Said:
    """A duty over a system, which its holder accepts."""
    assignment = where["market"].say("assign_duty", holder=holder, system="S-1", duty=duty, **values)
    where[holder].answer_duty(assignment, answer="accepted")
    return assignment


def test_it_trips_alone_and_says_so() -> None:
    """Who was released and has no successor still answers, from that day on; the release is shown with it."""
    where = district()
    assignment = assigned(where)
    assert not where.audit("2027-03-09")
    where.on("2027-03-10")
    release = where["tax"].release_duty(assignment)
    finding = only(where, "2027-03-10")
    assert (finding.rule, finding.bureau) == ("duty-gap", "tax")
    assert finding.references == (assignment.reference, release.reference)
    assert (finding.standing, finding.severity) == (Standing.ABSENT, Severity.WARNING)
    assert only(where, "2027-12-31").id == finding.id
    assert where.sentence(finding, "en") == (
        "tax still answers as steward of system S-1: the duty ended on 2027-03-10, and nobody has accepted it since"
        " (absent within the coverage, beyond it not covered)"
    )
    assert where.sentence(finding, "zh") == (
        "系统 S-1 的主管责任自 2027年3月10日 起无人认领，仍由 tax局 承担（核查范围内无记录，范围外未覆盖）"
    )


def test_a_term_ends_with_its_last_day() -> None:
    """A duty until the 9th holds on the 9th, and is a gap on the 10th; the id does not change by a release after."""
    where = district()
    assignment = assigned(where, until="2027-03-09")
    assert not where.audit("2027-03-09")
    finding = only(where, "2027-03-10")
    assert finding.references == (assignment.reference,)
    assert "自 2027年3月10日 起" in where.sentence(finding, "zh")
    where.on("2027-03-12")
    where["market"].release_duty(assignment)
    later = only(where, "2027-03-12")
    assert (later.id, later.facts["since"]) == (finding.id, finding.facts["since"])


def test_who_assigned_it_may_release_its_holder_too() -> None:
    """Then the holder still answers, because nobody is released until somebody accepted."""
    where = district()
    where["market"].release_duty(assigned(where))
    assert only(where, "2027-03-01").bureau == "tax"


After = Callable[[District, Said], object]


@pytest.mark.parametrize(
    ("after", "rules"),
    [
        pytest.param(lambda d, a: assigned(d, "market"), [], id="a successor accepts"),
        pytest.param(lambda d, a: assigned(d), [], id="the same accepts again"),
        pytest.param(
            lambda d, a: d["market"].assign_duty("market", system="S-1", duty="steward"),
            ["duty-gap"],
            id="a successor was only named",
        ),
        pytest.param(lambda d, a: assigned(d, since="2027-03-06"), ["duty-gap"], id="a successor accepts for later"),
        pytest.param(lambda d, a: assigned(d, duty="producer"), ["duty-gap"], id="another duty is accepted"),
        pytest.param(
            lambda d, a: d["tax"].answer_duty(
                d["market"].assign_duty("tax", system="S-2", duty="steward"), answer="accepted"
            ),
            ["duty-gap"],
            id="another system's is",
        ),
    ],
)
def test_only_a_successor_that_accepted_closes_it(after: After, rules: list[str]) -> None:
    """The same duty, over the same thing, accepted and in force on the day judged."""
    where = district()
    assignment = assigned(where)
    where.on("2027-03-02")
    where["tax"].release_duty(assignment)
    after(then(where), assignment)
    assert [finding.rule for finding in where.audit("2027-03-05")] == rules


NEVER_A_GAP: list[Callable[[District], object]] = [
    lambda d: d["market"].release_duty(d["market"].assign_duty("tax", system="S-1", duty="steward")),
    lambda d: d["tax"].answer_duty(d["market"].assign_duty("tax", system="S-1", duty="steward"), answer="declined"),
    lambda d: d["market"].register_system("S-1", name="x", accepted_on="2027-03-01"),
    lambda d: d["planning"].release_duty(assigned(d)),
    lambda d: d["tax"].answer_duty(assigned(d), answer="declined"),
]


@pytest.mark.parametrize(
    "say", NEVER_A_GAP, ids=["never accepted", "declined", "never assigned", "released by a third", "declined too late"]
)
def test_mere_absence_is_no_gap(say: Callable[[District], object]) -> None:
    """What nobody ever accepted leaves no gap, and what was accepted is not over by a stranger's word or a refusal."""
    where = district("planning")
    say(where)
    assert not where.audit("2027-03-05")


def test_who_first_declined_and_then_accepted_holds_it() -> None:
    """An acceptance counts after a refusal: what was then released without a successor is a gap."""
    where = district()
    assignment = where["market"].assign_duty("tax", system="S-1", duty="steward")
    where["tax"].answer_duty(assignment, answer="declined")
    where["tax"].answer_duty(assignment, answer="accepted")
    assert not where.audit("2027-03-05")
    where["tax"].release_duty(assignment)
    assert only(where, "2027-03-05").rule == "duty-gap"


def test_an_abolished_matter_ends_its_approver_never_its_supervisor() -> None:
    """An approver of a matter that is released to nobody leaves no gap; to somebody who does not accept, it does."""
    for duty, to, rules in (
        ("approver", None, []),
        ("approver", "planning", ["duty-gap"]),
        ("supervisor", None, ["duty-gap"]),
    ):
        where = district("planning")
        assignment = where["market"].assign_duty("tax", matter="M-1", duty=duty)
        where["tax"].answer_duty(assignment, answer="accepted")
        where["tax"].release_duty(assignment, to=to)
        assert [finding.rule for finding in where.audit("2027-03-05")] == rules


def test_without_the_ledger_of_who_may_have_accepted_nothing_is_judged() -> None:
    """A successor was named, and its ledger is unread: it may have accepted there."""
    where = district("planning")
    assignment = assigned(where)
    where["market"].assign_duty("planning", system="S-1", duty="steward")
    where["tax"].release_duty(assignment)
    assert only(where, "2027-03-05").rule == "duty-gap"
    where.uncovered.add("planning")
    found, _, coverage = where.look("2027-03-05")
    assert not found
    assert coverage.unjudged == {("duty-gap", "planning"): 1}
