"""`sent-not-received`: one side says it sent, and the other recorded no receipt in the days the charter allows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tallystick.core.identifiers import exchange_short_form
from tests.harness.district import District, Said
from tests.harness.stories import (
    CODE,
    SINCE_EN,
    SINCE_ZH,
    VERSION,
    at_midnight,
    declared,
    district,
    exchange_id,
    granted,
    just_before_midnight,
    moment,
    only,
    sent,
)

DUE = "2027-03-03"  # two working days after Monday, 1 March
NAME = exchange_short_form(exchange_id("x-1"))


def test_it_trips_alone_and_says_so() -> None:
    """A sending nobody acknowledged is one side's word, the receiver to answer; that data moved is not said."""
    where = district()
    half = sent(where, granted(where))
    assert not where.audit(DUE)
    finding = only(where, "2027-03-04")
    assert (finding.rule, finding.bureau) == ("sent-not-received", "tax")
    assert finding.references == (half.reference,)
    assert (finding.standing, finding.severity) == (Standing.ONE_SIDE, Severity.SERIOUS)
    assert where.sentence(finding, "en") == (
        f"market says it sent exchange {NAME} to tax, which recorded no receipt by 2027-03-03"
        + SINCE_EN
        + " (one side's word)"
    )
    assert where.sentence(finding, "zh") == (
        f"market局 称已向 tax局 发送交换 {NAME}，tax局 至 2027年3月3日 无接收记录" + SINCE_ZH + "（一方之言）"
    )
    assert only(where, "2027-06-30").id == finding.id


@pytest.mark.parametrize("answer", ["receive", "fail"])
def test_what_a_bureau_sent_itself_is_owed_and_met_as_any_other(answer: str) -> None:
    """Both halves on one ledger, as an import may bring them: judged, and no stumbling block for the rest."""
    where = district()
    declared(where)
    market = where["market"]
    half = market.send("x-1", to="market", version=VERSION)
    assert "sent-not-received" in {finding.rule for finding in where.audit("2027-03-04")}
    if answer == "receive":
        market.receive("x-1", sender="market", version=VERSION, sent=half)
    else:
        market.fail("x-1", side="receiving", reason="checksum", other="market")
    assert "sent-not-received" not in {finding.rule for finding in where.audit("2027-03-04")}


@pytest.mark.parametrize("say", [just_before_midnight, at_midnight])
def test_a_receipt_in_time_or_late_ends_it(say: Callable[[District, str], None]) -> None:
    """Once there is a receipt nothing is missing; how late it came is in the response times."""
    where = district()
    half = sent(where, granted(where))
    say(where, DUE)
    where["tax"].receive("x-1", sender="market", version=VERSION, sent=half)
    found, seen, _ = where.look("2027-03-31")
    assert not found
    assert seen.obligations.times["tax", "sent-not-received"].on_time == (say is just_before_midnight)


Then = Callable[[District, Said], object]


@pytest.mark.parametrize(
    ("then", "met"),
    [
        pytest.param(
            lambda d, s: d["market"].fail("x-1", other="tax", side="sending", reason="timeout"), True, id="failed"
        ),
        pytest.param(
            lambda d, s: d["tax"].fail("x-1", other="market", side="receiving", reason="timeout"),
            True,
            id="failed, says the receiver",
        ),
        pytest.param(
            lambda d, s: d["market"].fail("x-1", side="sending", reason="timeout"), True, id="failed, of whomever"
        ),
        pytest.param(
            lambda d, s: d["planning"].fail("x-1", side="sending", reason="timeout"), False, id="a third, of whomever"
        ),
        pytest.param(
            lambda d, s: d["planning"].fail("x-1", other="tax", side="sending", reason="timeout"),
            False,
            id="failed, says a third",
        ),
        pytest.param(
            lambda d, s: d["market"].fail("x-2", other="tax", side="sending", reason="timeout"),
            False,
            id="another failed",
        ),
        pytest.param(lambda d, s: d["tax"].acknowledge(s, action="noted"), False, id="only acknowledged"),
    ],
)
def test_what_else_ends_it(then: Then, met: bool) -> None:
    """An exchange that either side says has failed is not waited for; what a third bureau says of it is nothing."""
    where = district("planning")
    then(where, sent(where, granted(where)))
    found = [finding.rule for finding in where.audit("2027-03-04")]
    assert found == ([] if met else ["sent-not-received"])


def test_a_receipt_of_another_is_no_receipt() -> None:
    """Another exchange, another sender or another receiver leaves the half alone, and has none of its own."""
    where = district("planning")
    sent(where, granted(where))
    where["tax"].receive("x-2", sender="market", version=VERSION)
    where["tax"].receive("x-1", sender="planning", version=VERSION)
    where["planning"].receive("x-1", sender="market", version=VERSION)
    found = sorted((finding.rule, finding.bureau) for finding in where.audit("2027-03-04"))
    assert found == [
        *[("received-not-sent", bureau) for bureau in ("market", "market", "planning")],
        ("sent-not-received", "tax"),
    ]


def test_said_twice_is_found_once() -> None:
    """A sending recorded again, in the same words or others, is one exchange and one finding."""
    where = district()
    shared = granted(where)
    half = sent(where, shared)
    sent(where, shared)
    where.on("2027-03-02")
    where["market"].send("x-1", to="tax", version=VERSION, grant=shared.grant, size=11)
    assert only(where, "2027-03-31").references == (half.reference,)


@pytest.mark.parametrize(("holiday", "last"), [(date(2027, 3, 3), "2027-03-04"), (date(2027, 3, 6), DUE)])
def test_only_working_days_count(holiday: date, last: str) -> None:
    """A holiday on a working day is one more day to acknowledge; one on a Saturday is not."""
    where = district(holidays=[holiday])
    sent(where, granted(where))
    assert not where.audit(last)
    assert only(where, "2027-03-05").facts["due"] == date.fromisoformat(last)


def test_halves_brought_in_count_from_when_they_happened() -> None:
    """Both halves imported weeks later are in time by their own moments; one alone was due in its own week."""
    where = district()
    then_us = moment(where, "2027-03-01")
    where.on("2027-05-03")
    declared(where)
    for exchange in ("x-1", "x-2"):
        where["market"].send(exchange, to="tax", resource=CODE, happened_at=then_us, source="x-road")
    where["tax"].receive("x-2", sender="market", resource=CODE, happened_at=then_us, source="x-road")
    assert only(where, "2027-05-03").facts["due"] == date.fromisoformat(DUE)


def test_without_the_receiver_s_ledger_nothing_is_judged() -> None:
    """A receipt may stand where nobody read: counted once, and only when it would be late."""
    where = district()
    sent(where, granted(where))
    where.uncovered.add("tax")
    where.audit(DUE)
    _, _, coverage = where.look(DUE)
    assert ("sent-not-received", "tax") not in coverage.unjudged
    found, _, coverage = where.look("2027-03-04")
    assert "sent-not-received" not in {finding.rule for finding in found}
    assert coverage.unjudged["sent-not-received", "tax"] == 1
