"""What a district's witnesses cosigned, on its ledgers and shown: real notes, by the ledger's key and by witnesses'."""

from __future__ import annotations

from collections.abc import Mapping

from tallystick.core.checkpoint import Checkpoint, sign_checkpoint
from tallystick.core.cosignature import make_cosignature
from tallystick.core.hashing import leaf_hash
from tallystick.core.merkle import root_of
from tallystick.core.note import add_signatures, parse_note
from tallystick.core.witnessing import open_cosigned
from tests.harness.district import District, Said
from tests.harness.ledger_maker import key_of

SECOND_US = 1_000_000


def note_of(where: District, bureau: str, at_s: Mapping[str, int], size: int | None = None) -> bytes:
    """A checkpoint of a ledger as it stands, or of its first entries, cosigned by some bureaus at these seconds."""
    desk = where[bureau]
    entries = desk.entries[:size]
    checkpoint = Checkpoint(desk.bureau.origin, len(entries), root_of([leaf_hash(entry) for entry in entries]))
    note = sign_checkpoint(checkpoint, key_of(bureau, "node"))
    text = parse_note(note).text
    lines = [
        make_cosignature(text, at, key_of(by, "witness"), f"{where[by].bureau.origin}/witness")
        for by, at in at_s.items()
    ]
    return add_signatures(note, *lines)


def put_note(where: District, bureau: str, note: bytes) -> Said:
    """A note is recorded on a ledger, by its node."""
    return where[bureau].say("note_witnessed", by="node", note=note.decode())


def witnessed(
    where: District, bureau: str, *away: str, late_s: Mapping[str, int] | None = None, size: int | None = None
) -> Said:
    """All other bureaus but those away cosign a ledger now, some by clocks that differ; and its node records that."""
    now_s = where.now_us // SECOND_US
    others = [other for other in where.desks if other not in (bureau, *away)]
    at_s = {by: now_s + (late_s or {}).get(by, 0) for by in others}
    return put_note(where, bureau, note_of(where, bureau, at_s, size))


def asking(where: District, minutes: int, **notes: bytes | list[bytes]) -> None:
    """The audit asks so many minutes from now, and is shown these notes of these ledgers, one or several of each."""
    where.asked_us = where.now_us + minutes * 60 * SECOND_US
    where.cosigned = {
        bureau: tuple(
            open_cosigned(note, where.charter, where[bureau].bureau)
            for note in (shown if isinstance(shown, list) else [shown])
        )
        for bureau, shown in notes.items()
    }
