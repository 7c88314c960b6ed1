"""`use-without-case`: data used, and no case named."""

from __future__ import annotations

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.sharing import spoken, used
from tests.harness.stories import CODE, declared, district, only, unjudged

DAY = "2027-03-01"


def test_it_trips_alone_and_says_so() -> None:
    """Who used it answers, by its own signed use: proven is that it names no case."""
    where = district()
    declared(where)
    use = used(where, case="", officer="tax:o-7f3a")
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau, finding.references) == ("use-without-case", "tax", (use.reference,))
    assert (finding.standing, finding.severity) == (Standing.PROVEN, Severity.WARNING)
    assert spoken(where, finding) == (
        "tax:o-7f3a of tax used R-1 and names no case (proven)",
        "tax局 的 tax:o-7f3a 使用 R-1，未注明办件（已证明）",
    )


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"case": "c-1"}, id="a case"),
        pytest.param({"case": bytes(15) + b"\x01"}, id="a case by its number"),
        pytest.param({"case": "", "source": "archive"}, id="brought in"),
    ],
)
def test_what_names_a_case_or_was_brought_in_does_not_trip(said: dict[str, object]) -> None:
    """Any case is one; whether it is the right one is a person's judgement."""
    where = district()
    declared(where)
    used(where, **said)
    assert not where.audit(DAY)


@pytest.mark.parametrize("instead", [{"matter": "310115-GH-03"}, {"officer": "tax:o-1"}, {"system": "S-1"}])
def test_nothing_else_stands_for_a_case(instead: dict[str, object]) -> None:
    """A matter is what cases are about, an officer who handles them, a system what with."""
    where = district()
    declared(where)
    used(where, case="", **instead)
    assert only(where, DAY).rule == "use-without-case"


def test_once_a_resource_and_whoever_looked() -> None:
    """Fifteen uses of one officer are one finding, of the first; another officer or another resource is another."""
    where = district()
    declared(where)
    declared(where, "R-2")
    first = used(where, case="", officer="tax:o-1").reference
    for _ in range(14):
        used(where, case="", officer="tax:o-1")
    finding = only(where, DAY)
    assert (finding.references, finding.times) == ((first,), 15)
    assert spoken(where, finding) == (
        "tax:o-1 of tax used R-1 and names no case, 15 times (proven)",
        "tax局 的 tax:o-1 使用 R-1，未注明办件，共 15 次（已证明）",
    )
    used(where, case="", officer="tax:o-2")
    used(where, case="", officer="tax:o-1", version="", resource="R-2")
    assert len(where.audit(DAY)) == 3


def test_without_an_officer_the_actor_who_signed_is_named() -> None:
    """Somebody always is."""
    where = district()
    declared(where)
    used(where, case="", version="", resource=CODE)
    assert spoken(where, only(where, DAY))[0] == "tax:clerk of tax used R-1 and names no case (proven)"


def test_a_use_that_names_nothing_is_said_as_one() -> None:
    """Neither a version nor a resource: the sentence does not leave a hole."""
    where = district()
    used(where, case="", version="")
    assert spoken(where, only(where, DAY)) == (
        "tax:clerk of tax used data it does not name and names no case (proven)",
        "tax局 的 tax:clerk 使用 未指明的数据，未注明办件（已证明）",
    )


def test_nothing_is_said_of_a_ledger_that_was_not_read() -> None:
    """Neither the use nor its case is known."""
    where = district()
    declared(where)
    used(where, case="")
    where.uncovered.add("tax")
    assert unjudged(where, DAY) == {}
