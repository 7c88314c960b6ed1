"""What a suspended bureau owes: its node records nothing by the charter's word, so its clocks stand still."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from msgspec.structs import replace

from tallystick.audit.covered import covered
from tallystick.audit.questions.owed import owed_json, owing
from tallystick.audit.report.json import coverage_json
from tallystick.audit.suspension import Suspension, suspensions
from tallystick.audit.words import Words
from tallystick.core.charter_chain import Version
from tallystick.core.closing import Closing
from tests.harness.district import ZONE, District
from tests.harness.ledger_maker import LedgerMaker, charter_of
from tests.harness.stories import CODE, VERSION, digest_of, district, only, requested

LONG_AFTER = "2027-06-30"


def noon(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZONE)


def suspended(began: str | None, ended: str | None = None, bureau: str = "market") -> Suspension:
    """By version 2, and until version 3, each issued at a day's noon."""
    issued = None if began is None else noon(began)
    return Suspension(bureau, 2, issued) if ended is None else Suspension(bureau, 2, issued, 3, noon(ended))


def asked(*times: Suspension) -> District:
    """The market was asked for its resource on 1 March, and has until 15 March."""
    where = district()
    requested(where)
    where.suspensions = times
    return where


def late(where: District, day: str) -> bool:
    return bool(where.audit(day))


@pytest.mark.parametrize(
    "began", ["2027-02-20", "2027-03-01", "2027-03-15", None], ids=["before", "day", "due", "ever"]
)
def test_what_falls_due_while_it_is_suspended_is_not_judged(began: str | None) -> None:
    """However long that lasts; who is suspended besides changes nothing."""
    where = asked(suspended(began))
    assert not where.audit(LONG_AFTER)
    where.suspensions = (suspended(began, bureau="tax"),)
    assert only(where, LONG_AFTER).rule == "request-overdue", "who is owed an answer is answered on the other's ledger"


def test_once_it_is_active_again_the_clock_goes_on() -> None:
    """Of ten working days four were over when it was suspended, and six are left from the day after that ended."""
    where = asked(suspended("2027-03-08", "2027-03-17"))
    assert not late(where, "2027-03-25")
    finding = only(where, "2027-03-26")
    assert (finding.facts["due"], finding.facts["days"]) == (date(2027, 3, 25), 1)
    assert "market is 1 working day late" in where.sentence(finding, "en")
    where = asked(suspended("2027-02-01", "2027-03-10"))
    assert only(where, LONG_AFTER).facts["due"] == date(2027, 3, 24), "whatever is asked meanwhile runs from its end"


def test_what_was_late_before_stays_late_and_grows_only_while_it_is_active() -> None:
    """It is one finding throughout, by the working days on which it could have answered."""
    where = asked(suspended("2027-03-17", "2027-03-24"))
    days = {day: only(where, day) for day in ("2027-03-16", "2027-03-17", "2027-03-22", "2027-03-24", "2027-03-25")}
    assert [each.facts["days"] for each in days.values()] == [1, 1, 1, 1, 2]
    assert len({each.id for each in days.values()}) == 1
    said = where.sentence(days["2027-03-22"], "en")
    assert "market was, when it was suspended, 1 working day late in answering" in said
    assert "逾期 1 个工作日（至其暂停时）未答复" in where.sentence(days["2027-03-22"], "zh")


def test_an_answer_is_in_time_by_the_clock_that_stood_still() -> None:
    """And late by it."""
    for day, found in (("2027-03-25", False), ("2027-03-26", True)):
        where = district()
        request = requested(where)
        where.suspensions = (suspended("2027-03-08", "2027-03-17"),)
        where.on(day)
        where["market"].deny(request, reason="not ours to give")
        assert late(where, LONG_AFTER) is found


def test_a_bureau_that_is_closed_while_it_is_suspended_owes_nothing() -> None:
    """What was not late when it was suspended fell due never."""
    where = asked(suspended("2027-03-08", "2027-05-03"))
    where.closings = (Closing("market", 3, noon("2027-05-03"), ""),)
    assert not where.audit(LONG_AFTER)


def test_a_promised_update_is_put_off_by_the_days_of_the_suspension() -> None:
    """A week's cycle from 1 March, of which six days are left when it is active again."""
    where = district()
    where["market"].declare(CODE, title=CODE, sharing="unconditional", update_cycle="R/P7D", scheme="local")
    where["market"].provide_version(VERSION, digest=digest_of())
    assert only(where, "2027-03-09").rule == "stale-resource"
    where.suspensions = (suspended("2027-03-03"),)
    assert not late(where, LONG_AFTER)
    where.suspensions = (suspended("2027-03-03", "2027-03-17"),)
    assert not late(where, "2027-03-23")
    assert only(where, "2027-03-24").facts["due"] == date(2027, 3, 23)


def test_a_system_is_not_idle_for_its_bureaus_suspension() -> None:
    """Its use could not be recorded; idle for long before, it is the finding it was."""
    where = district()
    where["market"].register_system("S-1", name="Portal", accepted_on="2020-01-01")
    zombie_from = (date(2027, 3, 1) + timedelta(days=181)).isoformat()
    assert [each.rule for each in where.audit(zombie_from)] == ["zombie-system"]
    where.suspensions = (suspended("2027-03-08"),)
    assert not where.audit(zombie_from)
    where.suspensions = (suspended(zombie_from),)
    assert [each.rule for each in where.audit("2028-01-03")] == ["zombie-system"]


def test_what_happened_before_it_was_suspended_may_be_recorded_once_it_is_not() -> None:
    """72 hours are allowed, besides those of the suspension."""
    for day, found in (("2027-03-18", []), ("2027-03-22", ["late-record"])):
        where = district()
        where.suspensions = (suspended("2027-03-08", "2027-03-17"),)
        where.on(day)
        where["market"].declare(
            CODE, title=CODE, sharing="unconditional", scheme="local", happened_at=noon("2027-03-07")
        )
        assert [each.rule for each in where.audit(LONG_AFTER)] == found


def test_the_coverage_says_who_is_suspended_and_since_when_and_who_was() -> None:
    """In both languages, and for programs."""
    where = asked(suspended("2027-03-08"), suspended(None, "2027-03-17", bureau="tax"))
    coverage = where.look(LONG_AFTER)[2]
    said = [each for each in covered(Words(where.charter, "en"), coverage) if "suspended" in each]
    assert said == [
        "market is suspended by version 2 of the charter, issued 2027-03-08: it can record nothing, and what it owes"
        " falls due only once a version makes it active again.",
        "tax was suspended by version 2 of the charter, or by one before it that is not known here, until version 3,"
        " issued 2027-03-17: its clocks stood still.",
    ]
    assert sum("暂停" in each for each in covered(Words(where.charter, "zh"), coverage)) == 2
    first, second = coverage_json(coverage)["suspensions"]
    assert (first["bureau"], first["version"], first["ended_by"], first["ended"]) == ("market", 2, None, None)
    assert (second["bureau"], second["issued"], second["ended_by"]) == ("tax", None, 3)


def test_what_is_owed_says_that_its_clock_stands_still() -> None:
    """Until when is not known; what was late before says so too."""
    for began, due, is_late in (("2027-03-08", None, False), ("2027-03-16", "2027-03-15", True)):
        seen = asked(suspended(began)).look(LONG_AFTER)[1]
        (owed,) = owing(seen)
        said = owed_json(owed, seen)
        assert (said["due"], said["late"], said["suspended"]) == (due, is_late, 2)
    (owed,) = owing(asked(suspended("2027-03-08")).look("2027-03-05")[1])
    assert owed.suspended is None, "on a day before it was suspended"


def test_the_versions_tell_who_was_suspended_and_when() -> None:
    """From the first that says so to the next that does not; without the version before, since when is not known."""
    base = charter_of(LedgerMaker().bureau)
    (bureau,) = base.bureau
    known = [
        Version(b"", "", replace(base, version=number, issued=noon(f"2027-03-{number:02}"), bureau=(one,)))
        for number, state in enumerate(("active", "suspended", "suspended", "active", "suspended"), 1)
        for one in (replace(bureau, state=state),)
    ]
    id_ = bureau.id
    first = Suspension(id_, 2, noon("2027-03-02"), 4, noon("2027-03-04"))
    assert list(suspensions(known)) == [first, Suspension(id_, 5, noon("2027-03-05"))]
    assert list(suspensions(known[2:4])) == [Suspension(id_, 3, None, 4, noon("2027-03-04"))]
