"""Who owes whom an answer, within what, and what meets it: the one table from which inbox, overdue findings and
response times follow.

An obligation is named as the rule that reports it. `within` is the name of a deadline in the charter's rulebook, in
working days; None where the entry itself says how long (a resource's update cycle).

What an entry *opens* is a key, together with who owes: an answer with the same key, from who owes or, where the table
says so, from who is owed, meets it. Most answers cite what they answer, and the key is where that stands; the halves of
an exchange are paired by their exchange.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

from google.protobuf.message import Message

from tallystick.audit.entry import On
from tallystick.audit.pairing import Key, received_key, sent_key
from tallystick_proto.v1.statement_pb2 import (
    AccessDenied,
    AccessEnded,
    AccessGranted,
    AccessRequested,
    ConcernAnswered,
    ConcernRaised,
    DataReceived,
    DataSent,
    DutyAnswered,
    DutyAssigned,
    ExchangeFailed,
    NoticeAcknowledged,
    VersionProvided,
    VersionRecalled,
)


class Known(Protocol):
    """What the table asks of the views."""

    def holders(self, version: str) -> Iterable[str]:
        """The bureaus that received a version."""

    def derivers(self, version: str) -> Iterable[tuple[str, str]]:
        """The bureaus that provided a version derived from this one, each with that version."""

    def is_answered(self, exchange: Key) -> bool:
        """Whether an exchange was received, or is said to have failed."""

    def is_cyclic(self, bureau: str, code: str) -> bool:
        """Whether a bureau promised updates of a resource."""


Keys = tuple[Hashable, ...]
OwedBy = Callable[[On[Any], Known], Iterable[tuple[str, Keys]]]
"""Who owes for an opening entry, each with the keys by which an answer of theirs is known."""


@dataclass(frozen=True, slots=True)
class Answering:
    """What meets an obligation: a kind of entry, the keys it answers, and whether who is owed may say it too."""

    said: type[Message]
    keys: Callable[[On[Any]], Iterable[Hashable]]
    by_owed_too: bool = False


@dataclass(frozen=True, slots=True)
class Obligation:
    """One row of the table."""

    rule: str
    opens: type[Message]
    owes: OwedBy
    within: str | None
    met_by: tuple[Answering, ...]


def counterparty(entry: On[Any], known: Known) -> Iterator[tuple[str, Keys]]:
    """Whom the entry is addressed to: provider of a request, addressee of a concern, holder of a duty."""
    if entry.head.counterparty:
        yield entry.head.counterparty, (entry.place,)


def itself(entry: On[Any], known: Known) -> Iterator[tuple[str, Keys]]:
    """Whoever said it."""
    yield entry.bureau, (entry.place,)


def receiver(entry: On[DataSent], known: Known) -> Iterator[tuple[str, Keys]]:
    """Who was sent data, unless the receipt was folded before: one that cites nothing may come first."""
    if not known.is_answered(sent_key(entry)):
        yield entry.head.counterparty, (sent_key(entry),)


def each_holder(entry: On[VersionRecalled], known: Known) -> Iterator[tuple[str, Keys]]:
    """Everybody who received the version."""
    for bureau in known.holders(entry.head.version):
        if bureau != entry.bureau:
            yield bureau, ((entry.place, bureau),)


def each_deriver(entry: On[VersionRecalled], known: Known) -> Iterator[tuple[str, Keys]]:
    """Everybody who made another version of it, once a version; corrected by recalling that, or by saying so."""
    for bureau, version in known.derivers(entry.head.version):
        yield bureau, ((bureau, version), (entry.place, bureau))


def producer(entry: On[VersionProvided], known: Known) -> Iterator[tuple[str, Keys]]:
    """Who promised the next version."""
    if known.is_cyclic(entry.bureau, entry.code):
        yield entry.bureau, ((entry.bureau, entry.code),)


def _about(entry: On[Any]) -> Iterator[Hashable]:
    if entry.about is not None:
        yield entry.about


def _as_holder(entry: On[NoticeAcknowledged]) -> Iterator[Hashable]:
    if entry.about is not None:
        yield entry.about, entry.bureau


def _as_corrected(entry: On[NoticeAcknowledged]) -> Iterator[Hashable]:
    if entry.about is not None and entry.said.action in (NoticeAcknowledged.FIXED, NoticeAcknowledged.DESTROYED):
        yield entry.about, entry.bureau


def _recalled(entry: On[VersionRecalled]) -> Iterator[Hashable]:
    yield entry.bureau, entry.head.version


def _either_half(entry: On[ExchangeFailed]) -> Iterator[Hashable]:
    bureau, other = entry.bureau, entry.head.counterparty
    yield Key(entry.head.exchange, bureau, other)
    yield Key(entry.head.exchange, other, bureau)


def _received(entry: On[DataReceived]) -> Iterator[Hashable]:
    yield received_key(entry)


def _next_version(entry: On[VersionProvided]) -> Iterator[Hashable]:
    yield entry.bureau, entry.code


OBLIGATIONS: Final = (
    Obligation(
        "request-overdue",
        AccessRequested,
        counterparty,
        "answer_request",
        (Answering(AccessGranted, _about), Answering(AccessDenied, _about), Answering(AccessEnded, _about, True)),
    ),
    Obligation(
        "granted-not-served",
        AccessGranted,
        itself,
        "serve_grant",
        (Answering(DataSent, _about), Answering(AccessEnded, _about, True)),
    ),
    Obligation(
        "sent-not-received",
        DataSent,
        receiver,
        "acknowledge_delivery",
        (Answering(DataReceived, _received), Answering(ExchangeFailed, _either_half, True)),
    ),
    Obligation(
        "dispute-overdue",
        ConcernRaised,
        counterparty,
        "answer_concern",
        (Answering(ConcernAnswered, _about),),
    ),
    Obligation(
        "recall-unheeded",
        VersionRecalled,
        each_holder,
        "heed_recall",
        (Answering(NoticeAcknowledged, _as_holder),),
    ),
    Obligation(
        "derived-not-corrected",
        VersionRecalled,
        each_deriver,
        "heed_recall",
        (Answering(VersionRecalled, _recalled), Answering(NoticeAcknowledged, _as_corrected)),
    ),
    Obligation("duty-unaccepted", DutyAssigned, counterparty, "accept_duty", (Answering(DutyAnswered, _about),)),
    Obligation("stale-resource", VersionProvided, producer, None, (Answering(VersionProvided, _next_version),)),
)
