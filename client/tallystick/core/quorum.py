"""How many witnesses are enough: n of them, k cosignatures, and what that survives.

Of n witnesses, f = floor((n-1)/3) may collude and k = floor((n+f)/2)+1 cosignatures are asked for, unless the charter
sets another k. Two histories that both had k would share 2k-n witnesses, so as long as fewer than that sign whatever
they are shown, two histories are never both witnessed; and n-k may be away. With k <= n/2 two halves could witness two
histories without one liar among them, so no charter may say that. Fewer than two never witness.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

WITNESSES_MIN: Final = 2


@dataclass(frozen=True, slots=True)
class Quorum:
    """`needed` cosignatures out of `witnesses`, which are counted by credit code."""

    witnesses: int
    needed: int

    @property
    def colluders_expected(self) -> int:
        """How many the default k is made for."""
        return _colluders(self.witnesses)

    @property
    def colluders_survived(self) -> int:
        """How many may sign two histories without both being witnessed."""
        return 2 * self.needed - self.witnesses - 1

    @property
    def absent_survived(self) -> int:
        """How many may be away without anything being left unwitnessed."""
        return self.witnesses - self.needed


def default_needed(witnesses: int) -> int:
    """The k that is asked of n witnesses where the charter sets none."""
    return (witnesses + _colluders(witnesses)) // 2 + 1


def _colluders(witnesses: int) -> int:
    return (witnesses - 1) // 3
