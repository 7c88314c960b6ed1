"""`duplicate-code`: one scheme and code that stands declared on two ledgers."""

from __future__ import annotations

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.district import District, Said
from tests.harness.sharing import spoken
from tests.harness.stories import CODE, district, only, unjudged

FIRST, LATER = "2027-03-01", "2027-03-02"


def declare(where: District, by: str, scheme: str = "local", code: str = CODE) -> Said:
    return where[by].declare(code, scheme=scheme, title=code, sharing="unconditional")


def twice() -> tuple[District, Said, Said]:
    """The market declares a code, and the tax office the same on the day after."""
    where = district("planning")
    first = declare(where, "market")
    where.on(LATER)
    return where, first, declare(where, "tax")


def test_it_trips_alone_and_says_so() -> None:
    """Whoever recorded it later answers, by both signed declarations."""
    where, first, later = twice()
    assert not where.audit(FIRST)
    finding = only(where, LATER)
    assert (finding.rule, finding.bureau) == ("duplicate-code", "tax")
    assert finding.references == (later.reference, first.reference)
    assert (finding.standing, finding.severity) == (Standing.PROVEN, Severity.WARNING)
    assert spoken(where, finding) == (
        "tax declares R-1, a code of scheme local that market declares too and recorded first (proven)",
        "tax局 编目的 R-1（编码体系 local）与 market局 入账在先的代码相同（已证明）",
    )


@pytest.mark.parametrize(
    ("scheme", "code"),
    [pytest.param("other", CODE, id="another scheme"), pytest.param("local", "R-1b", id="another code")],
)
def test_scheme_and_code_must_both_agree(scheme: str, code: str) -> None:
    """One of the two told apart is enough."""
    where = district()
    declare(where, "market")
    declare(where, "tax", scheme, code)
    assert not where.audit(LATER)


@pytest.mark.parametrize("by", ["market", "tax"])
def test_whoever_withdraws_it_ends_it(by: str) -> None:
    """Only what stands is judged."""
    where, _, _ = twice()
    where[by].withdraw(CODE)
    assert not where.audit(LATER)


def test_one_bureau_may_declare_its_code_again() -> None:
    """A later declaration supersedes, and is no second code."""
    where = district()
    declare(where, "market")
    declare(where, "market")
    assert not where.audit(LATER)


def test_who_was_first_stays_first() -> None:
    """Declaring it anew makes nobody the later, and the finding keeps its id."""
    where, _, _ = twice()
    before = only(where, LATER)
    where.on("2027-03-03")
    declare(where, "market")
    declare(where, "tax")
    after = only(where, "2027-03-03")
    assert (after.id, after.bureau) == (before.id, "tax")


def test_who_moves_into_another_s_scheme_is_the_later() -> None:
    """A code counts in a scheme from when it was declared there."""
    where = district()
    declare(where, "market", "other")
    where.on(LATER)
    declare(where, "tax")
    where.on("2027-03-03")
    declare(where, "market")
    assert not where.audit(LATER)
    assert only(where, "2027-03-03").bureau == "market"


def test_every_bureau_but_the_first_answers() -> None:
    """A third is a finding of its own."""
    where, first, later = twice()
    where.on("2027-03-03")
    third = declare(where, "planning")
    assert {(each.bureau, each.references) for each in where.audit("2027-03-03")} == {
        ("tax", (later.reference, first.reference)),
        ("planning", (third.reference, first.reference)),
    }


@pytest.mark.parametrize("bureau", ["market", "tax"])
def test_where_either_ledger_ends_unread_nothing_is_judged(bureau: str) -> None:
    """Either may have withdrawn it beyond what was read."""
    where, _, _ = twice()
    where.read_up_to[bureau] = 1
    assert unjudged(where, LATER) == {("duplicate-code", bureau): 1}
