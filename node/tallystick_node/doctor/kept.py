"""A checkpoint that a database keeps: it may be from before the charter ended the key that signed it.

What a key signed above where a later version ends it is the key's word no more, and was when it was kept: a witness
still holds it, to say so to whoever recovers the ledger.
"""

from __future__ import annotations

from tallystick.core.charter import Bureau
from tallystick.core.checkpoint import Checkpoint, open_checkpoint
from tallystick.core.limits import LEDGER_ENTRIES_MAX


def open_kept(note: bytes, bureau: Bureau) -> Checkpoint:
    """The checkpoint in a note by a key that the ledger has or had, of whatever size.

    Raises MalformedNote, SignatureInvalid.
    """
    return open_checkpoint(note, bureau.ledger_verifier, dict.fromkeys(bureau.ends, LEDGER_ENTRIES_MAX))
