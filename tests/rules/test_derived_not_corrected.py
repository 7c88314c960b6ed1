"""`derived-not-corrected`: what was made from a version is still there days after that version was recalled."""

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
    VERSION,
    at_midnight,
    declared,
    digest_of,
    district,
    exchanged,
    just_before_midnight,
    only,
    then,
)

DUE = "2027-03-03"  # two working days after Monday, 1 March


def derived(where: District) -> Said:
    """The tax office receives a version and makes one of its own from it."""
    exchanged(where)
    declared(where, "T-1", "tax")
    return where["tax"].provide_version("T-1@1", digest=digest_of(8), derived_from=[VERSION])


def recalled(where: District) -> tuple[Said, Said]:
    """What it made is recalled at its source, which it takes note of."""
    made = derived(where)
    recall = then(where)["market"].recall(VERSION, reason="wrong names")
    where["tax"].acknowledge(recall, action="noted")
    return made, recall


def test_it_trips_alone_and_says_so() -> None:
    """Noting the recall corrects nothing: who made the other version answers, from the day after the last on."""
    where = district()
    made, recall = recalled(where)
    assert not where.audit(DUE)
    finding = only(where, "2027-03-04")
    assert (finding.rule, finding.bureau) == ("derived-not-corrected", "tax")
    assert finding.references == (recall.reference, made.reference)
    assert (finding.standing, finding.severity) == (Standing.ABSENT, Severity.WARNING)
    assert where.sentence(finding, "en") == (
        "tax made T-1@1 from R-1@1, which market recalled, and had not corrected it by 2027-03-03"
        + SINCE_EN
        + " (absent within the coverage, beyond it not covered)"
    )
    assert where.sentence(finding, "zh") == (
        "tax局 的 T-1@1 由 market局 已撤回的 R-1@1 衍生，至 2027年3月3日 未更正"
        + SINCE_ZH
        + "（核查范围内无记录，范围外未覆盖）"
    )


Then = Callable[[District, Said], Said]
CORRECTED: list[Then] = [
    lambda d, r: d["tax"].recall("T-1@1", reason="its source was recalled"),
    lambda d, r: d["tax"].acknowledge(r, action="fixed"),
    lambda d, r: d["tax"].acknowledge(r, action="destroyed"),
]


@pytest.mark.parametrize("correct", CORRECTED, ids=["recalled", "fixed", "destroyed"])
def test_corrected_late_is_the_same_finding(correct: Then) -> None:
    """In the last microsecond is in time; at 24:00 is late, under the id it had before."""
    for say, late in ((just_before_midnight, False), (at_midnight, True)):
        where = district()
        made, recall = recalled(where)
        before = only(where, "2027-03-04")
        say(where, DUE)
        corrected = correct(where, recall)
        if not late:
            assert not where.audit("2027-06-30")
            continue
        finding = only(where, "2027-06-30")
        assert finding.references == (recall.reference, made.reference, corrected.reference)
        assert (finding.id, finding.standing) == (before.id, Standing.ONE_SIDE)
        assert where.sentence(finding, "en").endswith(
            "and had not corrected it by 2027-03-03" + SINCE_EN + " (one side's word)"
        )


NOT_CORRECTED: list[Then] = [
    lambda d, r: d["tax"].acknowledge(r, action="stopped"),
    lambda d, r: d["planning"].acknowledge(r, action="destroyed"),
    lambda d, r: d["market"].acknowledge(r, action="destroyed"),
    lambda d, r: d["tax"].provide_version("T-1@2", digest=digest_of(9)),
]


@pytest.mark.parametrize("act", NOT_CORRECTED, ids=["stopped", "by a third", "by who recalled it", "a next version"])
def test_nothing_else_corrects_it(act: Then) -> None:
    """Only who made it corrects it: neither its next version nor another bureau's word does."""
    where = district("planning")
    _, recall = recalled(where)
    act(where, recall)
    assert [finding.rule for finding in where.audit("2027-03-31")] == ["derived-not-corrected"]


def test_what_was_made_of_what_was_made_counts_too() -> None:
    """Every version downstream, at any depth, is its maker's, one finding each."""
    where = district()
    derived(where)
    where["tax"].provide_version("T-1@2", digest=digest_of(9), derived_from=["T-1@1"])
    recall = then(where)["market"].recall(VERSION, reason="wrong names")
    where["tax"].acknowledge(recall, action="noted")
    found = where.audit("2027-03-04")
    assert [finding.facts["derived"] for finding in found] == ["T-1@1", "T-1@2"]
    assert len({finding.id for finding in found}) == 2
    where["tax"].recall("T-1@2", reason="its source was recalled")
    assert only(where, "2027-03-04").facts["derived"] == "T-1@1"
    where["tax"].acknowledge(recall, action="fixed")
    assert not where.audit("2027-03-31")


def test_what_was_recalled_before_or_made_of_another_is_not_to_be_corrected() -> None:
    """A derived version that is gone already, and one of another version, owe nothing."""
    where = district()
    derived(where)
    where["tax"].recall("T-1@1", reason="superseded")
    where["market"].provide_version("R-1@2", digest=digest_of(9))
    where["tax"].provide_version("T-1@2", digest=digest_of(10), derived_from=["R-1@2"])
    recall = then(where)["market"].recall(VERSION, reason="wrong names")
    where["tax"].acknowledge(recall, action="noted")
    assert not where.audit("2027-06-30")


def test_a_stranger_s_recall_obliges_nobody() -> None:
    """Who recalls what is not its own speaks for a foreign code, and leaves what was made of it alone."""
    where = district("planning")
    derived(where)
    then(where)["planning"].recall(VERSION, reason="we do not like it")
    assert only(where, "2027-06-30").rule == "foreign-code"


@pytest.mark.parametrize(
    ("holidays", "working_days", "said", "last"),
    [
        ([date(2027, 3, 3)], [], "2027-03-01", "2027-03-04"),
        ([], [date(2027, 3, 6)], "2027-03-04", "2027-03-06"),
    ],
    ids=["a holiday", "a make-up Saturday"],
)
def test_only_working_days_count(holidays: list[date], working_days: list[date], said: str, last: str) -> None:
    """The days are those of heeding a recall."""
    where = district(holidays=holidays, working_days=working_days)
    where.on(said)
    recalled(where)
    assert not where.audit(last)
    assert only(where, "2027-03-31").facts["due"] == date.fromisoformat(last)


def test_without_the_maker_s_ledger_nothing_is_judged() -> None:
    """What it made stands on the ledger on which it would correct it: unread, nothing is known of either."""
    where = district()
    recalled(where)
    where.uncovered.add("tax")
    assert "derived-not-corrected" not in {finding.rule for finding in where.audit("2027-03-31")}
