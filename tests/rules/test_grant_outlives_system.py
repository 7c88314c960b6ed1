"""`grant-outlives-system`: a grant for a system, in force on a day after the system was retired."""

from __future__ import annotations

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.district import District, Said
from tests.harness.sharing import PURPOSE, Allowed, allowed, delivered, spoken
from tests.harness.stories import CODE, district, moment, only, unjudged

RETIRED, DAY = "2027-03-02", "2027-03-03"


def registered(where: District) -> Said:
    return where["tax"].register_system("S-1", name="Portal", accepted_on="2020-01-01")


def retired(system: str = "S-1", until: str = "") -> tuple[District, Allowed, Said]:
    """A system of the tax office, a grant that names one, something sent under it, and the system's end."""
    where = district()
    registered(where)
    shared = allowed(where, system=system, until=until)
    delivered(where, shared.grant)
    where.on(RETIRED)
    return where, shared, where["tax"].retire_system("S-1")


def test_it_trips_alone_and_says_so() -> None:
    """Who granted answers from the day after on, that it ended nothing being an absence within the coverage."""
    where, shared, retirement = retired()
    assert not where.audit(RETIRED)
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau) == ("grant-outlives-system", "market")
    assert finding.references == (shared.grant.reference, retirement.reference)
    assert (finding.standing, finding.severity) == (Standing.ABSENT, Severity.WARNING)
    assert finding.at_us == moment(where, RETIRED), "it arose with the system's end, not with the grant"
    assert spoken(where, finding) == (
        "market left its grant of R-1 to tax in force after tax's system S-1 was retired"
        " (absent within the coverage, beyond it not covered)",
        "tax局 的系统 S-1 已下线，market局 就 R-1 给予的授权未收回（核查范围内无记录，范围外未覆盖）",
    )
    assert only(where, "2027-03-31").id == finding.id


@pytest.mark.parametrize("by", ["market", "tax"])
def test_whoever_ends_it_closes_it(by: str) -> None:
    """Revoked or given back, even late."""
    where, shared, _ = retired()
    where.on(DAY)
    where[by].end(shared.grant, how="revoked" if by == "market" else "given_back")
    assert not where.audit(DAY)


def test_a_grant_that_ran_out_outlives_nothing() -> None:
    """Its last day was the day of retirement; a day more and it was in force on the day after."""
    assert not retired(until=RETIRED)[0].audit(DAY)
    longer = retired(until=DAY)[0]
    assert only(longer, DAY).rule == "grant-outlives-system"
    assert not longer.audit("2027-03-04")


@pytest.mark.parametrize("system", ["", "S-2"])
def test_a_grant_for_no_system_or_another_does_not_trip(system: str) -> None:
    """It is not this system's."""
    assert not retired(system)[0].audit(DAY)


def test_a_system_that_is_alive_again_needs_its_grant() -> None:
    """Registered anew on the day after."""
    where, _, _ = retired()
    where.on(DAY)
    registered(where)
    assert not where.audit(DAY)


def test_what_was_granted_after_the_end_outlived_nothing() -> None:
    """The rule is about what was left in force."""
    where, shared, _ = retired()
    where["market"].end(shared.grant, how="revoked")
    where.on(DAY)
    request = where["tax"].request(CODE, provider="market", purpose=PURPOSE, system="S-1")
    where["market"].grant(request, to="tax", resource=CODE)
    assert not where.audit(DAY)


@pytest.mark.parametrize("bureau", ["market", "tax"])
def test_where_either_ledger_ends_unread_nothing_is_judged(bureau: str) -> None:
    """Either may have ended it beyond what was read."""
    where, _, _ = retired()
    where.read_up_to[bureau] = len(where[bureau].entries)
    assert unjudged(where, DAY) == {("grant-outlives-system", bureau): 1}
