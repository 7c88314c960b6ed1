"""What a node says itself: one statement of its bureau's `node`, signed with the ledger's key, ready for the writer."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from tallystick.core.charter import Bureau
from tallystick.core.compose import compose
from tallystick.core.identifiers import uuid7
from tallystick.core.keys import Signer
from tallystick.core.kinds import BY_NAME
from tallystick.core.submission import Prepared, prepare, seal
from tallystick_node.sequencer import Sequencer

OF_ITSELF: Final = (BY_NAME["CheckpointWitnessed"], BY_NAME["RecordsShown"])
"""What a node says because somebody witnessed or read what is there. It gives rise to no more of either."""

_ID_RANDOM_BYTES: Final = 10


def own_statement(bureau: Bureau, key: Signer, submission_id: bytes, kind: str, values: dict[str, object]) -> Prepared:
    """A statement of a kind, by name, with these values."""
    actor = f"{bureau.id}:node"
    said = compose(kind, actor, values).statement.SerializeToString()
    return prepare(seal(bureau.origin, actor, key, submission_id, [said]), bureau.origin)


class Voice:
    """Says what a running node has to say, on its own ledger, as of its own clock."""

    def __init__(self, sequencer: Sequencer, own: Bureau, key: Signer, now_us: Callable[[], int], rng: Random) -> None:
        self._sequencer = sequencer
        self._own = own
        self._key = key
        self._now_us = now_us
        self._rng = rng

    async def say(self, kind: str, values: dict[str, object]) -> None:
        """Record one statement of a kind, by name. Raises as the writer does."""
        submission_id = uuid7(self._now_us(), self._rng.randbytes(_ID_RANDOM_BYTES))
        await self._sequencer.record(own_statement(self._own, self._key, submission_id, kind, values))
