"""A bureau as a charter names it: its keys, those it gave up, and how far each of them vouches for its ledger.

A version of a charter names under each bureau every key the bureau ever gave up, so that one version is enough to
verify what was recorded under all before it. A ledger's or a registrar's retired key vouches for the first `size`
entries of its ledger and for nothing after, whatever it signs from now on. A witness's signed checkpoints of other
ledgers; for it there is no such size, and 0 is written. Whose key it was, its name says: `<origin>`,
`<origin>/registrar` or `<origin>/witness`.

A suspended bureau records nothing for now; a closed one's ledger ends at its floor, and its last key with it; its
successor is a new id of the same credit code.

An *observer* is a bureau without a ledger: it names a witness's key alone, follows and cosigns the others' ledgers, and
nothing that is called an entry of its origin is one. It has no registrar and no actors, and nothing is pinned of it.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from tallystick.core import identifiers
from tallystick.core.certificate import Authority, parse_authorities
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.errors import MalformedCharter, NotFound
from tallystick.core.note import COSIGNATURE_V1, ED25519, VerifierKey, decode_base64


class Name(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bureau's names; `short` is what tables print in Chinese."""

    zh: str
    en: str
    short: str = ""


class Floor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last witnessed size and root (base64) a version pins for a ledger."""

    size: int
    root: str


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


class Bureau(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One organisation of the roster. Keys are verifier keys as C2SP writes them; an observer has no ledger's."""

    id: str
    name: Name
    credit_code: str
    origin: str
    ledger_key: str = ""
    registrar_key: str = ""
    witness_key: str
    endpoint: str
    certificate_authority: str = ""
    witnesses: tuple[str, ...] = ()
    floor: Floor | None = None
    state: Literal["active", "suspended", "closed"] = "active"
    successor: str = ""
    retired: tuple[Retired, ...] = ()

    @property
    def is_observer(self) -> bool:
        """Whether it has no ledger of its own."""
        return not self.ledger_key

    @property
    def ledger_verifier(self) -> VerifierKey:
        """The key that signs this bureau's checkpoints, and its node's own statements.

        Raises NotFound for an observer.
        """
        if self.is_observer:
            raise no_ledger(self)
        return VerifierKey.parse(self.ledger_key)

    @property
    def witness_verifier(self) -> VerifierKey:
        """The key that cosigns other ledgers' checkpoints."""
        return VerifierKey.parse(self.witness_key)

    @property
    def witness_verifiers(self) -> list[VerifierKey]:
        """The keys this bureau cosigned other ledgers with, the present one first."""
        retired = [each.verifier for each in self.retired]
        return [self.witness_verifier, *(key for key in retired if key.name.endswith("/witness"))]

    @property
    def authorities(self) -> tuple[Authority, ...]:
        """What certifies its connections: one, two while one takes the other's place; none where it has none, and its
        node listens in the clear.
        """
        return parse_authorities(self.certificate_authority, self.id) if self.certificate_authority else ()

    @property
    def ends(self) -> dict[VerifierKey, int]:
        """The keys whose word for this ledger ends at a size: retired ones, and the last one of a closed ledger."""
        ended = {each.verifier: each.size for each in self.retired if not each.verifier.name.endswith("/witness")}
        if self.state == "closed" and self.floor is not None:
            ended[self.ledger_verifier] = self.floor.size
        return ended

    @property
    def pinned(self) -> Checkpoint | None:
        """The floor: what the ledger held at least, and holds for ever."""
        if self.floor is None:
            return None
        return Checkpoint(self.origin, self.floor.size, decode_base64(self.floor.root, MalformedCharter, "floor"))

    @property
    def registrar_public(self) -> bytes:
        """The key that registers this bureau's actors, 32 bytes."""
        return VerifierKey.parse(self.registrar_key).public

    def check(self) -> list[bytes]:
        """Every public key it has or had, once all it says reads by itself.

        Raises InvalidIdentifier, MalformedCharter, MalformedKey, MalformedCertificate.
        """
        identifiers.check_bureau_id(self.id)
        identifiers.check_origin(self.origin)
        identifiers.check_credit_code(self.credit_code)
        publics = []
        for name, text, algorithm in self._keys():
            key = VerifierKey.parse(text)
            if (key.name, key.algorithm) != (name, algorithm):
                raise MalformedCharter(
                    f"a key of {self.id} is {key.name}, algorithm {key.algorithm}",
                    where="charter",
                    expected=f"{name}, {algorithm}",
                )
            publics.append(key.public)
        if self.floor is not None:
            root = decode_base64(self.floor.root, MalformedCharter, f"charter: floor of {self.id}")
            Checkpoint(self.origin, self.floor.size, root)
        self.authorities  # noqa: B018, for what it raises
        floor_size = None if self.floor is None else self.floor.size
        return publics + [retired.check(self.origin, floor_size) for retired in self.retired]

    def _keys(self) -> list[tuple[str, str, int]]:
        """The keys it must have: under which name, the key's text, of which algorithm. Raises MalformedCharter where an
        observer says what only a ledger has.
        """
        keys = [(f"{self.origin}/witness", self.witness_key, COSIGNATURE_V1)]
        if not self.is_observer:
            ledger = (self.origin, self.ledger_key, ED25519)
            return [ledger, *keys, (f"{self.origin}/registrar", self.registrar_key, ED25519)]
        of_a_ledger = {"registrar_key": self.registrar_key, "floor": self.floor, "witnesses": self.witnesses}
        for what, said in of_a_ledger.items():
            if said:
                raise MalformedCharter(
                    f"{self.id} has no ledger_key, but {what}",
                    where="charter",
                    expected="an observer, which has none of a ledger, or a ledger_key",
                )
        return keys

    def label(self, language: str) -> str:
        """What the bureau is called, shortest first."""
        return (self.name.short or self.name.zh) if language == "zh" else self.name.en

    def state_in(self, language: str) -> str:
        """Its state in words, and who succeeds it: "closed, succeeded by market-2"."""
        zh = language == "zh"
        if self.successor:
            return f"已关闭，由 {self.successor} 承继" if zh else f"{self.state}, succeeded by {self.successor}"
        return {"active": "在用", "suspended": "暂停", "closed": "已关闭"}[self.state] if zh else self.state


def no_ledger(observer: Bureau) -> NotFound:
    """What is said of an observer to whom asks for its ledger."""
    return NotFound("it is an observer and has no ledger", where=observer.id, expected="a bureau that has one")
