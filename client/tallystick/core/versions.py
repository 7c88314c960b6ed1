"""The versions of the charter that others go by, held against those one knows oneself.

Whoever swaps says which versions it holds, in a line each, and shows the note of any. Such a note is one of these:

  1. the version after the last that is known, properly signed: a *later* one. One goes on by one's own; that bureaus go
     by different versions for hours is how a version is brought in;
  2. another version of a number that is known, signed by the holders as well: a *fork*. While it is of the version one
     goes by, or of a later one, nobody can say which charter is in force; adopting a version after it settles that;
  3. anything else, which says nothing of anybody.

What a line says is believed by nobody: only a note proves anything, and proves it whoever shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.core.charter_chain import Version, follow, read_version, signers
from tallystick.core.errors import CharterForked, VerificationFailed
from tallystick.core.hashing import parse_digest
from tallystick.core.limits import CHARTER_BYTES_MAX
from tallystick_proto.v1.gossip_pb2 import CharterLine

LINES_MAX: Final = 16
"""How many versions are said, and how many are looked at of those that another says."""
ASKED_MAX: Final = 16
"""For how many notes somebody is asked that it was not worth it to ask for."""


@dataclass(frozen=True, slots=True)
class Fork:
    """Two versions of one number, both signed by the holders; `known` is the one that was known first."""

    known: Version
    other: Version

    @property
    def number(self) -> int:
        return self.known.number

    @property
    def sentence(self) -> str:
        return (
            f"the holders of the charter's keys signed two versions {self.number}: "
            f"{self.known.digest} and {self.other.digest}"
        )


class Versions:
    """What one knows of a charter: the versions trusted, in order, the last the one it goes by, and what was heard."""

    def __init__(self, known: Sequence[Version]) -> None:
        self.known = tuple(known)
        self.later: list[Version] = []
        self.forks: dict[int, Fork] = {}
        self._asked: dict[str, set[bytes]] = {}

    @property
    def current(self) -> Version:
        """The version one goes by."""
        return self.known[-1]

    @property
    def unsettled(self) -> Fork | None:
        """The first fork of the version one goes by, or of a later one."""
        return min(
            (fork for fork in self.forks.values() if fork.number >= self.current.number),
            key=lambda fork: fork.number,
            default=None,
        )

    def lines(self) -> list[CharterLine]:
        """What is held, the version one goes by first, then the newest."""
        others = sorted((each for each in self._held() if each != self.current), key=lambda each: -each.number)
        return [
            CharterLine(number=each.number, digest=parse_digest(each.digest))
            for each in (self.current, *others[: LINES_MAX - 1])
        ]

    def note(self, digest: bytes) -> bytes | None:
        """The note of a version that is held."""
        return next((each.note for each in self._held() if parse_digest(each.digest) == digest), None)

    def asks(self, whom: str, lines: Iterable[CharterLine]) -> CharterLine | None:
        """Which of the versions that `whom` says it holds is worth asking it for, and was not asked for in vain."""
        held = {parse_digest(each.digest) for each in self._held()}
        asked = self._asked.get(whom, set())
        wanted = [
            line
            for line in list(lines)[:LINES_MAX]
            if self.known[0].number <= line.number <= self._newest.number + 1
            and line.number not in self.forks
            and line.digest not in held
            and line.digest not in asked
        ]
        return None if len(asked) >= ASKED_MAX else min(wanted, key=lambda line: line.number, default=None)

    def answered(self, whom: str, line: CharterLine) -> None:
        """`whom` was asked for what it said in a line; where that is not held now, it is not asked again."""
        if self.note(line.digest) is None:
            self._asked.setdefault(whom, set()).add(line.digest)

    def take(self, note: bytes) -> Version | Fork | None:
        """What a note adds to what is known: a later version, a fork, or nothing."""
        if len(note) > CHARTER_BYTES_MAX:
            return None
        try:
            if not signers(note, *(each.charter for each in (*self.known, *self.later))):
                return None  # whatever is in it, it is not worth reading
            version = follow([*self.known, *self.later], note)
        except CharterForked:
            return self._take_other(read_version(note))
        except VerificationFailed:
            return None
        if version.digest == self._newest.digest:
            return None
        self.later.append(version)
        return version

    def _take_other(self, other: Version) -> Fork | None:
        if other.number in self.forks:
            return None
        known = next(each for each in (*self.known, *self.later) if each.number == other.number)
        self.forks[other.number] = Fork(known, other)
        return self.forks[other.number]

    @property
    def _newest(self) -> Version:
        return self.later[-1] if self.later else self.current

    def _held(self) -> list[Version]:
        return [*self.known, *self.later, *(fork.other for fork in self.forks.values())]
