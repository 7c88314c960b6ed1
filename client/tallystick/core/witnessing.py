"""Who cosigned a ledger's checkpoint, and whether they are enough under a charter.

A cosigned checkpoint is one note with the ledger's signature and, after it, cosignatures. A cosignature says: "I hold
all of it up to here, and it extends what I held". It counts where the charter names its key as that of a witness of
this ledger; of witnesses with one credit code, one counts. What other bureaus of the charter cosigned, who observe or
are addressed, says the same of each, and counts to nothing (`others_of`).

A quorum's times bound when the ledger grew, whoever of f colluders among n witnesses lies (f = floor((n-1)/3); where it
is 0, one clock may still be wrong, and 1 is taken). Of times t1 <= … <= tm, one for each credit code: what stands below
the checkpoint was there by t(f+1), since somebody else than they had it then; and what is recorded with the note in
hand, not before t(m-f), since somebody else than they had not cosigned it yet. A time is the second it lies in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tallystick.core.charter import Bureau, Charter
from tallystick.core.checkpoint import Checkpoint, open_checkpoint
from tallystick.core.cosignature import check_cosignature
from tallystick.core.note import open_note, parse_note
from tallystick.core.quorum import Quorum

_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness, or who cosigns beside them, and the second since 1970 at which it did."""

    witness: Bureau
    at_s: int

    @property
    def at_us(self) -> int:
        """The same in microseconds."""
        return self.at_s * _SECOND_US


@dataclass(frozen=True, slots=True)
class TimeBounds:
    """In microseconds since 1970: what the checkpoint covers was there by one, what follows the note not before."""

    there_by_us: int
    not_before_us: int


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A ledger's checkpoint with the witnesses that cosigned it, in the order of their signatures."""

    checkpoint: Checkpoint
    cosigners: tuple[Cosigner, ...]

    @property
    def count(self) -> int:
        """How many count: one for each credit code."""
        return len({cosigner.witness.credit_code for cosigner in self.cosigners})

    def enough(self, charter: Charter) -> bool:
        """Whether they are a quorum of the ledger under the charter that `open_cosigned` was given."""
        quorum = charter.quorum_of(charter.by_origin(self.checkpoint.origin))
        return quorum is not None and self.count >= quorum.needed

    def bounds(self, charter: Charter) -> TimeBounds | None:
        """What the times of a quorum say; None where they are too few."""
        quorum = charter.quorum_of(charter.by_origin(self.checkpoint.origin))
        if quorum is None or self.count < quorum.needed:
            return None
        by_code = {cosigner.witness.credit_code: cosigner.at_s for cosigner in self.cosigners}
        times, lying = sorted(by_code.values()), max(1, quorum.colluders_expected)
        return TimeBounds((times[lying] + 1) * _SECOND_US, times[-1 - lying] * _SECOND_US)


def open_cosigned(note: bytes, charter: Charter, bureau: Bureau, *, past: bool = False) -> Witnessed:
    """The checkpoint in a note that the ledger's key signed, and which of its witnesses cosigned it.

    In one of the `past`, by keys too that they gave up since.

    Raises MalformedNote, or SignatureInvalid where the ledger's signature or a witness's does not hold; signatures of
    others are not looked at.
    """
    checkpoint = open_checkpoint(note, bureau.ledger_verifier, bureau.ends)
    return Witnessed(checkpoint, cosigners_of(note, charter, bureau, past=past))


def cosigners_of(note: bytes, charter: Charter, bureau: Bureau, *, past: bool = False) -> tuple[Cosigner, ...]:
    """Which witnesses of a ledger cosigned a note that a key of the ledger signed, whatever that still vouches for.

    Raises as `open_cosigned`.
    """
    return _cosigners(note, bureau, charter.witnesses_of(bureau), past=past)


def others_of(
    note: bytes, charter: Charter, bureau: Bureau, among: Iterable[Bureau], *, past: bool = False
) -> tuple[Cosigner, ...]:
    """Which of some bureaus of the charter cosigned a note that a key of the ledger signed, and are no witnesses of it.

    Raises as `open_cosigned`; signatures of bureaus that are not asked about are not looked at.
    """
    names = {signature.name for signature in parse_note(note).signatures}
    witnesses = {witness.id for witness in charter.witnesses_of(bureau)}
    others = [each for each in among if each.id not in witnesses and f"{each.origin}/witness" in names]
    return _cosigners(note, bureau, others, past=past) if others else ()


def _cosigners(note: bytes, bureau: Bureau, among: Iterable[Bureau], *, past: bool) -> tuple[Cosigner, ...]:
    by_key = {key: each for each in among for key in (each.witness_verifiers if past else [each.witness_verifier])}
    opened = open_note(note, [*dict.fromkeys((bureau.ledger_verifier, *bureau.ends)), *by_key])
    signatures = {(signature.name, signature.key_id): signature for signature in opened.note.signatures}
    return tuple(
        Cosigner(by_key[key], check_cosignature(opened.note.text, signatures[key.name, key.key_id], key))
        for key in opened.verified
        if key in by_key
    )


def witnessed_size(shown: Iterable[Witnessed], quorum: Quorum) -> int:
    """The size that a quorum covers, by checkpoints of one history: who cosigned a larger one covers a smaller."""
    reached: dict[str, int] = {}
    for each in shown:
        for cosigner in each.cosigners:
            code = cosigner.witness.credit_code
            reached[code] = max(each.checkpoint.size, reached.get(code, 0))
    sizes = sorted(reached.values(), reverse=True)
    return sizes[quorum.needed - 1] if len(sizes) >= quorum.needed else 0
