"""Reading over the wire: checkpoints, proofs, entries. Every answer can be checked against a checkpoint the asker
trusts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from grpc.aio import ServicerContext

from tallystick.core.errors import InvalidIdentifier, NotFound
from tallystick.core.limits import FIND_PAGE_ENTRIES_MAX
from tallystick.core.merkle import prove_consistency, prove_inclusion
from tallystick_node import callers
from tallystick_node.access import may_see, refusal
from tallystick_node.answers import ReadyBundles, find
from tallystick_node.disclosures import Disclosures
from tallystick_node.openings import check_request, committed_fields, disclosed, leave_out_erased, openings
from tallystick_node.presence import presence_of
from tallystick_node.shelf import Held, Shelf
from tallystick_node.shown import Shown
from tallystick_node.turns import pause
from tallystick_proto.v1.ledger_pb2 import (
    Bundle,
    CheckpointAnswer,
    CheckpointRequest,
    ConsistencyRequest,
    DiscloseAnswer,
    DiscloseRequest,
    FindRequest,
    InclusionRequest,
    Openings,
    OpeningsRequest,
    PresenceAnswer,
    Proof,
    ReadRequest,
)
from tallystick_proto.v1.ledger_pb2_grpc import LedgerServicer


class LedgerService(LedgerServicer):
    """Reads every ledger on a shelf, and keeps account of who was shown what. `disclosures` are those of the node's own
    ledger, where it has one.
    """

    def __init__(self, shelf: Shelf, shown: Shown, disclosures: Disclosures | None) -> None:
        self._shelf = shelf
        self._shown = shown
        self._disclosures = disclosures
        self._ready = ReadyBundles()

    async def GetCheckpoint(self, request: CheckpointRequest, context: ServicerContext[Any, Any]) -> CheckpointAnswer:
        return _checkpoint(request.known_size, self._shelf.at(request.origin))

    async def WatchCheckpoints(
        self, request: CheckpointRequest, context: ServicerContext[Any, Any]
    ) -> AsyncIterator[CheckpointAnswer]:
        held = self._shelf.at(request.origin)
        known = request.known_size
        while True:
            answer, size = _checkpoint(known, held), held.size
            yield answer
            await held.grown(size)
            await pause()  # many may wait for the same
            known = size

    async def ProveConsistency(self, request: ConsistencyRequest, context: ServicerContext[Any, Any]) -> Proof:
        held = self._shelf.at(request.origin)
        _check_size(held, request.new_size)
        return Proof(hashes=prove_consistency(request.old_size, request.new_size, held.ledger.reader()))

    async def ProveInclusion(self, request: InclusionRequest, context: ServicerContext[Any, Any]) -> Proof:
        held = self._shelf.at(request.origin)
        _check_index(held, request)
        return Proof(hashes=prove_inclusion(request.index, request.size, held.ledger.reader()))

    async def ProvePresence(self, request: InclusionRequest, context: ServicerContext[Any, Any]) -> PresenceAnswer:
        held = self._shelf.at(request.origin)
        _check_index(held, request)
        inclusion = prove_inclusion(request.index, request.size, held.ledger.reader())
        presence = presence_of(held.ledger, held.actors, request.index, request.size)
        self._shown.read(callers.current.get(), held.ledger.origin, request.index, [presence.entry])
        for each in (presence.registration, presence.revocation):
            if each.entry:
                self._shown.read(callers.current.get(), held.ledger.origin, each.index, [each.entry])
        return PresenceAnswer(presence=presence, inclusion=inclusion)

    async def ReadEntries(self, request: ReadRequest, context: ServicerContext[Any, Any]) -> AsyncIterator[Bundle]:
        held = self._shelf.at(request.origin)
        _check_size(held, request.size)
        _check_range(held, request.first, request.end, request.size)
        for bundle in self._ready.read(held.ledger, request.first, request.end, request.size):
            self._note(held, bundle)
            yield bundle

    async def Find(self, request: FindRequest, context: ServicerContext[Any, Any]) -> AsyncIterator[Bundle]:
        held = self._shelf.at(request.origin)
        _check_size(held, request.size)
        if request.follow and (request.newest_first or request.limit or request.end):
            raise InvalidIdentifier("to follow is to go on, oldest first", where="follow", expected="no end, no limit")
        if request.limit > FIND_PAGE_ENTRIES_MAX:
            raise InvalidIdentifier(
                f"a page of {request.limit}", where="limit", expected=f"at most {FIND_PAGE_ENTRIES_MAX}"
            )
        for bundle in find(held.ledger, request, request.first, request.end or request.size, request.size):
            if bundle is None:
                await pause()
            else:
                self._note(held, bundle)
                yield bundle
        size = request.size
        while request.follow:
            await held.grown(size)
            await pause()
            newer, note = held.size, held.note
            proof = prove_consistency(size, newer, held.ledger.reader())
            yield Bundle(first=newer, size=newer, checkpoint=note, consistency=proof)
            for bundle in find(held.ledger, request, max(size, request.first), newer, newer):
                if bundle is None:
                    await pause()
                else:
                    self._note(held, bundle)
                    yield bundle
            size = newer

    async def FindOpenings(
        self, request: OpeningsRequest, context: ServicerContext[Any, Any]
    ) -> AsyncIterator[Openings]:
        held, disclosures = self._opened(request.origin)
        _check_range(held, request.first, request.end, held.size)
        check_request(request)
        if not may_see(request.field):
            raise refusal()
        caller, entries = callers.current.get(), range(request.first, request.end)
        await self._shown.searched(caller, request.field, entries)
        for answer in openings(held.ledger, disclosures, request):
            await self._shown.found(caller, request.field, entries, [opening.index for opening in answer.opening])
            leave_out_erased(held.ledger, request.field, answer)
            yield answer

    async def Disclose(self, request: DiscloseRequest, context: ServicerContext[Any, Any]) -> DiscloseAnswer:
        held, disclosures = self._opened(request.origin)
        _check_range(held, request.index, request.index + 1, held.size)
        committed, counterparty = committed_fields(held.ledger, request.index)
        seen = [field for field in committed if may_see(field, counterparty)]
        for field in request.field:
            if field not in committed:
                where = f"{request.origin}#{request.index}"
                raise NotFound(f"it commits to nothing in {field[:128]!r}", where=where, expected="a commitment")
            if field not in seen:
                raise refusal()
        fields = [field for field in seen if not request.field or field in request.field]
        found = disclosed(held.ledger, disclosures, request.index, fields)
        if found:
            fields = [disclosure.field for disclosure in found]
            await self._shown.disclosed(callers.current.get(), [(request.index, field) for field in fields])
            # Looked up again: what was erased meanwhile is shown no more.
            found = disclosed(held.ledger, disclosures, request.index, fields)
        return DiscloseAnswer(disclosure=found)

    def _opened(self, origin: str) -> tuple[Held, Disclosures]:
        """This node's own ledger, with what opens its commitments. Raises NotFound for any other."""
        held = self._shelf.at(origin)
        if held is not self._shelf.own or self._disclosures is None:
            raise NotFound(
                "a copy holds nothing that opens commitments", where=origin, expected="the ledger's own node"
            )
        return held, self._disclosures

    def _note(self, held: Held, bundle: Bundle) -> None:
        """Before it leaves: a caller who goes away when it has it ends the stream here."""
        self._shown.read(callers.current.get(), held.ledger.origin, bundle.first, bundle.entry)


def _checkpoint(known_size: int, held: Held) -> CheckpointAnswer:
    held.check_known(known_size)
    answer = CheckpointAnswer(checkpoint=held.note)
    if 0 < known_size <= held.size:
        answer.consistency.extend(prove_consistency(known_size, held.size, held.ledger.reader()))
    return answer


def _check_index(held: Held, request: InclusionRequest) -> None:
    _check_size(held, request.size)
    if request.index >= request.size:
        raise NotFound(
            f"there is no #{request.index}", where=held.ledger.origin, expected=f"an entry below #{request.size}"
        )


def _check_size(held: Held, size: int) -> None:
    """The asker speaks of a tree that was signed, and is here."""
    if size > held.size:
        raise NotFound(f"a tree of {size}", where=held.ledger.origin, expected=f"at most the {held.size} signed here")


def _check_range(held: Held, first: int, end: int, size: int) -> None:
    if not first <= end <= size:
        raise NotFound(
            f"entries {first} to {end}", where=held.ledger.origin, expected=f"a range within the {size} asked about"
        )
