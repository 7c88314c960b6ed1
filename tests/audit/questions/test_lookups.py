"""Who looked data up: by officer, by index and by full pass alike, and within hours of the charter's day."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest

from tallystick.audit.questions.lookups import Hours, Lookups, inquire, lookups_json
from tallystick.core.compose import Sensitive
from tallystick.core.errors import Usage
from tests.harness.district import District

MARKET, TAXATION = "market", "taxation"
OFFICER, OTHER = "taxation:o-7f3a", "taxation:o-0001"
ON = "2027-06-01"


def told() -> District:
    """On 9 March an officer looks up through a system at 5, 21, 22 and 23 o'clock and signs one himself; so does
    another."""
    district = District(MARKET, TAXATION)
    taxation = district[TAXATION]
    for hour in (5, 21, 22, 23):
        district.on("2027-03-09", hour)
        taxation.use(
            "M-1@1", purpose="tax-registration", officer=OFFICER, case="1", subject=Sensitive(f"citizen {hour}")
        )
    taxation.use("M-1@1", purpose="tax-registration", officer=OTHER)
    taxation.say("use", version="M-1@1", purpose="tax-registration", by="o-7f3a")
    return district


def asked_of(district: District, by_index: bool = False, **wanted: Any) -> tuple[list[str], Lookups]:
    lookups = Lookups(district.rulebook.calendar, **wanted)
    if by_index:
        district.ask(inquire(lookups.officer), ON, lookups)
    else:
        district.look(ON, rules=(), watching=lookups)
    return [entry.reference for entry in lookups.found], lookups


def test_an_officer_is_found_by_index_as_by_full_pass() -> None:
    """What systems did for him, and what he signed himself; nobody else's."""
    district = told()
    found, _ = asked_of(district, officer=OFFICER)
    assert found == [f"taxation#{number}" for number in (0, 1, 2, 3, 5)]
    assert asked_of(district, by_index=True, officer=OFFICER)[0] == found
    assert asked_of(district, by_index=True, officer=OTHER)[0] == ["taxation#4"]
    assert asked_of(district)[0] == [f"taxation#{number}" for number in range(6)]


@pytest.mark.parametrize(
    ("hours", "numbers"),
    [
        ("22-06", [0, 2, 3]),
        ("05-06", [0]),
        ("21:30-22:30", [2]),
        ("6-21", []),
        ("21-24", [1, 2, 3]),
        ("00-21:01", [0, 1]),
    ],
)
def test_hours_may_pass_midnight_and_do_not_hold_their_end(hours: str, numbers: list[int]) -> None:
    """In the charter's time zone, by when it happened."""
    found, lookups = asked_of(told(), officer=OFFICER, hours=Hours.parse(hours))
    assert [reference for reference in found if reference != "taxation#5"] == [f"taxation#{each}" for each in numbers]
    assert lookups.of_officer == 5


def test_what_happened_counts_and_not_when_it_was_recorded() -> None:
    """By its actor's word."""
    district = told()
    noon = district.now_us - 11 * 3600 * 1_000_000
    late = district[TAXATION].use("M-1@1", purpose="tax-registration", officer=OFFICER, happened_at=noon)
    assert late.reference in asked_of(district, hours=Hours(time(12), time(13)))[0]


@pytest.mark.parametrize(
    "text", ["", "22", "22-22", "22-06-07", "25-06", "22:60-06", "-06", "ten-six", "22:5-06", "24-00"]
)
def test_what_are_no_hours_is_refused(text: str) -> None:
    """With what was expected."""
    with pytest.raises(Usage, match="22-06"):
        Hours.parse(text)


def test_commitments_are_counted_by_bureau_up_to_where_it_was_read() -> None:
    """So that a node's word can be held against them; as of a day, only what was recorded by then."""
    district = told()
    _, lookups = asked_of(district, keep=False)
    assert lookups.committed == {TAXATION: 4}
    assert (lookups.ends, lookups.entries) == ({TAXATION: 6}, [])
    before = Lookups(district.rulebook.calendar)
    district.look("2027-03-08", rules=(), watching=before)
    assert (before.committed, before.ends, before.found) == ({}, {}, [])


def test_a_declaration_judged_at_the_end_does_not_shorten_what_was_read() -> None:
    """A ledger that declares first and looks up after it is read to its last entry; its node is not called a liar."""
    district = District(MARKET, TAXATION)
    taxation = district[TAXATION]
    taxation.declare("T-1", scheme="local", title="T-1", sharing="unconditional")
    taxation.use("M-1@1", purpose="tax-registration", subject=Sensitive("a citizen"))
    _, lookups = asked_of(district, keep=False)
    assert (lookups.committed, lookups.ends) == ({TAXATION: 1}, {TAXATION: 2})


def test_json_says_whether_there_was_a_subject_and_never_which() -> None:
    """Nor the commitment to it."""
    district = told()
    _, lookups = asked_of(district)
    document = lookups_json(lookups.found)
    assert [each["subject"] for each in document] == [True] * 4 + [False] * 2
    assert "citizen" not in str(document)
    assert document[0]["officer"] == OFFICER
    assert document[5]["officer"] is None
