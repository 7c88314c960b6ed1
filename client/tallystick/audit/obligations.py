"""Who owes whom an answer, within what, and what meets it: the one table from which inbox, overdue findings and
response times follow.

An obligation is named as the rule that reports it. `within` is the name of a deadline in the charter's rulebook, in
working days; None where the entry itself says how long (a resource's update cycle).

What an entry *opens* is one or more keys, together with who owes: an answer with one of the keys, from somebody who may
give it, meets it. Most answers cite what they answer, and the key is where that stands; the halves of an exchange are
paired by their exchange, and a sending that cites nothing by who was sent what.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

from google.protobuf.message import Message

from tallystick.audit.entry import On, place_of
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
    DutyReleased,
    ExchangeFailed,
    NoticeAcknowledged,
    VersionProvided,
    VersionRecalled,
)


class Known(Protocol):
    """What the table asks of the views."""

    def holders(self, recall: On[VersionRecalled]) -> Iterable[str]:
        """The bureaus that received the version and that the recall obliges."""

    def derivers(self, recall: On[VersionRecalled]) -> Iterable[tuple[str, str]]:
        """The bureaus that provided a version derived from this one and that the recall obliges, each with that."""

    def is_answered(self, exchange: Key) -> bool:
        """Whether an exchange was received, or is said to have failed."""

    def is_said_again(self, sent: On[DataSent]) -> bool:
        """Whether a sending only repeats one that was recorded before."""

    def is_cyclic(self, bureau: str, code: str) -> bool:
        """Whether a bureau promised updates of a resource."""


Keys = tuple[Hashable, ...]
OwedBy = Callable[[On[Any], Known], Iterable[tuple[str, Keys]]]
"""Who owes for an opening entry, each with the keys by which an answer of theirs is known."""
Allowed = Callable[[On[Any], On[Any], str], bool]
"""Whether an answer comes from who may give it: the answer, the opening entry, who owes."""


def who_owes(answer: On[Any], opened: On[Any], owes: str) -> bool:
    """Only who owes."""
    return answer.bureau == owes


def to_who_asked(answer: On[AccessGranted], opened: On[Any], owes: str) -> bool:
    """Who owes, in granting it to who asked."""
    return answer.bureau == owes and answer.head.counterparty == opened.bureau


def either_side(answer: On[Any], opened: On[Any], owes: str) -> bool:
    """Who said the opening entry, or whom it was addressed to."""
    return answer.bureau in (owes, opened.bureau, opened.head.counterparty)


def who_serves(answer: On[DataSent], opened: On[Any], owes: str) -> bool:
    """Who owes, or a custodian that sends from a shared store under the grant it cites."""
    return answer.bureau == owes or (bool(answer.said.via) and answer.about == opened.place)


def who_was_granted(answer: On[DataReceived], opened: On[Any], owes: str) -> bool:
    """Who received what was granted, from whomever: a custodian's ledger need not be among those that were read."""
    return answer.bureau == opened.head.counterparty


@dataclass(frozen=True, slots=True)
class Answering:
    """What meets an obligation: a kind of entry, the keys it answers, and who may say it.

    One that `tells_no_time` shows that it was met, and not when.
    """

    said: type[Message]
    keys: Callable[[On[Any]], Iterable[Hashable]]
    by: Allowed = who_owes
    tells_no_time: bool = False


@dataclass(frozen=True, slots=True)
class Obligation:
    """One row of the table. `by_word`: it is reported as the word of who opened it, and so is when that was.

    `lapses`: it is said to whom it is owed to, and to nobody once that is closed. What tells of data that somebody
    has, a receipt, what was done about a recall, is owed all the same.
    """

    rule: str
    opens: type[Message]
    owes: OwedBy
    within: str | None
    met_by: tuple[Answering, ...]
    by_word: bool = False
    lapses: bool = False

    def answerers(self, opened: On[Any], owes: str) -> frozenset[str]:
        """The bureaus on whose ledgers an answer may stand: where one was not read, nothing is known to be missing."""
        if all(answering.by is who_owes for answering in self.met_by):
            return frozenset({owes})
        return frozenset({owes, opened.bureau, opened.head.counterparty})


def counterparty(entry: On[Any], known: Known) -> Iterator[tuple[str, Keys]]:
    """Whom the entry is addressed to: provider of a request, holder of a duty."""
    if entry.head.counterparty:
        yield entry.head.counterparty, (entry.place,)


def addressee(entry: On[ConcernRaised], known: Known) -> Iterator[tuple[str, Keys]]:
    """Whom a concern is addressed to; one about a finding is answered by answering the finding."""
    keys: Keys = (entry.place,)
    yield entry.head.counterparty, (*keys, entry.said.finding) if entry.said.finding else keys


def grantor(entry: On[AccessGranted], known: Known) -> Iterator[tuple[str, Keys]]:
    """Who granted, until the grant or its request ends, or something is sent under it."""
    keys: Keys = (entry.place, (entry.head.counterparty, entry.code))
    yield entry.bureau, keys if entry.about is None else (*keys, entry.about)


def receiver(entry: On[DataSent], known: Known) -> Iterator[tuple[str, Keys]]:
    """Who was sent data, once an exchange, unless a receipt that cites nothing came before."""
    key = sent_key(entry)
    if not known.is_answered(key) and not known.is_said_again(entry):
        yield entry.head.counterparty, (key, (key.id, key.sender), (key.id, key.receiver))


def each_holder(entry: On[VersionRecalled], known: Known) -> Iterator[tuple[str, Keys]]:
    """Everybody who received the version, where it was its provider that recalled it."""
    for bureau in known.holders(entry):
        if bureau != entry.bureau:
            yield bureau, ((entry.place, bureau),)


def each_deriver(entry: On[VersionRecalled], known: Known) -> Iterator[tuple[str, Keys]]:
    """Everybody who made another version of it, once a version; corrected by recalling that, or by saying so."""
    for bureau, version in known.derivers(entry):
        yield bureau, ((bureau, version), (entry.place, bureau))


def producer(entry: On[VersionProvided], known: Known) -> Iterator[tuple[str, Keys]]:
    """Who promised the next version."""
    if known.is_cyclic(entry.bureau, entry.code):
        yield entry.bureau, ((entry.bureau, entry.code),)


def _about(entry: On[Any]) -> Iterator[Hashable]:
    if entry.about is not None:
        yield entry.about


def _under_grant(entry: On[DataSent]) -> Iterator[Hashable]:
    """The grant it cites; of what cites none, whoever was granted what was sent."""
    yield entry.about or (entry.head.counterparty, entry.code)


def _concern(entry: On[ConcernAnswered]) -> Iterator[Hashable]:
    yield from _about(entry)
    if entry.said.finding:
        yield entry.said.finding


def _as_holder(entry: On[NoticeAcknowledged]) -> Iterator[Hashable]:
    if entry.about is not None:
        yield entry.about, entry.bureau


def _as_corrected(entry: On[NoticeAcknowledged]) -> Iterator[Hashable]:
    if entry.about is not None and entry.said.action in (NoticeAcknowledged.FIXED, NoticeAcknowledged.DESTROYED):
        yield entry.about, entry.bureau


def _recalled(entry: On[VersionRecalled]) -> Iterator[Hashable]:
    yield entry.bureau, entry.head.version


def _either_half(entry: On[ExchangeFailed]) -> Iterator[Hashable]:
    """The exchange in either direction; of what names no other side, whatever its bureau has under that id."""
    id_, bureau, other = entry.head.exchange, entry.bureau, entry.head.counterparty
    yield from (Key(id_, bureau, other), Key(id_, other, bureau)) if other else ((id_, bureau),)


def _received_under(entry: On[DataReceived]) -> Iterator[Hashable]:
    yield place_of(entry.said.grant) if entry.said.HasField("grant") else (entry.bureau, entry.code)


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
        (
            Answering(AccessGranted, _about, to_who_asked),
            Answering(AccessDenied, _about),
            Answering(AccessEnded, _about, either_side),
        ),
        lapses=True,
    ),
    Obligation(
        "granted-not-served",
        AccessGranted,
        grantor,
        "serve_grant",
        (
            Answering(DataSent, _under_grant, who_serves),
            Answering(DataReceived, _received_under, who_was_granted, tells_no_time=True),
            Answering(AccessEnded, _about, either_side),
        ),
        lapses=True,
    ),
    Obligation(
        "sent-not-received",
        DataSent,
        receiver,
        "acknowledge_delivery",
        (Answering(DataReceived, _received), Answering(ExchangeFailed, _either_half, either_side)),
        by_word=True,
    ),
    Obligation(
        "dispute-overdue",
        ConcernRaised,
        addressee,
        "answer_concern",
        (Answering(ConcernAnswered, _concern),),
        lapses=True,
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
    Obligation(
        "duty-unaccepted",
        DutyAssigned,
        counterparty,
        "accept_duty",
        (Answering(DutyAnswered, _about), Answering(DutyReleased, _about, either_side)),
        lapses=True,
    ),
    Obligation("stale-resource", VersionProvided, producer, None, (Answering(VersionProvided, _next_version),)),
)
