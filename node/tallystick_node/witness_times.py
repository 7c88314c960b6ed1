"""When a quorum has cosigned, the ledger says so itself: `CheckpointWitnessed`, with the note that shows it.

From the times of its cosignatures a reader knows when what stands below was there, and when what stands after was not.
A note is recorded

  1. when a quorum covers something that the last one did not, other than such a note, or a note of what was shown: else
     each would give rise to the next;
  2. when a bureau cosigned that something is addressed to, and no note has shown yet that it holds that: it is served,
     whether it is a witness of this ledger or not.

No sooner than `interval_s` after the start, and after the one before. When one is due, the slower witnesses are waited
for a moment: the note carries every cosignature that is known for its checkpoint, up to a bound.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from random import Random
from typing import Final

import structlog

from tallystick.core.charter import Bureau, Charter
from tallystick.core.errors import Stopping, TallystickError, VerificationFailed
from tallystick.core.keys import Signer
from tallystick.core.kinds import BY_NAME, TERM_FIELDS
from tallystick.core.statement import read
from tallystick.core.witnessing import open_cosigned, others_of
from tallystick_node.answers import says_to
from tallystick_node.own_statement import OF_ITSELF, Voice
from tallystick_node.sequencer import Sequencer
from tallystick_node.witness import Gathering

log = structlog.get_logger()

INTERVAL_S: Final = 60.0
_GRACE_S: Final = 1.0
_LOOKED_BACK: Final = 64
_SLICE_ENTRIES: Final = 64
_WITNESSED: Final = BY_NAME["CheckpointWitnessed"]


class WitnessTimes:
    """Records what a quorum and what addressees cosigned. Use within one event loop, beside a started `Gathering`."""

    def __init__(
        self,
        sequencer: Sequencer,
        gathering: Gathering,
        charter: Charter,
        own: Bureau,
        key: Signer,
        now_us: Callable[[], int],
        rng: Random,
        interval_s: float,
    ) -> None:
        self._sequencer = sequencer
        self._gathering = gathering
        self._charter = charter
        self._own = own
        self._voice = Voice(sequencer, own, key, now_us, rng)
        self._interval_s = interval_s
        self._others = [each.id for each in charter.bureau if each.id != own.id]
        self._noted = 0
        self._served: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look up what was recorded before, and go on from there."""
        if self._charter.quorum_of(self._own) is not None and self._own.state == "active":
            self._look_back()
            self._task = asyncio.create_task(self._run(), name="witness-times")

    async def stop(self) -> None:
        """Record no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        trouble = ""
        while True:
            await asyncio.sleep(self._interval_s)
            try:
                while self.due() is None:
                    await self._gathering.heard()
                await asyncio.sleep(min(_GRACE_S, self._interval_s))
                due = self.due()
                if due is not None:
                    await self.record(due)
            except Stopping:
                return
            except TallystickError as error:  # the next is as good
                say = log.debug if str(error) == trouble else log.warning  # an expired charter stays one
                say("what was witnessed was not recorded", reason=str(error))
                trouble = str(error)
            except Exception:  # a bug must not end it without a word
                log.exception("recording what was witnessed failed")

    async def record(self, note: bytes) -> None:
        """Record a note that is due. Raises as the writer does."""
        await self._voice.say(_WITNESSED.name, {"note": note.decode()})
        self._note(note)

    def _note(self, note: bytes) -> None:
        """What a recorded note shows need not be shown again."""
        opened = open_cosigned(note, self._charter, self._own)
        size = opened.checkpoint.size
        if opened.enough(self._charter):
            self._noted = max(self._noted, size)
        others = others_of(note, self._charter, self._own, self._charter.bureau)
        for cosigner in (*opened.cosigners, *others):
            self._served[cosigner.witness.id] = max(self._served.get(cosigner.witness.id, 0), size)

    # What is due.

    def due(self) -> bytes | None:
        """The note to record now, if there is anything to say."""
        witnessed = self._gathering.witnessed
        if witnessed is not None and self._is_news(witnessed.checkpoint.size):
            return self._gathering.with_others(witnessed.note)
        for bureau in self._others:
            size = self._gathering.size_of(bureau)
            if self._is_served_more(bureau, size):
                return self._gathering.newest_of(bureau)
        return None

    def _is_news(self, size: int) -> bool:
        """Whether something that counts was recorded below a size since the last note; looked at once."""
        ledger = self._sequencer.ledger
        for first in range(self._noted, size, _SLICE_ENTRIES):
            end = min(first + _SLICE_ENTRIES, size)
            if any(read(entry.statement).kind not in OF_ITSELF for entry in ledger.decoded_all(first, end)):
                return True
            self._noted = end
        return False

    def _is_served_more(self, bureau: str, size: int) -> bool:
        """Whether something is addressed to a bureau that no note has shown it to hold; looked at once."""
        served = self._served.get(bureau, 0)
        if size > served and says_to(self._sequencer.ledger, bureau, served, size):
            return True
        self._served[bureau] = max(served, size)
        return False

    def _look_back(self) -> None:
        """What the notes say that were recorded last. Were one overlooked, the next would only say it again."""
        ledger = self._sequencer.ledger
        term = (TERM_FIELDS["kind"], str(_WITNESSED.number).encode())
        for index in islice(ledger.candidates([term], 0, ledger.state.size, newest_first=True), _LOOKED_BACK):
            said = read(ledger.decoded(index).statement)
            if said.kind == _WITNESSED:
                with suppress(VerificationFailed):  # cosigned under another charter
                    self._note(said.statement.checkpoint_witnessed.note.encode())
