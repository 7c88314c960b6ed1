"""`approver-without-supervisor`: something is approved, and nobody is assigned to supervise it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.district import District, Said
from tests.harness.stories import district, only, unjudged

RULE = "approver-without-supervisor"


def assigned(where: District, holder: str, duty: str, matter: str = "M-1", **values: str) -> Said:
    """A duty over a matter, which its holder accepts."""
    assignment = where["market"].say("assign_duty", holder=holder, matter=matter, duty=duty, **values)
    where[holder].answer_duty(assignment, answer="accepted")
    return assignment


def test_it_trips_alone_and_says_so() -> None:
    """Where neither supervisor, steward nor chief is assigned, who approves answers, from the day it does."""
    where = district()
    approval = assigned(where, "tax", "approver")
    finding = only(where, "2027-03-01")
    assert (finding.rule, finding.bureau) == (RULE, "tax")
    assert finding.references == (approval.reference,)
    assert (finding.standing, finding.severity) == (Standing.ABSENT, Severity.WARNING)
    assert only(where, "2027-12-31").id == finding.id
    assert where.sentence(finding, "en") == (
        "matter M-1 is approved by tax and has had no supervisor since 2027-03-01; tax answers"
        " (absent within the coverage, beyond it not covered)"
    )
    assert where.sentence(finding, "zh") == (
        "事项 M-1 由 tax局 审批，自 2027年3月1日 起无监管单位，由 tax局 承担（核查范围内无记录，范围外未覆盖）"
    )


def test_the_steward_s_bureau_answers_before_the_approver_s_own() -> None:
    """Where no supervisor is assigned the steward answers, where there is no steward the approver's bureau's chief."""
    where = district("planning")
    assigned(where, "tax", "approver")
    chief = where["market"].assign_duty("tax", duty="chief")
    where["tax"].answer_duty(chief, answer="accepted")
    assert only(where, "2027-03-01").bureau == "tax"
    assigned(where, "planning", "steward")
    finding = only(where, "2027-03-01")
    assert finding.bureau == "planning"
    assert "is approved by tax" in where.sentence(finding, "en")
    assert "; planning answers" in where.sentence(finding, "en")
    assert "由 tax局 审批，自 2027年3月1日 起无监管单位，由 planning局 承担" in where.sentence(finding, "zh")


@pytest.mark.parametrize(
    ("supervisor", "rules"),
    [
        pytest.param(lambda d: assigned(d, "planning", "supervisor"), [], id="supervised"),
        pytest.param(lambda d: assigned(d, "tax", "supervisor"), [], id="by who approves"),
        pytest.param(lambda d: d["market"].assign_duty("planning", matter="M-1", duty="supervisor"), [], id="named"),
        pytest.param(lambda d: assigned(d, "planning", "supervisor", since="2027-03-05"), [], id="from that day on"),
        pytest.param(lambda d: assigned(d, "planning", "supervisor", since="2027-03-06"), [RULE], id="only later"),
        pytest.param(lambda d: assigned(d, "planning", "supervisor", until="2027-03-05"), [], id="to that day"),
        pytest.param(lambda d: assigned(d, "planning", "supervisor", until="2027-03-04"), [RULE], id="not that long"),
        pytest.param(lambda d: assigned(d, "planning", "supervisor", "M-2"), [RULE], id="another matter"),
        pytest.param(lambda d: assigned(d, "planning", "steward"), [RULE], id="stewarded"),
        pytest.param(
            lambda d: d["planning"].answer_duty(
                d["market"].assign_duty("planning", matter="M-1", duty="supervisor"), answer="declined"
            ),
            [RULE],
            id="declined",
        ),
    ],
)
def test_only_a_supervisor_of_the_same_on_that_day_is_one(
    supervisor: Callable[[District], object], rules: list[str]
) -> None:
    """Assigned is enough, accepted or not; declined, ended, not yet begun or over another matter is not."""
    where = district("planning")
    assigned(where, "tax", "approver")
    supervisor(where)
    assert [finding.rule for finding in where.audit("2027-03-05")] == rules


def test_a_supervisor_that_went_is_said_once_and_since_when() -> None:
    """Released without a successor is this finding and no gap besides; it shows whom the matter lost, and when."""
    where = district("planning")
    approval, supervision = assigned(where, "tax", "approver"), assigned(where, "planning", "supervisor")
    where.on("2027-03-09")
    where["planning"].release_duty(supervision)
    assert not where.audit("2027-03-08")
    finding = only(where, "2027-03-09")
    assert (finding.rule, finding.references) == (RULE, (approval.reference, supervision.reference))
    assert finding.facts["since"] == date(2027, 3, 9)
    assigned(where, "market", "supervisor")
    assert not where.audit("2027-03-09")


def test_nothing_is_unsupervised_before_it_is_approved() -> None:
    """Where the supervisor went before the approver came, it counts from the approver's day."""
    where = district("planning")
    assigned(where, "planning", "supervisor", until="2027-03-02")
    where.on("2027-03-09")
    assigned(where, "tax", "approver")
    assert only(where, "2027-03-10").facts["since"] == date(2027, 3, 9)


def test_what_is_approved_no_more_needs_no_supervisor() -> None:
    """Neither a matter whose approver was released nor one whose approver declined is unsupervised."""
    where = district()
    where["tax"].release_duty(assigned(where, "tax", "approver"))
    approval = where["market"].assign_duty("tax", matter="M-2", duty="approver")
    where["tax"].answer_duty(approval, answer="declined")
    assert not where.audit("2027-12-31")


def test_without_the_approver_s_ledger_nothing_is_judged() -> None:
    """Who approves may have named a supervisor where nobody read."""
    where = district()
    assigned(where, "tax", "approver")
    where.uncovered.add("tax")
    assert unjudged(where, "2027-03-05") == {(RULE, "tax"): 1}
