"""`dispute-overdue`: a concern that its addressee did not answer in the working days the charter allows."""

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
    exchanged,
    just_before_midnight,
    moment,
    only,
    unjudged,
)

DUE = "2027-03-15"  # ten working days after Monday, 1 March


def disputed(where: District, sort: str = "quality") -> Said:
    """The tax office doubts what it received."""
    half, _ = exchanged(where)
    return where["tax"].raise_concern("market", about=half, sort=sort)


@pytest.mark.parametrize("sort", ["clarification", "quality", "not_received", "incident", "finding"])
def test_it_trips_alone_and_says_so(sort: str) -> None:
    """A concern of any kind that nobody answered is its addressee's, from the day after the last on."""
    where = district()
    concern = disputed(where, sort)
    assert not where.audit(DUE)
    finding = only(where, "2027-03-17")
    assert (finding.rule, finding.bureau) == ("dispute-overdue", "market")
    assert finding.references == (concern.reference,)
    assert (finding.standing, finding.severity) == (Standing.ABSENT, Severity.WARNING)
    assert where.sentence(finding, "en") == (
        "market is 2 working days late in answering a concern of tax, due 2027-03-15"
        + SINCE_EN
        + " (absent within the coverage, beyond it not covered)"
    )
    assert where.sentence(finding, "zh") == (
        "market局 对 tax局 所提疑义的答复期限为 2027年3月15日，逾期 2 个工作日未答复"
        + SINCE_ZH
        + "（核查范围内无记录，范围外未覆盖）"
    )


def test_answered_late_is_the_same_finding() -> None:
    """In the last microsecond is in time; at 24:00 is late, under the id it had before, and cites the answer."""
    for say, late in ((just_before_midnight, False), (at_midnight, True)):
        where = district()
        concern = disputed(where)
        say(where, DUE)
        answer = where["market"].answer(concern, outcome="rejected")
        if not late:
            assert not where.audit("2027-06-30")
            continue
        finding = only(where, "2027-06-30")
        assert finding.references == (concern.reference, answer.reference)
        assert finding.standing is Standing.ONE_SIDE
        assert where.sentence(finding, "zh") == (
            "market局 对 tax局 所提疑义的答复期限为 2027年3月15日，逾期 1 个工作日答复" + SINCE_ZH + "（一方之言）"
        )
        unanswered = district()
        disputed(unanswered)
        assert only(unanswered, "2027-06-30").id == finding.id


Answer = Callable[[District, Said], object]


@pytest.mark.parametrize(
    ("answer", "met"),
    [
        pytest.param(lambda d, c: d["market"].answer(c, outcome="explained"), True, id="explained"),
        pytest.param(lambda d, c: d["market"].answer(c, outcome="rejected"), True, id="rejected"),
        pytest.param(lambda d, c: d["planning"].answer(c, outcome="explained"), False, id="by a third"),
        pytest.param(lambda d, c: d["tax"].answer(c, outcome="explained"), False, id="by who raised it"),
        pytest.param(lambda d, c: d["market"].acknowledge(c, action="noted"), False, id="only acknowledged"),
        pytest.param(
            lambda d, c: d["market"].answer(finding="F-000000000000", outcome="explained"), False, id="a finding"
        ),
    ],
)
def test_only_the_addressee_s_answer_is_one(answer: Answer, met: bool) -> None:
    """Whatever it says, an answer to the concern by whom it was addressed to; nothing else, and nobody else's."""
    where = district("planning")
    answer(where, disputed(where))
    assert [finding.rule for finding in where.audit("2027-03-31")] == ([] if met else ["dispute-overdue"])


def test_a_concern_about_a_finding_is_answered_by_answering_the_finding() -> None:
    """An answer that names the finding is one to the concern that named it; one that names another is not."""
    for named, met in (("F-000000000001", True), ("F-000000000002", False)):
        where = district()
        where["tax"].raise_concern("market", sort="finding", finding="F-000000000001")
        where.on("2027-03-02")
        where["market"].answer(finding=named, outcome="corrected")
        assert bool(where.audit("2027-03-31")) is not met


def test_a_question_back_stops_the_clock_of_a_concern() -> None:
    """An addressee that asks what was meant has its days again when it is told."""
    where = district()
    concern = disputed(where)
    where.on("2027-03-10")
    question = where["market"].raise_concern("tax", about=concern, sort="clarification")
    where.on("2027-03-12")
    where["tax"].answer(question, outcome="explained")
    assert not where.audit("2027-03-17")
    assert only(where, "2027-03-18").facts["due"] == date(2027, 3, 17)


@pytest.mark.parametrize(
    ("holidays", "working_days", "last"),
    [([date(2027, 3, 9)], [], "2027-03-16"), ([], [date(2027, 3, 6)], "2027-03-12")],
    ids=["a holiday", "a make-up day"],
)
def test_only_working_days_count(holidays: list[date], working_days: list[date], last: str) -> None:
    """A holiday is a day more, and a Saturday worked a day less."""
    where = district(holidays=holidays, working_days=working_days)
    disputed(where)
    assert not where.audit(last)
    assert only(where, "2027-03-31").facts["due"] == date.fromisoformat(last)


def test_what_both_sides_brought_in_counts_from_when_it_happened() -> None:
    """A letter of March that is recorded in May makes nobody late by itself; its own answer of April was late."""
    where = district()
    where.on("2027-05-03")
    then = {"happened_at": moment(where, "2027-03-01"), "source": "paper"}
    concern = where["tax"].say("raise_concern", to="market", sort="incident", **then)
    assert not where.audit("2027-05-17")
    assert only(where, "2027-05-18").facts["due"] == date(2027, 5, 17)
    april_us = moment(where, "2027-04-01")
    where["market"].answer(concern, outcome="explained", happened_at=april_us, source="paper")
    assert only(where, "2027-05-03").facts["days"] == 13


def test_without_the_addressee_s_ledger_nothing_is_judged() -> None:
    """The answer may stand where nobody read."""
    where = district()
    where["tax"].raise_concern("market", sort="incident")
    where.uncovered.add("market")
    assert unjudged(where, DUE) == {}
    assert unjudged(where, "2027-03-16") == {("dispute-overdue", "market"): 1}
