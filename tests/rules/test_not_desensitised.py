"""`not-desensitised`: a version of a resource with personal or secret fields that says nothing of making them safe."""

from __future__ import annotations

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.district import District, Said
from tests.harness.sharing import declared_as, spoken
from tests.harness.stories import VERSION, digest_of, district, only

DAY = "2027-03-01"
PERSONAL = {"name": "citizen id", "sensitivity": "personal"}
SECRET = {"name": "formula", "sensitivity": "secret"}
STREET = {"name": "street"}


def declare(where: District, *fields: dict[str, str], by: str = "market") -> Said:
    return declared_as(where, "unconditional", "R-1", by, fields=fields)


def provide(where: District, by: str = "market", **said: object) -> Said:
    return where[by].say("provide_version", version=VERSION, digest=digest_of(), **said)


def test_it_trips_alone_and_says_so() -> None:
    """Who provided answers: proven is what the version does not state, and of which fields."""
    where = district()
    declare(where, SECRET, STREET, PERSONAL)
    provided = provide(where)
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau, finding.references) == ("not-desensitised", "market", (provided.reference,))
    assert (finding.standing, finding.severity) == (Standing.PROVEN, Severity.WARNING)
    assert spoken(where, finding) == (
        "market provided R-1@1 and states no desensitisation of citizen id, formula (proven)",
        "market局 提供 R-1@1，未载明对 citizen id、formula 的脱敏处理（已证明）",
    )


@pytest.mark.parametrize(
    "desensitised",
    [
        pytest.param({"method": "masked"}, id="a method for all"),
        pytest.param({"method": "masked", "fields": ["formula", "citizen id"]}, id="each field named"),
        pytest.param({"method": "masked", "fields": ["street", "formula", "citizen id"]}, id="more than need be"),
    ],
)
def test_what_states_its_method_does_not_trip(desensitised: dict[str, object]) -> None:
    """Whether the method is a good one is a person's judgement."""
    where = district()
    declare(where, SECRET, STREET, PERSONAL)
    provide(where, desensitised=desensitised)
    assert not where.audit(DAY)


@pytest.mark.parametrize(("done", "left"), [("formula", "citizen id"), ("citizen id", "formula")])
def test_one_field_left_out_is_named(done: str, left: str) -> None:
    """Of two sensitive fields the one that was not dealt with; a field that is not sensitive counts for nothing."""
    where = district()
    declare(where, SECRET, STREET, PERSONAL)
    provide(where, desensitised={"method": "masked", "fields": [done, "street"]})
    assert only(where, DAY).facts["fields"] == frozenset({left})


def test_what_holds_nothing_sensitive_does_not_trip() -> None:
    """Fields that are neither personal nor secret, or none declared at all."""
    where = district()
    declare(where, STREET)
    provide(where)
    assert not where.audit(DAY)
    bare = district()
    declare(bare)
    provide(bare)
    assert not bare.audit(DAY)


def test_a_version_is_judged_by_what_was_declared_then() -> None:
    """A field found to be personal later makes no older version wrong, and one no longer so excuses none."""
    where = district()
    declare(where, STREET)
    provide(where)
    declare(where, PERSONAL)
    assert not where.audit(DAY)
    later = where["market"].provide_version("R-1@2", digest=digest_of(8))
    declare(where, STREET)
    assert only(where, DAY).references == (later.reference,)


def test_what_was_brought_in_is_judged_alike() -> None:
    """An import may lack citations, never protection."""
    where = district()
    declare(where, PERSONAL)
    provide(where, source="archive")
    assert only(where, DAY).rule == "not-desensitised"
