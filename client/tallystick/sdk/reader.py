"""Verified reading of one bureau's ledger: a thin driver that fetches and feeds `TrustedLedger`.

What is shown is checked against the checkpoint this client trusts (`ledger_trust`), whichever node shows it. Where one
falls silent in the middle of an answer, the next goes on where it ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from tallystick.core.checkpoint import Checkpoint
from tallystick.core.entry import Entry
from tallystick.core.errors import MalformedEntry, NotFound, ProofFailed, TallystickError
from tallystick.core.evidence import Proven, check_presence, format_presence
from tallystick.core.hashing import leaf_hash
from tallystick.core.kinds import BY_NAME, TERM_FIELDS
from tallystick.core.limits import FIND_PAGE_ENTRIES_MAX, LEDGER_ENTRIES_MAX
from tallystick.core.statement import Read, read
from tallystick.core.terms import Term, terms_of
from tallystick.sdk.ledger_trust import Known, LedgerTrust
from tallystick.sdk.wire import Wire
from tallystick_proto.v1.entry_pb2 import Disclosure
from tallystick_proto.v1.ledger_pb2 import Bundle, FindRequest
from tallystick_proto.v1.ledger_pb2 import Term as WireTerm
from tallystick_proto.v1.statement_pb2 import DisclosureErased, Ref

_ERASED: Final = BY_NAME[DisclosureErased.DESCRIPTOR.name]


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry that was shown and verified to be in its ledger; `keeper` is the bureau whose copy showed it, if any."""

    bureau: str
    origin: str
    entry: Entry
    read: Read
    keeper: str = ""

    @property
    def reference(self) -> str:
        return f"{self.bureau}#{self.entry.index}"

    @property
    def ref(self) -> Ref:
        """The citation of this entry."""
        return Ref(origin=self.origin, index=self.entry.index, leaf=leaf_hash(self.entry.raw))


class Trusted(NamedTuple):
    """A checkpoint of the history that this client trusts, and the note that says it."""

    checkpoint: Checkpoint
    note: bytes


class LedgerReader(LedgerTrust):
    """Reads one ledger and believes nothing. Several threads may share it; each iterates what it asked for itself."""

    def entries(self, first: int = 0, end: int | None = None, size: int | None = None) -> Iterator[Shown]:
        """Entries [first, end), oldest first, verified; `end` is the trusted size if not given."""
        checkpoint = self._at_least(size)
        end = checkpoint.size if end is None else min(end, checkpoint.size)
        for bundle in self._bundles(first, end, checkpoint):
            yield from self._shown(bundle)

    def raws(self, checkpoint: Checkpoint) -> Iterator[bytes]:
        """The bytes of every entry under a checkpoint that passed, each proven to stand there and not looked into."""
        for bundle in self._bundles(0, checkpoint.size, checkpoint):
            yield from bundle.entry

    def raw(self, index: int, checkpoint: Checkpoint) -> bytes:
        """The bytes of one entry below a checkpoint that passed, proven to stand there. Raises ProofFailed."""
        return next(self._bundles(index, index + 1, checkpoint)).entry[0]

    def _bundles(self, first: int, end: int, checkpoint: Checkpoint) -> Iterator[Bundle]:
        """Entries [first, end) in adjacent bundles without a gap, each proven to stand where it is said to."""
        wanted = first
        while wanted < end:
            source = self._source()
            try:
                for bundle in source.read_entries(wanted, end, checkpoint.size):
                    if bundle.first != wanted or not 1 <= len(bundle.entry) <= end - wanted:
                        raise self._misled(
                            f"{len(bundle.entry)} entries from #{bundle.first}", f"#{wanted} to #{end - 1}"
                        )
                    self._ledger.check_raws(bundle.first, bundle.entry, bundle.path, checkpoint)
                    wanted += len(bundle.entry)
                    yield bundle
                if wanted != end:
                    raise self._misled(f"entries up to #{wanted}", f"up to #{end}")
            except TallystickError as error:
                self._leave(source, error)

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

        It is asked under a checkpoint that passed, which is refreshed first where none is given. With `follow` that is
        the present one, and it goes on with what is recorded later, and never ends by itself.
        """
        with self._lock:
            checkpoint = self.refresh() if checkpoint is None or follow else checkpoint
            known = self.known()
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
        while True:
            source = self._source()
            try:
                for bundle in source.find(request):
                    if bundle.checkpoint:
                        if not follow:
                            raise self._misled("a later checkpoint", "an answer about the one that was asked for")
                        self._check_current()
                        checkpoint = self.follow(known, bundle.checkpoint, bundle.consistency)
                        known = Known(checkpoint.size, bundle.checkpoint)
                    if bundle.entry:
                        self._ledger.check_raws(bundle.first, bundle.entry, bundle.path, checkpoint)
                    for shown in self._shown(bundle):
                        index = shown.entry.index
                        if last is not None and (index >= last if newest_first else index <= last):
                            raise self._misled(f"#{index} after #{last}", "each entry once, in the order asked for")
                        if not wanted <= _carried(shown) or index < first or (end and index >= end):
                            raise self._misled(f"#{index}", "entries that carry what was asked for")
                        last = index
                        yield shown
                        left -= 1
                        if left == 0:
                            return
                return
            except TallystickError as error:
                if follow:
                    raise
                self._leave(source, error)
            if last == 0 and newest_first:
                return
            if last is not None:
                request.MergeFrom(FindRequest(end=last) if newest_first else FindRequest(first=last + 1))
                request.limit = min(request.limit, left)

    def show(self, index: int, disclose: Sequence[str] | None = None) -> Proven:
        """One entry with its author, all of it verified: in the ledger, signed, and by a key registered before.

        With `disclose`, what opens these of its commitments as well, or all that one may see where none is named: asked
        of the ledger's own node, which records that it was shown. Raises NotAllowed, NotFound.
        """
        proven, _, _ = self._presence(index, disclose)
        return proven

    def prove(self, index: int, disclose: Sequence[str] | None = None, under: Trusted | None = None) -> bytes:
        """An evidence file for one entry, verified before it is returned; `disclose` as `show` takes it. It is proven
        under the newest checkpoint that is trusted, or the one given.
        """
        _, file, _ = self._presence(index, disclose, under)
        return file

    def _presence(
        self, index: int, disclose: Sequence[str] | None = None, under: Trusted | None = None
    ) -> tuple[Proven, bytes, Checkpoint]:
        with self._lock:
            checkpoint, note = under or (self._at_least(index + 1), self._ledger.note)
        assert note is not None
        disclosed = () if disclose is None else self._disclosed(index, disclose)
        return self._reading(lambda source: self._presence_at(source, index, checkpoint, note, disclosed))

    def _presence_at(
        self, source: Wire, index: int, checkpoint: Checkpoint, note: bytes, disclosed: Sequence[Disclosure]
    ) -> tuple[Proven, bytes, Checkpoint]:
        answer = source.prove_presence(index, checkpoint.size)
        presence = answer.presence
        del presence.disclosures[:]  # whatever a node shows, nothing is carried that was not asked for
        try:
            proven = check_presence(presence, index, answer.inclusion, self.bureau, checkpoint)
        except ProofFailed as error:
            raise ProofFailed(
                f"what was shown is not in the ledger its node signed ({error.what})",
                where=f"{self.bureau.id}#{index}",
                expected="a path to the signed root",
            ) from None
        if disclosed:
            presence.disclosures.extend(disclosed)
            proven = check_presence(presence, index, answer.inclusion, self.bureau, checkpoint)
        return proven, format_presence(presence, index, answer.inclusion, note), checkpoint

    def _disclosed(self, index: int, fields: Sequence[str]) -> Sequence[Disclosure]:
        """What the ledger's own node shows that opens these fields of an entry, or all it will where none is named."""
        disclosed = self.wire.disclose(index, fields).disclosure
        shown = {each.field for each in disclosed}
        if fields and not shown <= set(fields):
            raise self._misled("what opens other fields of an entry", "what was asked for")
        for field in fields:
            if field not in shown:
                by = self.erasures(index).get(field)
                why = f"its node holds nothing that opens {field}"
                raise NotFound(
                    why if by is None else f"{field} was erased, as #{by} says",
                    where=f"{self.bureau.id}#{index}",
                    expected="a disclosure that was not erased",
                )
        return disclosed

    def erasures(self, index: int) -> dict[str, int]:
        """The fields of an entry that its ledger says were erased, and the entry that says so; as its node answers.

        That nothing opens them any more is that node's word.
        """
        terms = [
            (TERM_FIELDS["kind"], str(_ERASED.number).encode()),
            (TERM_FIELDS["about"], f"{self.bureau.origin}#{index}".encode()),
        ]
        found = self.find(terms, first=index + 1, checkpoint=self._at_least(index + 1))
        return {shown.read.statement.disclosure_erased.field_path: shown.entry.index for shown in found}

    def _at_least(self, size: int | None) -> Checkpoint:
        """The trusted checkpoint of this session, refreshed unless it is known to reach `size`."""
        with self._lock:
            if size is not None and self._fresh and self._ledger.size >= size:
                return self._ledger.checkpoint
            checkpoint = self.refresh()
            self._fresh = True
            return checkpoint

    _fresh = False

    def _shown(self, bundle: Bundle) -> Iterator[Shown]:
        """The entries of a bundle that was proven. Raises MalformedEntry, for which the ledger's bureau answers."""
        for entry in self._ledger.decode(bundle.first, bundle.entry):
            try:
                statement = read(entry.statement)
            except MalformedEntry as error:
                raise error.at(f"{self.bureau.id}#{entry.index}") from None
            yield Shown(self.bureau.id, self.bureau.origin, entry, statement, self.keeper)

    def _misled(self, what: str, expected: str) -> TallystickError:
        return ProofFailed(f"its node answered {what}", where=self.bureau.id, expected=expected)


def _carried(shown: Shown) -> set[Term]:
    """The terms an entry carries."""
    carried = set(terms_of(shown.read.statement))
    if shown.entry.signed is not None:
        carried.add((0, shown.entry.signed.submission_id))
    return carried
