"""What this ledger's witnesses have cosigned: rounds, the quorum, and who waits for it.

Witnesses are shown the same checkpoints, one after another, so that their cosignatures meet on one note: a *round*
is a checkpoint that is shown. The next is shown when a quorum has cosigned it, or a second after something newer was
signed, whatever is missing; a witness that is slower joins where `rounds` says. What rounds cost does not depend on how
much is recorded between them: where nobody waits to be witnessed, they come twice a second at most. An idle ledger
is shown again when half the charter's freshness has passed.

Any other active bureau of the charter may follow and cosign in the same way: it observes, or is addressed. What is no
witness's does not count to the quorum, and is shown to nobody but in notes that the ledger records (`with_others`).

The newest cosignature of each witness and the newest note with a quorum are kept in the database, written behind: a
receipt does not wait for that, since each witness keeps what it cosigned itself, and says so when it connects.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from tallystick.core.charter import Bureau, Charter
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.cosignature import check_cosignature
from tallystick.core.errors import (
    NotAllowed,
    SignatureInvalid,
    Stopping,
    StorageFailed,
    TallystickError,
    VerificationFailed,
)
from tallystick.core.limits import NOTED_COSIGNATURES_MAX
from tallystick.core.note import parse_note
from tallystick.core.reconciling import Said
from tallystick_node import keyspace
from tallystick_node.own_word import OwnWord
from tallystick_node.rounds import Round, Rounds, text_of
from tallystick_node.sequencer import Sequencer
from tallystick_node.signing import Published
from tallystick_node.store.store import Batch

log = structlog.get_logger()

ROUND_MAX_S: Final = 1.0
ROUND_MIN_S: Final = 0.5
_KEEP_BEHIND_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A checkpoint that was cosigned, and the note that shows it."""

    checkpoint: Checkpoint
    note: bytes


class Gathering:
    """The cosignatures of one ledger. Use within one event loop: `load` and hear at any time, `start` and show what is
    signed once the sequencer has started, `stop` before it stops.
    """

    def __init__(self, sequencer: Sequencer, charter: Charter, own: Bureau, own_word: OwnWord) -> None:
        self._sequencer = sequencer
        self._own = own
        self._own_word = own_word
        self._cosigners = {each.id: each for each in charter.bureau if each.state == "active" and each.id != own.id}
        self._witnesses = sorted(witness.id for witness in charter.witnesses_of(own))
        self._quorum = charter.quorum_of(own)
        self.refresh_s = charter.witnessing.freshness_s / 2
        self._rounds = Rounds(own.ledger_verifier)
        self._newest: dict[str, Round] = {}
        self._changed = asyncio.Event()  # replaced at every news: a round, a quorum, the end
        self._heard = asyncio.Event()  # replaced at every cosignature
        self._round_over = asyncio.Event()
        self._awaited = asyncio.Event()  # while somebody waits to be witnessed
        self._waiting = 0
        self._unkept = asyncio.Event()
        self.ended = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cosigned-write")
        self.witnessed: Cosigned | None = None

    def start(self) -> None:
        """Begin to show what is signed."""
        if not self._cosigners:
            return
        self._tasks = [asyncio.create_task(self._show(), name="rounds"), asyncio.create_task(self._keep_on())]

    def refuse_more(self) -> None:
        """End every stream with a witness, and every wait."""
        self.ended.set()
        self._heard.set()
        self._news()

    async def stop(self) -> None:
        """Write down what was heard last."""
        self.refuse_more()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._unkept.is_set():
            await self._keep()
        self._disk.shutdown(wait=True)

    # What readers and receipts are given.

    @property
    def newest(self) -> list[bytes]:
        """Of each witness that was heard, the newest checkpoint it cosigned."""
        return [self._newest[each].note([each]) for each in self._witnesses if each in self._newest]

    def cosigned_by(self, bureau: str) -> bytes:
        """The newest checkpoint that a bureau cosigned, with its cosignature; empty where none was heard of."""
        found = self._newest.get(bureau)
        return b"" if found is None else found.note([bureau])

    def size_of(self, bureau: str) -> int:
        """How many entries a bureau has cosigned; 0 where none was heard of."""
        found = self._newest.get(bureau)
        return 0 if found is None else found.checkpoint.size

    def newest_of(self, bureau: str) -> bytes:
        """The newest checkpoint that a bureau cosigned, to be recorded: with its cosignature and others'."""
        return self._to_record(self._newest[bureau], bureau)

    async def news(self) -> None:
        """Wait until a checkpoint is shown, or a quorum has cosigned. Raises Stopping."""
        await self._next(self._changed)

    async def heard(self) -> None:
        """Wait until anybody has cosigned. Raises Stopping."""
        await self._next(self._heard)

    async def _next(self, event: asyncio.Event) -> None:
        if not self.ended.is_set():
            await event.wait()
        if self.ended.is_set():
            raise Stopping("the node is shutting down", where=self._own.origin)

    @property
    def known(self) -> list[bytes]:
        """Every newest checkpoint that was cosigned, by a quorum or by one."""
        return [*([] if self.witnessed is None else [self.witnessed.note]), *self.newest]

    @property
    def not_recording(self) -> TallystickError | None:
        """Why this ledger's node records nothing now; None where it does."""
        return self._sequencer.not_recording

    def with_cosignatures(self, note: bytes) -> bytes:
        """A checkpoint this node signed, with the cosignatures of its witnesses that came for it."""
        found = self._rounds.find(text_of(note))
        return note if found is None else found.note(self._witnesses)

    def with_others(self, note: bytes) -> bytes:
        """The same with the cosignatures of other bureaus too, as many as are recorded."""
        found = self._rounds.find(text_of(note))
        return note if found is None else self._to_record(found)

    def _to_record(self, found: Round, beginning: str = "") -> bytes:
        """What came for a round: from its witnesses, and from others beginning with one, the rest another time."""
        others = sorted(found.said.keys() - set(self._witnesses), key=lambda each: (each < beginning, each))
        return found.note([*self._witnesses, *others][:NOTED_COSIGNATURES_MAX])

    async def gather(self, size: int, wait_s: float) -> Cosigned | None:
        """The newest checkpoint that a quorum cosigned, once it covers `size`; None where it does not in time."""
        if self._quorum is None:
            return None
        self._waiting += 1
        self._awaited.set()
        try:
            async with asyncio.timeout(wait_s):
                while self.witnessed is None or self.witnessed.checkpoint.size < size:
                    await self.news()
        except (TimeoutError, Stopping):
            return None
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._awaited.clear()
        return self.witnessed

    # The witnesses' side.

    def check_witness(self, witness: str) -> None:
        """Raises NotAllowed where the charter knows nobody who may cosign this ledger by that name."""
        if witness not in self._cosigners:
            raise NotAllowed(
                f"{witness[:80]!r} may not cosign for {self._own.id}", expected="another active bureau of the charter"
            )

    async def next_shown(self, witness: str, after: Published | None) -> Published:
        """What a witness that was shown `after` is shown next; the first once this node may sign. Raises Stopping."""
        while self._rounds.shown is None:
            await self.news()
        with suppress(TimeoutError):  # nothing new for long: the same again, for a fresh cosignature
            async with asyncio.timeout(self.refresh_s):
                while after is not None and self._rounds.shown.state.size <= after.state.size:
                    await self.news()
        size = max(self.size_of(witness), 0 if after is None else after.state.size)
        held = self._rounds.held_for(size) if witness in self._witnesses else None
        return self._rounds.shown if held is None else held

    def take(self, witness: str, note: bytes) -> None:
        """A note that a witness says it cosigned.

        Raises MalformedNote or SignatureInvalid where it did not, and BehindSigned where this ledger's key signed what
        this ledger does not have: then nothing more is written.
        """
        key = self._cosigners[witness].witness_verifier
        parsed = parse_note(note)
        cosignature = next(
            (each for each in parsed.signatures if (each.name, each.key_id) == (key.name, key.key_id)), None
        )
        if cosignature is None:
            raise SignatureInvalid(f"{witness} did not cosign this", expected=f"a signature by {key.name}")
        said = Said(cosignature, check_cosignature(parsed.text, cosignature, key))
        found, newest = self._rounds.find(parsed.text), self._newest.get(witness)
        if found is None:
            checkpoint = self._own_word.check(note, witness)
            if newest is not None and checkpoint.size < newest.checkpoint.size:
                return  # anybody may say again what it once said; that is no round, and pushes none out
            found = self._rounds.of(checkpoint, note)
        before = found.said.get(witness)
        if before is None or before.at_s < said.at_s:
            found.said[witness] = said
        if newest is None or newest.checkpoint.size <= found.checkpoint.size:
            self._newest[witness] = found
        if witness in self._witnesses:
            self._count(found)
        self._unkept.set()
        event, self._heard = self._heard, asyncio.Event()
        event.set()

    def _count(self, found: Round) -> None:
        """Whether a round has its quorum now."""
        codes = {self._cosigners[each].credit_code for each in found.said if each in self._witnesses}
        if self._quorum is None or len(codes) < self._quorum.needed:
            return
        size = found.checkpoint.size
        if self._rounds.shown is not None and size >= self._rounds.shown.state.size:
            self._round_over.set()
        if self.witnessed is None or self.witnessed.checkpoint.size <= size:
            self.witnessed = Cosigned(found.checkpoint, found.note(self._witnesses))
            self._rounds.hold(size)
            self._news()

    # Rounds.

    async def _show(self) -> None:
        """Show what is signed, a round at a time."""
        clock = asyncio.get_running_loop().time
        while True:
            began_s, shown = clock(), self._sequencer.published
            self._round_over.clear()
            self._count(self._rounds.show(shown, 0 if self.witnessed is None else self.witnessed.checkpoint.size))
            self._news()
            while self._sequencer.published.state.size <= shown.state.size:
                try:
                    await self._sequencer.changed()
                except Stopping:
                    return
            with suppress(TimeoutError):  # whoever is missing is not waited for
                async with asyncio.timeout(ROUND_MAX_S):
                    await self._round_over.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(began_s + ROUND_MIN_S):
                    await self._awaited.wait()

    def _news(self) -> None:
        event, self._changed = self._changed, asyncio.Event()
        event.set()

    # What is kept.

    def load(self) -> None:
        """Hear again what was kept. What does not verify is left out: it proves nothing, and is said again."""
        store = self._sequencer.ledger.store
        kept = {keyspace.COSIGNED: self._witnesses} | {keyspace.cosigned(each): [each] for each in self._cosigners}
        for key, bureaus in kept.items():
            note = store.get(key)
            for bureau in bureaus if note else ():
                with suppress(VerificationFailed, StorageFailed):
                    self.take(bureau, note or b"")

    async def _keep_on(self) -> None:
        while True:
            await self._unkept.wait()
            await asyncio.sleep(_KEEP_BEHIND_S)
            await self._keep()

    async def _keep(self) -> None:
        self._unkept.clear()
        batch = Batch()
        if self.witnessed is not None:
            batch.put(keyspace.COSIGNED, self.witnessed.note)
        for witness, found in self._newest.items():
            batch.put(keyspace.cosigned(witness), found.note([witness]))
        store = self._sequencer.ledger.store
        try:
            await asyncio.get_running_loop().run_in_executor(self._disk, store.write, batch)
        except StorageFailed as error:  # the witnesses have it still
            log.warning("cosignatures were not kept", reason=str(error))
