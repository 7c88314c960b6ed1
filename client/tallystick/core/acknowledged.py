"""A checkpoint that was shown once, judged by a later charter: does its ledger still answer for it?

A version of the charter ends a key's word at the ledger's floor: a retired key's, or that of a closed ledger. A
checkpoint at or below it is *vouched* for, as before. Beyond it the ledger may all the same hold what was signed:
then it is *held*, by the word of the key that came after. Where it holds other entries there, or ends at its floor,

- with fewer cosignatures than the ledger's quorum it is *acknowledged-lost*: the ledger was recovered, or ended,
  without what stood there, and the charter's holders have said so. It accuses nobody;
- with a quorum's, it is *equivocation*: enough bureaus held what the ledger now denies.

As long as nobody has shown what the ledger holds at that size, it is *open*: a note and a charter alone convict nobody.
And what the note proves is that the key signed it: whose hand that was it does not say. Only cosignatures under the
keys that the charter names now are counted: one under a key that a witness gave up could be made later.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tallystick.core.charter import Bureau, Charter
from tallystick.core.checkpoint import Checkpoint, open_of_any_size
from tallystick.core.limits import LEDGER_ENTRIES_MAX
from tallystick.core.note import parse_note
from tallystick.core.witnessing import cosigners_of


class Verdict(Enum):
    """What becomes of a checkpoint that was acknowledged."""

    VOUCHED = "vouched"
    HELD = "held"
    OPEN = "open"
    LOST = "acknowledged-lost"
    EQUIVOCATION = "equivocation"


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A checkpoint, how far the charter lets the key that signed it vouch, and who cosigned it of how many needed.

    `denied` says whether its ledger holds something else there, None where that is not known; `needed` is 0 where the
    ledger has no quorum.
    """

    checkpoint: Checkpoint
    vouches: int
    denied: bool | None
    cosigned: int
    needed: int

    @property
    def verdict(self) -> Verdict:
        if self.checkpoint.size <= self.vouches:
            return Verdict.VOUCHED
        if not self.denied:
            return Verdict.OPEN if self.denied is None else Verdict.HELD
        return Verdict.EQUIVOCATION if self.needed and self.cosigned >= self.needed else Verdict.LOST


def judge_acknowledged(note: bytes, charter: Charter, bureau: Bureau, held_root: bytes | None = None) -> Acknowledged:
    """Judge a checkpoint that a key of the ledger signed, be it the present one or one that was given up.

    `held_root` is the root of its size in a history that the present key signed, proven to the caller; None where there
    is no such proof.
    Raises MalformedNote, or SignatureInvalid where none of them did, or a witness's signature does not hold.
    """
    ends = bureau.ends
    checkpoint = open_of_any_size(note, bureau.ledger_verifier, ends)
    signed = {(each.name, each.key_id) for each in parse_note(note).signatures}
    keys = {bureau.ledger_verifier, *(key for key in ends if key.name == bureau.origin)}
    vouches = max(ends.get(key, LEDGER_ENTRIES_MAX) for key in keys if (key.name, key.key_id) in signed)
    codes = {each.witness.credit_code for each in cosigners_of(note, charter, bureau)}
    quorum = charter.quorum_of(bureau)
    denied = True if bureau.state == "closed" else None if held_root is None else held_root != checkpoint.root
    return Acknowledged(checkpoint, vouches, denied, len(codes), 0 if quorum is None else quorum.needed)
