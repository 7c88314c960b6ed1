"""An auditor as a charter names it: the key it signs with, and the authority that certifies its connections."""

from __future__ import annotations

import msgspec

from tallystick.core import identifiers
from tallystick.core.certificate import Authority, parse_authorities
from tallystick.core.note import VerifierKey


class Auditor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Someone who may read everything."""

    id: str
    key: str
    certificate_authority: str = ""

    @property
    def authorities(self) -> tuple[Authority, ...]:
        """What certifies its connections: one, two while one takes the other's place, none where it has none."""
        return parse_authorities(self.certificate_authority, self.id) if self.certificate_authority else ()

    def check(self) -> bytes:
        """Its public key, once all it says reads. Raises InvalidIdentifier, MalformedKey, MalformedCertificate."""
        identifiers.check_bureau_id(self.id)
        self.authorities  # noqa: B018, for what it raises
        return VerifierKey.parse(self.key).public
