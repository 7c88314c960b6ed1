"""Who may sign on a ledger: actors' keys, valid by index between registration and revocation.

`ActorRegistered` is signed by the bureau's registrar, whose key the charter names, and by the new key itself (proof of
possession): Ed25519 over `tallystick/actor/v1\\n<origin>\\n<actor>\\n<role>\\n<base64 key>\\n`, the role in lower case.
No key stands under two names. The node's own key and the registrar's come from the charter and are not registered. What
was recorded before a revocation stays valid: validity goes by index, not by anybody's clock.

Folded from a ledger's entries in order, by the node to admit and by every reader to verify.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tallystick.core.errors import InvalidIdentifier, MalformedKey, NotAuthentic, SignatureInvalid
from tallystick.core.identifiers import split_actor
from tallystick.core.keys import Signer, check_public_key, check_signature
from tallystick_proto.v1.meta_pb2 import Role
from tallystick_proto.v1.statement_pb2 import ActorRegistered, ActorRevoked, Statement


@dataclass(frozen=True, slots=True)
class Registered:
    """One key of one actor: valid from the entry after `index` up to `revoked`, the index of its revocation, if any.

    Of a key the charter names, `index` is None; of one it retired, `revoked` is the last entry it vouches for.
    `compromised_since_us` is the registrar's word, given with the revocation: from then on somebody else may have had
    the key. 0 where that was not said.
    """

    actor: str
    key: bytes
    role: int
    index: int | None  # None: named by the charter
    revoked: int | None = None
    system: str = ""
    compromised_since_us: int = 0

    def is_suspect(self, index: int, recorded_at_us: int) -> bool:
        """Whether an entry that this key signed may be another's: below the revocation, and recorded, by the ledger's
        date, since the key was compromised. It stays what it is; who said it is in doubt.
        """
        revoked = self.revoked is not None and index < self.revoked
        return revoked and 0 < self.compromised_since_us <= recorded_at_us


def possession_message(origin: str, actor: str, role: int, key: bytes) -> bytes:
    """What a new key signs to show that its holder has it."""
    name = Role.Name(role).lower()  # type: ignore[arg-type]
    return f"tallystick/actor/v1\n{origin}\n{actor}\n{name}\n{base64.b64encode(key).decode()}\n".encode()


def prove_possession(origin: str, actor: str, role: int, key: Signer) -> bytes:
    """The proof of possession an `ActorRegistered` carries."""
    return key.sign(possession_message(origin, actor, role, key.public))


class Actors:
    """The keys of one ledger, folded in the order of its entries."""

    def __init__(self, bureau: str, origin: str, ledger_key: bytes, registrar_key: bytes) -> None:
        self.bureau = bureau
        self.origin = origin
        node = Registered(f"{bureau}:node", ledger_key, Role.NODE, None)
        registrar = Registered(f"{bureau}:registrar", registrar_key, Role.REGISTRAR, None)
        self._by_key: dict[bytes, Registered] = {ledger_key: node, registrar_key: registrar}
        self._roles: dict[str, frozenset[int]] = {each.actor: frozenset({each.role}) for each in (node, registrar)}
        self._compromised_us: dict[str, int] = {}

    def add_retired(self, name: str, key: bytes, role: int, size: int) -> None:
        """Name a key that the charter retired: it signed as `<bureau>:<name>` in the first `size` entries."""
        self._by_key[key] = Registered(f"{self.bureau}:{name}", key, role, None, size - 1)

    def copy(self) -> Actors:
        """An independent copy, for a commit that may fail."""
        twin = object.__new__(Actors)
        twin.bureau, twin.origin = self.bureau, self.origin
        twin._by_key, twin._roles = dict(self._by_key), dict(self._roles)
        twin._compromised_us = dict(self._compromised_us)
        return twin

    def __iter__(self) -> Iterator[Registered]:
        return iter(self._by_key.values())

    def by_key(self, key: bytes) -> Registered | None:
        """The registration of a key, whatever its standing."""
        return self._by_key.get(key)

    def roles_of(self, actor: str) -> frozenset[int]:
        """The roles under which an actor has a key that is valid now; none where it is nobody, or revoked."""
        return self._roles.get(actor, frozenset())

    def compromised_us(self, actor: str) -> int:
        """The latest moment since which somebody else may have had a key of an actor, which is none after the entry
        that says so; 0 where none is known.

        Whatever else he had by then, somebody else may have too.
        """
        return self._compromised_us.get(actor, 0)

    def is_named(self, actor: str) -> bool:
        """Whether it is the charter that names an actor's key, and no registration."""
        return actor in (f"{self.bureau}:node", f"{self.bureau}:registrar")

    def authorise(self, actor: str, key: bytes, index: int) -> Registered:
        """The registration under which `key` signs as `actor` at `index`. Raises NotAuthentic."""
        found = self._by_key.get(key)
        if found is None:
            raise NotAuthentic(
                f"the key is not registered for {actor} on {self.origin}", expected="a key registered before"
            )
        if found.actor != actor:
            raise NotAuthentic(f"the key belongs to {found.actor}", expected=f"a key of {actor}")
        if found.index is not None and found.index >= index:
            raise NotAuthentic(
                f"the key of {actor} is registered at #{found.index}", expected=f"an entry before #{index}"
            )
        if found.revoked is not None and found.revoked < index:
            how = f"was revoked at #{found.revoked}" if found.index is not None else f"vouches up to #{found.revoked}"
            raise NotAuthentic(f"the key of {actor} {how}", expected="a key that is valid")
        return found

    def check(self, statement: Statement) -> None:
        """Whether a registration or revocation may be recorded; anything else may. Raises NotAuthentic."""
        match statement.WhichOneof("said"):
            case "actor_registered":
                self._check_registration(statement.actor_registered)
            case "actor_revoked":
                self._check_revocation(statement.actor_revoked)

    def fold(self, index: int, statement: Statement, recorded_at_us: int) -> None:
        """Take note of a registration or revocation, recorded at that time; anything else changes nothing.

        Raises NotAuthentic.
        """
        self.check(statement)
        match statement.WhichOneof("said"):
            case "actor_registered":
                said = statement.actor_registered
                self._by_key[said.key] = Registered(
                    said.registered, said.key, said.role, index, None, statement.head.system
                )
                self._roles[said.registered] = self.roles_of(said.registered) | {said.role}
            case "actor_revoked":
                said_of = statement.actor_revoked
                was = self._by_key[said_of.key]
                self._by_key[was.key] = replace(was, revoked=index, compromised_since_us=said_of.compromised_since_us)
                self._roles[was.actor] = frozenset(
                    each.role for each in self if each.actor == was.actor and each.revoked is None
                )
                # A moment to come would keep the actor out until then, and no registration would let him in again.
                since_us = min(said_of.compromised_since_us, recorded_at_us)
                self._compromised_us[was.actor] = max(self.compromised_us(was.actor), since_us)

    def _check_registration(self, said: ActorRegistered) -> None:
        where = f"registration of {said.registered}"
        try:
            bureau, name = split_actor(said.registered)
            check_public_key(said.key)
        except (InvalidIdentifier, MalformedKey) as error:
            raise NotAuthentic(error.what, where=where, expected=error.expected) from None
        if bureau != self.bureau or name in ("node", "registrar"):
            raise NotAuthentic(
                "not an actor this registrar may register", where=where, expected=f"an actor of {self.bureau}"
            )
        if said.role not in (Role.SYSTEM, Role.OFFICER):
            raise NotAuthentic(f"role {said.role}", where=where, expected="system or officer")
        known = self._by_key.get(said.key)
        if known is not None:
            raise NotAuthentic(f"the key stands under {known.actor} already", where=where, expected="a key of its own")
        message = possession_message(self.origin, said.registered, said.role, said.key)
        try:
            check_signature(said.key, message, said.possession, "the proof of possession")
        except SignatureInvalid as error:
            raise NotAuthentic(error.what, where=where, expected="a signature by the new key") from None

    def _check_revocation(self, said: ActorRevoked) -> None:
        known = self._by_key.get(said.key)
        if known is None or known.actor != said.revoked or known.index is None or known.revoked is not None:
            raise NotAuthentic(
                f"no valid key of {said.revoked} to revoke",
                where=f"revocation of {said.revoked}",
                expected="a key that is registered and not revoked",
            )
