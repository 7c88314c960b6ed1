"""One answer that is owed: by whom, for which entry, since when and how that is known, and what met it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tallystick.audit.entry import On, Place
from tallystick.audit.moment import Moment
from tallystick.audit.obligations import Obligation
from tallystick.audit.suspension import Suspension
from tallystick.core.closing import Closing


@dataclass(slots=True)
class Pauses:
    """When the clock stood still of what one bureau owes for one entry: spans that are over, and what holds it now.

    `open` are the clarifications that nobody answered yet. Any number of them make one span.
    """

    over: list[tuple[int, int]] = field(default_factory=list)
    open: dict[Place, int] = field(default_factory=dict)
    _began_us: int = 0
    _ended_us: int = 0

    def ask(self, place: Place, at_us: int) -> None:
        """A clarification was asked."""
        self._began_us = min(self._began_us, at_us) if self.open else at_us
        self._ended_us = self._ended_us if self.open else at_us
        self.open[place] = at_us

    def answer(self, place: Place, at_us: int) -> None:
        """It was answered."""
        self._ended_us = max(self._ended_us, at_us)
        if self.open.pop(place, None) is not None and not self.open:
            self.over.append((self._began_us, self._ended_us))

    @property
    def spans(self) -> tuple[tuple[int, int | None], ...]:
        """Every span: when it began, and ended."""
        return (*self.over, (self._began_us, None)) if self.open else tuple(self.over)


class Served(Enum):
    """How it is known when a clock started; the values are what sentences call it."""

    COSIGNED = "served-cosigned"
    ACKNOWLEDGED = "served-acknowledged"
    DEEMED = "served-deemed"
    WITNESSED = "served-witnessed"
    AS_RECORDED = "served-as-recorded"
    BY_WORD = "served-by-word"
    BROUGHT_IN = "served-brought-in"


@dataclass(slots=True, eq=False)
class Owed:
    """One answer that is owed, by whom and since when; and, once it came, the entry that met it.

    `deadline_us` is None where the rulebook sets none, or where the clock stands still. `late_days` are working days
    past the deadline when it was met, or by the moment of judgement. `opening` is when the opening entry was recorded
    and when it came before who owes, `acknowledged_us` when they first answered it in any way, `answering` when what
    met it was recorded. `served` and `served_us` say when its clock started and how that is known. `closing` is set
    where who owes was closed before it was met, or of what lapses whom it is owed to: it is judged as of then, when it
    was late or was not. `suspended` is set where who owes is suspended by then: its clock stands still, and it is late
    only where it was before.
    """

    obligation: Obligation
    opened: On[Any]
    bureau: str
    keys: tuple[Hashable, ...]
    pauses: Pauses
    opening: Moment
    acknowledged_us: int | None = None
    met: On[Any] | None = None
    answering: Moment | None = None
    served: Served = Served.BY_WORD
    served_us: int = 0
    deadline_us: int | None = None
    late_days: int = 0
    late: bool = False
    closing: Closing | None = None
    suspended: Suspension | None = None

    @property
    def rule(self) -> str:
        """The rule that reports it, by which it goes."""
        return self.obligation.rule

    def serve(self, deemed: Callable[[int], int | None]) -> None:
        """Settle when its clock started, by what is known now. `deemed` says when what a quorum had at a moment passes
        for served, None where the rulebook does not say.

        Of what is known the earliest counts: nobody may put off what is due by not looking, nor by dating its own
        cosignature. What a bureau owes by its own entry it need not be shown. Of what no quorum is known to have had,
        there is its node's word alone.
        """
        at_us, there_by_us = self.opening.at_us, self.opening.there_by_us
        if self.goes_by_word:
            self.served, self.served_us = Served.BROUGHT_IN, self.opened.since_us
        elif there_by_us is None:
            self.served, self.served_us = Served.BY_WORD, at_us
        elif self.bureau == self.opened.bureau:
            self.served, self.served_us = Served.AS_RECORDED, at_us
        else:
            witnessed_us = max(there_by_us, at_us)
            deemed_us = deemed(witnessed_us)
            self.served, self.served_us = (
                (Served.WITNESSED, witnessed_us) if deemed_us is None else (Served.DEEMED, deemed_us)
            )
            for how, known_us in (
                (Served.ACKNOWLEDGED, self.acknowledged_us),
                (Served.COSIGNED, self.opening.cosigned_us),
            ):
                if known_us is not None and max(known_us, at_us) <= self.served_us:
                    self.served, self.served_us = how, max(known_us, at_us)

    @property
    def answered_us(self) -> int:
        """When what met it came; to be asked of what was met."""
        if self.met is None or self.answering is None:
            raise RuntimeError("not met")
        return self.met.since_us if self.goes_by_word else self.answering.at_us

    @property
    def goes_by_word(self) -> bool:
        """Whether what was brought in counts from when its actor says that it happened.

        Nobody is made late by another's word on the past, nor punctual by his own: both ends were brought in, or who
        opened it owes it, or it is reported as one side's word.
        """
        if not self.opened.imported:
            return False
        both = self.met is not None and self.met.imported
        return both or self.bureau == self.opened.bureau or self.obligation.by_word

    @property
    def derived_version(self) -> str:
        """The version to be corrected, where a recall obliges who derived from what was recalled; else ""."""
        return next((key[1] for key in self.keys if isinstance(key, tuple) and key[0] == self.bureau), "")

    @property
    def lapsed(self) -> bool:
        """Whether nobody is left to be answered, and it was not late while somebody was."""
        return self.closing is not None and self.closing.bureau != self.bureau and not self.late

    @property
    def creditor(self) -> str:
        """Whom it is owed to; "" where to everybody, as a new version is."""
        return self.opened.bureau if self.opened.bureau != self.bureau else self.opened.head.counterparty


@dataclass(slots=True)
class Times:
    """How a bureau answered what it owed under one obligation; days are working days, of those that were answered."""

    answered: int = 0
    on_time: int = 0
    days: int = 0
    open: int = 0
    overdue: int = 0
