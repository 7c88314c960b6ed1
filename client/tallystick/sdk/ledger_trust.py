"""What a client trusts of one bureau's ledger, and how that goes forward.

Before the first answer of any kind, the node must show a signed checkpoint that extends the last one this client
trusted. Everything after is checked against that. A node that rolls back, forks or shows what is not in its ledger is
named in one sentence, and the notes are kept. Where they prove that the ledger's key signed two histories, the evidence
is kept, and as long as it is there nothing of that ledger is read or recorded.

Where the ledger's node is out of reach, the copies of its witnesses are asked (`sources`), and held to the same.

Answers may overtake each other, where several threads ask or a stream goes on meanwhile, and that is no fault of the
node. So whoever asks takes along what was trusted then (`known`): its answer must extend that, and be of one history
with what is trusted by now (`follow`). No lock is held while a stream goes on, or a statement waits for witnesses.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from threading import RLock
from typing import Final, NamedTuple, TypeVar

from tallystick.core.charter import Bureau
from tallystick.core.checkpoint import Checkpoint, open_checkpoint
from tallystick.core.errors import (
    ConfigInvalid,
    NotFound,
    RolledBack,
    TallystickError,
    Unreachable,
    VerificationFailed,
)
from tallystick.core.trusted_ledger import TrustedLedger
from tallystick.sdk.clock import now_us
from tallystick.sdk.contradictions import advanced, keeping, refuse_proven, settle
from tallystick.sdk.sources import Sources
from tallystick.sdk.trust_store import TrustStore
from tallystick.sdk.wire import Wire

# A file replaced for every receipt would cost more than the receipt; a program that dies forgets a second of trust.
_REMEMBER_S: Final = 1.0

Answer = TypeVar("Answer")


class Known(NamedTuple):
    """What is trusted of a ledger at the moment it is asked: entries, and the note that says so, if there is one."""

    size: int
    note: bytes | None


class LedgerTrust:
    """The trusted checkpoint of one ledger, and where more of it comes from. Several threads may share it, and close it
    when none is at it any more.
    """

    def __init__(self, wire: Wire, trust: TrustStore, witnesses: Sequence[Bureau] = ()) -> None:
        """`wire` leads to the ledger's own node; the nodes of `witnesses` have copies, and are asked in their order."""
        self.wire = wire
        self._lock = RLock()  # for what is trusted, and which node is asked; held for a few calls at most
        self.sources = Sources(wire, witnesses)
        self._met = False  # whether the node that is asked has shown its checkpoint
        self.bureau: Bureau = wire.bureau
        self._trust = trust
        self._stored = trust.load(self.bureau.origin)
        self._remembered_at = float("-inf")
        self._ledger = self._trusting(self._stored)

    @property
    def trusted(self) -> TrustedLedger:
        """What this client has verified of the ledger so far."""
        return self._ledger

    def known(self) -> Known:
        """What to ask a node with; its answer is then followed from there."""
        with self._lock:
            return Known(self._ledger.size, self._ledger.note)

    @property
    def keeper(self) -> str:
        """The bureau whose copy is read; "" where it is the ledger's own node that is asked."""
        at = self.sources.wire.at
        return "" if at is self.bureau else at.id

    @property
    def away(self) -> bool:
        """Whether a copy is read because the node that was to be asked is out of reach."""
        return self.sources.copy != ""

    def close(self) -> None:
        """Write down what was verified, and close the connection."""
        try:
            # Where the node cannot compare two checkpoints this client trusted, the one that was written stays.
            with suppress(Unreachable, RolledBack):
                self.remember()
        finally:
            self.sources.close()

    def refresh(self) -> Checkpoint:
        """The node's checkpoint now, checked to extend the trusted one. Raises RolledBack, Forked, Unreconciled."""
        self._check_current()
        self.check_evidence()
        with self._lock:
            self._reload()
            self.sources.begin_again()
            self._met = False
            source = self._source()
            settle(source, self._trust, self._ledger)
            return self._ledger.checkpoint

    def _reading(self, ask: Callable[[Wire], Answer]) -> Answer:
        """What a node answers, or the next one, where the one before is out of reach."""
        while True:
            source = self._source()
            try:
                return ask(source)
            except TallystickError as error:
                self._leave(source, error)

    def _source(self) -> Wire:
        """The node that is asked, once it has shown a checkpoint that extends the trusted one."""
        with self._lock:
            while not self._met:
                source = self.sources.wire
                try:
                    answer = source.checkpoint(self._ledger.size)
                    if self.away:
                        self._check_reaches(answer.checkpoint)
                    self._advance(answer.checkpoint, answer.consistency)
                    self._met = True
                except TallystickError as error:
                    self._leave(source, error)
            return self.sources.wire

    def _leave(self, source: Wire, error: TallystickError) -> None:
        """Ask the next node after what this one answered. Raises as `Sources.leave`."""
        with self._lock:
            if self.sources.leave(source, error):
                self._met = False

    def _check_reaches(self, note: bytes) -> None:
        """A copy that has not come as far as this client has is behind, which is no rollback. Raises NotFound."""
        size = open_checkpoint(note, self.bureau.ledger_verifier, self.bureau.ends).size
        if size < self._ledger.size:
            raise NotFound(f"its copy has {size} of the {self._ledger.size} entries this client trusts")

    def _check_current(self) -> None:
        self._trust.check_current(now_us())

    def check_evidence(self) -> None:
        """Raises Forked where this client keeps evidence against the ledger's key, ConfigInvalid where that is none.

        Whoever removes the file has this client read the ledger again, from the checkpoint it trusted before.
        """
        refuse_proven(self._trust, self.bureau)

    def watch(self) -> Generator[Checkpoint, None, None]:
        """The checkpoint now and each one signed later, checked to extend the one before; it never ends by itself."""
        self.check_evidence()
        with self._lock:
            self._reload()
            known = self.known()
        for answer in self.wire.watch_checkpoints(known.size):
            self._check_current()
            checkpoint = self.follow(known, answer.checkpoint, answer.consistency)
            known = Known(checkpoint.size, answer.checkpoint)
            yield checkpoint

    def follow(self, known: Known, note: bytes, consistency: Sequence[bytes]) -> Checkpoint:
        """Trust a checkpoint that came with a proof from what was known when it was asked for.

        Other answers may have overtaken it: then it is also shown to be of one history with what they showed, and the
        larger is trusted. Raises RolledBack, Forked, Unreconciled, which hold whoever was faster.
        """
        while True:
            with self._lock:
                if self._ledger.note == known.note:
                    return self._advance(note, consistency)
            shown = self._advanced(self._trusting(known.note), note, consistency)
            known = self.known()
            if shown.size <= known.size:
                return self.reconcile(note)
            with keeping(self._trust, self.bureau, known.note, note):
                consistency = self._growth(self.sources.wire, known.size, shown.size)

    def _advance(self, note: bytes, consistency: Sequence[bytes]) -> Checkpoint:
        """Trust a checkpoint that came with a proof from the trusted size; written down at once or within a second,
        later where another program is at it, and at the latest by `close`. Call it under the lock.
        """
        checkpoint = self._advanced(self._ledger, note, consistency)
        self._prove_floor()
        if time.monotonic() - self._remembered_at >= _REMEMBER_S:
            with suppress(BlockingIOError):
                self.remember(wait=False)
        return checkpoint

    def _prove_floor(self) -> None:
        """What was trusted under an earlier version of the charter must extend what this one pins."""
        floor, size = self._ledger.floor_to_prove, self._ledger.size
        if floor is None:
            return
        try:
            inside = 0 < floor.size < size
            self._ledger.prove_floor(self.sources.wire.prove_consistency(floor.size, size).hashes if inside else ())
        except TallystickError:
            self._ledger = self._trusting(self._stored)  # what was not shown to extend it is not trusted, nor written
            raise

    def remember(self, *, wait: bool = True) -> None:
        """Write the trusted checkpoint down, after making sure that it fits what another command wrote meanwhile.

        A later one of another command stays; this session goes on from its own, where its next proofs start.
        """
        with self._lock:
            note = self._ledger.note
            if note is None or note == self._stored:
                return
            self._remembered_at = time.monotonic()
            with self._trust.replacing(self.bureau.origin, wait=wait) as there:
                if there is not None and there != self._stored and self.reconcile(there).size > self._ledger.size:
                    return
                self._trust.save(self.bureau.origin, note)
                self._stored = note

    def _trusting(self, note: bytes | None) -> TrustedLedger:
        try:
            return TrustedLedger(
                self.bureau.id, self.bureau.ledger_verifier, note, ends=self.bureau.ends, floor=self.bureau.pinned
            )
        except VerificationFailed as error:
            raise ConfigInvalid(
                f"the checkpoint of {self.bureau.id} that was kept does not read ({error})",
                where=str(self._trust.folder),
                expected="the note this client put there",
            ) from None

    def _advanced(self, ledger: TrustedLedger, note: bytes, consistency: Sequence[bytes]) -> Checkpoint:
        with keeping(self._trust, self.bureau, ledger.note, note):
            return advanced(self.sources.wire, ledger, note, consistency)

    def _reload(self) -> None:
        """Take up what another command of this client has verified since."""
        there = self._trust.load(self.bureau.origin)
        if there is not None and there != self._stored and self._ledger.note == self._stored:
            self._ledger = self._trusting(there)
            self._stored = there

    def reconcile(self, note: bytes, shown_by: Wire | None = None) -> Checkpoint:
        """A checkpoint that came another way than the trusted one: either must extend the other, or the key forked.

        Raises RolledBack where a node does not have what it signed, Forked, or Unreconciled; the trusted one stays.
        """
        other, mine = self._trusting(note), self._trusting(self.known().note)
        shown = other.checkpoint
        small, large = (other, mine) if other.size <= mine.size else (mine, other)
        assert large.note is not None
        wire = self.sources.wire if large is mine or shown_by is None else shown_by
        with keeping(self._trust, self.bureau, mine.note, note):
            proof = self._growth(wire, small.size, large.size)
        self._advanced(small, large.note, proof)
        return shown

    def _growth(self, wire: Wire, old_size: int, new_size: int) -> Sequence[bytes]:
        """The proof from one size to another that were both signed. Raises RolledBack where a node lacks that."""
        try:
            return wire.prove_consistency(old_size, new_size).hashes if old_size < new_size else ()
        except NotFound as error:
            if wire.at != self.bureau:
                raise Unreachable(error.what, where=f"the copy of {self.bureau.id} at {wire.at.id}") from None
            raise RolledBack(
                f"{self.bureau.id} has signed {new_size} entries, and does not have them ({error.what})",
                expected="a ledger that only grows",
                known=new_size,
            ) from None
