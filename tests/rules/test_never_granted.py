"""`never-granted`: a resource shared on conditions, whose requests were all denied in the period."""

from __future__ import annotations

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.district import RULEBOOK, District, Said
from tests.harness.sharing import PURPOSE, declared_as, restricted, spoken
from tests.harness.stories import CODE, district, moment, only, unjudged

BEGIN, LAST = "2027-03-01", "2027-08-28"  # 180 days apart: the period and its day of grace
REASON = "not needed for the stated purpose"


def ask(where: District) -> Said:
    return where["tax"].request(CODE, provider="market", purpose=PURPOSE)


def deny(where: District, requests: int = 3) -> list[Said]:
    return [where["market"].deny(ask(where), reason=REASON) for _ in range(requests)]


def test_it_trips_alone_and_says_so() -> None:
    """Who answered as many requests as the charter says, and granted none, answers by the whole of its own ledger."""
    where = district()
    declared = restricted(where)
    where.on("2027-03-02")
    denied = deny(where)
    finding = only(where, "2027-03-02")
    assert (finding.rule, finding.bureau) == ("never-granted", "market")
    assert finding.references == (declared.reference, *(each.reference for each in denied))
    assert (finding.standing, finding.severity) == (Standing.ABSENT, Severity.WARNING)
    assert finding.at_us == moment(where, "2027-03-02"), "it arose with the last denial"
    assert spoken(where, finding) == (
        "market shares R-1 on conditions, answered 3 requests for it in 180 days and granted none"
        " (absent within the coverage, beyond it not covered)",
        "market局 将 R-1 列为有条件共享，180 天内答复共享申请 3 件，无一同意（核查范围内无记录，范围外未覆盖）",
    )


def test_its_id_stays_while_denials_are_added() -> None:
    """A fourth denial joins the finding."""
    where = district()
    restricted(where)
    deny(where)
    before = only(where, BEGIN)
    where.on("2027-03-02")
    deny(where, 1)
    after = only(where, "2027-03-02")
    assert (before.id, before.facts["count"]) == (after.id, 3)
    assert (after.facts["count"], len(after.references)) == (4, 5)


def test_fewer_than_the_charter_says_are_no_habit() -> None:
    """One request less, one denied three times, or a third that was withdrawn, does not trip."""
    where = district()
    restricted(where)
    deny(where, 2)
    assert not where.audit(BEGIN)
    where["tax"].end(ask(where), how="withdrawn")
    request = ask(where)
    where["market"].deny(request, reason=REASON)
    assert only(where, BEGIN).facts["count"] == 3
    again = district()
    restricted(again)
    request = ask(again)
    for _ in range(3):
        again["market"].deny(request, reason=REASON)
    assert not again.audit(BEGIN)


def test_one_grant_is_enough() -> None:
    """Even one that was given back, or came after a denial of the same request."""
    where = district()
    restricted(where)
    deny(where, 3)
    request = ask(where)
    where["market"].deny(request, reason=REASON)
    grant = where["market"].grant(request, to="tax", resource=CODE)
    where["tax"].end(grant, how="given_back")
    assert not where.audit(BEGIN)


@pytest.mark.parametrize(
    ("sharing", "said"),
    [
        pytest.param("withheld", {"basis": "State Secrets Law, article 9"}, id="withheld"),
        pytest.param("unconditional", {}, id="unconditional"),
    ],
)
def test_only_what_claims_to_be_shared_on_conditions_is_judged(sharing: str, said: dict[str, object]) -> None:
    """What is withheld says so; and a resource withdrawn says nothing any more."""
    where = district()
    declared_as(where, sharing, **said)
    deny(where)
    assert not where.audit(BEGIN)
    withdrawn = district()
    restricted(withdrawn)
    deny(withdrawn)
    withdrawn["market"].withdraw(CODE)
    assert not withdrawn.audit(BEGIN)


def test_neither_to_end_a_request_nor_to_grant_oneself_is_to_grant() -> None:
    """A request that is ended by who was asked was denied, and what a bureau grants itself it grants nobody."""
    where = district()
    restricted(where)
    where["market"].grant(
        where["market"].request(CODE, provider="market", purpose="tax-registration"), to="market", resource=CODE
    )
    for _ in range(3):
        where["market"].end(ask(where), how="revoked", reason=REASON)
    assert "never-granted" in {finding.rule for finding in where.audit(BEGIN)}


def test_the_period_ends() -> None:
    """Denials count up to the day before which the period lies, and not on the day after."""
    where = district()
    restricted(where)
    deny(where)
    assert only(where, LAST).rule == "never-granted"
    assert not where.audit("2027-08-29")


def test_a_grant_before_the_period_is_no_excuse() -> None:
    """What was granted long ago does not answer for this period."""
    where = district()
    restricted(where)
    request = ask(where)
    where["tax"].end(where["market"].grant(request, to="tax", resource=CODE), how="given_back")
    where.on("2027-03-02")
    deny(where)
    assert not where.audit(LAST)
    assert only(where, "2027-08-29").rule == "never-granted"


def test_where_the_ledger_ends_unread_or_the_charter_is_silent_nothing_is_judged() -> None:
    """The grant may stand in what was not read; and without a number in the rulebook there is no habit."""
    where = district()
    restricted(where)
    deny(where)
    where.read_up_to["market"] = len(where["market"].entries)
    assert unjudged(where, BEGIN) == {("never-granted", "market"): 1}
    thresholds = {name: value for name, value in RULEBOOK["thresholds"].items() if name != "never_granted_requests"}
    silent = District("market", "tax", rulebook={**RULEBOOK, "thresholds": thresholds})
    restricted(silent)
    deny(silent)
    assert unjudged(silent, BEGIN) == {}
