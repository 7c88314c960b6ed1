"""The newest entries of a ledger, as they were written: whoever waits for them is given them without the disk.

A receipt shows the entry it is for, and witnesses ask for what was recorded a moment ago.
"""

from __future__ import annotations

from typing import Final

BYTES_MAX: Final = 16 * 1024 * 1024  # beside the last commit; who follows is some ten thousand entries behind


class Newest:
    """Adjacent entries, the last of them the ledger's last; none at first."""

    def __init__(self) -> None:
        self._first = 0
        self._entries: list[bytes] = []
        self._bytes = 0

    def add(self, first: int, entries: list[bytes]) -> None:
        """Entries that were committed together; others that they do not adjoin are let go of."""
        if first != self._first + len(self._entries):
            self._first, self._entries, self._bytes = first, [], 0
        if self._bytes > BYTES_MAX:
            self._let_go()
        self._entries += entries
        self._bytes += sum(map(len, entries))

    def _let_go(self) -> None:
        """Of the older half, so that this costs each entry once."""
        gone = 0
        while self._bytes > BYTES_MAX // 2:
            self._bytes -= len(self._entries[gone])
            gone += 1
        del self._entries[:gone]
        self._first += gone

    def entries(self, first: int, end: int) -> list[bytes]:
        """Those of entries [first, end) that are at hand, which are the last of them; none where the last is not."""
        if not self._first < end <= self._first + len(self._entries):
            return []
        return self._entries[max(0, first - self._first) : end - self._first]
