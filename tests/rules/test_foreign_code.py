"""`foreign-code`: provide, send, recall or withdraw by a bureau that did not declare the code, where another did."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.district import District, Said
from tests.harness.sharing import delivered, spoken, used
from tests.harness.stories import CODE, VERSION, declared, digest_of, district, exchanged, granted, only, unjudged

DAY = "2027-03-01"
Speak = Callable[[District], Said]


def test_it_trips_alone_and_says_so() -> None:
    """Who provides under another's code answers, by both signed entries."""
    where = district("planning")
    owner = declared(where)
    provided = where["planning"].provide_version(VERSION, digest=digest_of())
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau) == ("foreign-code", "planning")
    assert finding.references == (provided.reference, owner.reference)
    assert (finding.standing, finding.severity) == (Standing.PROVEN, Severity.WARNING)
    assert spoken(where, finding) == (
        "planning provides, sends, recalls or withdraws R-1, which market declared and it did not (proven)",
        "R-1 由 market局 编目，planning局 未编目而提供、发送、撤回或撤销编目（已证明）",
    )


@pytest.mark.parametrize(
    "speak",
    [
        pytest.param(lambda d: d["planning"].provide_version(VERSION, digest=digest_of()), id="provides"),
        pytest.param(lambda d: d["planning"].recall(VERSION, reason="wrong"), id="recalls"),
        pytest.param(lambda d: d["planning"].withdraw(CODE), id="withdraws"),
        pytest.param(lambda d: delivered(d, None, by="planning"), id="sends"),
    ],
)
def test_four_ways_to_speak_for_a_code_trip_alike(speak: Speak) -> None:
    """Each is one finding of whoever spoke, and said twice it is still one."""
    where = district("planning")
    declared(where)
    first = speak(where)
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau, finding.references[0]) == ("foreign-code", "planning", first.reference)
    speak(where)
    assert only(where, DAY).times == 2


@pytest.mark.parametrize(
    "speak",
    [
        pytest.param(lambda d: d["planning"].use(VERSION, purpose="joint-supervision", case="c"), id="uses"),
        pytest.param(lambda d: d["planning"].raise_concern("market", resource=CODE, sort="quality"), id="complains"),
        pytest.param(
            lambda d: d["planning"].provide_version("P-1@1", digest=digest_of(), derived_from=[VERSION]), id="derives"
        ),
    ],
)
def test_whoever_only_deals_with_it_does_not_speak_for_it(speak: Speak) -> None:
    """Using it, complaining of it, making something else of it."""
    where = district("planning")
    declared(where)
    declared(where, code="P-1", by="planning")
    speak(where)
    assert not where.audit(DAY)


def test_a_code_under_another_scheme_is_one_s_own() -> None:
    """Both declared it, each in its own scheme."""
    where = district("planning")
    declared(where)
    where["planning"].declare(CODE, scheme="planning", title="Plans", sharing="unconditional")
    where["planning"].provide_version(VERSION, digest=digest_of())
    assert not where.audit(DAY)


def test_a_code_one_handed_over_may_still_be_recalled() -> None:
    """Who declared it once may speak of what it then provided, though another declares it now."""
    where = district("planning")
    declared(where, by="planning")
    where["planning"].provide_version(VERSION, digest=digest_of())
    where["planning"].withdraw(CODE)
    declared(where)
    where["planning"].recall(VERSION, reason="wrong")
    assert not where.audit(DAY)


def test_a_custodian_under_the_producer_s_grant_does_not_speak() -> None:
    """From a shared store, citing the grant of who declared it; without either it does."""
    where = district("planning")
    shared = granted(where)
    delivered(where, shared.grant, by="planning", via="city store")
    assert not where.audit(DAY)
    delivered(where, shared.grant, by="planning", exchange="x-2")
    assert only(where, DAY).rule == "foreign-code"


def test_nobody_makes_himself_a_custodian() -> None:
    """A grant on the ledger of a bureau that never declared the code is no producer's."""
    where = district("planning")
    declared(where)
    request = where["tax"].request(CODE, provider="planning", purpose="tax-registration")
    own = where["planning"].grant(request, to="tax", resource=CODE)
    delivered(where, own, by="planning", via="city store")
    assert only(where, DAY).rule == "foreign-code"


def test_a_foreign_recall_convicts_nobody_else() -> None:
    """Who uses a version after a bureau that it is not of recalled it has nothing to answer for."""
    where = district("planning")
    exchanged(where)
    where["planning"].recall(VERSION, reason="inconvenient")
    where.on("2027-03-08")
    used(where)
    assert only(where, "2027-03-31").rule == "foreign-code"


def test_whose_code_it_is_has_the_version_though_another_was_first() -> None:
    """A version provided under a foreign code keeps nobody from providing and recalling his own."""
    where = district("planning")
    declared(where)
    where["planning"].provide_version(VERSION, digest=digest_of(1))
    where.on("2027-03-02")
    exchanged(where)
    where.on("2027-03-03")
    where["market"].recall(VERSION, reason="wrong")
    assert {finding.rule for finding in where.audit("2027-03-08")} == {"foreign-code", "recall-unheeded"}


def test_what_was_not_read_convicts_nobody() -> None:
    """Without the owner's ledger no declaration is known; without the end of it, perhaps not the grant."""
    where = district("planning")
    declared(where)
    read = len(where["market"].entries)
    delivered(where, granted(where).grant, by="planning", via="city store")
    where.read_up_to["market"] = read
    assert unjudged(where, DAY) == {("foreign-code", "market"): 1}


Again = Callable[[District, Said, Said], Said]


@pytest.mark.parametrize(
    "speak",
    [
        pytest.param(lambda d, _, __: d["planning"].provide_version(VERSION, digest=digest_of()), id="provides"),
        pytest.param(lambda d, grant, _: delivered(d, grant, by="planning", exchange="x-2"), id="from its own"),
        pytest.param(
            lambda d, _, other: delivered(d, other, by="planning", via="city store", exchange="x-2"), id="another grant"
        ),
    ],
)
def test_one_sending_that_cannot_be_judged_hides_no_other(speak: Again) -> None:
    """Beside a custodian's sending that may be lawful, what is foreign in any case is found, and shown by itself."""
    where = district("planning")
    declared(where)
    declared(where, "R-2")
    request = where["tax"].request("R-2", provider="market", purpose="tax-registration")
    where.after(1)
    other = where["market"].grant(request, to="tax", resource="R-2")
    read = len(where["market"].entries)
    grant = granted(where).grant
    delivered(where, grant, by="planning", via="city store")
    spoken_for = speak(where, grant, other)
    where.read_up_to["market"] = read
    assert only(where, "2027-03-02").references[0] == spoken_for.reference
