"""`bulk-use`: more lookups by one officer in a day than the charter allows for."""

from __future__ import annotations

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.district import RULEBOOK, District
from tests.harness.sharing import spoken, used
from tests.harness.stories import at_midnight, declared, district, just_before_midnight, moment, only, unjudged

OFFICER, MOST, DAY = "tax:o-7f3a", 20, "2027-03-10"


def looked_up(where: District, times: int, officer: str = OFFICER, **said: object) -> list[str]:
    """So many uses for an officer; their references."""
    return [used(where, officer=officer, **said).reference for _ in range(times)]


def in_use() -> District:
    """A resource that everybody may use, and the day."""
    where = district()
    declared(where)
    where.on(DAY)
    return where


def test_it_trips_alone_and_says_so() -> None:
    """The officer's bureau answers, shown by the first lookup, by its own word on which day it was."""
    where = in_use()
    references = looked_up(where, MOST + 1)
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau, finding.references) == ("bulk-use", "tax", (references[0],))
    assert (finding.standing, finding.severity) == (Standing.ONE_SIDE, Severity.WARNING)
    assert spoken(where, finding) == (
        "officer tax:o-7f3a of tax looked data up 21 times on 2027-03-10, of 20 the charter allows for"
        " (one side's word)",
        "tax局 经办人 tax:o-7f3a 于 2027年3月10日 查询 21 次，超过章程所定 20 次（一方之言）",
    )
    looked_up(where, 1)
    again = only(where, DAY)
    assert (again.id, again.facts["times"]) == (finding.id, MOST + 2)


def test_as_many_as_the_charter_allows_for_are_not_too_many() -> None:
    """Exactly the number, by each of two officers, on each of two days."""
    where = in_use()
    looked_up(where, MOST)
    looked_up(where, MOST, officer="tax:o-2")
    looked_up(where, MOST, happened_at=moment(where, "2027-03-09"))
    assert not where.audit(DAY)


def test_a_day_ends_at_midnight() -> None:
    """A lookup in the last microsecond counts to the day, one at 24:00 to the next."""
    rulebook = {**RULEBOOK, "thresholds": {"bulk_uses_per_day": MOST}}  # and no night
    for moment_of, trips in ((just_before_midnight, True), (at_midnight, False)):
        where = District("market", "tax", rulebook=rulebook)
        declared(where)
        where.on(DAY)
        looked_up(where, MOST)
        moment_of(where, DAY)
        looked_up(where, 1)
        assert bool(where.audit("2027-03-11")) is trips


def test_a_use_belongs_to_the_day_on_which_it_happened() -> None:
    """Not to the one on which it was recorded; recorded together, happened apart, they are two days'."""
    where = in_use()
    looked_up(where, MOST, happened_at=moment(where, "2027-03-09"))
    assert not where.audit(DAY)
    looked_up(where, 1, happened_at=moment(where, "2027-03-09"))
    assert spoken(where, only(where, DAY))[0].startswith(
        "officer tax:o-7f3a of tax looked data up 21 times on 2027-03-09"
    )


def test_a_system_that_acts_for_nobody_is_no_officer() -> None:
    """What runs by itself may do so as often as it likes."""
    where = in_use()
    looked_up(where, MOST + 1, officer="")
    assert not where.audit(DAY)


def test_what_was_brought_in_counts_too() -> None:
    """An import may lack citations; how often somebody looked it states."""
    where = in_use()
    looked_up(where, MOST + 1, source="archive")
    assert only(where, DAY).rule == "bulk-use"


def test_without_a_number_or_the_ledger_nothing_is_judged() -> None:
    """Code ships no law, and what was not read is not known."""
    thresholds = {name: value for name, value in RULEBOOK["thresholds"].items() if name != "bulk_uses_per_day"}
    silent = District("market", "tax", rulebook={**RULEBOOK, "thresholds": thresholds})
    declared(silent)
    looked_up(silent, MOST + 1)
    assert unjudged(silent, DAY) == {}
    where = in_use()
    looked_up(where, MOST + 1)
    where.uncovered.add("tax")
    assert unjudged(where, DAY) == {}
