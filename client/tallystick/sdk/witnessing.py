"""How far a ledger is witnessed, as its node tells it and its witnesses' signatures prove it.

The node is asked for what was cosigned *before* it is asked for its checkpoint, so that the checkpoint must cover it.
Each note that is shown is the ledger's, and each cosignature that is counted a witness's of the charter. That a witness
cosigned no more than what is shown is the node's word. Where the ledger is read from a copy, its node does not say, or
`status` is told of less than this client trusted before, its witnesses are asked themselves, each for what it cosigned,
side by side, so that nobody is waited for in turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from tallystick.core.charter import Charter
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.errors import (
    Forked,
    MalformedNote,
    NotVouchedFor,
    ProofFailed,
    RolledBack,
    TallystickError,
    Unreconciled,
    VerificationFailed,
)
from tallystick.core.limits import WITNESSES_MAX
from tallystick.core.merkle import check_consistency
from tallystick.core.note import add_signatures, parse_note
from tallystick.core.quorum import Quorum
from tallystick.core.witnessing import Witnessed, open_cosigned, witnessed_size
from tallystick.sdk.dialling import ASKED_AT_ONCE
from tallystick.sdk.reader import LedgerReader, Trusted
from tallystick.sdk.wire import Wire
from tallystick.sdk.wire_errors import from_detail
from tallystick_proto.v1.witness_pb2 import CosignedAnswer

ASKED_S: Final = 5.0
"""So long a witness is waited for that is asked for its cosignature alone."""


@dataclass(frozen=True, slots=True)
class WitnessStanding:
    """A witness and how far it has cosigned: entries, and the second at which; None where nothing of it was shown."""

    witness: str
    size: int | None = None
    at_s: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A ledger's checkpoint, and how far it is witnessed: the size up to which a quorum cosigned, 0 for not at all or
    where the charter gives it none, None where that is not shown now.

    `not_recording` is what its node says of why it records nothing now, where it says so.
    """

    checkpoint: Checkpoint
    quorum: Quorum | None
    witnessed: int | None
    witnesses: tuple[WitnessStanding, ...]
    not_recording: TallystickError | None = None


def not_recording(answer: CosignedAnswer) -> TallystickError | None:
    """Why a ledger's node records nothing now, as it says; None where it says that it does."""
    return from_detail(answer.not_recording) if answer.HasField("not_recording") else None


def standing(reader: LedgerReader, charter: Charter) -> Standing:
    """Ask a ledger's node how far it is witnessed; and its witnesses too, where it shows less than this client trusted
    before: a node that was just started has not heard all of them yet.

    Raises what `refresh` raises; NotVouchedFor where too few of this charter's witnesses cosigned what it calls
    witnessed, RolledBack or Unreconciled where its checkpoint does not extend that.
    """
    quorum = charter.quorum_of(reader.bureau)
    if quorum is None:
        return Standing(reader.refresh(), None, 0, ())
    before = reader.trusted.size
    answer = reader.wire.cosigned()
    checkpoint = reader.refresh()
    witnessed = 0
    if answer.witnessed:
        found = open_cosigned(answer.witnessed, charter, reader.bureau)
        if not found.enough(charter):
            raise NotVouchedFor(
                f"its node calls {found.checkpoint.size} entries witnessed, and shows {found.count} cosignatures",
                where=reader.bureau.id,
                expected=f"{quorum.needed} of its {quorum.witnesses} witnesses; another version may count otherwise",
            )
        _check_extended(reader, found.checkpoint, checkpoint)
        witnessed = found.checkpoint.size
    heard = _heard(answer, reader, charter)
    if witnessed < before:
        asked = [found for _, found in _asked_notes(reader, charter) or ()]
        witnessed = max(witnessed, min(checkpoint.size, witnessed_size(asked, quorum)))
        heard += asked
    return Standing(checkpoint, quorum, witnessed, _newest(heard, reader, charter), not_recording(answer))


def shown_cosigned(reader: LedgerReader, charter: Charter) -> tuple[Witnessed, ...] | None:
    """What is shown of what a ledger's witnesses cosigned last; None where neither its node says nor a quorum of them.

    Of a ledger that is read from a copy they alone are asked.

    What does not verify, or is not shown to be of the history that this client trusts, shows nothing and is left out.
    Raises Forked where it is proven to be of another.
    """
    shown = _shown_notes(reader, charter)
    return None if shown is None else tuple(found for _, found in shown)


def most_cosigned(reader: LedgerReader, charter: Charter, least: int) -> Trusted | None:
    """The checkpoint of at least so many entries, of those this client trusts, that most witnesses are shown to have
    cosigned, with all of their cosignatures; None where the trusted one itself has a quorum's, or as many. Raises
    Forked.
    """
    note, quorum = reader.trusted.note, charter.quorum_of(reader.bureau)
    if note is None or quorum is None:
        return None
    own = open_cosigned(note, charter, reader.bureau)
    if own.enough(charter):
        return None
    of_each = {own.checkpoint: note}
    for other, found in _shown_notes(reader, charter) or ():
        if least <= found.checkpoint.size <= own.checkpoint.size:
            of_each[found.checkpoint] = _joined(of_each.get(found.checkpoint, other), other, found)
    counts = {at: open_cosigned(joined, charter, reader.bureau).count for at, joined in of_each.items()}
    best = max(counts, key=lambda at: (counts[at], at.size))
    return Trusted(best, of_each[best]) if counts[best] > own.count else None


def _joined(note: bytes, other: bytes, found: Witnessed) -> bytes:
    """A note with what witnesses cosigned of it in another of the same text: each once, and no more than was found."""
    there = {(each.name, each.key_id) for each in parse_note(note).signatures}
    keys = {(key.name, key.key_id) for key in (each.witness.witness_verifier for each in found.cosigners)}
    new = [each for each in parse_note(other).signatures if (each.name, each.key_id) in keys - there]
    return add_signatures(note, *new)


def _shown_notes(reader: LedgerReader, charter: Charter) -> list[tuple[bytes, Witnessed]] | None:
    """The cosigned notes behind `shown_cosigned`, each with what it says."""
    if charter.quorum_of(reader.bureau) is None:
        return None
    if not reader.keeper and (notes := _by_own_node(reader)) is not None:
        return _of_trusted(reader, charter, notes)
    return _asked_notes(reader, charter)


def _asked_notes(reader: LedgerReader, charter: Charter) -> list[tuple[bytes, Witnessed]] | None:
    """What a ledger's witnesses show of it when they are asked themselves; None where too few answer. Raises Forked."""
    with ExitStack() as opened:
        wires = [reader.wire.to(witness, ASKED_S) for witness in charter.witnesses_of(reader.bureau)]
        for wire in wires:
            opened.callback(wire.close)
        return _of_trusted(reader, charter, _by_witnesses(reader, charter, wires))


def _of_trusted(reader: LedgerReader, charter: Charter, notes: _Notes | None) -> list[tuple[bytes, Witnessed]] | None:
    """What notes show of the history that this client trusts. Raises Forked."""
    if notes is None:
        return None
    of_this: dict[Checkpoint, bool] = {}
    shown: list[tuple[bytes, Witnessed]] = []
    for note, wire in notes:
        try:
            found = open_cosigned(note, charter, reader.bureau)
        except VerificationFailed:
            continue
        if found.checkpoint not in of_this:
            of_this[found.checkpoint] = _is_of_this(reader, note, wire)
        if of_this[found.checkpoint]:
            shown.append((note, found))
    return shown


_Notes = list[tuple[bytes, Wire]]
"""Cosigned notes, and the node that shows each."""


def _by_own_node(reader: LedgerReader) -> _Notes | None:
    """What the ledger's node says; None where it does not, in whatever way: it is not for it to choose who is asked."""
    try:
        answer = reader.wire.cosigned()
    except TallystickError:
        return None
    newest = answer.newest[:WITNESSES_MAX]
    return [(note, reader.wire) for note in (answer.witnessed, *newest)]


def _by_witnesses(reader: LedgerReader, charter: Charter, wires: Sequence[Wire]) -> _Notes | None:
    """Every witness is asked for what it cosigned itself."""
    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        notes = [shown for shown in pool.map(_own_note, wires) if shown is not None]
    quorum = charter.quorum_of(reader.bureau)
    return None if quorum is None or len(notes) < quorum.needed else notes


def _own_note(wire: Wire) -> tuple[bytes, Wire] | None:
    try:
        return wire.checkpoint(0).checkpoint, wire
    except TallystickError:
        return None


def _is_of_this(reader: LedgerReader, note: bytes, wire: Wire) -> bool:
    """Whether a checkpoint is shown to be of the trusted history. Raises Forked where it cannot be."""
    try:
        reader.reconcile(note, wire)
    except Forked:
        raise
    except TallystickError:
        return False
    return True


def witnessed_of(checkpoint: Checkpoint, cosigned: tuple[Witnessed, ...] | None, quorum: Quorum | None) -> int | None:
    """How many of a checkpoint's entries a quorum holds, by what was shown; None where nothing was, or it has none."""
    return None if quorum is None or cosigned is None else min(checkpoint.size, witnessed_size(cosigned, quorum))


def refreshed(reader: LedgerReader, charter: Charter) -> tuple[Checkpoint, int | None]:
    """A ledger's checkpoint now, and how many of its entries a quorum cosigned, as `witnessed_of` says.

    What is not shown is not counted, and held against nobody. Raises what `refresh` raises, and Forked where a note
    that was cosigned is proven to be of another history.
    """
    checkpoint = reader.refresh()
    return checkpoint, witnessed_of(checkpoint, shown_cosigned(reader, charter), charter.quorum_of(reader.bureau))


def copied(reader: LedgerReader, charter: Charter) -> Standing:
    """How a ledger stands that its own node does not show, by the copies of its witnesses. Raises as `refresh`."""
    checkpoint, quorum = reader.refresh(), charter.quorum_of(reader.bureau)
    shown = shown_cosigned(reader, charter)
    witnesses = () if shown is None else _newest(shown, reader, charter)
    return Standing(checkpoint, quorum, witnessed_of(checkpoint, shown, quorum), witnesses)


def _heard(answer: CosignedAnswer, reader: LedgerReader, charter: Charter) -> list[Witnessed]:
    """The newest that a ledger's node shows of each witness."""
    if len(answer.newest) > WITNESSES_MAX:  # its node may go by a version with other witnesses, and no version has more
        raise MalformedNote(
            f"{len(answer.newest)} cosigned checkpoints", where=reader.bureau.id, expected=f"at most {WITNESSES_MAX}"
        )
    return [open_cosigned(note, charter, reader.bureau) for note in answer.newest]


def _newest(found: Iterable[Witnessed], reader: LedgerReader, charter: Charter) -> tuple[WitnessStanding, ...]:
    """Every witness of the charter, with the largest that it cosigned of what is shown."""
    shown: dict[str, WitnessStanding] = {}
    for each in sorted(found, key=lambda each: each.checkpoint.size):
        for cosigner in each.cosigners:
            shown[cosigner.witness.id] = WitnessStanding(cosigner.witness.id, each.checkpoint.size, cosigner.at_s)
    return tuple(shown.get(witness.id, WitnessStanding(witness.id)) for witness in charter.witnesses_of(reader.bureau))


def _check_extended(reader: LedgerReader, old: Checkpoint, new: Checkpoint) -> None:
    if old.size > new.size:
        raise RolledBack(
            f"{reader.bureau.id} answers with {new.size} entries, of which {old.size} were witnessed",
            expected="a ledger that only grows",
            known=old.size,
        )
    proof = reader.wire.prove_consistency(old.size, new.size).hashes if 0 < old.size < new.size else ()
    try:
        check_consistency(old.size, old.root, new.size, new.root, proof)
    except ProofFailed as error:
        raise Unreconciled(
            f"{reader.bureau.id} does not show that its {new.size} entries extend the {old.size} that were witnessed"
            f" ({error.what})",
            expected="one history; until a proof comes, this is a suspicion",
            known=old.size,
        ) from None
