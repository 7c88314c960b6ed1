"""Who holds something: the last exchange that brought it to each bureau from each other, and its last use there.

However often a version moved between two bureaus, the last time says who holds it, so no more is asked for. Of each
exchange both halves are looked up by its id.

    {"exchange": "7QK2M9", "id": "hex", "from": "market-regulation", "to": "taxation", "version": "SCJG-0012@2027-03",
     "sent": "market-regulation#7" or null, "received": "taxation#9" or null, "failed": ["taxation#10"],
     "differences": [{"name": "size", "sent": "7", "received": "8"}], "standing": "proven"}

It is *proven* where two signed halves say the same, else one side's word; a null proves nothing, since an index may
leave out what it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from tallystick.audit.finding import Standing
from tallystick.audit.inquiry import Find, Inquiry
from tallystick.audit.seen import Seen
from tallystick.audit.views.exchanges import Exchange, Half
from tallystick.audit.views.holdings import Holding
from tallystick.core.charter import Charter
from tallystick_proto.v1.statement_pb2 import DataReceived, DataSent, DataUsed


@dataclass(frozen=True, slots=True)
class Holder:
    """A bureau that was sent, received or used a version. `holding` is None where it was only sent it."""

    bureau: str
    exchanges: tuple[Exchange, ...]
    holding: Holding | None


def moved(charter: Charter, **what: str) -> Inquiry:
    """The last exchange of a resource or a version between any two bureaus, both halves of it."""
    for half in (DataSent, DataReceived):
        for found in (yield Find.of(half, **what).last()):
            for bureau in charter.bureau:
                yield from _last(half, found.bureau, bureau.id, **what)


def brought(charter: Charter, version: str, to: str) -> Inquiry:
    """The last exchange that brought a version to one bureau from each other, and its last use there."""
    for bureau in charter.bureau:
        yield from _last(DataReceived, to, bureau.id, version=version)
    for sent in (yield Find.of(DataSent, counterparty=to, version=version).last()):
        yield from _halves(sent.head.exchange, sent.bureau, to)
    yield Find.of(DataUsed, bureau=to, version=version).last()


def _last(half: type[DataSent] | type[DataReceived], bureau: str, other: str, **what: str) -> Inquiry:
    for found in (yield Find.of(half, bureau=bureau, counterparty=other, **what).last()):
        yield from _halves(found.head.exchange, bureau, other)


def _halves(exchange: bytes, *bureaus: str) -> Inquiry:
    """Everything both sides say of an exchange."""
    for bureau in bureaus:
        yield Find.of(exchange=exchange, bureau=bureau)


def used(version: str) -> Inquiry:
    """The last use of a version on each ledger."""
    yield Find.of(DataUsed, version=version).last()


def last_moved(exchanges: Iterable[Exchange], wanted: Callable[[Half], bool]) -> tuple[Exchange, ...]:
    """Of the exchanges with a wanted half, the last that was sent and the last that was received of any two bureaus."""
    halves: dict[tuple[str, str, str], tuple[int, Exchange]] = {}
    for exchange in exchanges:
        for side, half in (("sent", exchange.sent), ("received", exchange.received)):
            if half is not None and wanted(half):
                pair = (exchange.key.sender, exchange.key.receiver, side)
                halves[pair] = max(halves.get(pair, (-1, exchange)), (half.place.index, exchange), key=itemgetter(0))
    last = {exchange.key: exchange for _, (_, exchange) in sorted(halves.items(), key=itemgetter(0))}
    return tuple(last.values())


def either(exchange: Exchange) -> Half:
    """The half that was shown; the sent one where both were."""
    half = exchange.sent or exchange.received
    assert half is not None
    return half


class Holders:
    """Who was sent, received or used any version; the exchanges are gone through once for all of them."""

    def __init__(self, seen: Seen) -> None:
        self._holdings = seen.holdings
        self._carrying: dict[str, list[Exchange]] = {}
        for exchange in seen.exchanges.remembered():
            halves = (exchange.sent, exchange.received)
            for version in dict.fromkeys(half.version for half in halves if half is not None):
                self._carrying.setdefault(version, []).append(exchange)

    def of(self, version: str) -> tuple[Holder, ...]:
        """Who was sent, received or used one, by bureau."""
        carried: dict[str, list[Exchange]] = {}
        for exchange in last_moved(self._carrying.get(version, ()), lambda half: half.version == version):
            carried.setdefault(exchange.key.receiver, []).append(exchange)
        held = {holding.bureau: holding for holding in self._holdings.holders(version)}
        return tuple(
            Holder(bureau, tuple(carried.get(bureau, ())), held.get(bureau)) for bureau in sorted({*carried, *held})
        )


def standing_of(exchange: Exchange) -> Standing:
    """How far an exchange is proven: by two halves that agree, or not."""
    both = exchange.sent is not None and exchange.received is not None
    return Standing.PROVEN if both and not exchange.differences else Standing.ONE_SIDE


def exchange_json(exchange: Exchange, seen: Seen) -> dict[str, Any]:
    """An exchange, for programs."""
    half = either(exchange)
    return {
        "exchange": seen.exchange_name(exchange.key.id),
        "id": exchange.key.id.hex(),
        "from": exchange.key.sender,
        "to": exchange.key.receiver,
        "version": half.version or None,
        "resource": half.resource or half.version.rpartition("@")[0] or None,
        "sent": None if exchange.sent is None else exchange.sent.reference,
        "received": None if exchange.received is None else exchange.received.reference,
        "failed": list(exchange.failed),
        "differences": [difference._asdict() for difference in exchange.differences],
        "standing": standing_of(exchange).key,
    }
