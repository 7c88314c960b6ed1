"""Who cosigned a ledger's checkpoint, and whether they are enough under a charter.

A cosigned checkpoint is one note with the ledger's signature and, after it, cosignatures. A cosignature says: "I hold
all of it up to here, and it extends what I held". It counts where the charter names its key as that of a witness of
this ledger; of witnesses with one credit code, one counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from tallystick.core.charter import Bureau, Charter
from tallystick.core.checkpoint import Checkpoint, open_checkpoint
from tallystick.core.cosignature import check_cosignature
from tallystick.core.note import open_note


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness, and the second since 1970 at which it cosigned."""

    witness: Bureau
    at_s: int


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


def open_cosigned(note: bytes, charter: Charter, bureau: Bureau) -> Witnessed:
    """The checkpoint in a note that the ledger's key signed, and which of its witnesses cosigned it.

    Raises MalformedNote, or SignatureInvalid where the ledger's signature or a witness's does not hold; signatures of
    others are not looked at.
    """
    by_key = {witness.witness_verifier: witness for witness in charter.witnesses_of(bureau)}
    checkpoint = open_checkpoint(note, bureau.ledger_verifier, bureau.ends)
    opened = open_note(note, [*dict.fromkeys((bureau.ledger_verifier, *bureau.ends)), *by_key])
    signatures = {(signature.name, signature.key_id): signature for signature in opened.note.signatures}
    return Witnessed(
        checkpoint,
        tuple(
            Cosigner(by_key[key], check_cosignature(opened.note.text, signatures[key.name, key.key_id], key))
            for key in opened.verified
            if key in by_key
        ),
    )
