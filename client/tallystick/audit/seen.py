"""What an audit has seen: the views, the rulebook and the charter, for rules and questions to read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from google.protobuf.message import Message

from tallystick.audit.entry import On
from tallystick.audit.rulebook import Rulebook
from tallystick.audit.views.answers import Answers
from tallystick.audit.views.catalogue import Catalogue
from tallystick.audit.views.charters import Charters
from tallystick.audit.views.closings import Closings
from tallystick.audit.views.duties import Duties
from tallystick.audit.views.exchanges import Exchanges
from tallystick.audit.views.grants import Grants
from tallystick.audit.views.histories import Histories
from tallystick.audit.views.holdings import Holdings
from tallystick.audit.views.lookups import Lookups
from tallystick.audit.views.obligations import Obligations
from tallystick.audit.views.recoveries import Recoveries
from tallystick.audit.views.suspects import Suspects
from tallystick.audit.views.suspensions import Suspensions
from tallystick.audit.views.systems import Systems
from tallystick.audit.views.view import AsOf, Fold, View
from tallystick.audit.views.witness_times import WitnessTimes
from tallystick.core.charter import Charter
from tallystick.core.identifiers import exchange_short_form

EXCHANGES_KEPT: Final = 4_096


class Seen:
    """The views, folded together entry by entry.

    `exchanges_kept` is how many exchanges whose halves match are kept whole, all if None: what indexes answered is
    small, a full pass is not.
    """

    def __init__(self, charter: Charter, rulebook: Rulebook, exchanges_kept: int | None = EXCHANGES_KEPT) -> None:
        self.charter = charter
        self.rulebook = rulebook
        self.as_of = AsOf(0, frozenset(), {})
        self.closings = Closings()
        self.suspensions = Suspensions()
        self.witness_times = WitnessTimes(charter, rulebook.thresholds.clock_skew_minutes)
        self.histories = Histories(charter)
        self.charters = Charters()
        self.recoveries = Recoveries()
        self.catalogue = Catalogue(self.closings)
        self.grants = Grants()
        self.exchanges = Exchanges(exchanges_kept)
        self.holdings = Holdings(self.catalogue)
        self.duties = Duties(rulebook.calendar, self.closings)
        self.systems = Systems(rulebook.calendar, self.closings, self.suspensions)
        self.lookups = Lookups(rulebook)
        self.answers = Answers()
        self.suspects = Suspects()
        self.obligations = Obligations(
            rulebook,
            self.witness_times,
            self.catalogue,
            self.holdings,
            self.exchanges,
            self.closings,
            self.suspensions,
        )
        # Obligations look at the others, and so come last; and every entry has its bounds first.
        self._views: tuple[View, ...] = (
            self.witness_times,
            self.histories,
            self.charters,
            self.recoveries,
            self.catalogue,
            self.grants,
            self.exchanges,
            self.holdings,
            self.duties,
            self.systems,
            self.lookups,
            self.answers,
            self.suspects,
            self.obligations,
        )
        self._folds: dict[type[Message], list[Fold]] = {}
        for view in self._views:
            for said, fold in view.folding():
                self._folds.setdefault(said, []).append(fold)

    def fold(self, entry: On[Any]) -> Iterator[object]:
        """Take an entry into the views; the records it settles."""
        for fold in self._folds.get(type(entry.said), ()):
            yield from fold(entry) or ()

    def finish(self, as_of: AsOf) -> Iterator[object]:
        """Every record settled by the end."""
        self.as_of = as_of
        for view in self._views:
            yield from view.finish(as_of)

    def since_us(self, days: int) -> int:
        """When the period of so many days up to the day judged began."""
        calendar = self.rulebook.calendar
        return calendar.start_us(self.day_before(days))

    def day_before(self, days: int, last: date | None = None) -> date:
        """The day so many days before another, the day judged unless given; the first of all where there is none."""
        return date.fromordinal(max(1, (last or self.day).toordinal() - days))

    @property
    def day(self) -> date:
        """The day judged, once the end was reached."""
        return self.rulebook.calendar.day_of(self.as_of.at_us - 1)

    def reference(self, origin: str, index: int) -> str:
        """`bureau#index`, or the origin where the charter does not know it."""
        return f"{self.bureau_of(origin)}#{index}"

    def bureau_of(self, origin: str) -> str:
        """Whose ledger it is; the origin where the charter does not know it."""
        return next((bureau.id for bureau in self.charter.ledgers if bureau.origin == origin), origin)

    def exchange_name(self, id_: bytes) -> str:
        """What a person is shown for an exchange id."""
        return exchange_short_form(id_)

    def day_of(self, at_us: int) -> str:
        """The local day of a moment as text, which sorts as days do."""
        return self.rulebook.calendar.day_of(at_us).isoformat()
