"""What a node shows against its own ledger: found, kept, and settled once it can be.

Two notes that contradict each other prove that the key signed two histories, or are kept as a suspicion. A suspicion is
held against what the node shows later: a proof from the one note to the other clears it, or proves it after all.

As long as there is evidence against a ledger's key, this client believes nothing of that ledger; other ledgers go on.
Whoever removes the file has it read again, from the checkpoint that was trusted before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tallystick.core.charter import Bureau
from tallystick.core.checkpoint import Checkpoint, open_checkpoint
from tallystick.core.equivocation import accused_key, forked
from tallystick.core.errors import (
    ConfigInvalid,
    Forked,
    Refused,
    RolledBack,
    StorageFailed,
    TallystickError,
    Unreachable,
    Unreconciled,
    VerificationFailed,
)
from tallystick.core.trusted_ledger import TrustedLedger
from tallystick.sdk.trust_store import TrustStore
from tallystick.sdk.wire import Wire


def refuse_proven(trust: TrustStore, bureau: Bureau) -> None:
    """Raises Forked where evidence is kept against a ledger's key, and ConfigInvalid where what is kept is none.

    Against a key that the charter has retired since, it stands in nobody's way: the floor says which history is read.
    """
    for path, evidence in trust.evidence(bureau):
        try:
            key = accused_key(evidence, bureau)
            error = forked(bureau.id, evidence, key)
        except VerificationFailed as fault:
            raise ConfigInvalid(
                f"the evidence against {bureau.id} that was kept proves nothing ({fault})",
                where=str(path),
                expected="the file this client put there, or none",
            ) from None
        if key == bureau.ledger_verifier:
            raise _proven(error, path)


def advanced(wire: Wire, ledger: TrustedLedger, note: bytes, consistency: Sequence[bytes]) -> Checkpoint:
    """A ledger advanced to a note. Where that contradicts it, the node is asked for what is missing from a proof."""
    try:
        return ledger.advance(note, consistency)
    except Unreconciled:
        later = open_checkpoint(note, wire.bureau.ledger_verifier, wire.bureau.ends).size
        return ledger.advance(note, consistency, root_shown(wire, ledger.size, later))


def root_shown(wire: Wire, size: int, later: int) -> bytes | None:
    """What a node shows as the root at `size` in the tree of `later`, where a proof from there leaves it out.

    Of a tree whose size is a power of two that is the one hash left of the entry that comes next.
    """
    if not size or size & size - 1:
        return None
    with suppress(TallystickError):  # what it does not show proves nothing
        for bundle in wire.read_entries(size, size + 1, later):
            return bundle.path[0] if bundle.path else None
    return None


@contextmanager
def keeping(trust: TrustStore, bureau: Bureau, trusted: bytes | None, shown: bytes) -> Iterator[None]:
    """Where a note contradicts the trusted one, the evidence is kept, or else both notes, and the error says where."""
    try:
        yield
    except Forked as error:
        raise _proven(error, trust.keep_evidence(bureau, error.evidence)) from None
    except (RolledBack, Unreconciled) as error:
        path = trust.keep_conflict(bureau.origin, trusted, shown)
        raise type(error)(
            f"{error.what}; both notes are kept beside {path}",
            where=error.where,
            expected=error.expected,
            known=error.known,
        ) from None


def settle(wire: Wire, trust: TrustStore, trusted: TrustedLedger) -> None:
    """Hold the suspicions that are kept against the checkpoint trusted now. Raises Forked where that proves one.

    A note that is still larger, or from which the node shows no proof, stays what it is.
    """
    bureau = wire.bureau
    assert trusted.note is not None
    for path, note in trust.conflicts(bureau.origin):
        try:
            suspect = TrustedLedger(bureau.id, bureau.ledger_verifier, note, ends=bureau.ends)
            if suspect.size > trusted.size:
                continue
            apart = suspect.size < trusted.size
            proof = wire.prove_consistency(suspect.size, trusted.size).hashes if apart else ()
            advanced(wire, suspect, trusted.note, proof)
        except Forked as error:
            raise _proven(error, trust.keep_evidence(bureau, error.evidence)) from None
        except (Refused, Unreachable, VerificationFailed, StorageFailed):
            continue
        trust.clear_conflict(path)


def _proven(error: Forked, path: Path) -> Forked:
    """The same error, naming the file."""
    return Forked(
        f"{error.what}, proven by {path}",
        where=error.where,
        expected=error.expected,
        known=error.known,
        evidence=error.evidence,
    )
