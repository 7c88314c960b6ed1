"""Verified reading of one bureau's ledger: a thin driver that fetches and feeds `TrustedLedger`.

Before the first answer of any kind, the node must show a signed checkpoint that extends the last one this client
trusted. Everything after is checked against that. A node that rolls back, forks or shows what is not in its ledger is
named in one sentence, and the notes are kept. Where they prove that the ledger's key signed two histories, the evidence
is kept, and as long as it is there nothing of that ledger is read or recorded.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tallystick.core.charter import Bureau
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.entry import Entry
from tallystick.core.errors import (
    ConfigInvalid,
    MalformedEntry,
    NotFound,
    ProofFailed,
    RolledBack,
    TallystickError,
    Unreachable,
    VerificationFailed,
)
from tallystick.core.evidence import Proven, check_presence, format_presence
from tallystick.core.hashing import leaf_hash
from tallystick.core.limits import FIND_PAGE_ENTRIES_MAX, LEDGER_ENTRIES_MAX
from tallystick.core.statement import Read, read, terms_of
from tallystick.core.trusted_ledger import TrustedLedger
from tallystick.core.validation import Term
from tallystick.sdk.contradictions import advanced, keeping, refuse_proven, settle
from tallystick.sdk.trust_store import TrustStore
from tallystick.sdk.wire import Wire
from tallystick_proto.v1.ledger_pb2 import Bundle, FindRequest
from tallystick_proto.v1.ledger_pb2 import Term as WireTerm
from tallystick_proto.v1.statement_pb2 import Ref

# A file replaced for every receipt would cost more than the receipt; a program that dies forgets a second of trust.
_REMEMBER_S = 1.0


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry that was shown and verified to be in its ledger."""

    bureau: str
    origin: str
    entry: Entry
    read: Read

    @property
    def reference(self) -> str:
        return f"{self.bureau}#{self.entry.index}"

    @property
    def ref(self) -> Ref:
        """The citation of this entry."""
        return Ref(origin=self.origin, index=self.entry.index, leaf=leaf_hash(self.entry.raw))


class LedgerReader:
    """Reads one ledger and believes nothing. Not for use by several threads at once."""

    def __init__(self, wire: Wire, trust: TrustStore) -> None:
        self.wire = wire
        self.bureau: Bureau = wire.bureau
        self._trust = trust
        self._stored = trust.load(self.bureau.origin)
        self._remembered_at = float("-inf")
        self._ledger = self._trusting(self._stored)

    @property
    def trusted(self) -> TrustedLedger:
        """What this client has verified of the ledger so far."""
        return self._ledger

    def close(self) -> None:
        """Write down what was verified, and close the connection."""
        try:
            # Where the node cannot compare two checkpoints this client trusted, the one that was written stays.
            with suppress(Unreachable, RolledBack):
                self.remember()
        finally:
            self.wire.close()

    def refresh(self) -> Checkpoint:
        """The node's checkpoint now, checked to extend the trusted one. Raises RolledBack, Forked, Unreconciled."""
        self.check_evidence()
        self._reload()
        answer = self.wire.checkpoint(self._ledger.size)
        checkpoint = self.advance(answer.checkpoint, answer.consistency)
        settle(self.wire, self._trust, self._ledger)
        return checkpoint

    def check_evidence(self) -> None:
        """Raises Forked where this client keeps evidence against the ledger's key, ConfigInvalid where that is none.

        Whoever removes the file has this client read the ledger again, from the checkpoint it trusted before.
        """
        refuse_proven(self._trust, self.bureau)

    def watch(self) -> Generator[Checkpoint, None, None]:
        """The checkpoint now and each one signed later, checked to extend the one before; it never ends by itself."""
        self.check_evidence()
        self._reload()
        for answer in self.wire.watch_checkpoints(self._ledger.size):
            yield self.advance(answer.checkpoint, answer.consistency)

    def advance(self, note: bytes, consistency: Sequence[bytes]) -> Checkpoint:
        """Trust a checkpoint that came with a proof from the trusted size; written down at once or within a second,
        later where another program is at it, and at the latest by `close`.
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
            self._ledger.prove_floor(self.wire.prove_consistency(floor.size, size).hashes if inside else ())
        except TallystickError:
            self._ledger = self._trusting(self._stored)  # what was not shown to extend it is not trusted, nor written
            raise

    def remember(self, *, wait: bool = True) -> None:
        """Write the trusted checkpoint down, after making sure that it fits what another command wrote meanwhile.

        A later one of another command stays; this session goes on from its own, where its next proofs start.
        """
        note = self._ledger.note
        if note is None or note == self._stored:
            return
        self._remembered_at = time.monotonic()
        with self._trust.replacing(self.bureau.origin, wait=wait) as there:
            if there is not None and there != self._stored and self.reconcile(there).size > self._ledger.size:
                return
            self._trust.save(self.bureau.origin, note)
            self._stored = note

    def entries(self, first: int = 0, end: int | None = None, size: int | None = None) -> Iterator[Shown]:
        """Entries [first, end), oldest first, verified; `end` is the trusted size if not given."""
        checkpoint = self._at_least(size)
        end = checkpoint.size if end is None else min(end, checkpoint.size)
        for bundle in self._bundles(first, end, checkpoint):
            yield from self._bundle(bundle, checkpoint)

    def raws(self, checkpoint: Checkpoint) -> Iterator[bytes]:
        """The bytes of every entry under a checkpoint that passed, each proven to stand there and not looked into."""
        for bundle in self._bundles(0, checkpoint.size, checkpoint):
            self._ledger.check_raws(bundle.first, bundle.entry, bundle.path, checkpoint)
            yield from bundle.entry

    def raw(self, index: int, checkpoint: Checkpoint) -> bytes:
        """The bytes of one entry below a checkpoint that passed, proven to stand there. Raises ProofFailed."""
        for bundle in self._bundles(index, index + 1, checkpoint):
            self._ledger.check_raws(bundle.first, bundle.entry, bundle.path, checkpoint)
            return bundle.entry[0]
        raise self._misled("nothing", f"#{index}")

    def _bundles(self, first: int, end: int, checkpoint: Checkpoint) -> Iterator[Bundle]:
        """What the node answers for [first, end): adjacent bundles without a gap, not yet verified."""
        wanted = first
        if first >= end:
            return
        for bundle in self.wire.read_entries(first, end, checkpoint.size):
            if bundle.first != wanted or not 1 <= len(bundle.entry) <= end - wanted:
                raise self._misled(f"{len(bundle.entry)} entries from #{bundle.first}", f"#{wanted} to #{end - 1}")
            yield bundle
            wanted += len(bundle.entry)
        if wanted != end:
            raise self._misled(f"entries up to #{wanted}", f"up to #{end}")

    def entry(self, index: int) -> Shown:
        """One entry, verified to be in the ledger. Raises NotFound, ProofFailed."""
        size = self._at_least(index + 1).size
        if index >= size:
            raise NotFound(f"there is no #{index}", where=self.bureau.id, expected=f"an entry below #{size}")
        for shown in self.entries(index, index + 1, size):
            return shown
        raise self._misled("nothing", f"#{index}")

    def find(
        self,
        terms: Iterable[Term] = (),
        *,
        first: int = 0,
        end: int = 0,
        newest_first: bool = False,
        limit: int = 0,
        follow: bool = False,
        checkpoint: Checkpoint | None = None,
    ) -> Iterator[Shown]:
        """Entries whose heads carry all the terms. Each is verified; that none was left out, nobody can see from here.

        With `follow` it goes on with what is recorded later, and never ends by itself. It is asked under a checkpoint
        that passed, which is refreshed first where none is given.
        """
        checkpoint = checkpoint or self.refresh()
        note = self._ledger.note
        wanted = set(terms)
        request = FindRequest(
            origin=self.bureau.origin,
            term=[WireTerm(field=number, value=value) for number, value in sorted(wanted)],
            first=first,
            end=end,
            size=checkpoint.size,
            newest_first=newest_first,
            limit=limit if limit <= FIND_PAGE_ENTRIES_MAX else 0,
            follow=follow,
        )
        left = limit or LEDGER_ENTRIES_MAX
        last: int | None = None
        for bundle in self.wire.find(request):
            if bundle.checkpoint:
                if not follow:
                    raise self._misled("a later checkpoint", "an answer about the one that was asked for")
                checkpoint = self._follow(note, bundle)
                note = bundle.checkpoint
            if not bundle.entry:
                continue
            for shown in self._bundle(bundle, checkpoint):
                index = shown.entry.index
                if last is not None and (index >= last if newest_first else index <= last):
                    raise self._misled(f"#{index} after #{last}", "each entry once, in the order asked for")
                carried = set(terms_of(shown.read.statement))
                if shown.entry.signed is not None:
                    carried.add((0, shown.entry.signed.submission_id))
                if not wanted <= carried or index < first or (end and index >= end):
                    raise self._misled(f"#{index}", "entries that carry what was asked for")
                last = index
                yield shown
                left -= 1
                if left == 0:
                    return

    def show(self, index: int) -> Proven:
        """One entry with its author, all of it verified: in the ledger, signed, and by a key registered before."""
        proven, _, _ = self._presence(index)
        return proven

    def prove(self, index: int) -> bytes:
        """An evidence file for one entry, verified before it is returned."""
        _, file, _ = self._presence(index)
        return file

    def _presence(self, index: int) -> tuple[Proven, bytes, Checkpoint]:
        checkpoint = self._at_least(index + 1)
        answer = self.wire.prove_presence(index, checkpoint.size)
        try:
            proven = check_presence(answer.presence, index, answer.inclusion, self.bureau, checkpoint)
        except ProofFailed as error:
            raise ProofFailed(
                f"what was shown is not in the ledger its node signed ({error.what})",
                where=f"{self.bureau.id}#{index}",
                expected="a path to the signed root",
            ) from None
        assert self._ledger.note is not None
        return proven, format_presence(answer.presence, index, answer.inclusion, self._ledger.note), checkpoint

    def _at_least(self, size: int | None) -> Checkpoint:
        """The trusted checkpoint of this session, refreshed unless it is known to reach `size`."""
        if size is not None and self._fresh and self._ledger.size >= size:
            return self._ledger.checkpoint
        checkpoint = self.refresh()
        self._fresh = True
        return checkpoint

    _fresh = False

    def _bundle(self, bundle: Bundle, checkpoint: Checkpoint) -> Iterator[Shown]:
        for entry in self._ledger.check_bundle(bundle.first, bundle.entry, bundle.path, checkpoint):
            try:
                statement = read(entry.statement)
            except MalformedEntry as error:
                raise error.at(f"{self.bureau.id}#{entry.index}") from None
            yield Shown(self.bureau.id, self.bureau.origin, entry, statement)

    def _misled(self, what: str, expected: str) -> TallystickError:
        return ProofFailed(f"its node answered {what}", where=self.bureau.id, expected=expected)

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
        with keeping(self._trust, self.bureau.origin, ledger.note, note):
            return advanced(self.wire, ledger, note, consistency)

    def _reload(self) -> None:
        """Take up what another command of this client has verified since."""
        there = self._trust.load(self.bureau.origin)
        if there is not None and there != self._stored and self._ledger.note == self._stored:
            self._ledger = self._trusting(there)
            self._stored = there

    def _follow(self, before: bytes | None, bundle: Bundle) -> Checkpoint:
        """The checkpoint of a stream that goes on. Other calls may have moved the trusted one on meanwhile."""
        if self._ledger.note == before:
            return self.advance(bundle.checkpoint, bundle.consistency)
        shown = self._advanced(self._trusting(before), bundle.checkpoint, bundle.consistency)
        self.reconcile(bundle.checkpoint)
        return shown

    def reconcile(self, note: bytes) -> Checkpoint:
        """A checkpoint that came another way than the trusted one: either must extend the other.

        Raises RolledBack, Forked or Unreconciled where the node does not show that.
        """
        other, mine = self._trusting(note), self._trusting(self._ledger.note)
        shown = other.checkpoint
        small, large = (other, mine) if other.size <= mine.size else (mine, other)
        assert large.note is not None
        with keeping(self._trust, self.bureau.origin, self._ledger.note, note):
            try:
                proof = self.wire.prove_consistency(small.size, large.size).hashes if small.size < large.size else ()
            except NotFound as error:
                raise RolledBack(
                    f"{self.bureau.id} has signed {large.size} entries, and does not have them ({error.what})",
                    expected="a ledger that only grows",
                    known=large.size,
                ) from None
        self._advanced(small, large.note, proof)
        return shown
