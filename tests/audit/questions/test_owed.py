"""What bureaus owe each other: every row of the table, its deadline, its clock, and who is not covered."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.audit.obligations import OBLIGATIONS
from tallystick.audit.questions.owed import owed_json, owing
from tests.harness.district import RULEBOOK, District

MARKET, TAXATION, PLANNING = BUREAUS = ("market", "taxation", "planning")
DIGEST = f"blake3:{'5a' * 32}"


def told(district: District) -> dict[str, str]:
    """On Monday 1 March 2027 everything that can be owed is opened; the references by the rule each may become."""
    market, taxation = district[MARKET], district[TAXATION]
    market.declare("M-1", scheme="local", title="licences", sharing="unconditional", update_cycle="R/P1M")
    taxation.declare("T-1", scheme="local", title="taxes", sharing="unconditional")
    asked = taxation.request("M-1", provider=MARKET, purpose="tax-registration")
    promised = market.provide_version("M-1@1", digest=DIGEST, size=1)
    wanted = district[PLANNING].request("M-1", provider=MARKET, purpose="joint-supervision")
    granted = market.grant(wanted, to=PLANNING, resource="M-1")
    sent = market.send(b"e" * 16, to=TAXATION, version="M-1@1", size=1)
    sent_before = market.send(b"f" * 16, to=TAXATION, version="M-1@1", size=1)
    taxation.receive(b"f" * 16, sender=MARKET, version="M-1@1", sent=sent_before, size=1)
    taxation.provide_version("T-1@1", digest=f"blake3:{'6b' * 32}", size=1, derived_from=["M-1@1"])
    district.on("2027-03-01", 11)
    recalled = market.recall("M-1@1", reason="shifted")
    disputed = taxation.raise_concern(to=MARKET, about=promised, sort="quality", words="line 40")
    assigned = market.assign_duty(PLANNING, duty="supervisor", matter="310115-GH-03")
    return {
        "request-overdue": asked.reference,
        "stale-resource": promised.reference,
        "granted-not-served": granted.reference,
        "sent-not-received": sent.reference,
        "recall-unheeded": recalled.reference,
        "derived-not-corrected": recalled.reference,
        "dispute-overdue": disputed.reference,
        "duty-unaccepted": assigned.reference,
    }


def asked_of(district: District, on: str, bureau: str = "", to: str = "") -> list[dict[str, Any]]:
    _, seen, _ = district.look(on, rules=())
    return [owed_json(each, seen) for each in owing(seen, bureau, to)]


def test_everything_opened_and_not_answered_is_owed_the_earliest_due_first() -> None:
    """Each row of the table once, with who owes whom and the last day that is in time."""
    district = District(*BUREAUS)
    opened = told(district)
    found = asked_of(district, "2027-03-02")
    assert {each["rule"]: each["reference"] for each in found} == opened
    assert opened.keys() == {obligation.rule for obligation in OBLIGATIONS}
    owed = {each["rule"]: (each["bureau"], each["to"], each["due"]) for each in found}
    assert owed == {
        "sent-not-received": (TAXATION, MARKET, "2027-03-03"),
        "recall-unheeded": (TAXATION, MARKET, "2027-03-03"),
        "derived-not-corrected": (TAXATION, MARKET, "2027-03-03"),
        "granted-not-served": (MARKET, PLANNING, "2027-03-08"),
        "duty-unaccepted": (PLANNING, MARKET, "2027-03-08"),
        "request-overdue": (MARKET, TAXATION, "2027-03-15"),
        "dispute-overdue": (MARKET, TAXATION, "2027-03-15"),
        "stale-resource": (MARKET, None, "2027-04-01"),
    }
    assert [each["due"] for each in found] == sorted(each["due"] for each in found)
    assert not any(each["late"] for each in found)
    one_sided = {each["rule"] for each in found if each["standing"] == "one-side"}
    assert one_sided == {"sent-not-received"}


@pytest.mark.parametrize(("on", "late", "days"), [("2027-03-15", False, 0), ("2027-03-16", True, 1)])
def test_late_begins_when_the_last_day_is_over(on: str, late: bool, days: int) -> None:
    """The day that is due is in time; the working day after it is one late."""
    district = District(*BUREAUS)
    told(district)
    (asked,) = (each for each in asked_of(district, on) if each["rule"] == "request-overdue")
    assert (asked["late"], asked["late_days"]) == (late, days)


def test_an_answer_ends_what_was_owed() -> None:
    """And it was still owed on the day before."""
    district = District(*BUREAUS)
    asked = district[TAXATION].request("M-1", provider=MARKET, purpose="tax-registration")
    district.on("2027-03-04")
    district[MARKET].deny(asked, to=TAXATION, resource="M-1", reason="no purpose")
    assert [each["reference"] for each in asked_of(district, "2027-03-03")] == [asked.reference]
    assert asked_of(district, "2027-03-04") == []


def test_the_clock_stands_still_while_a_clarification_is_open() -> None:
    """It has no deadline meanwhile, and says for what it waits; answered, it runs on."""
    district = District(*BUREAUS)
    asked = district[TAXATION].request("M-1", provider=MARKET, purpose="tax-registration")
    unclear = district[MARKET].raise_concern(to=TAXATION, about=asked, sort="clarification", words="which?")
    (waiting,) = asked_of(district, "2027-05-01", bureau=MARKET)
    assert (waiting["paused_by"], waiting["due"], waiting["late"]) == ([unclear.reference], None, False)
    district.on("2027-03-03")
    district[TAXATION].answer(concern=unclear, to=MARKET, outcome="explained")
    (running,) = asked_of(district, "2027-03-03", bureau=MARKET)
    assert (running["paused_by"], running["due"], running["late"]) == ([], "2027-03-17", False)


def test_a_bureau_is_asked_for_what_it_owes_or_what_it_is_owed() -> None:
    """The two sides of one list."""
    district = District(*BUREAUS)
    told(district)
    every = asked_of(district, "2027-03-02")
    for bureau in BUREAUS:
        assert asked_of(district, "2027-03-02", bureau=bureau) == [each for each in every if each["bureau"] == bureau]
        assert asked_of(district, "2027-03-02", to=bureau) == [each for each in every if each["to"] == bureau]


def test_nothing_is_said_of_who_is_not_covered() -> None:
    """An answer may stand on a ledger that was not read; what the others owe stays."""
    district = District(*BUREAUS)
    told(district)
    district.uncovered = {MARKET}
    assert {each["bureau"] for each in asked_of(district, "2027-03-02")} <= {TAXATION, PLANNING}


def test_a_withdrawn_resource_promises_no_update() -> None:
    """A promise ends with its declaration; it is neither owed nor late."""
    district = District(*BUREAUS)
    market = district[MARKET]
    market.declare("M-1", scheme="local", title="licences", sharing="unconditional", update_cycle="R/P1M")
    market.provide_version("M-1@1", digest=DIGEST, size=1)
    assert [each["rule"] for each in asked_of(district, "2027-09-01")] == ["stale-resource"]
    district.on("2027-03-02")
    market.withdraw("M-1", reason="merged")
    assert asked_of(district, "2027-09-01") == []


def test_without_a_deadline_in_the_charter_it_is_owed_and_never_late() -> None:
    """Code ships no law."""
    district = District(*BUREAUS, rulebook={key: said for key, said in RULEBOOK.items() if key != "deadlines"})
    district[TAXATION].request("M-1", provider=MARKET, purpose="tax-registration")
    (asked,) = asked_of(district, "2029-01-01")
    assert (asked["due"], asked["late"], asked["paused_by"]) == (None, False, [])
