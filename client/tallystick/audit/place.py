"""Where an entry stands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A ledger's origin, and the entry's index in it."""

    origin: str
    index: int
