"""Checkpoints (C2SP tlog-checkpoint): a note whose text is exactly three lines.

    pudong.example/market-regulation                    origin
    300                                                 size, decimal without leading zeros
    hOE+weA3FVrmGXV1mbLNIa2lpWXg/ZsxOcDDxsG4rak=        RFC 6962 root, base64

No extension lines. The root of size 0 is SHA-256 of nothing. The ledger's own signature stands under the name of the
origin; which signatures a reader requires is the reader's business. A key whose word ends at a size vouches for no
larger checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tallystick.core.errors import InvalidIdentifier, MalformedNote, NotVouchedFor, SignatureInvalid
from tallystick.core.identifiers import check_origin, parse_decimal
from tallystick.core.keys import Signer
from tallystick.core.limits import HASH_BYTES, LEDGER_ENTRIES_MAX
from tallystick.core.merkle import EMPTY_ROOT
from tallystick.core.note import VerifierKey, decode_base64, encode_base64, open_note, parse_note, sign_note


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A ledger's name, its number of entries and the root over them. Raises MalformedNote."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        try:
            check_origin(self.origin)
        except InvalidIdentifier as error:
            raise MalformedNote(error.what, where="checkpoint", expected=error.expected) from None
        if not 0 <= self.size <= LEDGER_ENTRIES_MAX:
            raise MalformedNote(f"the size is {self.size}", where=self.origin, expected=f"0 to {LEDGER_ENTRIES_MAX}")
        if len(self.root) != HASH_BYTES:
            raise MalformedNote("the root has the wrong length", where=self.origin, expected=f"{HASH_BYTES} bytes")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise MalformedNote("the root is not that of an empty tree", where=self.origin)


def format_checkpoint(checkpoint: Checkpoint) -> str:
    """The text of the note."""
    return f"{checkpoint.origin}\n{checkpoint.size}\n{encode_base64(checkpoint.root)}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Reads the text of the note. Raises MalformedNote."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise MalformedNote("the text is not a checkpoint", expected="origin, size and root, a line each")
    try:
        size = parse_decimal(lines[1], LEDGER_ENTRIES_MAX)
    except InvalidIdentifier as error:
        raise MalformedNote(error.what, where="checkpoint size", expected=error.expected) from None
    return Checkpoint(lines[0], size, decode_base64(lines[2], MalformedNote, "checkpoint root"))


def sign_checkpoint(checkpoint: Checkpoint, key: Signer) -> bytes:
    """The note, signed under the name of the origin."""
    return sign_note(format_checkpoint(checkpoint), (checkpoint.origin, key))


def open_checkpoint(data: bytes, key: VerifierKey, ends: Mapping[VerifierKey, int] | None = None) -> Checkpoint:
    """The checkpoint in a note that the ledger's `key` signed. Raises MalformedNote, SignatureInvalid, or NotVouchedFor
    where another version of the charter may account for it.

    `ends` are the keys whose word ends at a size: those the ledger had before, and `key` itself where it is closed.
    """
    ends = ends or {}
    older = [each for each in ends if each.name == key.name and each != key]
    try:
        opened = open_note(data, [key, *older])
    except SignatureInvalid as error:
        raise _by_another_key(data, key, error) from None
    checkpoint = parse_checkpoint(opened.note.text)
    if checkpoint.origin != key.name:
        raise SignatureInvalid(f"this is a checkpoint of {checkpoint.origin}", expected=f"one of {key.name}")
    most = max(ends.get(each, LEDGER_ENTRIES_MAX) for each in opened.verified)
    if checkpoint.size > most:
        raise NotVouchedFor(
            f"a checkpoint of {checkpoint.size} entries, by a key that the charter ends at {most}",
            where=checkpoint.origin,
            expected="no more than it vouches for",
        )
    return checkpoint


def open_of_any_size(data: bytes, key: VerifierKey, ends: Iterable[VerifierKey]) -> Checkpoint:
    """The same by any key that the ledger has or had, wherever the charter ends it: above that it is the key's word no
    more, and was; who kept it from then still holds it.
    """
    return open_checkpoint(data, key, dict.fromkeys(ends, LEDGER_ENTRIES_MAX))


def _by_another_key(data: bytes, key: VerifierKey, error: SignatureInvalid) -> SignatureInvalid:
    """A ledger's key may have been replaced by a charter version that this reader does not have."""
    if any(signature.name == key.name and signature.key_id != key.key_id for signature in parse_note(data).signatures):
        return NotVouchedFor(
            error.what, where=error.where, expected=f"{error.expected}; a later version of the charter may name its key"
        )
    return error
