"""When an entry was recorded, as far as that can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

from tallystick.audit.place import Place


@dataclass(slots=True, eq=False)
class Moment:
    """An entry's own node says when, and its witnesses' cosignatures bound it; all in microseconds since 1970.

    `said_us` is its node's word, `not_before_us` the lower bound (0 for none), `there_by_us` the upper one, None as
    long as no quorum is known to have had it. `cosigned_us` is when the bureau it was waited for first cosigned it.
    """

    place: Place
    said_us: int
    not_before_us: int = 0
    there_by_us: int | None = None
    cosigned_us: int | None = None

    @property
    def at_us(self) -> int:
        """Its node's word, held within the bounds; the bare word where they contradict each other."""
        if self.there_by_us is None:
            return max(self.said_us, self.not_before_us)
        if self.there_by_us < self.not_before_us:
            return self.said_us
        return min(max(self.said_us, self.not_before_us), self.there_by_us)
