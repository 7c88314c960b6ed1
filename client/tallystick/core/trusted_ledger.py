"""What one client knows of one ledger, and how it checks everything it is shown: all of it here, no input or output.

The state is one signed checkpoint, the last this client trusted. The steps, numbered as in the code:

  1. a checkpoint is signed by the ledger's key, or a retired one as far as that vouches, and names its origin;
  2. it is not smaller than the trusted one (else `RolledBack`);
  3. at the same size it has the same root (else `Forked`: two signatures on two histories, which is proof);
  4. at a larger size a consistency proof shows that it extends the trusted one; if it shows instead that it extends
     another root of the trusted size, that is proof too (`Forked`), and if it shows nothing, a suspicion
     (`Unreconciled`);
  5. it extends the floor that the charter pins, which counts as trusted where this client was shown nothing yet;
  6. an entry is shown with a path to the root of a checkpoint that passed 1 to 5, and its index is the one asked for.

`Forked` carries its evidence, a file (`core.equivocation`). The caller supplies sizes and indexes; a server never
chooses how it is checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from tallystick.core.checkpoint import Checkpoint, open_checkpoint
from tallystick.core.entry import Entry, decode_entry
from tallystick.core.equivocation import forked, make_equivocation
from tallystick.core.errors import (
    Forked,
    MalformedEntry,
    ProofFailed,
    RolledBack,
    TallystickError,
    Unreconciled,
    VerificationFailed,
)
from tallystick.core.hashing import leaf_hash, leaf_hashes
from tallystick.core.merkle import check_consistency, check_inclusion, check_range
from tallystick.core.note import VerifierKey


class TrustedLedger:
    """One ledger as this client has verified it so far. `name` is what sentences call it, the bureau's id."""

    def __init__(
        self,
        name: str,
        key: VerifierKey,
        trusted: bytes | None = None,
        *,
        ends: Mapping[VerifierKey, int] | None = None,
        floor: Checkpoint | None = None,
    ) -> None:
        """`trusted` is the note this client kept; `ends` and `floor` are the charter's (`Bureau.ends`, `pinned`).

        Raises VerificationFailed where that note is not the ledger's.
        """
        self.name = name
        self.origin = key.name
        self._key = key
        self._ends = ends
        self._note = trusted
        self._floor = floor
        self._checkpoint = floor if trusted is None else open_checkpoint(trusted, key, ends)
        self.floor_to_prove = None if trusted is None else floor
        """The floor, until the trusted checkpoint was shown to extend it."""

    @property
    def note(self) -> bytes | None:
        """The trusted checkpoint as a signed note."""
        return self._note

    @property
    def size(self) -> int:
        """The trusted size; before anything was shown that of the charter's floor, or 0."""
        return 0 if self._checkpoint is None else self._checkpoint.size

    @property
    def checkpoint(self) -> Checkpoint:
        """The trusted checkpoint. Wrong order of calls is a RuntimeError."""
        if self._checkpoint is None:
            raise RuntimeError("no checkpoint was advanced to yet")
        return self._checkpoint

    def advance(self, note: bytes, consistency: Sequence[bytes], root: bytes | None = None) -> Checkpoint:
        """Trust a newer checkpoint, shown with the proof from the trusted size.

        `root` is what is shown as the root of the trusted size, for where a proof that fails does not tell it: where
        the trusted size is a power of two. Raises RolledBack, Forked, Unreconciled, or what a bad note raises; then
        nothing has changed.
        """
        shown = self._opened(note)  # 1
        known = self._checkpoint
        if self._note is None:
            self._check_floor(shown, consistency)  # 5
        elif known is not None:
            self._check_extends(known, shown, note, consistency, root)
        self._note, self._checkpoint = note, shown
        return shown

    def _check_extends(
        self, known: Checkpoint, shown: Checkpoint, note: bytes, consistency: Sequence[bytes], root: bytes | None
    ) -> None:
        if shown.size < known.size:  # 2
            raise RolledBack(
                f"{self.name} answers with {shown.size} entries, and has shown this client {known.size} before",
                expected="a ledger that only grows",
                known=known.size,
            )
        try:
            check_consistency(known.size, known.root, shown.size, shown.root, consistency)  # 3, 4
        except ProofFailed as error:
            raise self._fork(note, shown.size, consistency, root) or Unreconciled(
                f"{self.name} does not show that its {shown.size} entries extend the {known.size} it signed before"
                f" ({error.what})",
                expected="one history; until a proof comes, this is a suspicion",
                known=known.size,
            ) from None

    def _fork(self, note: bytes, size: int, consistency: Sequence[bytes], root: bytes | None) -> Forked | None:
        """The proof, if it is one, that a note is of another history than the trusted one."""
        assert self._note is not None
        retired = (key for key, most in (self._ends or {}).items() if size <= most)
        for key in dict.fromkeys((self._key, *retired)):
            with suppress(VerificationFailed):  # it signed one of them at most, or they do not contradict each other
                return forked(self.name, make_equivocation(self._note, note, key, consistency, root), key)
        return None

    def prove_floor(self, consistency: Sequence[bytes]) -> None:
        """The trusted checkpoint extends the floor, by a proof from there. Raises RolledBack, ProofFailed."""
        self._check_floor(self.checkpoint, consistency)  # 5
        self.floor_to_prove = None

    def _check_floor(self, shown: Checkpoint, consistency: Sequence[bytes]) -> None:
        floor = self._floor
        if floor is None:
            return
        if shown.size < floor.size:
            raise RolledBack(
                f"{self.name} answers with {shown.size} entries, and the charter pins {floor.size}",
                expected="a ledger that extends its floor",
                known=floor.size,
            )
        try:
            check_consistency(floor.size, floor.root, shown.size, shown.root, consistency)
        except ProofFailed as error:
            raise ProofFailed(
                f"what {self.name} answers does not extend the {floor.size} entries the charter pins ({error.what})",
                where=self.name,
                expected=f"root {floor.root.hex()} at {floor.size}",
            ) from None

    def check_entry(self, index: int, raw: bytes, path: Sequence[bytes], checkpoint: Checkpoint | None = None) -> Entry:
        """The entry at `index` under a checkpoint, or the trusted one. Raises ProofFailed, MalformedEntry."""
        at = checkpoint or self.checkpoint
        try:
            check_inclusion(leaf_hash(raw), index, at.size, at.root, path)  # 6
        except ProofFailed as error:
            raise self._not_there(index, error) from None
        return self._decoded(index, raw)

    def decode(self, first: int, raws: Sequence[bytes]) -> list[Entry]:
        """Adjacent entries that were checked to stand there. Raises MalformedEntry."""
        return [self._decoded(first + offset, raw) for offset, raw in enumerate(raws)]

    def check_raws(
        self, first: int, raws: Sequence[bytes], path: Sequence[bytes], checkpoint: Checkpoint | None = None
    ) -> None:
        """Adjacent entries stand where they are said to stand, whatever they hold. Raises ProofFailed."""
        at = checkpoint or self.checkpoint
        try:
            check_range(first, leaf_hashes(raws), at.size, at.root, path)  # 6
        except ProofFailed as error:
            raise self._not_there(first, error, len(raws)) from None

    def _decoded(self, index: int, raw: bytes) -> Entry:
        try:
            entry = decode_entry(raw)
        except MalformedEntry as error:
            raise error.at(f"{self.name}#{index}") from None
        if entry.index != index:
            raise MalformedEntry(f"it calls itself #{entry.index}", where=f"{self.name}#{index}", expected=f"#{index}")
        return entry

    def _not_there(self, index: int, error: ProofFailed, count: int = 1) -> ProofFailed:
        which = f"#{index}" if count == 1 else f"#{index} to #{index + count - 1}"
        return ProofFailed(
            f"what was shown as {self.name}{which} is not in the ledger its node signed ({error.what})",
            where=f"{self.name}#{index}",
            expected="a path to the signed root",
        )

    def _opened(self, note: bytes) -> Checkpoint:
        try:
            return open_checkpoint(note, self._key, self._ends)
        except TallystickError as error:
            raise error.at(f"checkpoint of {self.name}") from None
