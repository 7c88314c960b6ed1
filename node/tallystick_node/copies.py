"""The copy of another bureau's ledger, and what this node has cosigned of it.

A copy is a `Ledger` like this node's own, under a prefix in the same database: entries, tiles, index and state record
in the same form, and reopened at the same cost. Beside its state stands a `Cosigning` record: the newest checkpoint
that was cosigned, and when.

What is shown is held against the copy in this order, the numbers as in the code:

  1. a checkpoint is signed by the ledger's key and names its origin (else it proves nothing)
  2. it has the root that the copy has at its size (else `Forked`), and is not smaller than the copy (else `RolledBack`)
  3. what the copy lacks of it is fetched and checked as `growing` says; the path of the first of those entries tells
     the root before them, which is the copy's (else `Forked`)

A root that differs under 2, and what the ledger's own key has signed and fails under 3, is remembered, and the ledger
is not cosigned again. A cosignature follows from the record alone, and leaves only when the record is durable:
after a crash at any point it is either made again, byte for byte, or never was. The time in it does not decrease.

So a note with this witness's own cosignature that says more than the record does (a larger size, a later time, another
root) cannot be, unless the record was put back from an older copy. What else was cosigned meanwhile nobody here knows:
that too is remembered, and the ledger is not cosigned again with this key. A new witness key goes on from the copy.

Where a ledger forked, the copy proves it by itself, with no more from the forker than the checkpoint that was shown: by
its own proof from a smaller one to what was cosigned (`check_held`), or by the path of the first entries of a larger.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from google.protobuf.message import DecodeError

from tallystick.core.charter import Bureau
from tallystick.core.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from tallystick.core.cosignature import check_cosignature, make_cosignature
from tallystick.core.errors import (
    BehindSigned,
    ChainBroken,
    Forked,
    MalformedEntry,
    RolledBack,
    SignatureInvalid,
    StoreDamaged,
    Unreconciled,
)
from tallystick.core.hashing import leaf_hashes
from tallystick.core.keys import Signer
from tallystick.core.merkle import consistency_of_range, prove_consistency, root_before_range
from tallystick.core.note import COSIGNATURE_V1, Note, VerifierKey, add_signatures, format_note, parse_note
from tallystick.core.reconciling import compare
from tallystick_node import keyspace
from tallystick_node.growing import Growing
from tallystick_node.ledger import Ledger
from tallystick_node.ledger_state import empty_state
from tallystick_node.store.store import Batch, Store
from tallystick_node.store.subspace import Subspace
from tallystick_proto.v1.ledger_pb2 import Bundle
from tallystick_proto.v1.storage_pb2 import Cosigning

COSIGNING: Final = keyspace.COSIGNED
"""The key of the record, within the copy's own part of the database."""

_CLEARED_AT_ONCE: Final = 1_024

PROVEN: Final = (Forked, ChainBroken, MalformedEntry, SignatureInvalid)
"""What the ledger's own key has signed, when it comes from `compare`, `History.extend` or `check_whole`."""


def open_copy(store: Store, bureau: Bureau) -> Ledger:
    """The copy of a ledger in a database, empty where there is none yet. Raises StoreDamaged."""
    part = Subspace(store, keyspace.copy(bureau.origin))
    if part.get(keyspace.STATE) is None:
        return Ledger(part, bureau.origin, empty_state(bureau.origin))
    return Ledger.open(part, bureau.origin)


def read_cosigning(copy: Ledger) -> Cosigning:
    """What was cosigned of a ledger; an empty record where nothing was. Raises StoreDamaged."""
    data = copy.store.get(COSIGNING)
    try:
        record = Cosigning.FromString(data or b"")
    except DecodeError:
        raise StoreDamaged("it does not parse", where=f"what was cosigned of {copy.origin}") from None
    return record


def cosigned_again(record: Cosigning, key: Signer, name: str) -> bytes:
    """The note that a record says was cosigned, with the cosignature; empty where none was."""
    if not record.note:
        return b""
    text = parse_note(record.note).text
    return add_signatures(record.note, make_cosignature(text, record.cosigned_at_s, key, name))


def strip(note: bytes, key: VerifierKey) -> bytes:
    """A checkpoint's note with the signature of the ledger's key alone, whatever else came with it."""
    parsed = parse_note(note)
    own = [each for each in parsed.signatures if (each.name, each.key_id) == (key.name, key.key_id)]
    return format_note(Note(parsed.text, tuple(own)))


def check_held(bureau: Bureau, copy: Ledger, cosigned: bytes, shown: bytes) -> None:
    """A checkpoint no larger than the one cosigned is of the history that a copy has. Raises Forked with evidence."""
    small, large = (open_checkpoint(note, bureau.ledger_verifier, bureau.ends).size for note in (shown, cosigned))
    compare(bureau, shown, cosigned, prove_consistency(small, large, copy.reader()), copy.root_at(small))


class Copy(Growing):
    """A ledger's copy, open to be extended and cosigned by one writer. `key` signs as the witness `name`."""

    def __init__(self, store: Store, bureau: Bureau, key: Signer, name: str) -> None:
        """Raises StoreDamaged."""
        super().__init__(open_copy(store, bureau), bureau)
        self.cosigning = read_cosigning(self.ledger)
        self._key = key
        self._name = name
        self._compared = b""

    @property
    def stopped(self) -> str:
        """Why this ledger is cosigned no more; empty while it is. It ends with the key it is about: what a former key
        of this witness forgot does not bind the next, nor the ledger's next key what a retired one signed.
        """
        record = self.cosigning
        if record.behind_key:
            binds = record.behind_key == self._key.public
        else:
            binds = not record.shown or self._is_signed(record.shown)
        return record.stopped if binds else ""

    @property
    def cosigned(self) -> bytes:
        """The newest checkpoint that was cosigned, with the cosignature; empty where none was."""
        return cosigned_again(self.cosigning, self._key, self._name)

    # What is shown.

    def opened(self, note: bytes) -> Checkpoint:
        """The checkpoint in a note. Raises MalformedNote, SignatureInvalid; neither proves anything."""
        return open_checkpoint(note, self.bureau.ledger_verifier, self.bureau.ends)  # 1

    def compare(self, shown: Checkpoint, note: bytes) -> None:
        """Hold the checkpoint in a note against what the copy has of it, before what it lacks is fetched.

        Raises Forked, or RolledBack.
        """
        self._compared = note
        if shown.size <= self.size and shown.size:
            if self.cosigning.note and shown.size <= self.opened(self.cosigning.note).size:
                check_held(self.bureau, self.ledger, self.cosigning.note, note)
            self.check_root(shown, self.ledger.root_at(shown.size))  # 2
        if shown.size < self.size:
            raise RolledBack(
                f"{self.bureau.id} shows {shown.size} entries, and {self.size} are held here",
                expected="a ledger that only grows",
                known=self.size,
            )

    def recall(self, note: bytes) -> None:
        """Hold a note with this witness's own cosignature against what it remembers.

        Raises MalformedNote or SignatureInvalid where it is none and proves nothing, BehindSigned where it says more.
        """
        key = VerifierKey.of(self._name, self._key.public, COSIGNATURE_V1)
        parsed = parse_note(note)
        own = [each for each in parsed.signatures if (each.name, each.key_id) == (key.name, key.key_id)]
        if not own:
            raise SignatureInvalid(f"{self._name} did not cosign this", expected=f"a signature by {key.name}")
        checkpoint, at_s = self.opened(note), check_cosignature(parsed.text, own[0], key)
        record = self.cosigning
        if record.note:
            known = parse_checkpoint(parse_note(record.note).text).size
        else:  # nothing, or a copy that was let go of (`start_over`): what it cosigned lay within the floor
            known = self.bureau.floor.size if record.cosigned_at_s and self.bureau.floor is not None else -1
        other = checkpoint.size <= self.size and self.ledger.root_at(checkpoint.size) != checkpoint.root
        if checkpoint.size > known or at_s > record.cosigned_at_s or other:
            raise BehindSigned(
                f"this node's witness key cosigned {checkpoint.size} entries of it, which its record does not say",
                where=self.bureau.id,
                expected="a record of all it cosigned; it was put back from an older copy, and needs a new witness key "
                "in a version of the charter (`tallyd charter renew`)",
                known=checkpoint.size,
            )

    def check_bundle(self, bundle: Bundle, first: int, shown: Checkpoint) -> None:
        """As for any ledger that grows, and the tree they stand in begins as the copy. Raises ProofFailed, Forked."""
        super().check_bundle(bundle, first, shown)
        if not first or first != self.size:
            return
        root = root_before_range(first, bundle.path)
        if root == self.ledger.state.root:
            return
        if self.cosigning.note and self.opened(self.cosigning.note).size == first:
            proof = consistency_of_range(first, leaf_hashes(bundle.entry), shown.size, bundle.path)
            with suppress(Unreconciled):  # by two keys of the ledger, of which each may have signed one history
                compare(self.bureau, self.cosigning.note, self._compared, proof, root)
        self.check_root(Checkpoint(shown.origin, first, root), self.ledger.state.root)

    # What a recovery of the ledger leaves behind here.

    @property
    def outlived(self) -> bool:
        """Whether it may end in entries that its ledger was recovered without: it goes beyond the floor at which the
        charter ends a key of the ledger, and the present key has signed nothing that was cosigned.

        That the ledger goes on otherwise from there proves nothing then.
        """
        floor = self.bureau.floor
        return floor is not None and self.size > floor.size and self.rekeyed

    @property
    def rekeyed(self) -> bool:
        """Whether the charter ended a key of the ledger, and the present one has signed nothing that was cosigned."""
        ended = any(key.name == self.bureau.origin for key in self.bureau.ends)
        return ended and not (self.cosigning.note and self._is_signed(self.cosigning.note))

    def _is_signed(self, note: bytes) -> bool:
        """Whether a note that was kept is by the ledger's present key."""
        key = self.bureau.ledger_verifier
        return (key.name, key.key_id) in [(each.name, each.key_id) for each in parse_note(note).signatures]

    @property
    def holds_floor(self) -> bool:
        """Whether the copy reaches the floor that the charter pins, and has its root there."""
        floor = self.bureau.pinned
        return floor is not None and self.size >= floor.size and self.ledger.root_at(floor.size) == floor.root

    def start_over(self) -> bool:
        """Let go of an outlived copy, to fetch it again; not where what it cosigned goes beyond the floor, which others
        may still want of it, or is not of the history that is pinned: then its key would sign a second one. Returns
        whether it did. The time it cosigned last at is kept.
        """
        note, floor = self.cosigning.note, self.bureau.floor
        if note and (
            floor is None or not self.holds_floor or parse_checkpoint(parse_note(note).text).size > floor.size
        ):
            return False
        batch = Batch()
        batch.put(COSIGNING, Cosigning(cosigned_at_s=self.cosigning.cosigned_at_s).SerializeToString())
        batch.delete(keyspace.STATE)
        self.ledger.store.write(batch)  # from here on there is no copy, and what is left of it is nothing's
        self.clear()
        return True

    def clear(self) -> None:
        """Remove what was left by a copy that was let go of, before there is one again."""
        batch = Batch()
        for key, _ in self.ledger.store.snapshot():
            if key != COSIGNING:
                batch.delete(key)
            if len(batch.deletes) == _CLEARED_AT_ONCE:
                self.ledger.store.write(batch)
                batch = Batch()
        self.ledger.store.write(batch)

    # What is remembered beside the entries.

    def cosign(self, note: bytes, now_s: int) -> Cosigning:
        """The record that lets a checkpoint be cosigned, once the copy has reached it."""
        return Cosigning(
            note=strip(note, self.bureau.ledger_verifier), cosigned_at_s=max(now_s, self.cosigning.cosigned_at_s)
        )

    def stop(self, why: str, shown: bytes) -> Cosigning:
        """The record that ends cosigning: what was cosigned before stands beside what was shown."""
        return Cosigning(
            note=self.cosigning.note,
            cosigned_at_s=self.cosigning.cosigned_at_s,
            stopped=why,
            shown=strip(shown, self.bureau.ledger_verifier),
        )

    def forget(self, why: str, note: bytes) -> Cosigning:
        """The record that ends cosigning with this key, beside the note that says more than was remembered."""
        return Cosigning(
            note=self.cosigning.note,
            cosigned_at_s=self.cosigning.cosigned_at_s,
            stopped=why,
            shown=note,
            behind_key=self._key.public,
        )
