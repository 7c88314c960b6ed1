"""The newest entries of a ledger, as they were written: whoever waits for them is given them without the disk.

A receipt shows the entry it is for, and witnesses ask for what was recorded a moment ago.
"""

from __future__ import annotations

from collections import deque
from itertools import chain
from typing import Final

BYTES_MAX: Final = 16 * 1024 * 1024  # of those before the last commit; who follows is some ten thousand behind


class Newest:
    """Adjacent entries, up to `end`; none at first."""

    def __init__(self) -> None:
        self._commits: deque[tuple[int, list[bytes], int]] = deque()  # where each begins, its entries, their bytes
        self._bytes = 0
        self.end = 0

    def add(self, first: int, entries: list[bytes]) -> None:
        """Entries that were committed together; others that they do not adjoin are let go of."""
        if first != self.end:
            self._commits.clear()
            self._bytes = 0
        size = sum(map(len, entries))
        while self._bytes > BYTES_MAX:
            self._bytes -= self._commits.popleft()[2]
        self._commits.append((first, entries, size))
        self._bytes += size
        self.end = first + len(entries)

    def entries(self, first: int, end: int) -> list[bytes]:
        """Those of entries [first, end) that are at hand, which are the last of them; none where the last is not."""
        if end > self.end or not self._commits or end <= self._commits[0][0]:
            return []
        found: list[list[bytes]] = []
        for begins, entries, _ in reversed(self._commits):  # there may be as many as entries
            if begins < end:
                found.append(entries[max(0, first - begins) : end - begins])
            if begins <= first:
                break
        return list(chain.from_iterable(reversed(found)))
