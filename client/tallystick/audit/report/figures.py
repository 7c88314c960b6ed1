"""Figures: a count, the first references behind it, and the command whose answer holds all of them.

A reference is `bureau#index`; what takes two entries to show, as an exchange does, is both joined by a space.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

REFERENCES_KEPT: Final = 40
"""So many references are kept for a figure, so that a report on large ledgers can still be read."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A count and what it counted: `references` are the first of them, `all_by` is a command that lists all."""

    count: int = 0
    references: tuple[str, ...] = ()
    all_by: str = ""

    @property
    def cut(self) -> int:
        """How many are counted and not listed."""
        return max(0, self.count - len(self.references))


NOTHING: Final = Figure()


@dataclass(slots=True)
class Gathered:
    """Counts as it goes, and keeps the first references."""

    count: int = 0
    references: list[str] = field(default_factory=list)

    def add(self, *references: str) -> None:
        """One thing more, and the entries that show it."""
        self.count += 1
        if len(self.references) < REFERENCES_KEPT:
            self.references.append(" ".join(references))

    def figure(self, all_by: str) -> Figure:
        """What was gathered."""
        return Figure(self.count, tuple(self.references), all_by)


def added(figures: Iterable[Figure], all_by: str) -> Figure:
    """Several figures as one."""
    count = 0
    references: list[str] = []
    for figure in figures:
        count += figure.count
        references += figure.references
    return Figure(count, tuple(references[:REFERENCES_KEPT]), all_by)


def percent(part: int, whole: int) -> str:
    """A share to one decimal, rounded towards what is missing: 100% is all, and 0% is none. "" where there is none."""
    if whole == 0:
        return ""
    tenths = 1000 * part // whole
    return "<0.1%" if part and not tenths else f"{tenths // 10}.{tenths % 10}%"
