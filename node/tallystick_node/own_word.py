"""What this node's own ledger key signed, wherever it is shown: the ledger has it, or nothing more is written.

A checkpoint of this ledger may come back from a witness that holds it, from a peer, from anybody. If the ledger's own
key signed it, it is either a state this database went through, or there is a history that this database does not have:
it was put back from an older copy, or somebody else writes with the key. Which of the two, the note does not say.
Either way the next signature might be the second of two histories: the first such note ends writing. Reading goes on.

Of a key that the charter retired nothing is to be learned: the ledger extends the floor at which that key ends, or the
node does not start, and what it signs from now on, whoever has it, is another history below that, or nobody's.
"""

from __future__ import annotations

from typing import Final

import structlog

from tallystick.core.charter import Bureau
from tallystick.core.checkpoint import Checkpoint, open_checkpoint
from tallystick.core.errors import BehindSigned
from tallystick_node.sequencer import Sequencer
from tallystick_node.starting_rule import is_prefix

log = structlog.get_logger()

WHAT_TO_DO: Final = (
    "every entry it signed for; this database was put back from an older copy, or another writer has its key: stop it, "
    "and rebuild the ledger from its witnesses (docs/operating.md, `tallyd recover`)"
)


def present_word(note: bytes, own: Bureau) -> Checkpoint:
    """The checkpoint in a note by the key that a ledger has now. Raises MalformedNote or SignatureInvalid."""
    key = own.ledger_verifier
    return open_checkpoint(note, key, {each: size for each, size in own.ends.items() if each == key})


class OwnWord:
    """Holds what is shown of one ledger against what is here. Use within the sequencer's event loop."""

    def __init__(self, sequencer: Sequencer, own: Bureau) -> None:
        self._sequencer = sequencer
        self._own = own

    def check(self, note: bytes, by: str) -> Checkpoint:
        """The checkpoint in a note that `by` showed.

        Raises MalformedNote or SignatureInvalid where it is not this ledger's word and proves nothing, and BehindSigned
        where it is, and the ledger does not have it: from then on nothing is written.
        """
        signed = present_word(note, self._own)
        ledger = self._sequencer.ledger
        if not is_prefix(signed, ledger.state.size, ledger.root_at):
            raise self.lacking(signed, by)
        return signed

    def lacking(self, signed: Checkpoint, by: str) -> BehindSigned:
        """End writing for what the key signed, as `by` shows, and the ledger lacks; returns why, to be raised."""
        ledger = self._sequencer.ledger
        size = ledger.state.size
        here = f"{size} are here" if signed.size > size else f"the {size} that are here are others"
        why = BehindSigned(
            f"{by} shows {signed.size} entries signed with its key, and {here}",
            where=ledger.origin,
            expected=WHAT_TO_DO,
            known=signed.size,
        )
        log.error("this ledger lacks what its key signed: no more is written", shown_by=by, reason=str(why))
        self._sequencer.stop_writing(why)
        return why
