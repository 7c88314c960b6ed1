"""Evidence goes on the record: what a node holds against another ledger's key, its own ledger says once.

`EquivocationFound` carries the whole file, so that whoever reads this ledger holds the proof, and its digest, by which
a node sees after a restart that it has said so. What cannot be recorded now is tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import Final

import structlog

from tallystick.core.charter import Bureau
from tallystick.core.errors import Stopping, TallystickError
from tallystick.core.hashing import chain_hash
from tallystick.core.keys import Signer
from tallystick.core.kinds import BY_NAME, TERM_FIELDS
from tallystick.core.statement import read
from tallystick_node.own_statement import Voice
from tallystick_node.proven import Proven
from tallystick_node.sequencer import Sequencer

log = structlog.get_logger()

RETRY_S: Final = 10.0
_FOUND: Final = BY_NAME["EquivocationFound"]


class Reports:
    """Records evidence on one ledger. Use within one event loop, beside a started writer."""

    def __init__(
        self, sequencer: Sequencer, proven: Proven, own: Bureau, key: Signer, now_us: Callable[[], int], rng: Random
    ) -> None:
        self._sequencer = sequencer
        self._proven = proven
        self._own = own
        self._voice = Voice(sequencer, own, key, now_us, rng)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Record what is held and was not recorded, now and whenever there is more."""
        if self._own.state == "active":
            self._task = asyncio.create_task(self._run(), name="reports")

    async def stop(self) -> None:
        """Record no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        trouble = ""
        while True:
            self._proven.news.clear()
            try:
                for bureau, evidence in self._proven.all():
                    if bureau.id != self._own.id and not self._is_recorded(bureau, evidence):
                        await self._record(bureau, evidence)
            except Stopping:
                return
            except TallystickError as error:
                say = log.debug if str(error) == trouble else log.warning  # an expired charter stays one
                say("evidence was not recorded", reason=str(error))
                trouble = str(error)
                await asyncio.sleep(RETRY_S)
                continue
            except Exception:  # a bug must not end it without a word
                log.exception("recording evidence failed")
                await asyncio.sleep(RETRY_S)
                continue
            trouble = ""
            await self._proven.news.wait()

    async def _record(self, accused: Bureau, evidence: bytes) -> None:
        said: dict[str, object] = {
            "accused": accused.id,
            "digest": chain_hash(evidence),
            "evidence": evidence.decode(),
        }
        await self._voice.say(_FOUND.name, said)
        log.info("evidence recorded", accused=accused.id)

    def _is_recorded(self, accused: Bureau, evidence: bytes) -> bool:
        ledger = self._sequencer.ledger
        digest = chain_hash(evidence)
        terms = [
            (TERM_FIELDS["kind"], str(_FOUND.number).encode()),
            (TERM_FIELDS["counterparty"], accused.id.encode()),
        ]
        for index in ledger.candidates(terms, 0, ledger.state.size, newest_first=True):
            said = read(ledger.decoded(index).statement)
            if said.kind == _FOUND and said.statement.equivocation_found.digest == digest:
                return True
        return False
