"""The rulebook: every part reads, nothing absent has a default, and what does not read is refused by its place."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tallystick.audit.rules as _rules
from tallystick.audit.rule import RULES
from tallystick.audit.rulebook import DEADLINES, Rulebook, Severity, Thresholds, zone_name
from tallystick.core.errors import MalformedCharter
from tallystick.core.limits import RULEBOOK_NUMBER_MAX

assert _rules  # importing them enters them

SHANGHAI = timezone(timedelta(hours=8))
FULL: dict[str, Any] = {
    "time_zone": "Asia/Shanghai",
    "holidays": [date(2027, 10, 1)],
    "working_days": [date(2027, 10, 9)],
    "deadlines": {name: days for days, name in enumerate(DEADLINES)},
    "purposes": ["tax-registration", "joint-supervision"],
    "hollow_words": ["Private", " NA ", "内部"],
    "retention": {"default_days": 180, "data_used": {"subject": 1_095}, "duty_assigned": {"person": 0}},
    "thresholds": {
        "late_record_hours": 72,
        "period_days": 180,
        "never_granted_requests": 3,
        "bulk_uses_per_day": 200,
        "zombie_days": 181,
        "clock_skew_minutes": 4,
        "night": {"from": time(22), "until": time(6)},
    },
    "rule": {
        "request-overdue": {"severity": "serious", "citation": {"zh": "办法", "en": "Measures"}},
        "late-record": {"severity": "note", "citation": {"zh": "办法"}},
        "night-use": {"citation": {}},
    },
}
RULEBOOK = Rulebook.parse(FULL, SHANGHAI)


def altered(path: str, value: object) -> dict[str, Any]:
    """The full rulebook with another value at a dotted path."""
    raw = copy.deepcopy(FULL)
    *outer, name = path.split(".")
    place = raw
    for each in outer:
        place = place[each]
    place[name] = value
    return raw


def test_what_a_rulebook_says_is_read() -> None:
    """Every part of a full rulebook arrives in its type, and nothing is left unset."""
    assert RULEBOOK.time_zone == zone_name(FULL) == "Asia/Shanghai"
    assert RULEBOOK.calendar.zone is SHANGHAI
    assert not RULEBOOK.calendar.is_working(date(2027, 10, 1))
    assert RULEBOOK.calendar.is_working(date(2027, 10, 9))
    assert RULEBOOK.deadlines == FULL["deadlines"]
    assert RULEBOOK.purposes == {"tax-registration", "joint-supervision"}
    assert RULEBOOK.thresholds == Thresholds(72, 180, 3, 200, 181, 4, time(22), time(6))
    days = {"data_used.subject": 1_095, "duty_assigned.person": 0, "actor_registered.name": 180}
    for path, lasting in days.items():
        assert RULEBOOK.retention.until_us(path, 1_000) == 1_000 + lasting * 24 * 3600 * 1_000_000
    assert RULEBOOK.unset() == ()


def test_what_a_rulebook_does_not_say_has_no_default() -> None:
    """An empty rulebook sets nothing, and names all it does not set; every rule is a warning without a law."""
    empty = Rulebook.parse({}, UTC)
    assert (empty.deadlines, empty.purposes, empty.hollow_words, empty.rules) == ({}, frozenset(), frozenset(), {})
    assert empty.thresholds == Thresholds()
    assert empty.retention.until_us("data_used.subject", 7) == 7
    assert empty.unset() == (*DEADLINES, *(name for name in FULL["thresholds"] if name != "clock_skew_minutes"))
    assert (empty.severity("request-overdue"), empty.citation("request-overdue", "en")) == (Severity.WARNING, "")
    assert zone_name({}) == empty.time_zone == "UTC"
    assert not empty.calendar.covers(2027)
    assert not empty.is_hollow("NA")


def test_every_threshold_that_may_be_unset_is_some_rules() -> None:
    """And no rule waits for one that there is not."""
    named = frozenset[str]().union(*(each.set_by for each in RULES.values()))
    assert named == set(Rulebook.parse({}, UTC).unset()) - set(DEADLINES)


@pytest.mark.parametrize("name", [*DEADLINES, *(name for name in FULL["thresholds"] if name != "clock_skew_minutes")])
def test_one_thing_unset_is_named_alone(name: str) -> None:
    """A rulebook that lacks one deadline or threshold names that one; 0 is a number like any other."""
    raw = copy.deepcopy(FULL)
    del raw["deadlines" if name in DEADLINES else "thresholds"][name]
    assert Rulebook.parse(raw, UTC).unset() == (name,)


def test_severities_weigh_and_citations_speak() -> None:
    """A rule has the severity given, else a warning; a law in one language is cited in it rather than not at all."""
    assert Severity.NOTE < Severity.WARNING < Severity.SERIOUS
    assert [each.label("en") for each in Severity] == ["note", "warning", "serious"]
    assert [each.label("zh") for each in Severity] == ["提示", "一般", "严重"]
    severities = [RULEBOOK.severity(rule) for rule in ("request-overdue", "late-record", "night-use", "other")]
    assert severities == [Severity.SERIOUS, Severity.NOTE, Severity.WARNING, Severity.WARNING]
    assert [RULEBOOK.citation("request-overdue", language) for language in ("zh", "en")] == ["办法", "Measures"]
    assert [RULEBOOK.citation("late-record", language) for language in ("zh", "en")] == ["办法", "办法"]
    assert RULEBOOK.citation("night-use", "zh") == RULEBOOK.citation("other", "en") == ""


def test_hollow_words_are_known_in_any_case() -> None:
    """Case and blanks around do not matter, on either side; words that merely contain one are not hollow."""
    assert all(RULEBOOK.is_hollow(words) for words in ("private", " PRIVATE\n", "na", "内部"))
    assert not any(RULEBOOK.is_hollow(words) for words in ("", "private data", "内部资料", "n a"))


@pytest.mark.parametrize(
    ("begin", "end", "hours"),
    [
        pytest.param(22, 6, {22, 23, 0, 1, 2, 3, 4, 5}, id="past midnight"),
        pytest.param(1, 4, {1, 2, 3}, id="within a day"),
        pytest.param(0, 1, {0}, id="from midnight"),
        pytest.param(23, 0, {23}, id="until midnight"),
    ],
)
def test_a_night_may_pass_midnight(begin: int, end: int, hours: set[int]) -> None:
    """The night is from its first moment up to, not including, its last."""
    raw = altered("thresholds.night", {"from": time(begin), "until": time(end)})
    thresholds = Rulebook.parse(raw, UTC).thresholds
    assert {hour for hour in range(24) if thresholds.is_night(time(hour))} == hours
    assert not any(Thresholds().is_night(time(hour)) for hour in range(24))


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("time_zone", 8, "rulebook.time_zone: a whole number; expected text"),
        ("holidays", date(2027, 1, 1), "rulebook.holidays: a date; expected a list"),
        ("holidays", [date(2027, 1, 1), "2027-01-02"], "rulebook.holidays[1]: text; expected a date"),
        (
            "working_days",
            [datetime(2027, 1, 1)],
            "rulebook.working_days[0]: a date with a time of day; expected a date",
        ),
        ("purposes", "tax-registration", "rulebook.purposes: text; expected a list"),
        ("purposes", [1.5], "rulebook.purposes[0]: a fraction; expected text"),
        ("hollow_words", [True], "rulebook.hollow_words[0]: true or false; expected text"),
        ("deadlines", [], "rulebook.deadlines: a list; expected a table"),
        ("deadlines.answer_request", "10", "rulebook.deadlines.answer_request: text; expected a whole number"),
        ("deadlines.heed_recall", True, "rulebook.deadlines.heed_recall: true or false; expected a whole number"),
        ("deadlines.serve_grant", -1, "rulebook.deadlines.serve_grant: a negative number; expected 0 to 1000000"),
        ("deadlines.serve_grant", 16**9_999, "rulebook.deadlines.serve_grant: a larger number; expected 0 to 1000000"),
        ("deadlines.answer", 10, "rulebook.deadlines.answer: not known; expected only answer_request, serve_grant"),
        ("thresholds", 3, "rulebook.thresholds: a whole number; expected a table"),
        ("thresholds.zombie_days", 0.5, "rulebook.thresholds.zombie_days: a fraction; expected a whole number"),
        ("thresholds.period_days", -180, "rulebook.thresholds.period_days: a negative number"),
        (
            "thresholds.clock_skew_minutes",
            "5m",
            "rulebook.thresholds.clock_skew_minutes: text; expected a whole number",
        ),
        ("thresholds.nights", {}, "rulebook.thresholds.nights: not known; expected only late_record_hours"),
        ("retention", 180, "rulebook.retention: a whole number; expected a table"),
        ("retention.default_days", -1, "rulebook.retention.default_days: a negative number"),
        ("retention.data_used", 180, "rulebook.retention.data_used: a whole number; expected a table"),
        ("retention.data_used.subject", "180", "rulebook.retention.data_used.subject: text"),
        ("retention.data_used.purpose", 180, "rulebook.retention.data_used.purpose: not known"),
        ("retention.data_sent", {}, "rulebook.retention.data_sent: not known; expected only default_days"),
        ("thresholds.night", time(22), "rulebook.thresholds.night: a local time; expected a table"),
        ("thresholds.night", {"from": time(22)}, "rulebook.thresholds.night.until: missing; expected a local time"),
        ("thresholds.night.from", "22:00:00", "rulebook.thresholds.night.from: text; expected a local time"),
        ("thresholds.night.from", time(6), "rulebook.thresholds.night: it ends as it begins; expected two different"),
        ("thresholds.night.to", time(6), "rulebook.thresholds.night.to: not known; expected only from, until"),
        ("rule", ["night-use"], "rulebook.rule: a list; expected a table"),
        ("rule.night-use", "note", "rulebook.rule.night-use: text; expected a table"),
        ("rule.night-use.weight", 1, "rulebook.rule.night-use.weight: not known; expected only severity, citation"),
        ("rule.night-use.severity", 3, "rulebook.rule.night-use.severity: a whole number; expected text"),
        (
            "rule.night-use.severity",
            "grave",
            "rulebook.rule.night-use.severity: 'grave'; expected one of note, warning",
        ),
        ("rule.night-use.citation", "办法", "rulebook.rule.night-use.citation: text; expected a table"),
        ("rule.night-use.citation.en", 51, "rulebook.rule.night-use.citation.en: a whole number; expected text"),
        ("rule.night-use.citation.de", "", "rulebook.rule.night-use.citation.de: not known; expected only zh, en"),
        ("rules", {}, "rulebook.rules: not known; expected only time_zone, holidays"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_read_is_refused_by_its_place(path: str, value: object, sentence: str) -> None:
    """A wrong type, a number out of bounds and an unknown name are refused, and the sentence says which."""
    with pytest.raises(MalformedCharter) as caught:
        Rulebook.parse(altered(path, value), UTC)
    assert str(caught.value).startswith(f"charter: {sentence}")


def test_the_largest_numbers_are_taken() -> None:
    """The bound itself is within it, and gives a deadline that has a date."""
    rulebook = Rulebook.parse(altered("deadlines.answer_request", RULEBOOK_NUMBER_MAX), UTC)
    assert rulebook.calendar.deadline_us(0, rulebook.deadlines["answer_request"]) is not None


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates() | st.times(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*FULL, *DEADLINES, *FULL["thresholds"], "from", "severity"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(raw=st.dictionaries(st.sampled_from([*FULL]), ANYTHING, max_size=4))
def test_whatever_it_is_it_reads_or_is_refused(raw: dict[str, Any]) -> None:
    """No rulebook, however malformed, gets anything but a rulebook or the one domain error."""
    try:
        rulebook = Rulebook.parse(raw, UTC)
    except MalformedCharter as error:
        where = error.where
    else:
        where = "charter: rulebook"
        assert set(rulebook.unset()) | set(rulebook.deadlines) >= set(DEADLINES)
    assert where.startswith("charter: rulebook")
