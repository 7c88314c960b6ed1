"""What a node showed against its own ledger, kept: evidence that proves it, or two notes that may come to.

As long as there is evidence against a ledger's key, this client believes nothing of that ledger; other ledgers go on.
Whoever removes the file has it read again, from the checkpoint that was trusted before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tallystick.core.charter import Bureau
from tallystick.core.equivocation import forked
from tallystick.core.errors import ConfigInvalid, Forked, RolledBack, Unreconciled, VerificationFailed
from tallystick.sdk.trust_store import TrustStore


def refuse_proven(trust: TrustStore, bureau: Bureau) -> None:
    """Raises Forked where evidence is kept against a ledger's key, and ConfigInvalid where what is kept is none."""
    kept = trust.evidence(bureau.origin)
    if kept is None:
        return
    path, evidence = kept
    try:
        error = forked(bureau.id, evidence, bureau.ledger_verifier)
    except VerificationFailed as fault:
        raise ConfigInvalid(
            f"the evidence against {bureau.id} that was kept proves nothing ({fault})",
            where=str(path),
            expected="the file this client put there, or none",
        ) from None
    raise _proven(error, path)


@contextmanager
def keeping(trust: TrustStore, origin: str, trusted: bytes | None, shown: bytes) -> Iterator[None]:
    """Where a note contradicts the trusted one, the evidence is kept, or else both notes, and the error says where."""
    try:
        yield
    except Forked as error:
        raise _proven(error, trust.keep_evidence(origin, error.evidence)) from None
    except (RolledBack, Unreconciled) as error:
        path = trust.keep_conflict(origin, trusted, shown)
        raise type(error)(
            f"{error.what}; both notes are kept beside {path}",
            where=error.where,
            expected=error.expected,
            known=error.known,
        ) from None


def _proven(error: Forked, path: Path) -> Forked:
    """The same error, naming the file."""
    return Forked(
        f"{error.what}, proven by {path}",
        where=error.where,
        expected=error.expected,
        known=error.known,
        evidence=error.evidence,
    )
