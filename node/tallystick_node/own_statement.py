"""What a node says itself: one statement of its bureau's `node`, signed with the ledger's key, ready for the writer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final

from tallystick.core.charter import Bureau
from tallystick.core.compose import Draft, compose, place
from tallystick.core.identifiers import uuid7
from tallystick.core.keys import Signer
from tallystick.core.kinds import BY_NAME
from tallystick.core.limits import SALT_BYTES
from tallystick.core.submission import Prepared, prepare, seal
from tallystick_node.sequencer import Sequencer
from tallystick_proto.v1.entry_pb2 import Disclosure

OF_ITSELF: Final = (BY_NAME["CheckpointWitnessed"], BY_NAME["RecordsShown"])
"""What a node says because somebody witnessed or read what is there. It gives rise to no more of either."""

_ID_RANDOM_BYTES: Final = 10


def own_statement(
    bureau: Bureau, key: Signer, submission_id: bytes, kind: str, values: Mapping[str, object]
) -> Prepared:
    """A statement of a kind, by name, with these values, none of them sensitive."""
    return _own(bureau, key, submission_id, [compose(kind, _actor(bureau), values)], [])


def _own(
    bureau: Bureau, key: Signer, submission_id: bytes, drafts: Sequence[Draft], disclosures: Sequence[Disclosure]
) -> Prepared:
    statements = [draft.encode() for draft in drafts]
    return prepare(seal(bureau.origin, _actor(bureau), key, submission_id, statements, disclosures), bureau.origin)


def _actor(bureau: Bureau) -> str:
    return f"{bureau.id}:node"


class Voice:
    """Says what a running node has to say, on its own ledger, as of its own clock."""

    def __init__(self, sequencer: Sequencer, own: Bureau, key: Signer, now_us: Callable[[], int], rng: Random) -> None:
        self._sequencer = sequencer
        self._own = own
        self._key = key
        self._now_us = now_us
        self._rng = rng

    async def say(self, kind: str, *each: Mapping[str, object]) -> None:
        """Record a statement of a kind, by name, for each of these values: all or none. Raises as the writer does."""
        submission_id = uuid7(self._now_us(), self._rng.randbytes(_ID_RANDOM_BYTES))
        drafts = [compose(kind, _actor(self._own), values) for values in each]
        disclosures = [
            disclosure
            for position, draft in enumerate(drafts)
            for disclosure in place(draft, self._own.origin, submission_id, position, self._salt)
        ]
        await self._sequencer.record(_own(self._own, self._key, submission_id, drafts, disclosures))

    def _salt(self) -> bytes:
        return self._rng.randbytes(SALT_BYTES)
