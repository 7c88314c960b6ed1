"""One ledger on its way into the audit: raw entries checked one after the other, and what is wrong with them.

A strand yields verified entries a submission at a time: nothing is folded before its author's signature was checked. At
the first thing that is wrong it yields a `Fault` and ends, and its coverage says so. Where the raw entries come with an
inclusion proof under a signed checkpoint, a fault proves that the ledger's own key signed for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from tallystick.audit.coverage import LedgerCoverage
from tallystick.audit.entry import On, on_entry
from tallystick.core.charter import Bureau
from tallystick.core.entry import decode_entry
from tallystick.core.errors import (
    ChainBroken,
    CharterMismatch,
    Forked,
    MalformedEntry,
    NotVouchedFor,
    ProofFailed,
    RolledBack,
    SignatureInvalid,
    TallystickError,
    Unreconciled,
    VerificationFailed,
)
from tallystick.core.evidence import actors_of
from tallystick.core.hashing import leaf_hash
from tallystick.core.history import History, Recorded
from tallystick.core.statement import read

_RULES: Final[tuple[tuple[type[TallystickError], str], ...]] = (
    (ChainBroken, "chain-broken"),
    (MalformedEntry, "malformed-entry"),
    (SignatureInvalid, "signature-invalid"),
    (RolledBack, "rollback"),
    (Forked, "equivocation"),
    (Unreconciled, "unreconciled"),
    (ProofFailed, "tree-mismatch"),
    (VerificationFailed, "tree-mismatch"),
)
_OF_CHECKPOINTS: Final = (RolledBack, Forked, Unreconciled)
_CHUNK_ENTRIES: Final = 256
_SAID_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with a ledger, or with what its node shows of it, at an entry. Goes by the rule that says so."""

    rule: str
    bureau: str
    reference: str
    error: str
    also: tuple[str, ...] = ()


def fault_of(error: VerificationFailed, bureau: str, index: int) -> Fault:
    """What an error means for an audit."""
    rule = next(rule for kind, rule in _RULES if isinstance(error, kind))
    expected = f"; expected {error.expected}" if error.expected else ""
    said = error.what + expected
    # It may quote what nobody bounded: an actor's name, where a statement says more than is known.
    return Fault(rule, bureau, f"{bureau}#{index}", said if len(said) <= _SAID_MAX else f"{said[:_SAID_MAX]}…")


def shown_fault(error: TallystickError, bureau: str) -> Fault | None:
    """The same of what a node showed as its checkpoint. What the ledger's key did not sign proves nothing of it.

    None where it says nothing of the node, which may go by another version of the charter (`NotVouchedFor`), and of
    what is found by its key, with all that proves it (`Forked`).
    """
    if isinstance(error, (Forked, NotVouchedFor)) or not isinstance(error, VerificationFailed):
        return None
    index = max((error.known or 0) - 1, 0)
    if not isinstance(error, _OF_CHECKPOINTS):
        error = ProofFailed(error.what, where=error.where, expected=error.expected)
    return fault_of(error, bureau, index)


class Strand:
    """The entries of one ledger, in order. `coverage` is kept as they are taken."""

    def __init__(
        self, bureau: Bureau, coverage: LedgerCoverage, raws: Iterable[bytes], leaf: Callable[[int], bytes | None]
    ) -> None:
        """`raws` are entry bytes from #0 on; what taking them raises ends the strand. `leaf` looks one up out of turn;
        None where it cannot be."""
        self.bureau = bureau
        self.coverage = coverage
        self._raws = raws
        self._leaf = leaf

    def leaf(self, index: int) -> bytes | None:
        """The leaf hash at an index, b"" past the end."""
        return self._leaf(index) if index < self.coverage.size else b""

    def entries(self) -> Iterator[On[Any] | Fault]:
        """Verified entries, the last of them perhaps a fault."""
        history = History(actors_of(self.bureau))
        waiting: list[Recorded] = []
        try:
            for chunk in _chunks(self._raws):
                for recorded in _checked(history, chunk):
                    waiting.append(recorded)
                    first = waiting[0].entry.signed
                    assert first is not None
                    if len(waiting) == first.count:
                        yield from self._whole(waiting)
                        waiting = []
            if waiting:
                yield self._torn(waiting[0].entry.index, history)
        except CharterMismatch as error:  # the charter is another one than the ledger's, and that accuses nobody
            self.coverage.fail(error)
        except TallystickError as error:
            self.coverage.fail(error)
            if isinstance(error, VerificationFailed) and not isinstance(error, Forked):
                yield fault_of(error, self.bureau.id, history.size)

    def _torn(self, first: int, history: History) -> Fault:
        torn = MalformedEntry(
            f"the submission that begins here is cut at #{history.size}",
            where=f"{self.bureau.origin}#{first}",
            expected="a checkpoint at a submission's end",
        )
        self.coverage.fail(torn)
        return fault_of(torn, self.bureau.id, first)

    def _whole(self, submission: list[Recorded]) -> Iterator[On[Any]]:
        for recorded in submission:
            self.coverage.checked += 1
            if not recorded.read.understood:
                self.coverage.not_understood += 1
            entry = on_entry(self.bureau.id, self.bureau.origin, recorded)
            self.coverage.roots.add(leaf_hash(recorded.entry.raw) if entry is None else entry.leaf)
            if entry is not None:
                yield entry


def _checked(history: History, chunk: list[bytes]) -> Iterator[Recorded]:
    """A chunk's entries as history takes them. What stands before a wrong one is given before that is raised."""
    before = history.size
    try:
        taken = history.extend(chunk)
    except VerificationFailed:
        for raw in chunk[: history.size - before]:
            entry = decode_entry(raw)
            yield Recorded(entry, read(entry.statement))
        raise
    yield from taken


def _chunks(raws: Iterable[bytes]) -> Iterator[list[bytes]]:
    """A few at a time: enough to be quick, few enough to be small. What is there is given before an error is raised."""
    chunk: list[bytes] = []
    try:
        for raw in raws:
            chunk.append(raw)
            if len(chunk) == _CHUNK_ENTRIES:
                yield chunk
                chunk = []
    except TallystickError:
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk
