"""Reading over the wire: checkpoints, proofs, entries. Every answer can be checked against a checkpoint the asker
trusts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from grpc.aio import ServicerContext

from tallystick.core.errors import InvalidIdentifier, NotAllowed, NotFound
from tallystick.core.limits import FIND_PAGE_ENTRIES_MAX
from tallystick.core.merkle import prove_consistency, prove_inclusion
from tallystick_node import access
from tallystick_node.answers import bundles, find
from tallystick_node.openings import openings
from tallystick_node.presence import presence_of
from tallystick_node.sequencer import Published, Sequencer
from tallystick_node.witness import Gathering
from tallystick_proto.v1.ledger_pb2 import (
    Bundle,
    CheckpointAnswer,
    CheckpointRequest,
    ConsistencyRequest,
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
    """Reads one ledger."""

    def __init__(self, sequencer: Sequencer, gathering: Gathering) -> None:
        self._sequencer = sequencer
        self._gathering = gathering

    async def GetCheckpoint(self, request: CheckpointRequest, context: ServicerContext[Any, Any]) -> CheckpointAnswer:
        self._check_origin(request.origin)
        return self._checkpoint(request.known_size, self._sequencer.published)

    async def WatchCheckpoints(
        self, request: CheckpointRequest, context: ServicerContext[Any, Any]
    ) -> AsyncIterator[CheckpointAnswer]:
        self._check_origin(request.origin)
        known = request.known_size
        published = self._sequencer.published
        while True:
            yield self._checkpoint(known, published)
            known = published.state.size
            published = await self._newer_than(published)

    async def ProveConsistency(self, request: ConsistencyRequest, context: ServicerContext[Any, Any]) -> Proof:
        self._check_origin(request.origin)
        self._check_size(request.new_size)
        return Proof(hashes=prove_consistency(request.old_size, request.new_size, self._sequencer.ledger.reader()))

    async def ProveInclusion(self, request: InclusionRequest, context: ServicerContext[Any, Any]) -> Proof:
        self._check_origin(request.origin)
        self._check_index(request)
        return Proof(hashes=prove_inclusion(request.index, request.size, self._sequencer.ledger.reader()))

    async def ProvePresence(self, request: InclusionRequest, context: ServicerContext[Any, Any]) -> PresenceAnswer:
        self._check_origin(request.origin)
        self._check_index(request)
        ledger = self._sequencer.ledger
        inclusion = prove_inclusion(request.index, request.size, ledger.reader())
        presence = presence_of(ledger, self._sequencer.actors, request.index, request.size)
        return PresenceAnswer(presence=presence, inclusion=inclusion)

    async def ReadEntries(self, request: ReadRequest, context: ServicerContext[Any, Any]) -> AsyncIterator[Bundle]:
        self._check_origin(request.origin)
        self._check_size(request.size)
        self._check_range(request.first, request.end, request.size)
        for bundle in bundles(self._sequencer.ledger, range(request.first, request.end), request.size):
            yield bundle

    async def Find(self, request: FindRequest, context: ServicerContext[Any, Any]) -> AsyncIterator[Bundle]:
        self._check_origin(request.origin)
        self._check_size(request.size)
        if request.follow and (request.newest_first or request.limit or request.end):
            raise InvalidIdentifier("to follow is to go on, oldest first", where="follow", expected="no end, no limit")
        if request.limit > FIND_PAGE_ENTRIES_MAX:
            raise InvalidIdentifier(
                f"a page of {request.limit}", where="limit", expected=f"at most {FIND_PAGE_ENTRIES_MAX}"
            )
        ledger = self._sequencer.ledger
        for bundle in find(ledger, request, request.first, request.end or request.size, request.size):
            yield bundle
        size = request.size
        while request.follow:
            published = self._sequencer.published
            if published.state.size == size:
                published = await self._newer_than(published)
            newer = published.state.size
            proof = prove_consistency(size, newer, ledger.reader())
            yield Bundle(first=newer, size=newer, checkpoint=published.note, consistency=proof)
            for bundle in find(ledger, request, max(size, request.first), newer, newer):
                yield bundle
            size = newer

    async def FindOpenings(
        self, request: OpeningsRequest, context: ServicerContext[Any, Any]
    ) -> AsyncIterator[Openings]:
        if not access.may(access.ANYBODY, "FindOpenings", None):
            raise NotAllowed("disclosures are not opened to you", expected="somebody entitled to them")
        self._check_origin(request.origin)
        self._check_range(request.first, request.end, self._sequencer.published.state.size)
        for answer in openings(self._sequencer.ledger, request):
            yield answer

    async def _newer_than(self, published: Published) -> Published:
        """The next published state that is larger; a repeat of the same size is no news."""
        newer = self._sequencer.published
        while newer.state.size <= published.state.size:
            newer = await self._sequencer.changed()
        return newer

    def _checkpoint(self, known_size: int, published: Published) -> CheckpointAnswer:
        answer = CheckpointAnswer(checkpoint=self._gathering.with_cosignatures(published.note))
        size = published.state.size
        if 0 < known_size <= size:
            answer.consistency.extend(
                prove_consistency(known_size, size, self._sequencer.ledger.reader(published.state))
            )
        return answer

    def _check_origin(self, origin: str) -> None:
        if origin != self._sequencer.ledger.origin:
            raise NotFound(f"no ledger {origin[:255]!r} here", where="origin", expected=self._sequencer.ledger.origin)

    def _check_index(self, request: InclusionRequest) -> None:
        self._check_size(request.size)
        if request.index >= request.size:
            origin = self._sequencer.ledger.origin
            raise NotFound(f"there is no #{request.index}", where=origin, expected=f"an entry below #{request.size}")

    def _check_size(self, size: int) -> None:
        """The asker speaks of a tree this node has signed."""
        signed = self._sequencer.published.state.size
        if size > signed:
            raise NotFound(
                f"a tree of {size}", where=self._sequencer.ledger.origin, expected=f"at most the {signed} signed"
            )

    def _check_range(self, first: int, end: int, size: int) -> None:
        if not first <= end <= size:
            raise NotFound(
                f"entries {first} to {end}",
                where=self._sequencer.ledger.origin,
                expected=f"a range within the {size} asked about",
            )
