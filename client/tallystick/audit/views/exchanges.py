"""Double entry: the two halves of every exchange, paired by exchange id, sender and receiver.

A third bureau that uses somebody's exchange id opens an exchange of its own. A half that is said again supersedes; what
is said again in the same words is nothing new. An exchange is settled, and its halves compared, when both are there;
settled ones are forgotten but for the last few thousand: of the others only 16 bytes tell that they were, some hundred
bytes each, so that a half said again long after is not taken for one alone. It is not compared then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from tallystick.audit.entry import On, Place, place_of
from tallystick.audit.pairing import Key, received_key, sent_key
from tallystick.audit.views.view import AsOf, View, folds
from tallystick_proto.v1.statement_pb2 import DataReceived, DataSent, Digest, ExchangeFailed

T = TypeVar("T")
Said = tuple[tuple[str, str], ...]
"""What a half says, field by field."""


class Difference(NamedTuple):
    """A field on which two halves differ, and what either says, as text."""

    name: str
    sent: str
    received: str


@dataclass(frozen=True, slots=True)
class Half:
    """What one side recorded of an exchange. What it did not say is empty or 0. `grant` is where the grant stands."""

    bureau: str
    reference: str
    place: Place
    at_us: int
    version: str
    resource: str
    service: str
    digest: str
    request_size: int
    size: int
    grant: Place | None
    cites: Place | None
    imported: bool

    def says(self) -> Said:
        """What must agree with the other half, by the names of the fields."""
        return (
            ("version", self.version),
            ("resource", self.resource or self.version.rpartition("@")[0]),
            ("service", self.service),
            ("digest", self.digest),
            ("request_size", str(self.request_size or "")),
            ("size", str(self.size or "")),
        )


class Agreement(NamedTuple):
    """What the halves of an exchange agree on: the names of what both say alike. Of differing halves too.

    `digests` is how many of the two halves state a digest; `imported` is whether either was brought in from elsewhere.
    """

    sender: str
    receiver: str
    by: tuple[str, ...]
    digests: int
    imported: bool


@dataclass(slots=True)
class Exchange:
    """One exchange: either half, and what was said to have failed.

    `resent` is what the sender said of it before it said otherwise; `taken_back`, whether that was after the receiver
    had agreed.
    """

    key: Key
    sent: Half | None = None
    received: Half | None = None
    failed: list[str] = field(default_factory=list)
    resent: set[Said] = field(default_factory=set)
    taken_back: bool = False

    @property
    def disputing(self) -> str:
        """Who has to dispute where its halves differ: who received, or who sent what it now says otherwise."""
        as_sent = self.received is not None and self.received.says() in self.resent
        return self.key.sender if self.taken_back or as_sent else self.key.receiver

    @property
    def matched_by(self) -> tuple[str, ...]:
        """The names of what both halves say, and alike."""
        if self.sent is None or self.received is None:
            return ()
        pairs = zip(self.sent.says(), self.received.says(), strict=True)
        return tuple(name for (name, sent), (_, received) in pairs if sent and sent == received)

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What both halves say, and otherwise."""
        if self.sent is None or self.received is None:
            return ()
        pairs = zip(self.sent.says(), self.received.says(), strict=True)
        found = [Difference(name, sent, was) for (name, sent), (_, was) in pairs if sent and was and sent != was]
        if any(difference.name == "version" for difference in found):
            found = [difference for difference in found if difference.name != "resource"]
        return tuple(found)

    @property
    def agreement(self) -> Agreement | None:
        """What its halves agree on; None where one is missing."""
        if self.sent is None or self.received is None:
            return None
        halves = self.sent, self.received
        digests, imported = sum(bool(half.digest) for half in halves), any(half.imported for half in halves)
        return Agreement(self.key.sender, self.key.receiver, self.matched_by, digests, imported)

    @property
    def missing(self) -> str:
        """The bureau whose half is missing; "" where both or neither are there."""
        if (self.sent is None) == (self.received is None):
            return ""
        return self.key.sender if self.sent is None else self.key.receiver


class Exchanges(View):
    """Exchanges that lack a half, those whose halves differ, the last ones that match, and how many that were.

    `remembered_max` is how many of those that match are kept whole, all if None; of the others a count by `Agreement`,
    and that they were settled.
    """

    def __init__(self, remembered_max: int | None) -> None:
        self.open: dict[Key, Exchange] = {}
        self.recent: dict[Key, Exchange] = {}
        self.differing: dict[Key, Exchange] = {}
        self.agreed: Counter[Agreement] = Counter()
        self._remembered_max = remembered_max
        self._settled: set[bytes] = set()
        self._failed_first: dict[Key, list[str]] = {}

    @property
    def matched(self) -> Counter[tuple[str, str]]:
        """How many exchanges have both halves, by sender and receiver."""
        return self._counted(lambda agreement: (agreement.sender, agreement.receiver))

    @property
    def matched_by(self) -> Counter[tuple[str, ...]]:
        """How many there are by what both halves say alike."""
        return self._counted(lambda agreement: agreement.by)

    @folds(DataSent)
    def _sent(self, entry: On[DataSent]) -> Iterator[Exchange]:
        return self._half(sent_key(entry), "sent", _half(entry, entry.said.digest, entry.about, None))

    @folds(DataReceived)
    def _received(self, entry: On[DataReceived]) -> Iterator[Exchange]:
        grant = place_of(entry.said.grant) if entry.said.HasField("grant") else None
        return self._half(received_key(entry), "received", _half(entry, entry.said.digest, grant, entry.about))

    @folds(ExchangeFailed)
    def _failed(self, entry: On[ExchangeFailed]) -> None:
        id_, bureau, other = entry.head.exchange, entry.bureau, entry.head.counterparty
        sending = entry.said.side == ExchangeFailed.SENDING
        key = Key(id_, bureau, other) if sending else Key(id_, other, bureau)
        exchange = self.open.get(key) or self.recent.get(key)
        failed = self._failed_first.setdefault(key, []) if exchange is None else exchange.failed
        failed.append(entry.reference)

    def _half(self, key: Key, side: str, half: Half) -> Iterator[Exchange]:
        if key.digest in self._settled:
            return
        exchange = self.open.pop(key, None)
        again = exchange is None and key in self.recent
        if exchange is None:
            exchange = self.recent.pop(key, None) or Exchange(key, failed=self._failed_first.pop(key, []))
        agreed = exchange.agreement if again else None
        before: Half | None = getattr(exchange, side)
        said_again = before is not None and before.says() == half.says()
        if not said_again:
            if side == "received":
                exchange.taken_back = False
            elif before is not None:
                exchange.resent.add(before.says())
                exchange.taken_back |= exchange.received is not None and not exchange.differences
            setattr(exchange, side, half)
        if exchange.sent is None or exchange.received is None:
            self.open[key] = exchange
            return
        self._remember(key, exchange)
        if again and said_again:
            return
        now = exchange.agreement
        assert now is not None
        if agreed is not None:
            self.agreed[agreed] -= 1
        self.agreed[now] += 1
        if exchange.differences:
            self.differing[key] = exchange
        else:
            self.differing.pop(key, None)
        yield exchange

    def _remember(self, key: Key, exchange: Exchange) -> None:
        self.recent[key] = exchange
        if self._remembered_max is not None and len(self.recent) > self._remembered_max:
            forgotten = next(iter(self.recent))
            del self.recent[forgotten]
            self._settled.add(forgotten.digest)

    def finish(self, as_of: AsOf) -> Iterator[Exchange]:
        """Every exchange that lacks a half, where the ledger that should hold it is covered.

        Whether a sending is overdue to be received, `obligations` judge, and count what is not judged.
        """
        for exchange in self.open.values():
            half = exchange.sent or exchange.received
            if half is None or not as_of.is_settled(half.place):
                continue
            if exchange.received is None:
                covered = exchange.key.receiver in as_of.covered
            else:
                covered = as_of.covers("received-not-sent", exchange.key.sender)
            if covered:
                yield exchange

    def _counted(self, by: Callable[[Agreement], T]) -> Counter[T]:
        counts: Counter[T] = Counter()
        for agreement, count in self.agreed.items():
            counts[by(agreement)] += count
        return +counts

    def is_answered(self, key: Key) -> bool:
        """Whether an exchange was received, or is said to have failed."""
        exchange = self.open.get(key) or self.recent.get(key)
        if exchange is None:
            return key.digest in self._settled or key in self._failed_first
        return exchange.received is not None or bool(exchange.failed)

    def remembered(self) -> Iterator[Exchange]:
        """Every exchange that is."""
        yield from self.open.values()
        yield from self.recent.values()

    def of(self, *ids: bytes) -> Iterator[Exchange]:
        """The exchanges of some ids that are remembered."""
        wanted = frozenset(ids)
        return (exchange for exchange in self.remembered() if exchange.key.id in wanted)


def digest_text(digest: Digest) -> str:
    """A digest with its tag; "" where there is none."""
    which = digest.WhichOneof("of")
    return "" if which is None else f"{which}:{getattr(digest, which).hex()}"


def _half(entry: On[DataSent] | On[DataReceived], digest: Digest, grant: Place | None, cites: Place | None) -> Half:
    return Half(
        entry.bureau,
        entry.reference,
        entry.place,
        entry.since_us,
        entry.head.version,
        entry.head.resource,
        entry.said.service,
        digest_text(digest),
        entry.said.request_size,
        entry.said.size,
        grant,
        cites,
        entry.imported,
    )
