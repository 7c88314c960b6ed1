"""`request-overdue`: a request that its provider did not answer in the working days the charter allows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.district import District, Said
from tests.harness.stories import (
    CODE,
    SINCE_EN,
    SINCE_ZH,
    at_midnight,
    district,
    granted,
    just_before_midnight,
    moment,
    only,
    requested,
    unjudged,
)

DUE = "2027-03-15"  # ten working days after Monday, 1 March


def test_it_trips_alone_and_says_so() -> None:
    """From the day after the last on, an unanswered request is the provider's, absent within the coverage."""
    where = district()
    request = requested(where)
    assert not where.audit(DUE)
    finding = only(where, "2027-03-16")
    assert (finding.rule, finding.bureau) == ("request-overdue", "market")
    assert finding.references == (request.reference,)
    assert (finding.standing, finding.severity) == (Standing.ABSENT, Severity.WARNING)
    assert finding.facts["days"] == 1
    assert where.sentence(finding, "en") == (
        "market is 1 working day late in answering tax's request for R-1, due 2027-03-15"
        + SINCE_EN
        + " (absent within the coverage, beyond it not covered)"
    )
    assert where.sentence(finding, "zh") == (
        "market局 对 tax局 申请 R-1 的答复期限为 2027年3月15日，逾期 1 个工作日未答复"
        + SINCE_ZH
        + "（核查范围内无记录，范围外未覆盖）"
    )


def test_its_id_stays_while_the_days_grow_and_when_the_answer_comes() -> None:
    """Still open, later, and answered late are one finding; once answered it is proven, and cites the answer."""
    where = district()
    request = requested(where)
    first, later = only(where, "2027-03-16"), only(where, "2027-03-21")
    assert (first.facts["days"], later.facts["days"]) == (1, 4)
    where.on("2027-03-17")
    denied = where["market"].deny(request, reason="not ours to give")
    late = only(where, "2027-03-31")
    assert first.id == later.id == late.id
    assert late.references == (request.reference, denied.reference)
    assert late.standing is Standing.ONE_SIDE
    assert where.sentence(late, "en") == (
        "market was 2 working days late in answering tax's request for R-1, due 2027-03-15"
        + SINCE_EN
        + " (one side's word)"
    )
    assert where.sentence(late, "zh") == (
        "market局 对 tax局 申请 R-1 的答复期限为 2027年3月15日，逾期 2 个工作日答复" + SINCE_ZH + "（一方之言）"
    )


def test_late_by_hours_is_less_than_a_working_day() -> None:
    """A make-up Saturday was the last day, and the answer came on the Sunday."""
    where = district(working_days=[date(2027, 3, 13)])
    request = requested(where)
    where.on("2027-03-14")
    where["market"].deny(request, reason="not ours to give")
    assert "was less than a working day late" in where.sentence(only(where, "2027-03-14"), "en")
    assert "逾期不足 1 个工作日答复" in where.sentence(only(where, "2027-03-14"), "zh")


@pytest.mark.parametrize(
    ("holidays", "working_days", "last"),
    [
        pytest.param([], [], DUE, id="weekends only"),
        pytest.param([date(2027, 3, 15)], [], "2027-03-16", id="the last is a holiday"),
        pytest.param([], [date(2027, 3, 13)], "2027-03-13", id="a Saturday worked"),
        pytest.param([date(2027, 3, 9)], [date(2027, 3, 13)], DUE, id="a holiday and the Saturday worked for it"),
        pytest.param([date(2027, 3, 6)], [], DUE, id="a holiday on a Saturday"),
        pytest.param([date(2027, 3, 1)], [], DUE, id="served on a holiday"),
        pytest.param([date(2027, 3, 1 + day) for day in range(1, 10)], [], "2027-03-24", id="more than a week off"),
    ],
)
def test_the_last_day_ends_at_midnight(holidays: list[date], working_days: list[date], last: str) -> None:
    """An answer in the last microsecond of the last working day is in time, and one at 24:00 is late."""
    for hour in (0, 23):
        for moment_of, late in ((just_before_midnight, False), (at_midnight, True)):
            where = district(holidays=holidays, working_days=working_days)
            where.on("2027-03-01", hour)
            request = requested(where)
            assert not where.audit(last)
            moment_of(where, last)
            where["market"].deny(request, reason="not ours to give")
            assert bool(where.audit("2027-04-30")) is late


Answer = Callable[[District, Said], object]


@pytest.mark.parametrize(
    ("answer", "met"),
    [
        pytest.param(lambda d, r: d["market"].deny(r, reason="no"), True, id="denied"),
        pytest.param(lambda d, r: d["tax"].end(r, how="withdrawn"), True, id="withdrawn by who asked"),
        pytest.param(lambda d, r: d["market"].end(r, how="revoked", reason="no"), True, id="ended by who was asked"),
        pytest.param(lambda d, r: d["market"].grant(r, to="planning", resource=CODE), False, id="granted to a third"),
        pytest.param(lambda d, r: d["planning"].deny(r, reason="no"), False, id="denied by a third"),
        pytest.param(lambda d, r: d["tax"].deny(r, reason="no"), False, id="denied by who asked"),
        pytest.param(lambda d, r: d["planning"].end(r, how="withdrawn"), False, id="withdrawn by a third"),
        pytest.param(lambda d, r: d["market"].acknowledge(r, action="noted"), False, id="only acknowledged"),
    ],
)
def test_only_an_answer_of_one_of_the_two_is_one(answer: Answer, met: bool) -> None:
    """What answers a request is granting it to who asked, denying or ending it, by who was asked; and its withdrawal by
    who asked."""
    where = district("planning")
    request = requested(where)
    answer(where, request)
    found = [finding.rule for finding in where.audit("2027-03-31") if finding.rule != "granted-not-served"]
    assert found == ([] if met else ["request-overdue"])


def test_a_grant_in_time_is_an_answer() -> None:
    """What was granted and given back owes nobody anything."""
    where = district()
    shared = granted(where)
    where["tax"].end(shared.grant, how="given_back")
    assert not where.audit("2027-06-30")


# Asked by whom, about the request, of whom; the days on which it is asked and answered; the last day then.
@pytest.mark.parametrize(
    ("by", "of", "asked", "answered", "last"),
    [
        pytest.param("market", "tax", "2027-03-03", "2027-03-09", "2027-03-19", id="four working days"),
        pytest.param("market", "tax", "2027-03-05", "2027-03-07", DUE, id="a weekend"),
        pytest.param("market", "tax", "2027-03-03", "2027-03-03", DUE, id="answered the same day"),
        pytest.param("market", "tax", "2027-03-12", "2027-03-16", "2027-03-17", id="asked on the last day but one"),
        pytest.param("market", "planning", "2027-03-03", "2027-03-09", DUE, id="asked of a third"),
        pytest.param("market", "market", "2027-03-03", "2027-03-09", DUE, id="asked of itself"),
        pytest.param("tax", "market", "2027-03-03", "2027-03-09", DUE, id="asked by who waits"),
        pytest.param("planning", "tax", "2027-03-03", "2027-03-09", DUE, id="asked by a third"),
        pytest.param("market", "tax", "2027-03-16", "2027-03-18", DUE, id="asked too late"),
    ],
)
def test_a_clarification_stops_the_clock(by: str, of: str, asked: str, answered: str, last: str) -> None:
    """Days after who owes asked whom it owes, up to the answer, do not count; nothing else stops the clock."""
    where = district("planning")
    request = requested(where)
    where.on(asked)
    concern = where[by].raise_concern(of, about=request, sort="clarification")
    where.on(answered)
    where["planning" if of != "planning" else "tax"].answer(concern, outcome="explained")  # not theirs to answer
    where[of].answer(concern, outcome="explained")
    due = {finding.facts["due"] for finding in where.audit("2027-03-31")}
    assert due == {date.fromisoformat(last)}
    assert not [finding for finding in where.audit(last) if finding.rule == "request-overdue"]


def test_an_open_clarification_holds_the_clock() -> None:
    """While the question is open nothing is due of who asked it, whatever others answer; a complaint stops nothing."""
    where = district("planning")
    request = requested(where)
    where.on("2027-03-03")
    concern = where["market"].raise_concern("tax", about=request, sort="clarification")
    where["planning"].answer(concern, outcome="explained")
    assert {finding.rule for finding in where.audit("2027-12-31")} == {"dispute-overdue"}
    quality = district()
    request = requested(quality)
    concern = quality["market"].raise_concern("tax", about=request, sort="quality")
    assert "request-overdue" in {finding.rule for finding in quality.audit("2027-12-31")}


def test_what_both_sides_brought_in_counts_from_when_it_happened() -> None:
    """An imported request is due by its own day once an imported answer says when it was given.

    By itself it makes nobody late who learned of it when it was recorded, and an answer makes nobody punctual who
    records it late: each would go by one side's word on the past.
    """
    where = district()
    declared_us = moment(where, "2027-03-01")
    where.on("2027-05-03")
    requested(where)
    tax, market = where["tax"], where["market"]
    asked = tax.request(CODE, provider="market", purpose="tax-registration", happened_at=declared_us, source="paper")
    live = tax.request(CODE, provider="market", purpose="tax-registration")
    assert not where.audit("2027-05-17")
    where.on("2027-05-19")
    market.deny(live, reason="no", happened_at=moment(where, "2027-05-04"), source="paper")
    market.deny(asked, reason="no", happened_at=moment(where, "2027-03-16"), source="paper")
    late = {finding.references[0]: finding.facts["due"] for finding in where.audit("2027-05-19")}
    assert late[asked.reference] == date.fromisoformat(DUE)
    assert late[live.reference] == date(2027, 5, 17)


def test_what_happened_earlier_by_a_live_entry_s_word_counts_as_recorded() -> None:
    """Only what is marked as imported counts from when it happened: nobody makes another late by a date."""
    where = district()
    where.on("2027-05-03")
    then_us = moment(where, "2027-05-01")
    requested(where)
    where["tax"].request(CODE, provider="market", purpose="tax-registration", happened_at=then_us)
    assert not where.audit("2027-05-17")
    assert len(where.audit("2027-05-18")) == 2


def test_without_the_provider_s_ledger_or_a_deadline_nothing_is_judged() -> None:
    """Where the answer could stand unread, a late request is counted as not judged, and not before it would be late."""
    where = district()
    requested(where)
    where.on(DUE)
    where.uncovered.add("market")
    assert unjudged(where, DUE) == {}
    assert unjudged(where, "2027-03-16") == {("request-overdue", "market"): 1}
    silent = District("market", "tax", rulebook={})
    requested(silent)
    assert unjudged(silent, "2027-12-31") == {}
