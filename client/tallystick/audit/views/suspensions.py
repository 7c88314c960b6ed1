"""When bureaus were suspended: what falls into such a time they could not record, and it is not held against them."""

from __future__ import annotations

from tallystick.audit.coverage import Coverage
from tallystick.audit.suspension import Suspension
from tallystick.audit.views.view import View


class Suspensions(View):
    """The suspensions that a client knows of. `begin` with the coverage, before the first entry."""

    def __init__(self) -> None:
        self._of: dict[str, list[Suspension]] = {}

    def begin(self, coverage: Coverage) -> None:
        """Know who was suspended, and when."""
        self._of = {}
        for suspension in coverage.suspensions:
            self._of.setdefault(suspension.bureau, []).append(suspension)

    def at(self, bureau: str, at_us: int) -> Suspension | None:
        """By what a bureau was suspended just before a moment; None where it was not."""
        return next((each for each in self._before(bureau, at_us) if _end_us(each, at_us) is None), None)

    def spans(self, bureau: str, at_us: int) -> tuple[tuple[int, int | None], ...]:
        """When a bureau was suspended, as it stood just before a moment: each time's beginning and its end, None where
        that had not come.
        """
        return tuple((each.since_us, _end_us(each, at_us)) for each in self._before(bureau, at_us))

    def within_us(self, bureau: str, from_us: int, to_us: int) -> int:
        """For how long between two moments a bureau was suspended."""
        spans = ((max(began, from_us), to_us if end is None else end) for began, end in self.spans(bureau, to_us))
        return sum(max(0, end - began) for began, end in spans)

    def _before(self, bureau: str, at_us: int) -> list[Suspension]:
        return [each for each in self._of.get(bureau, ()) if each.since_us < at_us]


def _end_us(suspension: Suspension, at_us: int) -> int | None:
    until_us = suspension.until_us
    return None if until_us is None or until_us >= at_us else until_us
