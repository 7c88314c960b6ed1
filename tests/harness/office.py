"""One bureau with its keys: what it says, signed. Everything follows from a counter, so a run can be repeated.

`clerk` is an officer and `gateway` a system, both registered by `founding`; `node` and `registrar` are the charter's.
The digest of the charter that it `adopts` may be any.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import partial
from hashlib import sha256
from itertools import count
from random import Random

import msgspec

from tallystick.core.actors import Actors, possession_message
from tallystick.core.bureau import Bureau, Floor, Name, Retired
from tallystick.core.charter_chain import Version, read_version
from tallystick.core.checkpoint import Checkpoint, sign_checkpoint
from tallystick.core.compose import Sensitive, compose, place
from tallystick.core.evidence import actors_of
from tallystick.core.identifiers import uuid7
from tallystick.core.keys import SigningKey
from tallystick.core.note import COSIGNATURE_V1, VerifierKey, encode_base64
from tallystick.core.submission import Prepared, prepare, seal
from tallystick_node.disclosures import Disclosures
from tallystick_node.first_charter import sign_first_charter
from tallystick_proto.v1.entry_pb2 import Disclosure, Submission
from tallystick_proto.v1.meta_pb2 import Role

# Some moment in 2027, for tests that bring their own clock.
NOW_US = 1_800_000_000_000_000
_COUNTER = count(1)


def key_of(name: str) -> SigningKey:
    """The key that goes by a name, always the same."""
    return SigningKey(sha256(name.encode()).digest())


class Office:
    """A bureau, its keys, and the submissions it makes."""

    def __init__(self, bureau: str = "market", *, now_us: int = NOW_US, endpoint: str = "127.0.0.1:1") -> None:
        self.origin = f"pudong.example/{bureau}"
        self.now_us = now_us
        self.others: tuple[Bureau, ...] = ()
        self.adopts = bytes(range(32))
        self.adopted: tuple[Version, ...] = ()
        names = ("node", "registrar", "witness", "disclosure", "clerk", "gateway")
        self.keys = {name: key_of(f"{bureau}/{name}") for name in names}
        self.bureau = Bureau(
            id=bureau,
            name=Name(zh="市场监督管理局", en="Market Regulation Bureau"),
            credit_code="11310115000000019X",
            origin=self.origin,
            ledger_key=VerifierKey.of(self.origin, self.keys["node"].public).format(),
            witness_key=VerifierKey.of(f"{self.origin}/witness", self.keys["witness"].public, COSIGNATURE_V1).format(),
            registrar_key=VerifierKey.of(f"{self.origin}/registrar", self.keys["registrar"].public).format(),
            endpoint=endpoint,
        )

    def recovered(self, size: int, root: bytes) -> Office:
        """The same bureau under a charter that gave its ledger a new key, and pins what was rebuilt of it."""
        office = copy(self)
        office.keys = {**self.keys, "node": key_of(f"{self.bureau.id}/node after {len(self.bureau.retired) + 1}")}
        office.bureau = msgspec.structs.replace(
            self.bureau,
            ledger_key=VerifierKey.of(self.origin, office.keys["node"].public).format(),
            floor=Floor(size, encode_base64(root)),
            retired=(*self.bureau.retired, Retired(self.bureau.ledger_key, size)),
        )
        return office

    def actors(self) -> Actors:
        """The charter's keys alone."""
        return actors_of(self.bureau)

    def disclosures(self) -> Disclosures:
        """What seals and opens what its ledger's commitments hold."""
        return Disclosures(self.origin, self.keys["disclosure"], Random(next(_COUNTER)))

    def charter(self, *, now_us: int | None = None) -> tuple[bytes, str]:
        """A charter of this bureau and the others, as its note, and its digest."""
        key = key_of("charter")
        bureaus = sorted([self.bureau, *self.others], key=lambda bureau: bureau.id)
        return sign_first_charter("pudong", bureaus, "pudong.example/charter", key, now_us or self.now_us)

    def versions(self) -> tuple[Version, ...]:
        """The versions of the charter that its node knows."""
        return self.adopted or (read_version(self.charter()[0]),)

    def actor(self, name: str) -> str:
        return f"{self.bureau.id}:{name}"

    def say(self, kind: str, by: str = "clerk", /, **values: object) -> bytes:
        """The bytes of one statement."""
        return compose(kind, self.actor(by), values).statement.SerializeToString()

    def declare(self, code: str, by: str = "clerk") -> bytes:
        return self.say("declare", by, resource=code, scheme="local", title=code, sharing="unconditional")

    def declares(self, count: int, prefix: str = "R") -> list[bytes]:
        return [self.declare(f"{prefix}-{number}") for number in range(count)]

    def new_id(self, at_us: int | None = None) -> bytes:
        return uuid7(self.now_us if at_us is None else at_us, next(_COUNTER).to_bytes(10, "big"))

    def submission(
        self,
        statements: Sequence[bytes],
        by: str = "clerk",
        *,
        key: SigningKey | None = None,
        id: bytes | None = None,
        disclosures: Sequence[Disclosure] = (),
    ) -> Submission:
        """Statements signed as one."""
        signer = key or self.keys[by]
        return seal(self.origin, self.actor(by), signer, id or self.new_id(), statements, disclosures)

    def uses(self, *subjects: str | None) -> Submission:
        """One submission of uses, of a subject each or of none; the salt of each is its position's number."""
        id_, statements, disclosures = self.new_id(), [], []
        for position, subject in enumerate(subjects):
            committed = {} if subject is None else {"subject": Sensitive(subject)}
            draft = compose("use", self.actor("clerk"), {"resource": "R-1", "purpose": "p", **committed})
            disclosures += place(draft, self.origin, id_, position, partial(bytes, [position % 256] * 32))
            statements.append(draft.statement.SerializeToString())
        return self.submission(statements, id=id_, disclosures=disclosures)

    def prepared(
        self, statements: Sequence[bytes], by: str = "clerk", *, key: SigningKey | None = None, id: bytes | None = None
    ) -> Prepared:
        """Statements signed as one, as the write path's first half leaves them."""
        return prepare(self.submission(statements, by, key=key, id=id), self.origin)

    def registers(self, name: str, key: SigningKey | None = None, role: Role.ValueType = Role.OFFICER) -> bytes:
        """The registrar's statement that registers a key under a name."""
        added = key or self.keys.setdefault(name, key_of(f"{self.bureau.id}/{name}"))
        actor = self.actor(name)
        return self.say(
            "register_actor",
            "registrar",
            registered=actor,
            key=added.public,
            role=role,
            possession=added.sign(possession_message(self.origin, actor, role, added.public)),
        )

    def revokes(self, name: str, key: SigningKey | None = None, *, since_us: int = 0) -> bytes:
        """The registrar's statement that revokes a key, compromised since then if that is given."""
        public = (key or self.keys[name]).public
        values = {"revoked": self.actor(name), "key": public, "reason": "lost", "compromised_since": since_us}
        return self.say("revoke_actor", "registrar", **values)

    def founding(self) -> list[Prepared]:
        """The charter adopted, and `clerk` and `gateway` registered: three entries."""
        adopted = self.say("adopt_charter", "node", version=1, digest=self.adopts)
        registered = [self.registers("clerk"), self.registers("gateway", role=Role.SYSTEM)]
        return [self.prepared([adopted], "node"), self.prepared(registered, "registrar")]

    def note(self, size: int, root: bytes) -> bytes:
        """A checkpoint signed by the ledger key, whatever it says."""
        return sign_checkpoint(Checkpoint(self.origin, size, root), self.keys["node"])
