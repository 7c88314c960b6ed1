"""What somebody holds of a ledger that others speak of too: the newest checkpoint, and what does not fit it.

A checkpoint that is shown is held against what is known, in this order, the numbers as in the code:

  1. it is signed by a key that vouches for it, and whatever else signed it is a witness of the charter, or left out;
  2. at the size of one that is known, or was held before, it has the same root, else that is evidence at once; the
     same checkpoint again brings its cosignatures, and one that was settled no more than these;
  3. below the floor it says nothing; where nothing is known and no floor pinned, it is believed, being the first;
  4. otherwise a proof from the smaller to the larger size settles it: it is of the one history, and is held if it is
     the larger; or the proof shows that it is of another, and is evidence.

Until it is settled it is kept apart, a suspicion at most: that nobody shows a proof, or shows one that fails, proves
nothing, and a later proof clears it. Of these a few are kept, those that were doubted before others, and the newest of
them; and a few of those that were held before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from tallystick.core.charter import Bureau, Charter
from tallystick.core.checkpoint import Checkpoint, format_checkpoint
from tallystick.core.equivocation import keep_cosigners, witness_keys
from tallystick.core.errors import Forked, ProofFailed, Unreconciled
from tallystick.core.merkle import check_consistency
from tallystick.core.note import Note, NoteSignature, format_note, parse_note
from tallystick.core.trusted_ledger import TrustedLedger
from tallystick.core.witnessing import open_cosigned

APART_MAX: Final = 4
"""How many checkpoints of a ledger are kept apart."""

PAST_MAX: Final = 4
"""How many that were held before, and overtaken."""

SETTLED_MAX: Final = 8
"""How many are remembered of those that were settled, or overtaken."""


@dataclass(frozen=True, slots=True)
class Said:
    """A witness's cosignature, and the second in it."""

    signature: NoteSignature
    at_s: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A ledger's checkpoint, the ledger's signatures on it, and by witness the newest cosignature that was shown."""

    checkpoint: Checkpoint
    own: tuple[NoteSignature, ...]
    said: Mapping[str, Said]

    @property
    def size(self) -> int:
        return self.checkpoint.size

    @property
    def newest_s(self) -> int:
        """The second of the newest cosignature; 0 where there is none."""
        return max((said.at_s for said in self.said.values()), default=0)

    @property
    def note(self) -> bytes:
        """The note that shows all this."""
        cosignatures = (said.signature for _, said in sorted(self.said.items()))
        return format_note(Note(format_checkpoint(self.checkpoint), (*self.own, *cosignatures)))

    def with_said(self, other: Seen) -> Seen:
        """The same checkpoint with what another note of it shows too; itself where that is nothing new."""
        newer = {
            witness: said
            for witness, said in other.said.items()
            if witness not in self.said or self.said[witness].at_s < said.at_s
        }
        return replace(self, said={**self.said, **newer}) if newer else self


def see(note: bytes, charter: Charter, bureau: Bureau) -> Seen:
    """Reads a checkpoint, with the ledger's own signatures and its witnesses', and no others.

    Raises MalformedNote, SignatureInvalid.
    """
    found = open_cosigned(note, charter, bureau)  # 1
    by_key = {(each.name, each.key_id): each for each in parse_note(note).signatures}
    keys = (key for key in dict.fromkeys((bureau.ledger_verifier, *bureau.ends)) if key.name == bureau.origin)
    own = tuple(by_key[key.name, key.key_id] for key in keys if (key.name, key.key_id) in by_key)
    said = {}
    for cosigner in found.cosigners:
        key = cosigner.witness.witness_verifier
        said[cosigner.witness.id] = Said(by_key[key.name, key.key_id], cosigner.at_s)
    return Seen(found.checkpoint, own, said)


def compare(bureau: Bureau, smaller: bytes, larger: bytes, proof: Sequence[bytes], root: bytes | None = None) -> None:
    """Two notes of a ledger, in the order of their sizes, are of one history, by a proof from the one to the other.

    `root` is what is shown as the smaller size's root, for where a proof does not tell it. Raises Forked where they
    are not, Unreconciled where nothing is proven.
    """
    TrustedLedger(bureau.id, bureau.ledger_verifier, smaller, ends=bureau.ends).advance(larger, proof, root)


class Account:
    """What is known of one ledger. Nothing is believed that is not signed, and nothing concluded that is not proven."""

    def __init__(self, charter: Charter, bureau: Bureau) -> None:
        self.charter = charter
        self.bureau = bureau
        self.held: Seen | None = None
        self.apart: list[Seen] = []
        self.past: list[Seen] = []
        self.doubted: set[Checkpoint] = set()
        """Those apart that nobody could settle so far."""
        self._settled: list[Checkpoint] = []
        self._floor = bureau.pinned

    @property
    def lacks_quorum(self) -> bool:
        """Whether fewer are known to have cosigned what is held than make a quorum; never where the ledger has none."""
        return len(() if self.held is None else self.held.said) < self._needed

    @cached_property
    def _needed(self) -> int:
        quorum = self.charter.quorum_of(self.bureau)
        return 0 if quorum is None else quorum.needed

    @property
    def known(self) -> list[Seen]:
        """Every checkpoint that is held, or kept apart."""
        return self.apart if self.held is None else [self.held, *self.apart]

    def show(self, note: bytes) -> Seen | None:
        """Take a checkpoint in, apart where it needs a proof; what is known of it now, None where that is nothing new.

        Raises Forked, MalformedNote, SignatureInvalid.
        """
        seen = see(note, self.charter, self.bureau)
        for known in (*self.known, *self.past):
            if known.size == seen.size and known.checkpoint != seen.checkpoint:
                self._compare_equal(known, seen)  # 2
        for place, known in enumerate(self.apart):
            if known.checkpoint == seen.checkpoint:
                self.apart[place] = known.with_said(seen)
                return None if self.apart[place] is known else self.apart[place]
        held, floor = self.held, self._floor
        if held is not None and held.checkpoint == seen.checkpoint:
            self.held = held.with_said(seen)
            return None if self.held is held else self.held
        if seen.checkpoint in self._settled:
            self.past = [each.with_said(seen) if each.checkpoint == seen.checkpoint else each for each in self.past]
            return None
        if (floor is not None and seen.size < floor.size) or (held is not None and not seen.size):
            return None  # 3
        if seen.checkpoint == floor and held is not None:
            return None  # what is held extends it
        if (held is None and floor is None) or (held is not None and not held.size) or seen.checkpoint == floor:
            self.held = seen
            return seen
        self._keep_apart(seen)
        return seen

    def _keep_apart(self, seen: Seen) -> None:
        """Before what is doubted anything else makes room: a busy ledger's news, and its forker's, come without end."""
        apart = self.apart
        if len(apart) == APART_MAX:
            dropped = next((each for each in apart if each.checkpoint not in self.doubted), apart[0])
            apart = [each for each in apart if each is not dropped]
        self.apart = [*apart, seen]
        self.doubted &= {each.checkpoint for each in self.apart}

    def wanted(self, seen: Seen) -> tuple[int, int]:
        """From which size to which a proof would settle a checkpoint that is kept apart."""
        size = self._base.size
        return min(size, seen.size), max(size, seen.size)

    def settle(self, seen: Seen, proof: Sequence[bytes], root: bytes | None = None) -> None:
        """Settle what is kept apart, by a proof as `wanted` says. Raises Forked; Unreconciled, and it stays apart."""
        if self.held is not None:
            smaller, larger = sorted((self.held, seen), key=lambda each: each.size)
            self._compare(smaller, larger, proof, root)  # 4
        else:
            self._check_floor(seen, proof)
        self.clear(seen)
        if self.held is None or self.held.size < seen.size:
            if self.held is not None and self.held.size:
                self.past = [*self.past, self.held][-PAST_MAX:]
                self.clear(self.held)
            self.held = seen

    def clear(self, seen: Seen) -> None:
        """A checkpoint is of the one history after all: it is apart no more."""
        self.apart = [other for other in self.apart if other.checkpoint != seen.checkpoint]
        self.doubted.discard(seen.checkpoint)
        self._settled = [*self._settled, seen.checkpoint][-SETTLED_MAX:]

    def doubt(self, seen: Seen) -> None:
        """Nobody who was asked could settle what is kept apart."""
        self.doubted = {each.checkpoint for each in self.apart} & {*self.doubted, seen.checkpoint}

    def _check_floor(self, seen: Seen, proof: Sequence[bytes]) -> None:
        """What extends no floor is not held, and proves nothing: the floor is the charter's word, not the key's."""
        floor = self._base
        try:
            check_consistency(floor.size, floor.root, seen.size, seen.checkpoint.root, proof)
        except ProofFailed as error:
            raise Unreconciled(
                f"{self.bureau.id} does not show that its {seen.size} entries extend the {floor.size} the charter pins"
                f" ({error.what})",
                expected="a ledger that extends its floor",
                known=floor.size,
            ) from None

    def _compare_equal(self, known: Seen, seen: Seen) -> None:
        with suppress(Unreconciled):  # by two keys of the ledger, of which each may have signed one history
            self._compare(known, seen, ())

    def _compare(self, smaller: Seen, larger: Seen, proof: Sequence[bytes], root: bytes | None = None) -> None:
        try:
            compare(self.bureau, smaller.note, larger.note, proof, root)
        except Forked as error:
            raise self.naming_cosigners(error, (smaller.note, larger.note)) from None

    def naming_cosigners(self, error: Forked, shown: Iterable[bytes] = ()) -> Forked:
        """The same error; its evidence says which witnesses cosigned both notes too, by what is known and by notes that
        were shown. Raises MalformedNote for one that does not read.
        """
        notes = (*(seen.note for seen in (*self.known, *self.past)), *shown)
        evidence = keep_cosigners(error.evidence, notes, witness_keys(self.charter))
        return Forked(error.what, where=error.where, expected=error.expected, known=error.known, evidence=evidence)

    @property
    def _base(self) -> Checkpoint:
        base = self._floor if self.held is None else self.held.checkpoint
        assert base is not None
        return base
