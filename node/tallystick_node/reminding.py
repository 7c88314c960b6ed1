"""Asking a ledger's other witnesses what this node cosigned of it: once a start, before it cosigns any more.

A database that was put back from an older copy forgets what its witness key cosigned. The ledger's own node is to show
that (`Witness.Cosign`), and one that lies will not; but another witness that could hold the forgotten cosignature
against this one has it, and shows it when asked (`Witness.GetHeld`). Gossip would bring it too, in a round or two, and
the first cosignature must not be quicker than that.

Each is asked until it has answered. One that is away holds up nothing for longer than PATIENCE_S; what it says later
counts from then on.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from itertools import islice
from typing import Final

from tallystick.core.charter import Bureau, Charter
from tallystick.core.errors import VerificationFailed
from tallystick.core.reconciling import APART_MAX, PAST_MAX
from tallystick_node.asking import ask_held
from tallystick_node.peers import Reach
from tallystick_node.shelf import Shelf
from tallystick_proto.v1.witness_pb2 import HeldAnswer

PATIENCE_S: Final = 3.0
"""How long who does not answer is waited for."""

# What it cosigned, what ended that, what it was told, what is apart, and what was held before.
_NOTES_MAX: Final = 3 + APART_MAX + PAST_MAX


class Reminding:
    """The questions of one start about one ledger. `reach` and `rng` are the node's."""

    def __init__(
        self, charter: Charter, own: Bureau, ledger: Bureau, shelf: Shelf, reach: Reach, rng: random.Random
    ) -> None:
        self._others = [each for each in charter.witnesses_of(ledger) if each.id != own.id]
        self._ledger = ledger
        self._shelf = shelf
        self._reach = reach
        self._rng = rng
        self._tasks: list[asyncio.Task[None]] = []
        self._patience: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to ask, unless it has begun."""
        if self._patience is None:
            name = f"ask what was cosigned of {self._ledger.id}"
            self._tasks = [asyncio.create_task(self._ask(each), name=name) for each in self._others]
            self._patience = asyncio.create_task(self._wait(), name=name)

    async def answered(self) -> None:
        """Wait until all have answered, or have been waited for. Not before `start`."""
        assert self._patience is not None
        await asyncio.shield(self._patience)

    async def stop(self) -> None:
        """Ask no more."""
        tasks = [*self._tasks, *([] if self._patience is None else [self._patience])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _wait(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=PATIENCE_S)

    async def _ask(self, witness: Bureau) -> None:
        await ask_held(self._reach, witness, self._ledger.origin, self._take, self._rng)

    def _take(self, answer: HeldAnswer) -> None:
        """Raises StorageFailed where what is remembered cannot be read."""
        for note in islice(answer.note, _NOTES_MAX):
            with suppress(VerificationFailed):  # what does not verify reminds nobody
                self._shelf.remind(self._ledger.origin, note)
