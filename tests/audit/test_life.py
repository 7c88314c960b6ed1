"""The life of a finding: new, still open, answered, closed; not judged where this audit could not have found it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from tallystick.audit.coverage import Coverage
from tallystick.audit.earlier import OldReport, read_report
from tallystick.audit.finding import Finding, concerns
from tallystick.audit.life import Life, compare
from tallystick.audit.report.json import coverage_json, finding_json, lives_json
from tallystick.audit.rulebook import Rulebook
from tallystick.audit.words import Words
from tallystick.core.bureau import Floor
from tallystick.core.closing import Closing
from tallystick.core.errors import Usage
from tallystick.core.hashing import leaf_hash
from tallystick.core.identifiers import finding_id
from tallystick.core.merkle import root_of
from tallystick.core.note import encode_base64
from tests.harness.cosigned import SECOND_US, asking, note_of
from tests.harness.district import RULEBOOK, ZONE, Desk, District
from tests.harness.sharing import allowed, delivered, restricted
from tests.harness.stories import declared, requested

RULE, FIRST, SECOND = "withheld-without-basis", "2027-03-31", "2027-04-30"


@pytest.fixture
def district() -> District:
    """Two bureaus that withhold a resource each, for nothing; then nothing more is said until April."""
    where = District("market", "tax")
    for bureau in ("market", "tax"):
        where[bureau].declare(f"{bureau}-1", scheme="s", title="t", sharing="withheld")
    return where


def document(where: District, on: str = FIRST, since: dict[str, Any] | None = None) -> dict[str, Any]:
    """An audit as a command prints it, since an earlier one where that is given."""
    found, seen, coverage = where.look(on)
    english, chinese = Words(where.charter, "en"), Words(where.charter, "zh")
    findings = [finding_json(each, english, chinese, seen) for each in found]
    made = {"coverage": coverage_json(coverage), "findings": findings}
    return made if since is None else made | lives_json(compare(found, earlier_of(since), seen, coverage))


def earlier_of(document: dict[str, Any]) -> OldReport:
    """An earlier audit as the next one reads it."""
    return read_report(json.dumps(document).encode(), "last.json")


def lives(where: District, earlier: dict[str, Any], rules: list[str] | None = None) -> dict[str, Life]:
    """What became of the findings of either audit, by bureau."""
    found, seen, coverage = where.look(SECOND, rules)
    came = compare(found, earlier_of(earlier), seen, coverage, rules)
    now = {each.bureau: came.of(each) for each in found}
    gone = {each.bureau: Life.CLOSED for each in came.closed} | {each.bureau: Life.UNJUDGED for each in came.unjudged}
    assert not now.keys() & gone.keys()
    return now | gone


def declared_with_basis(where: District, bureau: str) -> None:
    where.on("2027-04-10")
    where[bureau].declare(f"{bureau}-1", scheme="s", title="t", sharing="withheld", basis="Art. 7")


def finding(where: District, bureau: str) -> Finding:
    return next(each for each in where.audit(FIRST) if each.bureau == bureau)


def test_what_is_found_again_is_open_and_what_was_not_there_is_new(district: District) -> None:
    """By its id alone, which does not change from day to day."""
    earlier = document(district)
    assert lives(district, earlier) == {"market": Life.OPEN, "tax": Life.OPEN}
    assert lives(district, {**earlier, "findings": []}) == {"market": Life.NEW, "tax": Life.NEW}


def test_an_answer_is_seen_only_where_its_bureau_gave_it(district: District) -> None:
    """On its own ledger, by the finding's id; another bureau's word about it changes nothing."""
    earlier = document(district)
    id_ = finding(district, "market").id
    district["tax"].answer(finding=id_, outcome="rejected")
    assert lives(district, earlier)["market"] is Life.OPEN
    district["market"].answer(finding=id_, outcome="explained", words="a basis is being drawn up")
    assert lives(district, earlier) == {"market": Life.ANSWERED, "tax": Life.OPEN}


def test_what_is_put_right_is_closed(district: District) -> None:
    """Found no more by an audit that could have found it."""
    earlier = document(district)
    declared_with_basis(district, "market")
    assert lives(district, earlier) == {"market": Life.CLOSED, "tax": Life.OPEN}


@pytest.mark.parametrize(
    "hide",
    [
        pytest.param(lambda where: where.uncovered.add("market"), id="its ledger was not read"),
        pytest.param(lambda where: where.read_up_to.update(market=1), id="not to its end"),
    ],
)
def test_what_could_not_be_found_is_not_called_closed(district: District, hide: Callable[[District], None]) -> None:
    """Where the ledger was not read whole, or the rule did not judge, nothing is known of it."""
    earlier = document(district)
    declared_with_basis(district, "market")
    hide(district)
    assert lives(district, earlier) == {"market": Life.UNJUDGED, "tax": Life.OPEN}
    assert lives(district, earlier, ["zombie-system"]) == {"market": Life.UNJUDGED, "tax": Life.UNJUDGED}


def test_a_ledger_that_showed_it_must_have_been_read_too(district: District) -> None:
    """A finding that was shown by two ledgers is closed only by both."""
    earlier = document(district)
    earlier["findings"][0]["references"].append("tax#0")
    declared_with_basis(district, "market")
    district.uncovered.add("tax")
    assert lives(district, earlier)["market"] is Life.UNJUDGED


BUREAUS = ("market", "tax", "planning")


@pytest.fixture
def silent() -> District:
    """Three bureaus; the market's ledger is an hour old, and its witnesses have cosigned nothing of it of late."""
    where = District(*BUREAUS)
    where["market"].declare("R-1", scheme="s", title="t", sharing="unconditional")
    asking(where, 60, market=note_of(where, "market", {}))
    return where


def fresh(where: District) -> None:
    """Both witnesses have cosigned the market's ledger when the audit asks."""
    at_s = where.now_us // SECOND_US + 3_600
    asking(where, 60, market=note_of(where, "market", {"tax": at_s, "planning": at_s}))


def outcome(where: District, earlier: dict[str, Any], away: Callable[[Coverage], None] = lambda _: None) -> set[Life]:
    """What became of the earlier findings that are found no more, by the coverage an audit had with something away."""
    found, seen, coverage = where.look(SECOND)
    away(coverage)
    came = compare(found, earlier_of(earlier), seen, coverage)
    assert not found
    return {Life.CLOSED} if came.closed and not came.unjudged else {Life.UNJUDGED} if came.unjudged else set()


def found_before(rule: str, *checkpoints: dict[str, Any], reference: str = "market#0") -> dict[str, Any]:
    """An earlier audit that found one thing about the market, which goes with these checkpoints of its ledger."""
    found = {"id": finding_id(rule, "market", [reference]), "rule": rule, "bureau": "market", "references": [reference]}
    findings = [{**found, "checkpoints": checkpoints}]
    return {"coverage": {"charter": "pudong", "day": FIRST}, "findings": findings}


def checkpoint(where: District, size: int) -> dict[str, Any]:
    """What the market's ledger was at a size."""
    return {"size": size, "root": root_of([leaf_hash(raw) for raw in where["market"].entries[:size]]).hex()}


def read_from_a_copy(coverage: Coverage) -> None:
    coverage.ledgers[0].keeper, coverage.ledgers[0].away = "tax", True


def asked_of_a_copy(coverage: Coverage) -> None:
    """By who chose so: its own node was not asked at all."""
    coverage.ledgers[0].keeper = "tax"


def silent_to_gossip(coverage: Coverage) -> None:
    coverage.silent_nodes = ("market",)


def test_an_observation_is_closed_by_an_audit_that_its_node_answered(silent: District) -> None:
    """And that was shown what witnesses cosigned; the same ledger read whole from a copy closes none."""
    earlier = document(silent)
    assert {each["rule"] for each in earlier["findings"]} == {"silent-ledger", "not-witnessed"}
    silent.cosigned = {}  # nobody says what was cosigned
    assert outcome(silent, earlier) == {Life.UNJUDGED}
    fresh(silent)
    for away in (read_from_a_copy, asked_of_a_copy, silent_to_gossip):
        assert outcome(silent, earlier, away) == {Life.UNJUDGED}
    assert outcome(silent, earlier) == {Life.CLOSED}


def test_what_nobody_answers_for_yet_concerns_the_bureau_whose_ledger_it_is(silent: District) -> None:
    """Found, closed or not judged; every other finding concerns who answers for it alone."""
    earlier, (found, seen, coverage) = document(silent), silent.look(SECOND)
    for bureau in BUREAUS:
        assert all(concerns(each.bureau, each.references, [bureau]) is (bureau == "market") for each in found)
    assert not concerns("tax", ["market#0"], ["market"])
    came = compare([], earlier_of(earlier), seen, coverage)
    assert came.about(["market"]).closed == came.closed != ()
    assert came.about(["tax"]).closed == ()


@pytest.mark.parametrize("changed", [{"state": "suspended"}, {"witnesses": ("tax",)}], ids=["suspended", "no quorum"])
def test_what_the_charter_no_longer_asks_for_is_not_closed(silent: District, changed: dict[str, Any]) -> None:
    """A version under which nothing is missing any more puts nothing right."""
    earlier = document(silent)
    fresh(silent)
    market, *others = silent.charter.bureau
    silent.charter = replace(silent.charter, bureau=(replace(market, **changed), *others))
    assert outcome(silent, earlier) == {Life.UNJUDGED}


@pytest.mark.parametrize("rule", ["unreconciled", "rollback"])
def test_what_a_node_showed_is_cleared_by_one_ledger_that_has_it_all(silent: District, rule: str) -> None:
    """Whoever audits then, and whoever is away; who was not told which checkpoints those are clears nobody, nor does a
    ledger that has but one of two, or does not reach so far.
    """
    silent["market"].declare("R-2", scheme="s", title="t", sharing="unconditional")
    fresh(silent)
    first, both = checkpoint(silent, 1), checkpoint(silent, 2)
    for apart in ((), ({**first, "root": "01" * 32},), (first, {**both, "root": "02" * 32}), ({**both, "size": 3},)):
        assert outcome(silent, found_before(rule, *apart)) == {Life.UNJUDGED}
    cleared = found_before(rule, first, both)
    for away in (read_from_a_copy, asked_of_a_copy, silent_to_gossip):
        assert outcome(silent, cleared, away) == {Life.UNJUDGED}
    assert outcome(silent, cleared) == {Life.CLOSED}


def test_a_clock_that_was_ahead_is_not_put_right_by_later_cosignatures(silent: District) -> None:
    """They bound less tightly when an entry was there; those that an earlier audit was shown may be shown no more."""
    at_s = silent.now_us // SECOND_US
    asking(silent, 60, market=note_of(silent, "market", {"tax": at_s - 1_200, "planning": at_s - 1_200}))
    earlier = document(silent)
    earlier["findings"] = [each for each in earlier["findings"] if each["rule"] == "clock-skew"]
    assert len(earlier["findings"]) == 1
    fresh(silent)
    assert outcome(silent, earlier) == {Life.UNJUDGED}


@pytest.mark.parametrize("rule", ["equivocation", "witness-inconsistent", "acknowledged-lost"])
def test_what_a_key_signed_is_never_closed(silent: District, rule: str) -> None:
    """That this client does not have the proof, or holds another charter, undoes no signature."""
    fresh(silent)
    assert outcome(silent, found_before(rule)) == {Life.UNJUDGED}


def test_what_was_not_judged_is_carried_from_audit_to_audit(district: District) -> None:
    """As it was found, until an audit reads its ledger again: then it is still open, or closed, and never new."""
    earlier = document(district)
    district.uncovered.add("market")
    for day in ("2027-04-01", "2027-04-02"):
        earlier = document(district, day, since=earlier)
        (carried,) = earlier["carried"]
        assert (earlier["not_judged"], earlier["closed"], carried["found"]) == ([carried["id"]], [], FIRST)
    district.uncovered.clear()
    assert lives(district, earlier) == {"market": Life.OPEN, "tax": Life.OPEN}
    declared_with_basis(district, "market")
    assert lives(district, earlier) == {"market": Life.CLOSED, "tax": Life.OPEN}
    assert document(district, SECOND, since=earlier)["carried"] == []


def test_a_suspicion_is_carried_with_what_clears_it(silent: District) -> None:
    """Else the audit after one that could not judge it could not either."""
    fresh(silent)
    seen = checkpoint(silent, 1)
    silent.uncovered.add("market")
    carried = document(silent, FIRST, since=found_before("unreconciled", seen))
    other = document(silent, FIRST, since=found_before("unreconciled", {**seen, "root": "01" * 32}))
    silent.uncovered.clear()
    assert outcome(silent, carried) == {Life.CLOSED}
    assert outcome(silent, other) == {Life.UNJUDGED}


@pytest.mark.parametrize("chained", [False, True], ids=["", "chained"])
def test_another_ledger_under_the_same_name_closes_nothing(district: District, chained: bool) -> None:
    """Where the entry that showed it stood another stands now: that is not what was found, put right. What the charter
    pins is the same for all that.
    """
    earlier = document(district)
    if chained:
        district.uncovered.add("market")
        earlier = document(district, FIRST, since=earlier)
        district.uncovered.clear()
    market = district.desks["market"] = Desk(district, district.charter.by_id("market"))
    market.declare("market-1", scheme="s", title="t", sharing="withheld", basis="Art. 7")
    assert lives(district, earlier) == {"market": Life.UNJUDGED, "tax": Life.OPEN}
    offices = [
        replace(each, floor=Floor(1, encode_base64(bytes(32)))) if each.id == "market" else each
        for each in district.charter.bureau
    ]
    district.charter = replace(district.charter, bureau=tuple(offices))
    assert lives(district, earlier) == {"market": Life.CLOSED, "tax": Life.OPEN}


@pytest.mark.parametrize("issued", [datetime(2027, 3, 5, 12, tzinfo=ZONE), None], ids=["known", "perhaps earlier"])
def test_what_a_closed_bureau_left_open_is_not_closed(issued: datetime | None) -> None:
    """It is held against nobody, and nobody answered it; what the asker took back is settled."""
    where = District("market", "tax")
    request = requested(where)
    earlier = document(where)
    assert [each["rule"] for each in earlier["findings"]] == ["request-overdue"]
    where.closings = (Closing("market", 2, issued, "tax"),)
    assert outcome(where, earlier) == {Life.UNJUDGED}
    where.on("2027-04-10")
    where["tax"].end(request, how="withdrawn")
    assert outcome(where, earlier) == {Life.CLOSED}


@pytest.mark.parametrize("deadlines", [{"answer_request": 200}, {}], ids=["longer", "none"])
def test_what_is_owed_still_is_not_closed_by_another_deadline(deadlines: dict[str, int]) -> None:
    """A version of the charter by which it is not late, or not judged, answers nobody."""
    where = District("market", "tax")
    request = requested(where)
    earlier = document(where)
    assert [each["rule"] for each in earlier["findings"]] == ["request-overdue"]
    where.rulebook = Rulebook.parse({**RULEBOOK, "deadlines": deadlines}, ZONE)
    assert outcome(where, earlier) == {Life.UNJUDGED}
    where.on("2027-04-10")
    where["tax"].end(request, how="withdrawn")
    assert outcome(where, earlier) == ({Life.CLOSED} if deadlines else {Life.UNJUDGED})


def test_what_the_rulebook_sets_no_threshold_for_is_not_closed() -> None:
    """It is not judged any more, as the coverage says."""
    where = District("market", "tax")
    where["market"].register_system("OLD", name="Old portal", operator="the data centre", accepted_on="2012-01-15")
    where["market"].report_system_use("OLD", since="2026-09-15", until="2027-03-01", users=0, operations=0)
    earlier = document(where)
    thresholds = {name: value for name, value in RULEBOOK["thresholds"].items() if name != "zombie_days"}
    where.rulebook = Rulebook.parse({**RULEBOOK, "thresholds": thresholds}, ZONE)
    assert outcome(where, earlier) == {Life.UNJUDGED}


def test_a_system_that_a_closed_bureau_left_idle_is_not_closed() -> None:
    """It can neither use nor retire it any more; what it retired before that is settled."""
    where = District("market", "tax")
    where["market"].register_system("OLD", name="Old portal", operator="the data centre", accepted_on="2012-01-15")
    where["market"].report_system_use("OLD", since="2026-09-15", until="2027-03-01", users=0, operations=0)
    earlier = document(where)
    assert [each["rule"] for each in earlier["findings"]] == ["zombie-system"]
    where.closings = (Closing("market", 2, datetime(2027, 3, 5, 12, tzinfo=ZONE), "tax"),)
    assert outcome(where, earlier) == {Life.UNJUDGED}
    where.on("2027-03-04")
    where["market"].retire_system("OLD", reason="replaced")
    assert outcome(where, earlier) == {Life.CLOSED}


@pytest.mark.parametrize("issued", [datetime(2027, 3, 5, 12, tzinfo=ZONE), None], ids=["known", "perhaps earlier"])
def test_what_came_about_only_after_a_closing_is_not_closed(issued: datetime | None) -> None:
    """An audit that did not know of the closing yet found it; a duty that was taken on since, a grant ended, is."""
    where = District("market", "tax")
    where["tax"].register_system("S-1", name="Portal", accepted_on="2020-01-01")
    grant = allowed(where, system="S-1").grant
    delivered(where, grant)
    duty = where["tax"].assign_duty("market", duty="steward", matter="M-1")
    where["market"].answer_duty(duty, answer="accepted")
    where.on("2027-03-09")
    where["tax"].retire_system("S-1")
    where["tax"].release_duty(duty)
    earlier = document(where)
    assert {each["rule"] for each in earlier["findings"]} == {"grant-outlives-system", "duty-gap"}
    where.closings = (Closing("market", 2, issued, "tax"),)
    assert outcome(where, earlier) == {Life.UNJUDGED}
    where.on("2027-04-10")
    where["tax"].end(grant, how="given_back")
    taken = where["tax"].assign_duty("tax", duty="steward", matter="M-1")
    where["tax"].answer_duty(taken, answer="accepted")
    assert outcome(where, earlier) == {Life.CLOSED}


def test_an_absence_is_not_closed_while_its_rule_left_something_open() -> None:
    """What is cited on a ledger that was not read may be a grant, though the ledgers that showed the finding were."""
    where = District(*BUREAUS)
    restricted(where)
    delivered(where, declared(where, "P-1", "planning"))
    earlier = document(where)
    (found,) = earlier["findings"]
    assert (found["rule"], found["references"]) == ("access-without-grant", ["market#1"])
    where.uncovered.add("planning")
    assert outcome(where, earlier) == {Life.UNJUDGED}


def test_an_audit_of_another_charter_or_a_later_day_is_no_earlier_one(district: District) -> None:
    """Nothing is compared that cannot be."""
    for change in ({"charter": "elsewhere"}, {"day": "2027-05-01"}):
        earlier = document(district)
        earlier["coverage"] |= change
        with pytest.raises(Usage):
            lives(district, earlier)


def test_an_id_stays_while_what_it_says_changes() -> None:
    """Days late grow from day to day; rule, bureau and references make the id, and nothing else does."""
    where = District("market", "tax")
    where["market"].declare("R-1", scheme="s", title="t", sharing="unconditional")
    where["tax"].request("R-1", provider="market", purpose="tax-registration")
    (first,), (later,) = where.audit("2027-04-01"), where.audit("2027-05-01")
    assert first.facts["days"] != later.facts["days"]
    assert first.id == later.id
    where["tax"].request("R-1", provider="market", purpose="tax-registration")
    assert len({each.id for each in where.audit("2027-05-01")}) == 2
