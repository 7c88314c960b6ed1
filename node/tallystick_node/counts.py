"""What a process counts of itself since it started, for its page of metrics (`metrics`). A process runs one node.

Counted where it happens, on whichever thread that is.
"""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import Final


class Count:
    """How often something happened, by what it was."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seen: Counter[str] = Counter()

    def add(self, what: str) -> None:
        """Once more."""
        with self._lock:
            self._seen[what] += 1

    def __getitem__(self, what: str) -> int:
        return self._seen[what]

    def items(self) -> list[tuple[str, int]]:
        """What was counted, in the order of names."""
        with self._lock:
            return sorted(self._seen.items())


REFUSED: Final = Count()
"""Calls that ended with a domain error, by its class."""
DISK_ERRORS: Final = Count()
"""What the disk refused or did not have as it was written, by the error's class."""
ROUNDS: Final = Count()
"""Rounds of gossip, `done` or `failed`."""
