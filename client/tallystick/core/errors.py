"""Every error this project raises on purpose, in one tree.

    TallystickError                    what was wrong, where, what was expected, whose fault
    ├── Refused                        yours   exit 4   a ledger will not take what it was given
    │   ├── InvalidStatement                   a statement breaks its kind's own description
    │   ├── InvalidSubmission                  the envelope: count, size, identifier, canonical form
    │   │   └── StaleSubmission                its id's time lies outside the window
    │   ├── InvalidIdentifier          yours   exit 2   a code, bureau, actor or credit code is not well formed
    │   ├── NotAuthentic                       the key is unknown, revoked, or did not sign this
    │   ├── NotAllowed                         who you are may not do this
    │   ├── SubmissionConflict                 the same submission id, other bytes
    │   └── NotFound                           there is no such entry or bureau
    ├── Usage                          yours   exit 2   the call itself is wrong
    │   └── ConfigInvalid                      a file that was named does not read, or cannot be written
    ├── VerificationFailed             peer's  exit 5   what was shown does not prove what it claims
    │   ├── MalformedKey, MalformedNote, MalformedEntry, MalformedProof, MalformedCharter,
    │   │   MalformedCertificate
    │   ├── ChainBroken                        an entry does not follow the one before it
    │   ├── SignatureInvalid                   bytes and signature do not belong together
    │   │   └── NotVouchedFor                  a checkpoint by a key that this charter does not name, or not so far
    │   ├── ProofFailed                        a hash path does not lead to the signed root
    │   ├── RolledBack                         an older state than this client was already shown
    │   ├── Forked                             two signed histories under one key: proven
    │   ├── Unreconciled                       no proof that one state extends the other: a suspicion, not proven
    │   ├── HalvesDiffer                       what was received is not what was sent; both are recorded
    │   └── CharterMismatch                    not the charter whose digest is trusted, or none that follows it
    │       └── CharterForked                  two charters of one version, both signed by enough keys: proven
    ├── Unreachable                    peer's  exit 3   nobody answered, or not in time
    │   ├── Starting                           the node may not sign yet: too few witnesses have answered it
    │   ├── Stopping                           the node is shutting down
    │   ├── ClockOff                           its clock is too far from its peers' for it to record anything
    │   └── Overloaded                         the node asks to be tried again later
    └── StorageFailed                  disk's  exit 4   the disk, or what stands on it
        ├── DirectoryHeld                      another process holds this directory
        ├── DiskFull                           nothing was written
        ├── StoreDamaged                       stored bytes are not what was stored
        └── BehindSigned                       the database lacks what was already signed

`VerificationFailed` and `Refused` are kept apart although both may speak of the same bytes: the first
is what a verifier says of something it was shown, the second what a ledger says of something it was asked
to take. A name that is not well formed exits as the wrong call it is, whoever found it out. A wrong order of calls is a
plain `RuntimeError`; it is our bug, not bad input, and a program that such a bug ends exits with `FAULT`.
"""

from __future__ import annotations

from typing import ClassVar, Final, Self

FAULT: Final = 70
"""The exit code of a program that its own bug ended, as `sysexits.h` has it: it says nothing of any ledger."""


class TallystickError(Exception):
    """One clear sentence: *what* was wrong, *where*, what was *expected*; the class says whose fault it is.

    `known` carries the fact a caller needs to go on, as a number whose meaning the class documents.
    """

    fault: ClassVar[str] = "ours"
    exit_code: ClassVar[int] = 4

    def __init__(self, what: str, *, where: str = "", expected: str = "", known: int | None = None) -> None:
        super().__init__(what, where, expected, known)
        self.what = what
        self.where = where
        self.expected = expected
        self.known = known

    def __str__(self) -> str:
        sentence = f"{self.where}: {self.what}" if self.where else self.what
        return f"{sentence}; expected {self.expected}" if self.expected else sentence

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.where, self.expected, self.known)

    def at(self, where: str) -> Self:
        """The same error with an outer place put before its own, for a caller that knows more of where."""
        outer = f"{where}: {self.where}" if self.where else where
        return type(self)(self.what, where=outer, expected=self.expected, known=self.known)


def _rebuild(kind: type[TallystickError], what: str, where: str, expected: str, known: int | None) -> TallystickError:
    return kind(what, where=where, expected=expected, known=known)


# What a ledger will not take.


class Refused(TallystickError):
    fault = "yours"


class InvalidStatement(Refused):
    pass


class InvalidSubmission(Refused):
    pass


class StaleSubmission(InvalidSubmission):
    pass


class InvalidIdentifier(Refused):
    exit_code = 2


class NotAuthentic(Refused):
    pass


class NotAllowed(Refused):
    pass


class SubmissionConflict(Refused):
    """`known` is the index at which the submission of that id already stands."""


class NotFound(Refused):
    pass


# The call itself.


class Usage(TallystickError):
    fault = "yours"
    exit_code = 2


class ConfigInvalid(Usage):
    pass


# What a verifier says of what it was shown.


class VerificationFailed(TallystickError):
    fault = "the peer's"
    exit_code = 5


class MalformedKey(VerificationFailed):
    pass


class MalformedNote(VerificationFailed):
    pass


class MalformedEntry(VerificationFailed):
    pass


class MalformedProof(VerificationFailed):
    pass


class MalformedCharter(VerificationFailed):
    pass


class MalformedCertificate(VerificationFailed):
    pass


class ChainBroken(VerificationFailed):
    """`known` is the index of the entry that does not follow."""


class SignatureInvalid(VerificationFailed):
    pass


class NotVouchedFor(SignatureInvalid):
    """Whoever goes by another version of the charter may show it in good faith, so it accuses nobody."""


class ProofFailed(VerificationFailed):
    pass


class RolledBack(VerificationFailed):
    """`known` is the size this client was shown before."""


class Forked(VerificationFailed):
    """`known` is the smaller of the two sizes; `evidence` the file that proves it (`core.equivocation`)."""

    def __init__(
        self, what: str, *, where: str = "", expected: str = "", known: int | None = None, evidence: bytes = b""
    ) -> None:
        super().__init__(what, where=where, expected=expected, known=known)
        self.evidence = evidence

    def __reduce__(self) -> tuple[object, ...]:
        return (*super().__reduce__(), {"evidence": self.evidence})

    def at(self, where: str) -> Self:
        moved = super().at(where)
        moved.evidence = self.evidence
        return moved


class Unreconciled(VerificationFailed):
    """`known` is the size this client trusts."""


class HalvesDiffer(VerificationFailed):
    """Two signed claims differ, and neither is convicted. `where` names the entry that records what was received."""


class CharterMismatch(VerificationFailed):
    pass


class CharterForked(CharterMismatch):
    """`known` is the version of which two were signed."""


# Nobody answered.


class Unreachable(TallystickError):
    fault = "the peer's"
    exit_code = 3


class Starting(Unreachable):
    pass


class Stopping(Unreachable):
    pass


class ClockOff(Unreachable):
    pass


class Overloaded(Unreachable):
    pass


# The disk.


class StorageFailed(TallystickError):
    fault = "the disk's"


class DirectoryHeld(StorageFailed):
    fault = "yours"


class DiskFull(StorageFailed):
    pass


class StoreDamaged(StorageFailed):
    pass


class BehindSigned(StorageFailed):
    """`known` is the size that was already signed."""
