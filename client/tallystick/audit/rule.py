"""Rules: functions that look at one record and what was seen so far, and yield what they find.

    @rule(named="不予共享无依据", en="{bureau} withholds {resource} and cites nothing", zh="{bureau} 将 …")
    def withheld_without_basis(declared: On[ResourceDeclared], seen: Seen) -> Findings: …

The id is the function's name, with hyphens. What it is shown is its first argument's annotation: an entry of a kind
(`On[Kind]`, of several `On[A | B]`, of any `On[Any]`), or a record that a view settles (an `Exchange`, an `Owed`, …),
of one sort or of several.
A record with a `rule` (`Owed`, `Fault`) is shown to that rule alone. No rule keeps state, reads a clock,
computes a deadline or formats text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from inspect import signature
from types import UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints

from tallystick.audit.entry import On
from tallystick.audit.finding import Found, Standing
from tallystick.core.errors import Usage

Findings = Iterator[Found]
Check = Callable[[Any, Any], Iterable[Found]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its names, its sentences, how far what it says is proven, what it is shown, and its function; `set_by`
    are the thresholds, by the rulebook's names (`Rulebook.unset`), without which it does not judge.
    """

    id: str
    named: str
    en: str
    zh: str
    standing: Standing
    shown: tuple[Any, ...]
    check: Check
    doc: str
    set_by: frozenset[str]

    def label(self, language: str) -> str:
        """What the rule is called."""
        return self.named if language == "zh" else self.id.replace("-", " ")


RULES: Final[dict[str, Rule]] = {}


def rule(
    *, named: str, en: str, zh: str, standing: Standing = Standing.PROVEN, set_by: tuple[str, ...] = ()
) -> Callable[[Check], Check]:
    """Enter a function into the rules. A second rule of one name, or one without an annotation, is a RuntimeError."""

    def enter(check: Check) -> Check:
        id_ = check.__name__.replace("_", "-")
        if id_ in RULES:
            raise RuntimeError(f"two rules are called {id_}")
        first = next(iter(signature(check).parameters))
        shown = _shown(get_type_hints(check)[first])
        RULES[id_] = Rule(id_, named, en, zh, standing, shown, check, check.__doc__ or "", frozenset(set_by))
        return check

    return enter


def _shown(annotation: Any) -> tuple[Any, ...]:
    """The statement classes, or the record class, that a first argument asks for."""
    if isinstance(annotation, UnionType):
        return get_args(annotation)
    if get_origin(annotation) is not On:
        return (annotation,)
    (said,) = get_args(annotation)
    return get_args(said) if isinstance(said, UnionType) else (said,)


def known_rule(id_: str) -> str:
    """The id of a rule there is. Raises Usage, with those that are spelt alike."""
    if id_ not in RULES:
        near = get_close_matches(id_, RULES, 3) or sorted(RULES)
        raise Usage(f"there is no rule {id_[:80]!r}", expected=f"a rule such as {', '.join(near)}")
    return id_


class Bench:
    """The rules that are to judge, by what they are shown."""

    def __init__(self, only: Iterable[str] | None = None) -> None:
        chosen = RULES.values() if only is None else [RULES[id_] for id_ in only]
        self._chosen = list(chosen)
        self._by_type: dict[type, tuple[Rule, ...]] = {}

    def judge(self, record: object, seen: object) -> Iterator[tuple[Rule, Found]]:
        """What the rules find in one record."""
        rules = self._shown(record)
        if not rules:
            return
        only = None if isinstance(record, On) else getattr(record, "rule", None)
        for each in rules:
            if only is None or each.id == only:
                for found in each.check(record, seen):
                    yield each, found

    def _shown(self, record: object) -> tuple[Rule, ...]:
        """The rules that are shown a record, looked up once a type."""
        entry = isinstance(record, On)
        kind = type(record.said) if isinstance(record, On) else type(record)
        rules = self._by_type.get(kind)
        if rules is None:
            wanted = (kind, Any) if entry else (kind,)
            rules = tuple(each for each in self._chosen if any(shown in wanted for shown in each.shown))
            self._by_type[kind] = rules
        return rules
