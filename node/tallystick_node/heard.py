"""What this node holds of every ledger but its own: checkpoints that it cosigned or was told of, and evidence.

Whoever brings them (`gossip`, a caller, this node's own copies), they are taken in the same way (`core/reconciling`):
what extends what is held takes its place, what needs a proof is kept apart, what proves two histories is kept
(`proven`). Notes of this node's own ledger are held against that ledger (`own_word`). What is held is written down when
something new was heard.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import Final

import structlog
from google.protobuf.message import DecodeError

from tallystick.core.charter import Bureau, Charter
from tallystick.core.equivocation import parse_equivocation
from tallystick.core.errors import (
    BehindSigned,
    Forked,
    NotFound,
    SignatureInvalid,
    StorageFailed,
    TallystickError,
    VerificationFailed,
)
from tallystick.core.news import Holding, ledger_number
from tallystick.core.note import parse_note
from tallystick.core.reconciling import APART_MAX, Account, Seen, see
from tallystick_node import keyspace
from tallystick_node.own_word import OwnWord
from tallystick_node.proven import Proven
from tallystick_node.shelf import Shelf
from tallystick_node.store.store import Batch, Store
from tallystick_proto.v1.storage_pb2 import Gossiped

log = structlog.get_logger()

_SHOWN_MAX: Final = 1 + APART_MAX

Brought = tuple[Account, Seen]
"""A checkpoint that is new here, and of which ledger."""


class Heard:
    """Use within one event loop; `load` before the first call, `stop` after the last."""

    def __init__(
        self, charter: Charter, own: Bureau, store: Store, shelf: Shelf, own_word: OwnWord | None, proven: Proven
    ) -> None:
        self.accounts = {each.origin: Account(charter, each) for each in charter.ledgers if each.id != own.id}
        self.proven = proven
        self.changed: set[str] = set()
        """The origins of which something new was heard, or settled, and not written down."""
        self.lately: dict[str, None] = {}
        """The origins of which a checkpoint was heard that is new here, since the start, the newest last."""
        self._charter = charter
        self._own = own
        self._store = store
        self._shelf = shelf
        self._own_word = own_word
        self._own_seen: Seen | None = None
        self._numbers = {ledger_number(each.origin): each.origin for each in charter.ledgers}
        self._copied: dict[str, list[bytes]] = {}
        self.brought: list[Brought] = []
        """What the round that goes on brought, to be tried even where it is apart no more."""
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="heard-write")

    def load(self) -> None:
        """Take up what was kept; under a floor it has to be proven anew."""
        self.proven.load()
        for origin, account in self.accounts.items():
            notes = self._copied_notes(origin)
            kept = Gossiped()
            with suppress(DecodeError):  # damaged: it is heard again
                kept = Gossiped.FromString(self._store.get(keyspace.gossip(origin)) or b"")
            with suppress(VerificationFailed):  # of an earlier charter
                account.past = [see(note, self._charter, account.bureau) for note in kept.past]
            for note in kept.past:
                with suppress(TallystickError):  # most are not cosigned by this node
                    self._shelf.remind(origin, note)
            for note in (*notes, *kept.note):
                try:
                    account.show(note)
                    with suppress(TallystickError):
                        self._shelf.remind(origin, note)
                except Forked as error:
                    self.proven.hold(error.evidence)
                except VerificationFailed as error:  # of an earlier charter
                    log.info("a checkpoint is not believed any more", ledger=account.bureau.id, reason=str(error))
        if evidence := self.proven.against(self._own):
            self._check_own(evidence)

    async def stop(self) -> None:
        """Write down what was heard last."""
        with suppress(StorageFailed):
            await self.keep()
        self._disk.shutdown(wait=True)

    # What is brought.

    async def take(self, notes: Iterable[bytes], evidence: Iterable[bytes], by: str) -> list[Brought]:
        """Take in what `by` shows, and tell what of it is new. What does not verify proves nothing, and is left out; so
        is more of a ledger than anybody has to show.
        """
        brought: list[Brought] = []
        for file in islice(evidence, len(self.accounts) + 1):
            with suppress(TallystickError):
                if self.proven.hold(file) == self._own:
                    self._check_own(file)
                await self.proven.write()
            await asyncio.sleep(0)  # as between notes
        shown = Counter[str]()
        for note in notes:
            try:
                origin = parse_note(note).text.partition("\n")[0]
                shown[origin] += 1
                if shown[origin] <= _SHOWN_MAX:
                    brought += await self._take(origin, note, by)
            except TallystickError as error:
                log.debug("a checkpoint is not taken in", shown_by=by, reason=str(error))
            await asyncio.sleep(0)  # each costs some signatures; others want to be served in between
        return brought

    async def _take(self, origin: str, note: bytes, by: str) -> list[Brought]:
        account = self.accounts.get(origin)
        if origin == self._own.origin:
            if self._own_word is not None:  # an observer has no ledger to have signed for
                self._own_word.check(note, by)
        elif account is not None and self.proven.against(account.bureau) is None:
            try:
                before = {seen.checkpoint for seen in account.known}
                if seen := account.show(note):
                    self.changed.add(origin)
                    if seen.checkpoint not in before:
                        self.lately.pop(origin, None)
                        self.lately[origin] = None
                    with suppress(TallystickError):  # most are not cosigned by this node
                        self._shelf.remind(origin, note)
                    return [(account, seen)]
            except Forked as error:
                await self.proven.keep(error.evidence)
        return []

    async def take_copies(self) -> None:
        """What this node has cosigned itself is news as what others bring; so is what kept it from cosigning."""
        for origin in self._shelf.origins:
            notes = self._copied_notes(origin)
            if self._copied.get(origin) != notes:
                brought = await self.take(notes, (), self._own.id)
                self.brought += brought  # not in one: meanwhile a round may have begun to settle what there was
                self._copied[origin] = notes

    def _copied_notes(self, origin: str) -> list[bytes]:
        try:
            return [note for note in (self._shelf.at(origin).note, self._shelf.contradicting(origin)) if note]
        except NotFound:
            return []

    def _check_own(self, evidence: bytes) -> None:
        """Of two histories under this node's own key, it has one at most: it writes no more."""
        assert self._own_word is not None  # nothing is proven against an observer, which signs no checkpoint
        two = parse_equivocation(evidence)
        for note in (two.smaller, two.larger):
            with suppress(BehindSigned, SignatureInvalid):  # or by a key that was retired: then it is history
                self._own_word.check(note, "evidence")

    # What is held.

    def known(self, origin: str) -> list[bytes]:
        """Every checkpoint of another's ledger that is held, or kept apart."""
        account = self.accounts.get(origin)
        return [] if account is None else [seen.note for seen in account.known]

    def past(self, origin: str) -> list[bytes]:
        """Some of those that were held before."""
        account = self.accounts.get(origin)
        return [] if account is None else [seen.note for seen in account.past]

    def holdings(self, named: Collection[str] | None = None) -> dict[int, Holding]:
        """What there is to be told, by ledger: of those named by their origins and those that evidence is held against,
        or of all of them, the own one among them.
        """
        proven = {bureau.origin for bureau, _ in self.proven.all() if self.proven.against(bureau) is not None}
        return {
            ledger: self._holding(origin)
            for ledger, origin in self._numbers.items()
            if named is None or origin in named or origin in proven
        }

    def origins(self, ledgers: Iterable[int]) -> set[str]:
        """The origins of ledgers, as lines call them; of those that this charter has."""
        return {self._numbers[ledger] for ledger in ledgers if ledger in self._numbers}

    def _holding(self, origin: str) -> Holding:
        account = self.accounts.get(origin)
        if account is None:
            return Holding(self._own_checkpoint(), (), self.proven.against(self._own))
        evidence, past = self.proven.against(account.bureau), tuple(account.past)
        return Holding(account.held, tuple(account.apart), evidence, past, frozenset(account.doubted))

    def _own_checkpoint(self) -> Seen | None:
        own = self._shelf.own
        assert own is not None  # an observer's ledger is none of the charter's
        with suppress(TallystickError):  # it has nothing to show while it starts
            note = own.note
            if self._own_seen is None or self._own_seen.note != note:
                self._own_seen = see(note, self._charter, self._own)
        return self._own_seen

    async def keep(self) -> None:
        """Write down what is held of the ledgers that something new was heard of."""
        changed, self.changed = self.changed, set()
        batch = Batch()
        for origin in sorted(changed):
            kept = Gossiped(note=self.known(origin), past=self.past(origin))
            batch.put(keyspace.gossip(origin), kept.SerializeToString())
        try:
            if changed:
                await asyncio.get_running_loop().run_in_executor(self._disk, self._store.stage(batch))
        except TallystickError:
            self.changed |= changed
            raise
