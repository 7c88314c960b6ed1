"""What a check found: each difference with its place, what was expected there and what was found."""

from __future__ import annotations

from dataclasses import dataclass, field

from tallystick.core.errors import TallystickError
from tallystick_proto.v1.statement_pb2 import Ref

DIFFERENCES_MAX = 100


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the database is not what its entries say. `ref` cites the entry where it is one."""

    place: str
    expected: str
    found: str
    ref: Ref | None = None

    def __str__(self) -> str:
        return f"{self.place}: expected {self.expected}, found {self.found}"


@dataclass(slots=True)
class Report:
    """What a check found, clean without a difference. `size` counts the own entries, `copied` those in copies, and
    `unopened` the disclosures that were not opened for want of their key.
    """

    origin: str
    size: int = 0
    copied: int = 0
    unopened: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not self.differences

    @property
    def first_difference(self) -> Ref | None:
        """The citation of the first altered entry, with the leaf that was expected there."""
        return next((difference.ref for difference in self.differences if difference.ref is not None), None)

    def add(self, place: str, expected: str, found: str, ref: Ref | None = None) -> None:
        if len(self.differences) < DIFFERENCES_MAX:
            self.differences.append(Difference(place, expected, found, ref))

    def take(self, other: Report) -> None:
        """What was found in the copy of another ledger."""
        self.copied += other.size
        for found in other.differences:
            self.add(f"copy of {found.place}", found.expected, found.found, found.ref)

    def add_error(self, error: TallystickError) -> None:
        where = error.where or "database"
        place = where if self.origin in where else f"{self.origin}: {where}"
        self.add(place, error.expected or "what was stored", error.what)
