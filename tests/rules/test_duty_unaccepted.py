"""`duty-unaccepted`: a duty assigned to a bureau that neither accepts nor declines it in the charter's days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.district import District, Said
from tests.harness.stories import (
    SINCE_EN,
    SINCE_ZH,
    at_midnight,
    district,
    just_before_midnight,
    moment,
    only,
    unjudged,
)

DUE = "2027-03-08"  # five working days after Monday, 1 March


def assigned(where: District) -> Said:
    """The market makes the tax office steward of a system."""
    return where["market"].assign_duty("tax", system="S-1", duty="steward")


def test_it_trips_alone_and_says_so() -> None:
    """An assignment nobody answered is the holder's to answer, from the day after the last on."""
    where = district()
    assignment = assigned(where)
    assert not where.audit(DUE)
    finding = only(where, "2027-03-09")
    assert (finding.rule, finding.bureau) == ("duty-unaccepted", "tax")
    assert finding.references == (assignment.reference,)
    assert (finding.standing, finding.severity) == (Standing.ABSENT, Severity.WARNING)
    assert where.sentence(finding, "en") == (
        "tax is 1 working day late in accepting or declining market's assignment as steward of system S-1,"
        " due 2027-03-08" + SINCE_EN + " (absent within the coverage, beyond it not covered)"
    )
    assert where.sentence(finding, "zh") == (
        "market局 指定 tax局 承担 系统 S-1 的主管责任，答复期限为 2027年3月8日，逾期 1 个工作日未答复"
        + SINCE_ZH
        + "（核查范围内无记录，范围外未覆盖）"
    )


def test_a_bureau_s_own_duty_is_called_by_the_bureau_s_name() -> None:
    """Where the duty is over nothing else it is over the bureau, which each language calls as it does elsewhere."""
    where = district()
    where["market"].assign_duty("tax", duty="chief")
    finding = only(where, "2027-03-09")
    assert "market's assignment as chief of tax, due" in where.sentence(finding, "en")
    assert "指定 tax局 承担 tax局 的首席信息官责任" in where.sentence(finding, "zh")


@pytest.mark.parametrize("answer", ["accepted", "declined"])
def test_answered_late_is_the_same_finding(answer: str) -> None:
    """In the last microsecond is in time; at 24:00 is late, under the id it had before, and cites the answer."""
    for say, late in ((just_before_midnight, False), (at_midnight, True)):
        where = district()
        assignment = assigned(where)
        before = only(where, "2027-03-09")
        say(where, DUE)
        answered = where["tax"].answer_duty(assignment, answer=answer)
        if not late:
            assert not where.audit("2027-06-30")
            continue
        finding = only(where, "2027-06-30")
        assert finding.references == (assignment.reference, answered.reference)
        assert (finding.id, finding.standing) == (before.id, Standing.ONE_SIDE)
        assert where.sentence(finding, "en").startswith("tax was 1 working day late in accepting or declining")
        assert where.sentence(finding, "zh").endswith("逾期 1 个工作日答复" + SINCE_ZH + "（一方之言）")


Then = Callable[[District, Said], object]


@pytest.mark.parametrize(
    ("then", "met"),
    [
        pytest.param(lambda d, a: d["market"].release_duty(a), True, id="taken back by who assigned it"),
        pytest.param(lambda d, a: d["planning"].release_duty(a), False, id="released by a third"),
        pytest.param(lambda d, a: d["planning"].answer_duty(a, answer="accepted"), False, id="accepted by a third"),
        pytest.param(lambda d, a: d["market"].answer_duty(a, answer="accepted"), False, id="by who assigned it"),
        pytest.param(lambda d, a: d["tax"].acknowledge(a, action="noted"), False, id="only acknowledged"),
    ],
)
def test_only_the_holder_answers(then: Then, met: bool) -> None:
    """What the holder does not say is not said for it; an assignment that was taken back is owed no answer."""
    where = district("planning")
    then(where, assigned(where))
    assert [finding.rule for finding in where.audit("2027-03-31")] == ([] if met else ["duty-unaccepted"])


@pytest.mark.parametrize(
    ("holidays", "working_days", "last"),
    [([date(2027, 3, 8)], [], "2027-03-09"), ([], [date(2027, 3, 6)], "2027-03-06")],
    ids=["a holiday", "a make-up day"],
)
def test_only_working_days_count(holidays: list[date], working_days: list[date], last: str) -> None:
    """A holiday is a day more; a Saturday worked may be the last."""
    where = district(holidays=holidays, working_days=working_days)
    assigned(where)
    assert not where.audit(last)
    assert only(where, "2027-03-31").facts["due"] == date.fromisoformat(last)


def test_a_question_about_the_assignment_stops_the_clock() -> None:
    """A holder that asks what it is to do is not late while nobody tells it; who assigned it then is."""
    where = district()
    where["tax"].raise_concern("market", about=assigned(where), sort="clarification")
    assert not where.audit("2027-03-15")
    assert only(where, "2027-06-30").rule == "dispute-overdue"


def test_an_assignment_brought_in_counts_from_when_it_was_recorded() -> None:
    """A decree of March that was recorded in May makes nobody late who learned of it in May."""
    where = district()
    where.on("2027-05-03")
    then_us = moment(where, "2027-03-01")
    where["market"].assign_duty("tax", system="S-1", duty="steward", happened_at=then_us, source="decree")
    assert not where.audit("2027-05-10")
    assert only(where, "2027-05-11").facts["due"] == date(2027, 5, 10)


def test_without_the_holder_s_ledger_nothing_is_judged() -> None:
    """The answer may stand where nobody read."""
    where = district()
    assigned(where)
    where.uncovered.add("tax")
    assert unjudged(where, DUE) == {}
    assert unjudged(where, "2027-03-09") == {("duty-unaccepted", "tax"): 1}
