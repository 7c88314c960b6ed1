"""Large answers that several callers are given, as the bytes that go over the wire: made once, not once a caller.

A ledger's witnesses ask for the same entries at about one time, and are given the same messages (`ReadyBundles`). An
answer is not changed any more once it was given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

KEPT: Final = 8  # answers, each of up to a mebibyte


class Serialized:
    """Those given last."""

    def __init__(self) -> None:
        self._kept: deque[tuple[Any, bytes]] = deque(maxlen=KEPT)

    def of(self, answer: Any, serialize: Callable[[Any], bytes]) -> bytes:
        """The bytes of an answer."""
        for given, data in self._kept:
            if given is answer:
                return data
        data = serialize(answer)
        self._kept.append((answer, data))
        return data
