"""`conditional-without-condition`: a resource that stands declared as conditional, with no condition."""

from __future__ import annotations

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.sharing import declared_as, spoken
from tests.harness.stories import CODE, district, only, unjudged

DAY = "2027-03-31"


def test_it_trips_alone_and_says_so() -> None:
    """Who shares on conditions and states none answers, by its own signed declaration."""
    where = district()
    declared = declared_as(where, "conditional")
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau) == ("conditional-without-condition", "market")
    assert finding.references == (declared.reference,)
    assert (finding.standing, finding.severity) == (Standing.PROVEN, Severity.WARNING)
    assert spoken(where, finding) == (
        "market shares R-1 on conditions and states none (proven)",
        "market局 将 R-1 列为有条件共享，未列条件（已证明）",
    )


@pytest.mark.parametrize(
    ("sharing", "said"),
    [
        pytest.param("conditional", {"condition": "for taxation only"}, id="in words"),
        pytest.param("conditional", {"condition": {"code": "C-1"}}, id="by its code alone"),
        pytest.param("withheld", {"basis": "State Secrets Law, article 9"}, id="withheld"),
        pytest.param("unconditional", {}, id="unconditional"),
    ],
)
def test_what_states_a_condition_or_needs_none_does_not_trip(sharing: str, said: dict[str, object]) -> None:
    """Any condition is one, and only conditional sharing needs it."""
    where = district()
    declared_as(where, sharing, **said)
    assert not where.audit(DAY)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"basis": "State Secrets Law, article 9"}, id="a basis is no condition"),
        pytest.param({"premises": ["a secure room"]}, id="premises are no condition"),
        pytest.param({"source": "dcat-us-1.1"}, id="imported"),
    ],
)
def test_nothing_else_stands_for_a_condition(said: dict[str, object]) -> None:
    """A basis for withholding, premises of use, an import: none is a condition."""
    where = district()
    declared_as(where, "conditional", **said)
    assert only(where, DAY).rule == "conditional-without-condition"


def test_the_declaration_is_judged_as_it_stands() -> None:
    """A later declaration supersedes, for better or worse, and a withdrawal ends."""
    where = district()
    declared_as(where, "conditional", condition="for taxation only")
    worse = declared_as(where, "conditional")
    assert only(where, DAY).references == (worse.reference,)
    where["market"].withdraw(CODE)
    assert not where.audit(DAY)


def test_where_the_ledger_ends_unread_nothing_is_judged() -> None:
    """A better declaration may stand beyond what was read; of a ledger never seen not even this one is known."""
    where = district()
    declared_as(where, "conditional")
    where.read_up_to["market"] = 1
    assert unjudged(where, DAY) == {("conditional-without-condition", "market"): 1}
    where.uncovered.add("market")
    assert unjudged(where, DAY) == {}
