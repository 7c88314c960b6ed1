"""RFC 6962, section 2.1, written down as it stands: MTH, PATH and PROOF over a list of entries.

The only liberty taken is that hashes of sublists are remembered, so that every size and pair can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import sha256


class Reference:
    """The definitions over `entries`, D[0] to D[n-1]; sublists are named by their bounds, D[low:high]."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        self.entries = entries
        self.mth = cache(self._mth)

    def _mth(self, low: int, high: int) -> bytes:
        """2.1: the hash of the list D[low:high]."""
        n = high - low
        if n == 0:
            return sha256(b"").digest()
        if n == 1:
            return sha256(b"\x00" + self.entries[low]).digest()
        k = largest_power_of_two_below(n)
        return sha256(b"\x01" + self.mth(low, low + k) + self.mth(low + k, high)).digest()

    def path(self, m: int, low: int, high: int) -> list[bytes]:
        """2.1.1: the audit path for the (m+1)th entry of D[low:high]."""
        n = high - low
        if n == 1:
            return []
        k = largest_power_of_two_below(n)
        if m < k:
            return [*self.path(m, low, low + k), self.mth(low + k, high)]
        return [*self.path(m - k, low + k, high), self.mth(low, low + k)]

    def proof(self, m: int, n: int) -> list[bytes]:
        """2.1.2: the consistency proof of the first m entries with the first n, 0 < m <= n."""
        return self._subproof(m, 0, n, True)

    def _subproof(self, m: int, low: int, high: int, known: bool) -> list[bytes]:
        n = high - low
        if m == n:
            return [] if known else [self.mth(low, high)]
        k = largest_power_of_two_below(n)
        if m <= k:
            return [*self._subproof(m, low, low + k, known), self.mth(low + k, high)]
        return [*self._subproof(m - k, low + k, high, False), self.mth(low, low + k)]

    def range_proof(self, first: int, end: int, low: int, high: int) -> list[bytes]:
        """Of the tree over D[low:high], the hashes of the largest nodes without an entry of D[first:end]."""
        if high <= first or end <= low:
            return [self.mth(low, high)]
        if high - low == 1:
            return []
        k = largest_power_of_two_below(high - low)
        return [*self.range_proof(first, end, low, low + k), *self.range_proof(first, end, low + k, high)]


def largest_power_of_two_below(n: int) -> int:
    """k with k < n <= 2k."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k
