"""Signatures in a simulation: every check is counted, and none is computed twice.

Ed25519 is a function: the same key, message and signature have the same verdict, always. So a verdict is looked up
under all three, and that of a signature just made by its own key is known. No verdict changes by it: a bad key is
refused as ever, a bad signature is verified once and fails each time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cryptography.exceptions import InvalidSignature

from tallystick.core import keys
from tallystick.core.keys import SigningKey
from tests.simulation.virtual_loop import running

_check_key = keys._public_key
_verdicts: dict[tuple[bytes, bytes, bytes], bool] = {}


class CountedKey:
    """Stands for a public key of the library: `verify` as it has it."""

    def __init__(self, raw: bytes, checks: Counter[str]) -> None:
        self._raw = raw
        self._key = _check_key(raw)
        self._checks = checks

    def verify(self, signature: bytes, message: bytes) -> None:
        process: Any = running.get()
        self._checks[process.id if process is not None else ""] += 1
        asked = self._raw, signature, message
        if asked not in _verdicts:
            _verdicts[asked] = self._compute(signature, message)
        if not _verdicts[asked]:
            raise InvalidSignature

    def _compute(self, signature: bytes, message: bytes) -> bool:
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class KnownKey(SigningKey):
    """A private key whose signatures are known to be its own."""

    __slots__ = ()

    def sign(self, message: bytes) -> bytes:
        signature = super().sign(message)
        _verdicts[self.public, signature, message] = True
        return signature


@contextmanager
def counted(checks: Counter[str]) -> Iterator[None]:
    """Within, every signature that is checked is counted for the process that checks it."""
    made: dict[bytes, CountedKey] = {}

    def public_key(raw: bytes) -> Any:
        found = made.get(raw)
        if found is None:
            found = made[raw] = CountedKey(raw, checks)
        return found

    keys._public_key = public_key  # type: ignore[assignment]
    try:
        yield
    finally:
        keys._public_key = _check_key
        _verdicts.clear()
