"""What came about only after a bureau was closed: it could do nothing about that, and nobody else is accused for it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tallystick.audit.covered import covered
from tallystick.audit.questions.who import Named, inquire, who, who_json
from tallystick.audit.words import Words
from tests.harness.district import District, Said
from tests.harness.sharing import allowed
from tests.harness.stories import CODE, VERSION, closing, digest_of, district, exchanged, only, requested, then

BEFORE, CLOSED, AFTER, LONG_AFTER = "2027-03-09", "2027-03-10", "2027-03-11", "2027-06-30"
UNKNOWN = pytest.mark.parametrize("day", [CLOSED, None], ids=["known", "unknown"])


def assigned(where: District, holder: str, duty: str, until: str = "") -> Said:
    """A duty over a matter, which its holder accepts."""
    assignment = then(where)["planning"].assign_duty(holder, duty=duty, matter="M-1", until=until)
    then(where)[holder].answer_duty(assignment, answer="accepted")
    return assignment


def rules_of(where: District, on: str = LONG_AFTER) -> list[tuple[str, str]]:
    """What is found, and who answers."""
    return [(finding.rule, finding.bureau) for finding in where.audit(on)]


@pytest.mark.parametrize("released", [True, False], ids=["released", "term over"])
def test_a_duty_that_ends_after_its_holder_was_closed_is_no_gap_of_its(released: bool) -> None:
    """One that had ended before is the finding it was; where the closing's moment is not known, neither is."""
    gap = [("duty-gap", "market")]
    for since, found in ((BEFORE, gap), (CLOSED, []), (AFTER, [])):
        where = district("planning")
        last_day = date.fromisoformat(since) - timedelta(days=1)
        assignment = assigned(where, "market", "steward", until="" if released else last_day.isoformat())
        where.on(since)
        if released:
            where["planning"].release_duty(assignment)
        assert rules_of(where) == gap
        where.closings = (closing("market", CLOSED, "tax"),)
        assert rules_of(where) == found
        where.closings = (closing("market", None),)
        assert not rules_of(where)


@pytest.mark.parametrize("who_is_closed", ["approver", "steward"])
@UNKNOWN
def test_a_supervisor_that_goes_after_the_closing_accuses_nobody(who_is_closed: str, day: str | None) -> None:
    """Neither a steward that is closed, nor anybody for what a closed bureau approved."""
    where = district("planning", "office")
    assigned(where, "market", "approver")
    assigned(where, "tax", "steward")
    supervisor = assigned(where, "office", "supervisor")
    where.on(AFTER)
    where["office"].release_duty(supervisor)
    assert rules_of(where) == [("approver-without-supervisor", "tax")]
    where.closings = (closing({"approver": "market", "steward": "tax"}[who_is_closed], day),)
    assert not rules_of(where)
    where.closings = (closing("planning", day),)
    assert rules_of(where) == [("approver-without-supervisor", "tax")]


@UNKNOWN
def test_a_grant_of_a_closed_bureau_outlives_what_is_retired_later(day: str | None) -> None:
    """It could not end the grant any more; one that it left in force while it was open is the finding it was."""
    where = district()
    where["tax"].register_system("S-1", name="Portal", accepted_on="2020-01-01")
    allowed(where, system="S-1")
    where.on(BEFORE)
    where["tax"].retire_system("S-1")
    where.closings = (closing("market", day),)
    late = [("grant-outlives-system", "market")]
    assert [each for each in rules_of(where) if each in late] == (late if day else [])
    where.closings = (closing("market", BEFORE),)
    assert not [each for each in rules_of(where) if each in late]


@UNKNOWN
def test_who_declares_what_a_closed_bureau_declared_takes_it_over(day: str | None) -> None:
    """Its successor or another; the next to declare it answers, and so does still who did before the closing."""
    where = district("planning", "office")
    for on, by in ((BEFORE, "market"), (AFTER, "tax"), ("2027-03-12", "planning")):
        where.on(on)
        where[by].declare(CODE, scheme="local", title=CODE, sharing="unconditional")
    assert {bureau for _, bureau in rules_of(where)} == {"tax", "planning"}
    where.closings = (closing("market", day, "tax"),)
    finding = only(where, LONG_AFTER)
    assert (finding.bureau, finding.facts["other"]) == ("planning", "tax")
    where.closings = (closing("market", "2027-03-12"),)
    assert {bureau for _, bureau in rules_of(where)} == {"tax", "planning"}


@UNKNOWN
def test_who_provides_anew_what_a_closed_bureau_provided_may_give_it_another_code(day: str | None) -> None:
    """A closed bureau withdraws nothing; who gives it a third code after that codes it twice."""
    where = district("planning")
    for on, by in ((BEFORE, "market"), (AFTER, "tax"), ("2027-03-12", "planning")):
        where.on(on)
        where[by].declare(by, scheme="local", title=by, sharing="unconditional")
        where[by].provide_version(f"{by}@1", digest=digest_of())
    assert {bureau for _, bureau in rules_of(where)} == {"tax", "planning"}
    where.closings = (closing("market", day, "tax"),)
    finding = only(where, LONG_AFTER)
    assert (finding.rule, finding.bureau, finding.facts["first"]) == ("datum-coded-twice", "planning", "tax@1")


def test_a_question_to_a_closed_bureau_stops_no_clock() -> None:
    """It will never answer; one asked while it was there does, and so does one of which that is not known."""
    where = district()
    exchanged(where)
    recall = then(where)["market"].recall(VERSION, reason="wrong")
    then(where)["tax"].raise_concern("market", about=recall, sort="clarification")
    for issued, found in ((AFTER, False), (None, False), ("2027-02-26", True)):
        where.closings = (closing("market", issued),)
        assert (("recall-unheeded", "tax") in rules_of(where)) == found


@pytest.mark.parametrize("closed", ["market", "tax"])
def test_an_answer_that_was_late_stays_so_though_one_side_is_closed_later(closed: str) -> None:
    """It was late when it was given. Whether whom it was given to was there by then must be known for that."""
    where = district()
    request = requested(where)
    where.on("2027-03-17")
    where["market"].deny(request, reason="not ours to give")
    for day, found in (("2027-03-18", True), (None, closed == "market")):
        where.closings = (closing(closed, day),)
        assert rules_of(where) == [("request-overdue", "market")] * found
    where.closings = (closing(closed, "2027-03-18"),)
    assert only(where, LONG_AFTER).facts["late"] == "was-late"


@UNKNOWN
def test_who_answers_says_that_it_is_closed_and_its_coverage_who_succeeds_it(day: str | None) -> None:
    """Whatever was asked of indexes; nothing is said there of what is owed, which nobody looked for."""
    where = district("planning")
    assigned(where, "market", "steward")
    where.closings = (closing("market", day, "tax"),)
    named = Named.parse("M-1")
    for on in (BEFORE, LONG_AFTER):
        seen, coverage = where.ask(inquire(named), on)
        ((answering,),) = (over["answers"] for over in who_json(named, who(named, seen), seen)["over"])
        is_closed = {"bureau": "market", "version": 2, "successor": "tax"}
        assert answering["closed"] == (None if day and on == BEFORE else is_closed)
    (said,) = (each for each in covered(Words(where.charter, "en"), coverage) if "closed by" in each)
    since = "issued 2027-03-10" if day else "or by one before it that is not known here"
    assert said == f"market is closed by version 2 of the charter, {since}, and succeeded by tax."
    (said,) = (each for each in covered(Words(where.charter, "zh"), coverage) if "关闭" in each)
    assert said.endswith("关闭，由tax局承继。")
