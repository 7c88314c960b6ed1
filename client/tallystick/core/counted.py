"""How many there are of something, in English: `1 day`, `2 days`, `1,024 entries`."""

from __future__ import annotations


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun; `many` where that is not `one` with an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def counted_entries(count: int) -> str:
    """So many entries of a ledger."""
    return counted(count, "entry", "entries")
