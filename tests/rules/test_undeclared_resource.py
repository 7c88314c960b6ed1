"""`undeclared-resource`: what a bureau provides or sends under a code that nobody declares."""

from __future__ import annotations

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.district import District, Said
from tests.harness.sharing import delivered, spoken
from tests.harness.stories import CODE, VERSION, declared, digest_of, district, granted, only, unjudged

DAY = "2027-03-01"


def provide(where: District, **said: object) -> Said:
    return where["market"].say("provide_version", version=VERSION, digest=digest_of(), **said)


def test_it_trips_alone_and_says_so() -> None:
    """Who provides what is in no catalogue answers, within the coverage."""
    where = district()
    provided = provide(where)
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau) == ("undeclared-resource", "market")
    assert finding.references == (provided.reference,)
    assert (finding.standing, finding.severity, finding.times) == (Standing.ABSENT, Severity.WARNING, 1)
    assert spoken(where, finding) == (
        "market provides or sends R-1, which nobody declares (absent within the coverage, beyond it not covered)",
        "market局 提供或发送的 R-1 未编入目录（核查范围内无记录，范围外未覆盖）",
    )


def test_a_code_is_found_once_however_often_it_is_used() -> None:
    """Provided once and sent twice it is one finding of the first, seen three times."""
    where = district()
    provided = provide(where)
    delivered(where, None)
    delivered(where, None, exchange="x-2")
    finding = only(where, DAY)
    assert (finding.references, finding.times) == ((provided.reference,), 3)
    assert spoken(where, finding) == (
        "market provides or sends R-1, which nobody declares, 3 times"
        " (absent within the coverage, beyond it not covered)",
        "market局 提供或发送的 R-1 未编入目录，共 3 次（核查范围内无记录，范围外未覆盖）",
    )


def test_what_is_in_the_catalogue_does_not_trip() -> None:
    """Declared before it was provided, by whoever provides it."""
    where = district()
    declared(where)
    provide(where)
    assert not where.audit(DAY)


def test_declaring_it_afterwards_does_not_undo_it() -> None:
    """It was provided before it was in the catalogue, and what is provided from then on is not counted."""
    where = district()
    provide(where)
    declared(where)
    provide(where)
    finding = only(where, DAY)
    assert (finding.rule, finding.times) == ("undeclared-resource", 1)


def test_a_code_that_was_withdrawn_is_in_no_catalogue() -> None:
    """What goes on being provided after its withdrawal trips; what was brought in may be older, and does not."""
    where = district()
    declared(where)
    where["market"].withdraw(CODE)
    provide(where, source="archive")
    assert not where.audit(DAY)
    later = where["market"].provide_version("R-1@2", digest=digest_of())
    assert only(where, DAY).references == (later.reference,)


def test_what_another_declares_is_another_rule_s() -> None:
    """Nobody answers for both: a code somebody declares is declared."""
    where = district("planning")
    declared(where, by="planning")
    where.on("2027-03-02")
    provide(where)
    assert only(where, "2027-03-02").rule == "foreign-code"


@pytest.mark.parametrize("source", ["", "x-road"])
def test_what_names_no_code_does_not_trip(source: str) -> None:
    """A service called without naming a resource is in nobody's catalogue, and says nothing about one."""
    where = district()
    sent = where["market"].send("x-1", to="tax", service="licences", source=source)
    where["tax"].receive("x-1", sender="market", sent=sent, service="licences", source=source)
    assert not where.audit(DAY)


def test_a_custodian_is_not_judged_by_a_ledger_that_was_not_read() -> None:
    """It sends under a grant on that ledger, where the declaration may stand too."""
    where = district("planning")
    delivered(where, granted(where).grant, by="planning", via="city store")
    assert not where.audit(DAY)
    where.uncovered.add("market")
    assert unjudged(where, DAY) == {("undeclared-resource", "market"): 1}
