"""Asking a ledger's witnesses what they hold, until the rule lets the node sign (`starting_rule`).

Each witness is asked until it has answered (`asking`). Meanwhile whoever submits is told how many are missing. When the
rule is content, the others have a moment longer: an entry that the ledger signed right before its database was lost may
be with one witness alone. What does not verify is no answer. A checkpoint under a key whose word the charter has ended
is one: it is the ledger's, and binds it to nothing (`own_word`).
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import Final

import structlog

from tallystick.core.charter import Bureau, Charter
from tallystick.core.checkpoint import Checkpoint, open_of_any_size
from tallystick.core.errors import MalformedNote, SignatureInvalid, Starting
from tallystick_node.asking import ask_held
from tallystick_node.own_word import OwnWord, present_word
from tallystick_node.peers import Reach
from tallystick_node.sequencer import Sequencer
from tallystick_node.starting_rule import Answer, Behind, MaySign, Waiting, decide
from tallystick_proto.v1.witness_pb2 import HeldAnswer

log = structlog.get_logger()

PATIENCE_S: Final = 3.0
"""How long those are waited for who have not answered when a quorum has: one may hold what no quorum ever cosigned."""

_NOTES_MAX: Final = 16


def read_answer(witness: Bureau, answer: HeldAnswer, own: Bureau) -> Answer:
    """What a witness's answer says. Raises MalformedNote or SignatureInvalid where it proves nothing."""
    if answer.none == bool(answer.note) or len(answer.note) > _NOTES_MAX:
        raise MalformedNote(
            f"{len(answer.note)} notes", where=witness.id, expected="the few that it holds, or that it holds none"
        )
    signed = [_signed(note, own) for note in answer.note]
    return Answer(witness.id, witness.credit_code, tuple(each for each in signed if each is not None))


def _signed(note: bytes, own: Bureau) -> Checkpoint | None:
    """What a note says that the ledger's key signed; None where the charter has ended that word."""
    try:
        return present_word(note, own)
    except SignatureInvalid:
        open_of_any_size(note, own.ledger_verifier, own.ends)
        return None


class Asking:
    """The questions of one start. `reach` and `rng` are the node's."""

    def __init__(
        self, charter: Charter, own: Bureau, sequencer: Sequencer, word: OwnWord, reach: Reach, rng: random.Random
    ) -> None:
        quorum = charter.quorum_of(own)
        self.needed = 0 if quorum is None else quorum.needed
        self._witnesses = charter.witnesses_of(own)
        self._own = own
        self._sequencer = sequencer
        self._word = word
        self._reach = reach
        self._rng = rng
        self._answers: dict[str, Answer] = {}
        self._news = asyncio.Event()
        if self.needed:
            self._say(f"0 of the {self.needed} witnesses needed have answered")

    async def until_it_may_sign(self) -> None:
        """Return when the rule lets the node sign. For a ledger that has a quorum; another has nobody to ask.

        Raises BehindSigned, here or as soon as anybody else shows what the ledger lacks: then it never may.
        """
        asked = [asyncio.create_task(self._ask(witness), name=f"ask {witness.id}") for witness in self._witnesses]
        ended = asyncio.create_task(self._sequencer.ended.wait())
        try:
            while not self._may_sign():
                await self._next(ended)
            self._say("enough witnesses have answered, and the others have a moment longer")
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    while len(self._answers) < len(self._witnesses):
                        await self._next(ended)
                        self._may_sign()
        finally:
            for task in (*asked, ended):
                task.cancel()
            await asyncio.gather(*asked, ended, return_exceptions=True)
        log.info("may sign", ledger=self._own.id, answered=sorted(self._answers))

    async def _next(self, ended: asyncio.Task[bool]) -> None:
        """Wait for another answer, or for the end of writing."""
        self._news.clear()
        news = asyncio.create_task(self._news.wait())
        try:
            await asyncio.wait({news, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            news.cancel()

    def _may_sign(self) -> bool:
        """Decide by what was answered so far. Raises BehindSigned."""
        if self._sequencer.stopped is not None:
            raise self._sequencer.stopped
        ledger = self._sequencer.ledger
        verdict = decide(self._answers.values(), self.needed, ledger.state.size, ledger.root_at)
        if isinstance(verdict, Behind):
            raise self._word.lacking(verdict.signed, verdict.witness)
        if isinstance(verdict, Waiting):
            self._say(f"{verdict.answered} of the {verdict.needed} witnesses needed have answered")
        return isinstance(verdict, MaySign)

    def _say(self, how_far: str) -> None:
        """What whoever submits is refused with meanwhile."""
        self._sequencer.not_yet = Starting(
            f"starting: {how_far}",
            where=self._own.id,
            expected="another try later; before it signs anything it asks them what they hold of its ledger",
        )

    async def _ask(self, witness: Bureau) -> None:
        """Ask one witness until it has answered."""
        answer = await ask_held(
            self._reach, witness, self._own.origin, lambda said: read_answer(witness, said, self._own), self._rng
        )
        self._answers[witness.id] = answer
        self._news.set()
