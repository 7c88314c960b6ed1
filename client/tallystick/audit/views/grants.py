"""Requests and grants: who may have what, on what terms, until when; and how requests were answered.

Keyed by where the request or grant stands. A grant belongs to the bureau on whose ledger it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tallystick.audit.entry import On, Place
from tallystick.audit.views.view import AsOf, View, folds
from tallystick_proto.v1.statement_pb2 import AccessDenied, AccessEnded, AccessGranted, AccessRequested, DataSent


@dataclass(slots=True)
class Request:
    """A request for access, and its answer."""

    entry: On[AccessRequested]
    granted: Grant | None = None
    denied: On[AccessDenied] | None = None
    ended: On[AccessEnded] | None = None


@dataclass(slots=True)
class Grant:
    """Access granted. `purpose` is the request's, "" if unknown; system and fields too, where the grant names none."""

    entry: On[AccessGranted]
    request: Request | None
    ended: On[AccessEnded] | None = None

    @property
    def provider(self) -> str:
        return self.entry.bureau

    @property
    def to(self) -> str:
        return self.entry.head.counterparty

    @property
    def resource(self) -> str:
        return self.entry.head.resource

    @property
    def system(self) -> str:
        return self.entry.head.system or (self.request.entry.head.system if self.request is not None else "")

    @property
    def purpose(self) -> str:
        return self.request.entry.said.purpose if self.request is not None else ""

    @property
    def fields(self) -> frozenset[str]:
        """The fields granted; none named is all."""
        asked = self.request.entry.said.fields if self.request is not None else ()
        return frozenset(self.entry.said.fields or asked)

    def in_force(self, at_us: int, day: str) -> bool:
        """Whether it holds at a moment; `day` is that moment's day as text."""
        began = self.entry.since_us <= at_us
        ended = self.ended is not None and self.ended.since_us <= at_us
        return began and not ended and not (self.entry.said.until and day > self.entry.said.until)


@dataclass(frozen=True, slots=True)
class Answered:
    """How one bureau answered the requests for one of its resources, oldest first; each request's first denial, be it
    that its bureau ended the request."""

    bureau: str
    resource: str
    granted: tuple[On[AccessGranted], ...]
    denied: tuple[On[AccessDenied] | On[AccessEnded], ...]


class Grants(View):
    """Requests by where they stand, and grants likewise."""

    def __init__(self) -> None:
        self.requests: dict[Place, Request] = {}
        self.grants: dict[Place, Grant] = {}
        self._by_system: dict[tuple[str, str], list[Grant]] = {}
        self._by_resource: dict[tuple[str, str], list[Grant]] = {}
        self._denied: dict[tuple[str, str], dict[Place | None, On[AccessDenied] | On[AccessEnded]]] = {}

    @folds(AccessRequested)
    def _requested(self, entry: On[AccessRequested]) -> None:
        self.requests[entry.place] = Request(entry)

    @folds(AccessGranted)
    def _granted(self, entry: On[AccessGranted]) -> None:
        request = self._request(entry)
        grant = Grant(entry, request)
        self.grants[entry.place] = grant
        if grant.to != grant.provider:  # nobody has anything by his own grant
            self._by_resource.setdefault((grant.to, grant.resource), []).append(grant)
        if grant.system:
            self._by_system.setdefault((grant.to, grant.system), []).append(grant)
        if request is not None and request.granted is None and grant.to == request.entry.bureau:
            request.granted = grant

    @folds(AccessDenied)
    def _denied_access(self, entry: On[AccessDenied]) -> None:
        request = self._request(entry)
        if request is not None:
            request.denied = request.denied or entry
        resource = entry.head.resource or (request.entry.head.resource if request is not None else "")
        self._denied.setdefault((entry.bureau, resource), {}).setdefault(entry.about, entry)

    @folds(AccessEnded)
    def _ended(self, entry: On[AccessEnded]) -> None:
        """Either side may end a grant, and a request ends with whoever asked, or gave."""
        place = entry.about
        if place is not None and self.is_refusal(entry):
            self._denied.setdefault((entry.bureau, self.requests[place].entry.head.resource), {})[place] = entry
        grant, request = (self.grants.get(place), self.requests.get(place)) if place is not None else (None, None)
        if request is not None and entry.bureau in (request.entry.bureau, request.entry.head.counterparty):
            request.ended = request.ended or entry
            grant = request.granted
        if grant is not None and entry.bureau in (grant.provider, grant.to):
            grant.ended = grant.ended or entry

    def is_refusal(self, ended: On[Any]) -> bool:
        """Whether who was asked ends a request that stands unanswered: a denial by another name."""
        request = self.requests.get(ended.about) if ended.about is not None else None
        if request is None or request.granted or request.denied or request.ended:
            return False
        return ended.bureau == request.entry.head.counterparty != request.entry.bureau

    def _request(self, answer: On[AccessGranted] | On[AccessDenied]) -> Request | None:
        """The request an entry answers, where it was put to that entry's bureau."""
        request = self.requests.get(answer.about) if answer.about is not None else None
        return request if request is not None and request.entry.head.counterparty == answer.bureau else None

    def finish(self, as_of: AsOf) -> Iterator[Answered]:
        """How the requests for each resource were answered."""
        granted: dict[tuple[str, str], list[On[AccessGranted]]] = {}
        for grant in self.grants.values():
            if grant.to == grant.provider:
                continue  # what it grants itself answers nobody
            granted.setdefault((grant.provider, grant.resource), []).append(grant.entry)
        for key in sorted(granted.keys() | self._denied.keys()):
            yield Answered(*key, tuple(granted.get(key, ())), tuple(self._denied.get(key, {}).values()))

    def custodian_of(self, entry: On[Any]) -> str:
        """The bureau under whose grant of it data is sent from a shared store; "" where there is none."""
        if not isinstance(entry.said, DataSent) or not entry.said.via or entry.about is None:
            return ""
        grant = self.grants.get(entry.about)
        return grant.provider if grant is not None and grant.resource == entry.code else ""

    def of_system(self, bureau: str, system: str) -> tuple[Grant, ...]:
        """Every grant to a bureau that names one of its systems."""
        return tuple(self._by_system.get((bureau, system), ()))

    def held(self, bureau: str, code: str) -> tuple[Grant, ...]:
        """Every grant of a resource to a bureau by another, ended or not."""
        return tuple(self._by_resource.get((bureau, code), ()))
