"""Keys that signed for a bureau once, and how far their word still goes.

A charter names under each bureau every key the bureau ever gave up, so that one version is enough to verify what was
recorded under all before it. A ledger's or a registrar's retired key vouches for the first `size` entries of its
ledger and for nothing after, whatever it signs from now on. A witness's signed checkpoints of other ledgers; for it
there is no such size, and 0 is written.

Whose key it was, its name says: `<origin>`, `<origin>/registrar` or `<origin>/witness`.
"""

from __future__ import annotations

import msgspec

from tallystick.core.errors import MalformedCharter
from tallystick.core.note import COSIGNATURE_V1, ED25519, VerifierKey


class Retired(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key that was given up, and the number of entries it vouches for."""

    key: str
    size: int = 0

    @property
    def verifier(self) -> VerifierKey:
        """The key. Raises MalformedKey."""
        return VerifierKey.parse(self.key)

    def check(self, origin: str, floor_size: int | None) -> bytes:
        """The public key, once it is sure to be one of this ledger's and to end where the charter pins the ledger, or
        before. Raises MalformedCharter, MalformedKey.
        """
        key = self.verifier
        where = f"charter: retired key {key.name[:255]}"
        if (key.name, key.algorithm) not in (
            (origin, ED25519),
            (f"{origin}/registrar", ED25519),
            (f"{origin}/witness", COSIGNATURE_V1),
        ):
            raise MalformedCharter(f"algorithm {key.algorithm}", where=where, expected=f"a key of {origin}")
        most = 0 if key.name.endswith("/witness") else floor_size
        if most is None or not 0 <= self.size <= most:
            bound = "no floor" if most is None else f"at most {most}"
            raise MalformedCharter(
                f"it vouches for {self.size} entries, {bound} stands beside it",
                where=where,
                expected="a size up to the ledger's floor, 0 for a witness",
            )
        return key.public
