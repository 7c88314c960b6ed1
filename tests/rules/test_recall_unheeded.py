"""`recall-unheeded`: a version was recalled, and a bureau that had received it does not say what it did in time."""

from __future__ import annotations

from datetime import date

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.district import District, Said
from tests.harness.stories import (
    CODE,
    SINCE_EN,
    SINCE_ZH,
    VERSION,
    at_midnight,
    declared,
    digest_of,
    district,
    exchanged,
    just_before_midnight,
    moment,
    only,
    then,
    unjudged,
)

DUE = "2027-03-03"  # two working days after Monday, 1 March


def recalled(where: District) -> Said:
    """The market takes back what the tax office has received."""
    exchanged(where)
    return then(where)["market"].recall(VERSION, reason="wrong names")


def test_it_trips_alone_and_says_so() -> None:
    """A holder that said nothing answers for it, from the day after the last on."""
    where = district()
    recall = recalled(where)
    assert not where.audit(DUE)
    finding = only(where, "2027-03-04")
    assert (finding.rule, finding.bureau) == ("recall-unheeded", "tax")
    assert finding.references == (recall.reference,)
    assert (finding.standing, finding.severity) == (Standing.ABSENT, Severity.WARNING)
    assert where.sentence(finding, "en") == (
        "tax received R-1@1, which market recalled, and is 1 working day late in saying what it did, due 2027-03-03"
        + SINCE_EN
        + " (absent within the coverage, beyond it not covered)"
    )
    assert where.sentence(finding, "zh") == (
        "tax局 曾接收 market局 已撤回的 R-1@1，签收期限为 2027年3月3日，逾期 1 个工作日未签收"
        + SINCE_ZH
        + "（核查范围内无记录，范围外未覆盖）"
    )


@pytest.mark.parametrize("action", ["noted", "stopped", "fixed", "destroyed"])
def test_whatever_it_did_it_is_heeded_once_it_says_so(action: str) -> None:
    """In the last microsecond is in time; at 24:00 is late, under the id it had before, and cites the answer."""
    for say, late in ((just_before_midnight, False), (at_midnight, True)):
        where = district()
        recall = recalled(where)
        before = only(where, "2027-03-04")
        say(where, DUE)
        heeded = where["tax"].acknowledge(recall, action=action)
        if not late:
            assert not where.audit("2027-06-30")
            continue
        finding = only(where, "2027-06-30")
        assert finding.references == (recall.reference, heeded.reference)
        assert (finding.id, finding.standing) == (before.id, Standing.ONE_SIDE)
        assert "was 1 working day late" in where.sentence(finding, "en")
        assert where.sentence(finding, "zh").endswith("逾期 1 个工作日签收" + SINCE_ZH + "（一方之言）")


def test_each_holder_answers_for_itself() -> None:
    """Two bureaus that received the version owe one word each; the one that gave it is not the other."""
    where = district("planning")
    exchanged(where)
    asked = where["planning"].request(CODE, provider="market", purpose="tax-registration")
    grant = where["market"].grant(asked, to="planning", resource=CODE)
    half = where["market"].send("x-2", to="planning", version=VERSION, grant=grant, digest=digest_of())
    where["planning"].receive("x-2", sender="market", version=VERSION, sent=half, digest=digest_of())
    recall = then(where)["market"].recall(VERSION, reason="wrong names")
    where["planning"].acknowledge(recall, action="noted")
    assert only(where, "2027-03-04").bureau == "tax"


def test_who_did_not_hold_it_owes_nothing() -> None:
    """Another version, a receipt after the recall, and a bureau that was merely sent it are not obliged."""
    where = district("planning")
    exchanged(where)
    where["market"].provide_version("R-1@2", digest=digest_of(8))
    where["market"].recall("R-1@2", reason="wrong names")
    where["market"].recall("R-1@3", reason="never provided")
    assert not where.audit("2027-03-31")


def test_a_stranger_s_recall_obliges_nobody() -> None:
    """Who recalls what is not its own speaks for a foreign code; whoever holds the version owes it no word."""
    where = district("planning")
    exchanged(where)
    then(where)["planning"].recall(VERSION, reason="we do not like it")
    assert only(where, "2027-06-30").rule == "foreign-code"


def test_a_recall_of_what_was_never_seen_provided_obliges_too() -> None:
    """Where the providing is in no ledger, the recall of who declared the code counts."""
    where = district()
    declared(where)
    half = where["market"].send("x-1", to="tax", version=VERSION, source="x-road")
    where["tax"].receive("x-1", sender="market", version=VERSION, sent=half)
    then(where)["market"].recall(VERSION, reason="wrong names")
    assert only(where, "2027-03-04").rule == "recall-unheeded"


@pytest.mark.parametrize(
    ("holidays", "working_days", "said", "last"),
    [
        ([date(2027, 3, 2)], [], "2027-03-01", "2027-03-04"),
        ([], [date(2027, 3, 6)], "2027-03-05", "2027-03-08"),
        ([], [], "2027-03-05", "2027-03-09"),
        ([], [], "2027-03-06", "2027-03-09"),
    ],
    ids=["a holiday", "a make-up Saturday", "a Friday", "a Saturday"],
)
def test_only_working_days_count(holidays: list[date], working_days: list[date], said: str, last: str) -> None:
    """Counted from the day after the recall, over working days of the charter only."""
    where = district(holidays=holidays, working_days=working_days)
    where.on(said)
    recalled(where)
    assert not where.audit(last)
    assert only(where, "2027-03-31").facts["due"] == date.fromisoformat(last)


def test_a_question_about_the_recall_stops_the_clock_of_who_asks() -> None:
    """The days start again for the holder that asked, and for no other."""
    where = district()
    recall = recalled(where)
    where.on("2027-03-02")
    question = where["tax"].raise_concern("market", about=recall, sort="clarification")
    where.on("2027-03-10")
    where["market"].answer(question, outcome="explained")
    assert not where.audit("2027-03-11")
    assert only(where, "2027-03-12").facts["due"] == date(2027, 3, 11)


def test_a_recall_brought_in_counts_from_when_it_was_recorded() -> None:
    """A letter of 1 March that was recorded on Thursday the 4th is to be heeded by Monday the 8th."""
    where = district()
    exchanged(where)
    where.on("2027-03-04")
    then(where)["market"].recall(VERSION, reason="x", happened_at=moment(where, "2027-03-01"), source="paper")
    assert not where.audit("2027-03-08")
    assert only(where, "2027-03-09").facts["due"] == date(2027, 3, 8)


def test_without_the_holder_s_ledger_nothing_is_judged() -> None:
    """What it received and what it did stand on one ledger: unread, nothing is known of either."""
    where = district()
    recalled(where)
    where.uncovered.add("tax")
    assert "recall-unheeded" not in {finding.rule for finding in where.audit("2027-03-31")}


def test_two_recalls_are_two_notices() -> None:
    """A recall said again is a notice of its own, to be acknowledged again."""
    where = district()
    recall = recalled(where)
    again = then(where)["market"].recall(VERSION, reason="other names too")
    where["tax"].acknowledge(recall, action="noted")
    assert only(where, "2027-03-31").references == (again.reference,)
    assert unjudged(where, DUE) == {}
