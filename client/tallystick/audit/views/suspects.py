"""What may not be its author's: entries that a key signed after it was compromised, by its registrar's word.

A revocation says since when (`compromised_since`). It comes after what it casts doubt on, so that the view is asked at
the end, by key, index and date. What is suspect stays recorded and proven, and accuses nobody: it says that whoever
signed it need not be who the key was registered for. The date is the ledger's own, of the same bureau as the registrar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from tallystick.audit.entry import On
from tallystick.audit.finding import Finding
from tallystick.audit.views.view import View, folds
from tallystick.core.actors import Registered
from tallystick.core.errors import InvalidIdentifier
from tallystick.core.identifiers import parse_entry_ref
from tallystick_proto.v1.meta_pb2 import Role
from tallystick_proto.v1.statement_pb2 import ActorRevoked


class Signed(NamedTuple):
    """By which key an entry is signed, and when its ledger recorded it."""

    key: bytes
    recorded_at_us: int


class Suspects(View):
    """The compromised keys, by bureau."""

    def __init__(self) -> None:
        self._keys: dict[str, dict[bytes, Registered]] = {}

    @folds(ActorRevoked)
    def fold(self, entry: On[ActorRevoked]) -> None:
        """Take note of a revocation."""
        said = entry.said
        if said.compromised_since_us:
            self._keys.setdefault(entry.bureau, {})[said.key] = Registered(
                said.revoked,
                said.key,
                Role.ROLE_UNSPECIFIED,
                None,
                entry.place.index,
                compromised_since_us=said.compromised_since_us,
            )

    def may_be(self, bureau: str, index: int, actor: str = "") -> bool:
        """Whether an entry, an actor's if that is known, stands before a revocation that casts doubt on any such: then
        it is worth asking by which key it is signed.
        """
        return any(
            index < (key.revoked or 0) and actor in ("", key.actor) for key in self._keys.get(bureau, {}).values()
        )

    def is_suspect(self, bureau: str, index: int, signed: Signed) -> bool:
        """Whether an entry may not be its author's."""
        key = self._keys.get(bureau, {}).get(signed.key)
        return key is not None and key.is_suspect(index, signed.recorded_at_us)

    def mark(self, findings: Iterable[Finding], signed: Callable[[str, int], Signed | None]) -> None:
        """Note with each finding which of its entries are suspect. `signed` looks an entry up, by bureau and index;
        None where nobody shows it.
        """
        for finding in findings:
            finding.suspect = tuple(each for each in finding.references if self._is_suspect(each, signed))

    def _is_suspect(self, reference: str, signed: Callable[[str, int], Signed | None]) -> bool:
        try:
            at = parse_entry_ref(reference)
        except InvalidIdentifier:  # a ledger, say: nothing that somebody signed
            return False
        found = signed(at.bureau, at.index) if self.may_be(at.bureau, at.index) else None
        return found is not None and self.is_suspect(at.bureau, at.index, found)
