"""Both halves of exchanges held together: what matches, by what; what differs; which half stands alone.

    {"matched": [{"from": "market-regulation", "to": "taxation", "count": 50, "by": ["service", "request_size", "size"],
     "digests": 0, "imported": true}], "differing": […], "unmatched": […], "failed": […], "not_judged": […]}

The lists hold exchanges as `questions.holders` writes them, an unmatched one also with `missing`, the bureau whose half
is not there, and `up_to`, the last index of its ledger that was read; null where an index answered, which leaves out
what it likes. All exchanges, or all between some bureaus, are judged by a full pass: a half is *unmatched* where the
ledger that should hold the other was read whole, and *not judged* where it was not, or was read before the half was
recorded. A half alone is one side's word, and halves that differ convict neither. An exchange that failed, as either
side says, needs no receipt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tallystick.audit.inquiry import Find, Inquiry
from tallystick.audit.pairing import Key
from tallystick.audit.questions.holders import either, exchange_json
from tallystick.audit.seen import Seen
from tallystick.audit.views.exchanges import Agreement, Exchange
from tallystick.core.identifiers import exchange_short_form


class Fate(Enum):
    """What became of an exchange that did not match."""

    DIFFERING = "differing"
    UNMATCHED = "unmatched"
    FAILED = "failed"
    NOT_JUDGED = "not_judged"


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many exchanges matched, by what they agree on, and every other one by its fate."""

    matched: tuple[tuple[Agreement, int], ...]
    others: tuple[tuple[Fate, Exchange], ...]

    def of(self, fate: Fate) -> list[Exchange]:
        """The exchanges of one fate."""
        return [exchange for each, exchange in self.others if each is fate]

    @property
    def count(self) -> int:
        """How many exchanges matched."""
        return sum(count for _, count in self.matched)

    @property
    def all_match(self) -> bool:
        """Whether nothing differs and no half stands alone, as far as was judged."""
        return not self.of(Fate.DIFFERING) and not self.of(Fate.UNMATCHED)


def inquire(exchange: bytes) -> Inquiry:
    """Every half of one exchange, and that it failed."""
    yield Find.of(exchange=exchange)


class Named:
    """Keeps the exchanges of one short form, and the one whose own id reads like it, as a pass settles them; the view
    forgets those that match.
    """

    def __init__(self, short_form: str, id_: bytes) -> None:
        self._short_form = short_form
        self._id = id_
        self._held: dict[Key, Exchange] = {}

    def __call__(self, record: object) -> None:
        """See one record of the pass."""
        if isinstance(record, Exchange):
            self._hold(record)

    def exchanges(self, seen: Seen) -> list[Exchange]:
        """Those that were settled, and those that are open at the end."""
        for exchange in seen.exchanges.remembered():
            self._hold(exchange)
        return list(self._held.values())

    def _hold(self, exchange: Exchange) -> None:
        if exchange.key.id == self._id or exchange_short_form(exchange.key.id) == self._short_form:
            self._held[exchange.key] = exchange


def reconcile(seen: Seen, bureaus: Iterable[str] = ()) -> Reconciled:
    """Every exchange a full pass saw between some bureaus, or between all."""
    wanted = set(bureaus)
    agreed = Counter({each: count for each, count in seen.exchanges.agreed.items() if wanted <= {*each[:2]}})
    others = [
        exchange
        for exchange in (*seen.exchanges.differing.values(), *seen.exchanges.open.values())
        if wanted <= {exchange.key.sender, exchange.key.receiver}
    ]
    agreed.subtract(exchange.agreement for exchange in others if exchange.agreement is not None)
    return _sorted(agreed, others, seen, full=True)


def reconcile_some(exchanges: Iterable[Exchange], seen: Seen, *, full: bool) -> Reconciled:
    """Some exchanges, from a full pass or as the indexes answered."""
    held = [exchange for exchange in exchanges if exchange.sent is not None or exchange.received is not None]
    matching = [exchange for exchange in held if exchange.agreement is not None and not exchange.differences]
    agreed = Counter(exchange.agreement for exchange in matching if exchange.agreement is not None)
    return _sorted(agreed, [exchange for exchange in held if exchange not in matching], seen, full=full)


def _sorted(agreed: Counter[Agreement], others: list[Exchange], seen: Seen, *, full: bool) -> Reconciled:
    return Reconciled(
        tuple(sorted((+agreed).items())),
        tuple(sorted(_fates(others, seen, full), key=lambda each: (list(Fate).index(each[0]), either(each[1]).place))),
    )


def _fates(exchanges: Iterable[Exchange], seen: Seen, full: bool) -> Iterator[tuple[Fate, Exchange]]:
    as_of = seen.as_of
    for exchange in exchanges:
        if exchange.differences:
            yield Fate.DIFFERING, exchange
        elif exchange.sent is not None and exchange.failed:
            yield Fate.FAILED, exchange
        elif not full or (exchange.missing in as_of.covered and as_of.is_settled(either(exchange).place)):
            yield Fate.UNMATCHED, exchange
        else:
            yield Fate.NOT_JUDGED, exchange


def up_to(exchange: Exchange, seen: Seen) -> int | None:
    """The last index that was read of the ledger that shows no half of it; None where it was not read whole."""
    size = seen.as_of.sizes.get(exchange.missing, 0)
    return size - 1 if size and exchange.missing in seen.as_of.covered else None


def reconciled_json(answer: Reconciled, seen: Seen) -> dict[str, Any]:
    """The answer for programs."""
    document: dict[str, Any] = {
        "matched": [
            {
                "from": agreement.sender,
                "to": agreement.receiver,
                "count": count,
                "by": list(agreement.by),
                "digests": agreement.digests,
                "imported": agreement.imported,
            }
            for agreement, count in answer.matched
        ]
    }
    for fate in (Fate.DIFFERING, Fate.UNMATCHED, Fate.FAILED, Fate.NOT_JUDGED):
        document[fate.value] = [exchange_json(exchange, seen) for exchange in answer.of(fate)]
    for written, exchange in zip(document[Fate.UNMATCHED.value], answer.of(Fate.UNMATCHED), strict=True):
        written |= {"missing": exchange.missing, "up_to": up_to(exchange, seen)}
    return document
