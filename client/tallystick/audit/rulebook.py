"""The charter's rulebook, read once into types: calendar, deadlines, thresholds, words, and what each rule weighs.

    [rulebook]
    time_zone = "Asia/Shanghai"
    holidays = [2027-01-01]
    working_days = [2027-02-20]                                 # make-up days
    purposes = ["tax-registration"]
    hollow_words = ["NA", "无"]                                 # words that are no basis
    deadlines = { answer_request = 10, deemed_service = 2 }     # working days; the names are DEADLINES
    [rulebook.thresholds]
    late_record_hours = 72              # recorded later than this after it happened
    period_days = 180                   # what a rule on a period looks at
    never_granted_requests = 3          # so many requests answered in the period, none granted
    bulk_uses_per_day = 200             # so many uses by one officer in a day
    zombie_days = 180                   # alive, and used by nobody for so long
    clock_skew_minutes = 5              # a node's clock differs so much from its witnesses'
    night = { from = 22:00:00, until = 06:00:00 }               # local times; until is not night
    [rulebook.retention]                # days from recording in which a disclosure is not erased
    default_days = 180
    data_used.subject = 1095            # of this field
    [rulebook.rule.request-overdue]
    severity = "warning"                                        # note, warning, serious
    citation = { zh = "…", en = "…" }

Code ships no law: every part may be absent, and what is absent has no default. It is None or empty here, `unset` names
it, and the audit does not judge by it. The exceptions are no law: a rule without a severity is a warning (the design,
section 8), a rulebook without a zone counts days in UTC, and clocks may differ by CLOCK_SKEW_MINUTES.

A part that does not read is refused, not passed over, and so is a name nobody knows: a misspelt deadline would
otherwise be one the audit silently does not judge. The names of rules are held against the audit's rules by the audit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, tzinfo
from enum import IntEnum
from types import NoneType
from typing import Any, Final, TypeVar

from tallystick.core.calendar import DAY_US, Calendar
from tallystick.core.errors import MalformedCharter
from tallystick.core.kinds import SENSITIVE
from tallystick.core.limits import RULEBOOK_NUMBER_MAX

T = TypeVar("T")

DEADLINES: Final = (
    "answer_request",
    "serve_grant",
    "acknowledge_delivery",
    "answer_concern",
    "heed_recall",
    "accept_duty",
    "deemed_service",
)
_PARTS: Final = (
    "time_zone",
    "holidays",
    "working_days",
    "deadlines",
    "purposes",
    "hollow_words",
    "thresholds",
    "retention",
    "rule",
)
_NUMBERS: Final = (
    "late_record_hours",
    "period_days",
    "never_granted_requests",
    "bulk_uses_per_day",
    "zombie_days",
)
_SKEW: Final = "clock_skew_minutes"
_NIGHT: Final = "night"
_DEFAULT_DAYS: Final = "default_days"
CLOCK_SKEW_MINUTES: Final = 5
_LANGUAGES: Final = ("zh", "en")
_HERE: Final = "charter: rulebook"


class Severity(IntEnum):
    """How much a finding weighs; the heavier the larger."""

    NOTE = 1
    WARNING = 2
    SERIOUS = 3

    def label(self, language: str) -> str:
        """What a report prints."""
        return _CHINESE[self] if language == "zh" else self.name.lower()


_CHINESE: Final = {Severity.NOTE: "提示", Severity.WARNING: "一般", Severity.SERIOUS: "严重"}
_SEVERITIES: Final = {severity.label("en"): severity for severity in Severity}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a habit becomes a finding; None where the rulebook is silent. A night has both its ends, or neither."""

    late_record_hours: int | None = None
    period_days: int | None = None
    never_granted_requests: int | None = None
    bulk_uses_per_day: int | None = None
    zombie_days: int | None = None
    clock_skew_minutes: int = CLOCK_SKEW_MINUTES
    night_from: time | None = None
    night_until: time | None = None

    def is_night(self, at: time) -> bool:
        """Whether a local time of day lies in the night, which may pass midnight; never, where none is set."""
        if self.night_from is None or self.night_until is None:
            return False
        return within(at, self.night_from, self.night_until)


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many days a disclosure is kept at least: any, and those of single fields by their paths."""

    default_days: int = 0
    days: Mapping[str, int] = field(default_factory=dict)

    def until_us(self, path: str, recorded_at_us: int) -> int:
        """Up to which moment the disclosure for a field of an entry is kept."""
        return recorded_at_us + self.days.get(path, self.default_days) * DAY_US


@dataclass(frozen=True, slots=True)
class Weight:
    """What the rulebook says of one rule. `citation` is by language, and may be empty."""

    severity: Severity = Severity.WARNING
    citation: Mapping[str, str] = field(default_factory=dict)


_UNWEIGHED: Final = Weight()


@dataclass(frozen=True)
class Rulebook:
    """What a charter lays down. `deadlines` has only those it sets, in working days; `rules` only those it names."""

    calendar: Calendar
    time_zone: str
    deadlines: Mapping[str, int]
    purposes: frozenset[str]
    hollow_words: frozenset[str]
    thresholds: Thresholds
    rules: Mapping[str, Weight] = field(default_factory=dict)
    retention: Retention = field(default_factory=Retention)

    @classmethod
    def parse(cls, raw: Mapping[str, Any], zone: tzinfo) -> Rulebook:
        """The rulebook a charter carries; `zone` is what its `zone_name` stands for.

        Raises MalformedCharter, naming the part, for a wrong type, a number out of bounds, and an unknown name.
        """
        raw = _table(dict(raw), _HERE, _PARTS)
        return cls(
            calendar=Calendar(
                zone,
                _list(raw.get("holidays", []), f"{_HERE}.holidays", date),
                _list(raw.get("working_days", []), f"{_HERE}.working_days", date),
            ),
            time_zone=zone_name(raw),
            deadlines=_numbers(_table(raw.get("deadlines", {}), f"{_HERE}.deadlines", DEADLINES), f"{_HERE}.deadlines"),
            purposes=frozenset(_list(raw.get("purposes", []), f"{_HERE}.purposes", str)),
            hollow_words=frozenset(
                _bare(words) for words in _list(raw.get("hollow_words", []), f"{_HERE}.hollow_words", str)
            ),
            thresholds=_thresholds(raw.get("thresholds", {}), f"{_HERE}.thresholds"),
            rules={
                name: _weight(rule, _under(f"{_HERE}.rule", name))
                for name, rule in _typed(raw.get("rule", {}), f"{_HERE}.rule", dict).items()
            },
            retention=_retention(raw.get("retention", {}), f"{_HERE}.retention"),
        )

    def is_hollow(self, words: str) -> bool:
        """Whether words are among those that are no basis, whatever their case and the blanks around them."""
        return _bare(words) in self.hollow_words

    def severity(self, rule: str) -> Severity:
        """How much a rule's findings weigh: a warning where the rulebook does not say."""
        return self.rules.get(rule, _UNWEIGHED).severity

    def citation(self, rule: str, language: str) -> str:
        """The law behind a rule, in another language rather than not at all; "" where none is given."""
        citation = self.rules.get(rule, _UNWEIGHED).citation
        return citation.get(language) or next(iter(citation.values()), "")

    def unset(self) -> tuple[str, ...]:
        """The deadlines and thresholds the rulebook does not set, by its own names for them."""
        silent = [name for name in DEADLINES if name not in self.deadlines]
        silent += [name for name in _NUMBERS if getattr(self.thresholds, name) is None]
        return (*silent, *([_NIGHT] if self.thresholds.night_from is None else []))


def within(at: time, begin: time, end: time) -> bool:
    """Whether a time of day lies in a part of the day that may pass midnight; its end is not in it."""
    return begin <= at < end if begin < end else at >= begin or at < end


def zone_name(raw: Mapping[str, Any]) -> str:
    """The name of a rulebook's time zone, `UTC` where it names none. Raises MalformedCharter where it is not text."""
    return _typed(raw.get("time_zone", "UTC"), f"{_HERE}.time_zone", str)


def _bare(words: str) -> str:
    return words.strip().casefold()


def _typed(value: Any, where: str, kind: type[T]) -> T:
    # Exactly: to Python true is a number, and a date with a time of day is a date.
    if type(value) is not kind:
        raise MalformedCharter(_NAMES.get(type(value), "another thing"), where=where, expected=_NAMES[kind])
    return value


_NAMES: Final[dict[type, str]] = {
    bool: "true or false",
    date: "a date",
    datetime: "a date with a time of day",
    dict: "a table",
    float: "a fraction",
    int: "a whole number",
    list: "a list",
    NoneType: "missing",
    str: "text",
    time: "a local time",
}


def _table(value: Any, where: str, known: Collection[str]) -> dict[str, Any]:
    table = _typed(value, where, dict)
    for name in table:
        if name not in known:
            raise MalformedCharter("not known", where=_under(where, name), expected=f"only {', '.join(known)}")
    return table


def _under(where: str, name: str) -> str:
    return f"{where}.{name[:80]}"


def _list(value: Any, where: str, kind: type[T]) -> list[T]:
    return [_typed(item, f"{where}[{position}]", kind) for position, item in enumerate(_typed(value, where, list))]


def _number(value: Any, where: str) -> int:
    number = _typed(value, where, int)
    if not 0 <= number <= RULEBOOK_NUMBER_MAX:
        # Not the number itself: Python refuses to write out one of many thousand digits.
        what = "a negative number" if number < 0 else "a larger number"
        raise MalformedCharter(what, where=where, expected=f"0 to {RULEBOOK_NUMBER_MAX}")
    return number


def _numbers(value: Mapping[str, Any], where: str) -> dict[str, int]:
    return {name: _number(number, f"{where}.{name}") for name, number in value.items()}


def _thresholds(value: Any, where: str) -> Thresholds:
    table = _table(value, where, (*_NUMBERS, _SKEW, _NIGHT))
    numbers: dict[str, Any] = _numbers({name: number for name, number in table.items() if name != _NIGHT}, where)
    if _NIGHT not in table:
        return Thresholds(**numbers)
    where = f"{where}.{_NIGHT}"
    night = _table(table[_NIGHT], where, ("from", "until"))
    begin, end = (_typed(night.get(name), f"{where}.{name}", time) for name in ("from", "until"))
    if begin == end:
        raise MalformedCharter("it ends as it begins", where=where, expected="two different times")
    return Thresholds(**numbers, night_from=begin, night_until=end)


def _retention(value: Any, where: str) -> Retention:
    fields: dict[str, list[str]] = {}
    for path in SENSITIVE:
        kind, _, name = path.partition(".")
        fields.setdefault(kind, []).append(name)
    table = _table(value, where, (_DEFAULT_DAYS, *fields))
    days: dict[str, int] = {}
    for kind, names in fields.items():
        own = _table(table.get(kind, {}), _under(where, kind), names)
        days |= {f"{kind}.{name}": _number(number, f"{where}.{kind}.{name}") for name, number in own.items()}
    return Retention(_number(table.get(_DEFAULT_DAYS, 0), f"{where}.{_DEFAULT_DAYS}"), days)


def _weight(value: Any, where: str) -> Weight:
    table = _table(value, where, ("severity", "citation"))
    severity = _typed(table.get("severity", _UNWEIGHED.severity.label("en")), f"{where}.severity", str)
    if severity not in _SEVERITIES:
        raise MalformedCharter(
            f"{severity[:80]!r}", where=f"{where}.severity", expected=f"one of {', '.join(_SEVERITIES)}"
        )
    citation = _table(table.get("citation", {}), f"{where}.citation", _LANGUAGES)
    return Weight(
        _SEVERITIES[severity],
        {language: _typed(citation[language], f"{where}.citation.{language}", str) for language in citation},
    )
