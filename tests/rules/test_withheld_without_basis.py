"""`withheld-without-basis`: a resource that stands declared as withheld, with no basis."""

from __future__ import annotations

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.sharing import declared_as, spoken
from tests.harness.stories import CODE, district, only, unjudged

DAY = "2027-03-31"
LAW = "State Secrets Law, article 9"


def test_it_trips_alone_and_says_so() -> None:
    """Who withholds and cites nothing answers, by its own signed declaration."""
    where = district()
    declared = declared_as(where, "withheld")
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau) == ("withheld-without-basis", "market")
    assert finding.references == (declared.reference,)
    assert (finding.standing, finding.severity, finding.times) == (Standing.PROVEN, Severity.WARNING, 1)
    assert spoken(where, finding) == (
        "market withholds R-1 and cites nothing (proven)",
        "market局 将 R-1 列为不予共享，未列依据（已证明）",
    )


@pytest.mark.parametrize(
    ("sharing", "said"),
    [
        pytest.param("withheld", {"basis": LAW}, id="in words"),
        pytest.param("withheld", {"basis": {"code": "SSL-9"}}, id="by its code alone"),
        pytest.param("conditional", {"condition": "for taxation only"}, id="conditional"),
        pytest.param("unconditional", {}, id="unconditional"),
        pytest.param("unconditional", {"public": True}, id="public"),
    ],
)
def test_what_cites_a_ground_or_needs_none_does_not_trip(sharing: str, said: dict[str, object]) -> None:
    """Any basis is one, and only withholding needs it."""
    where = district()
    declared_as(where, sharing, **said)
    assert not where.audit(DAY)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"condition": "for taxation only"}, id="a condition is no basis"),
        pytest.param({"source": "dcat-us-1.1"}, id="imported"),
        pytest.param({"public": True}, id="public, and withheld from bureaus"),
    ],
)
def test_nothing_else_stands_for_a_basis(said: dict[str, object]) -> None:
    """A condition, an import, openness to the public: none is a basis."""
    where = district()
    declared_as(where, "withheld", **said)
    assert only(where, DAY).rule == "withheld-without-basis"


def test_the_declaration_is_judged_as_it_stands() -> None:
    """Said again it is one finding, of the later; with a basis, or withdrawn, it is none, but was on the day before."""
    where = district()
    declared_as(where, "withheld")
    again = declared_as(where, "withheld")
    assert only(where, DAY).references == (again.reference,)
    where.on("2027-03-15")
    declared_as(where, "withheld", basis=LAW)
    assert only(where, "2027-03-14").references == (again.reference,)
    assert not where.audit("2027-03-15")
    where.on("2027-03-16")
    declared_as(where, "withheld")
    where.on("2027-03-17")
    where["market"].withdraw(CODE)
    assert only(where, "2027-03-16")
    assert not where.audit("2027-03-17")


def test_where_the_ledger_ends_unread_nothing_is_judged() -> None:
    """A better declaration may stand beyond what was read; of a ledger never seen not even this one is known."""
    where = district()
    declared_as(where, "withheld")
    where.read_up_to["market"] = 1
    assert unjudged(where, DAY) == {("withheld-without-basis", "market"): 1}
    where.uncovered.add("market")
    assert unjudged(where, DAY) == {}
