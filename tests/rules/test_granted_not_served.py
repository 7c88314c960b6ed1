"""`granted-not-served`: access that was granted, and nothing sent under it in the days the charter allows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.district import District
from tests.harness.stories import (
    CODE,
    VERSION,
    Granted,
    at_midnight,
    declared,
    district,
    granted,
    just_before_midnight,
    moment,
    only,
    sent,
    unjudged,
)

DUE = "2027-03-08"  # five working days after Monday, 1 March


def test_it_trips_alone_and_says_so() -> None:
    """A grant under which nothing was sent is its grantor's, from the day after the last on."""
    where = district()
    shared = granted(where)
    assert not where.audit(DUE)
    finding = only(where, "2027-03-09")
    assert (finding.rule, finding.bureau) == ("granted-not-served", "market")
    assert finding.references == (shared.grant.reference,)
    assert (finding.standing, finding.severity) == (Standing.ABSENT, Severity.WARNING)
    assert where.sentence(finding, "en") == (
        "market granted R-1 to tax and is 1 working day late in sending it, due 2027-03-08"
        " (absent within the coverage, beyond it not covered)"
    )
    assert where.sentence(finding, "zh") == (
        "market局 同意向 tax局 共享 R-1，提供期限为 2027年3月8日，逾期 1 个工作日未提供"
        "（核查范围内无记录，范围外未覆盖）"
    )


@pytest.mark.parametrize(
    ("holidays", "last"),
    [([], DUE), ([date(2027, 3, 8)], "2027-03-09")],
    ids=["no holidays", "the last is a holiday"],
)
def test_what_was_sent_late_stays_found_and_is_proven(holidays: list[date], last: str) -> None:
    """Sent in the last microsecond of the last day is in time; at 24:00 it is late."""
    for say, late in ((just_before_midnight, False), (at_midnight, True)):
        where = district(holidays=holidays)
        shared = granted(where)
        say(where, last)
        half = sent(where, shared)
        where["tax"].receive("x-1", sender="market", version=VERSION, sent=half)
        if not late:
            assert not where.audit("2027-06-30")
            continue
        finding = only(where, "2027-06-30")
        assert finding.references == (shared.grant.reference, half.reference)
        assert finding.standing is Standing.PROVEN
        assert where.sentence(finding, "en") == (
            f"market granted R-1 to tax and was 1 working day late in sending it, due {last} (proven)"
        )


def via_custodian(d: District, s: Granted) -> None:
    half = d["store"].send("x-1", to="tax", version=VERSION, grant=s.grant, via="store")
    d["tax"].receive("x-1", sender="store", version=VERSION, sent=half)


def by_a_stranger(d: District, s: Granted) -> None:
    d["store"].send("x-1", to="tax", version=VERSION, grant=s.grant)


def via_custodian_under_no_grant(d: District, s: Granted) -> None:
    d["store"].send("x-1", to="tax", version=VERSION, via="store", source="x-road")


def brought_in(d: District, s: Granted) -> None:
    half = d["market"].send("x-1", to="tax", resource=CODE, source="x-road")
    d["tax"].receive("x-1", sender="market", resource=CODE, sent=half, source="x-road")


def under_another_code(d: District, s: Granted) -> None:
    declared(d, "R-2")
    half = d["market"].send("x-1", to="tax", resource="R-2", source="x-road")
    d["tax"].receive("x-1", sender="market", resource="R-2", sent=half, source="x-road")


def to_another(d: District, s: Granted) -> None:
    half = d["market"].send("x-1", to="store", resource=CODE, source="x-road")
    d["store"].receive("x-1", sender="market", resource=CODE, sent=half, source="x-road")


@pytest.mark.parametrize(
    ("then", "met"),
    [
        pytest.param(lambda d, s: d["market"].end(s.grant, how="revoked"), True, id="revoked"),
        pytest.param(lambda d, s: d["tax"].end(s.grant, how="given_back"), True, id="given back by who got it"),
        pytest.param(lambda d, s: d["tax"].end(s.request, how="withdrawn"), True, id="its request withdrawn"),
        pytest.param(via_custodian, True, id="sent by a custodian"),
        pytest.param(brought_in, True, id="an import that cites no grant"),
        pytest.param(lambda d, s: d["store"].end(s.grant, how="revoked"), False, id="ended by a third"),
        pytest.param(by_a_stranger, False, id="sent by a third, from no shared store"),
        pytest.param(via_custodian_under_no_grant, False, id="sent by a custodian that cites nothing"),
        pytest.param(under_another_code, False, id="another resource"),
        pytest.param(to_another, False, id="to another bureau"),
    ],
)
def test_what_serves_a_grant_or_ends_it(then: Callable[[District, Granted], object], met: bool) -> None:
    """A grant is met by sending what it grants, from a shared store too, and by its end at the hands of either side."""
    where = district("store")
    then(where, granted(where))
    found = [finding.rule for finding in where.audit("2027-03-31")]
    assert ("granted-not-served" in found) is not met


def test_a_grant_brought_in_is_due_from_when_it_happened() -> None:
    """What was granted on paper in March and imported in May was due in March."""
    where = district()
    then_us = moment(where, "2027-03-01")
    where.on("2027-05-03")
    declared(where)
    asked = where["tax"].request(
        CODE, provider="market", purpose="tax-registration", happened_at=then_us, source="paper"
    )
    where["market"].grant(asked, to="tax", resource=CODE, happened_at=then_us, source="paper")
    assert only(where, "2027-05-03").facts["due"] == date.fromisoformat(DUE)


def test_without_the_grantor_s_ledger_nothing_is_judged() -> None:
    """Where the grant itself is not covered, nobody is found late."""
    where = district()
    granted(where)
    where.uncovered.add("market")
    assert ("granted-not-served", "market") not in unjudged(where, "2027-03-09")
