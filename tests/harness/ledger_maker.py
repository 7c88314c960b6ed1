"""A bureau and its ledger, wholly in memory: what it says, signed, chained and proven. One seed, one ledger.

`record` makes what a lawful node would hold. For what it would not, take `made`, bend it, and `chain` it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from random import Random

from tallystick.core.actors import prove_possession
from tallystick.core.charter import Bureau, Charter, Name
from tallystick.core.charter_note import charter_digest, format_charter, sign_charter
from tallystick.core.checkpoint import Checkpoint, sign_checkpoint
from tallystick.core.compose import compose, place
from tallystick.core.entry import encode_at, encode_entry, encode_first, encode_signed
from tallystick.core.evidence import format_presence
from tallystick.core.hashing import chain_hash, genesis_hash, leaf_hash
from tallystick.core.identifiers import uuid7
from tallystick.core.keys import SigningKey
from tallystick.core.merkle import Reader, parents, prove_consistency, prove_inclusion, root_of
from tallystick.core.note import COSIGNATURE_V1, VerifierKey
from tallystick.core.submission import prepare, seal
from tallystick_proto.v1.entry_pb2 import Authorship, Disclosure, Presence, Registration, Signature, Submission
from tallystick_proto.v1.meta_pb2 import Role
from tallystick_proto.v1.statement_pb2 import Ref, Statement

START_US = 1_800_000_000_000_000
CHARTER_KEYS = tuple(f"pudong.example/key-{number}" for number in (1, 2, 3))


def key_of(*names: str) -> SigningKey:
    """The key that goes by these names, always the same."""
    return SigningKey(sha256("/".join(names).encode()).digest())


def reader_of(leaves: list[bytes]) -> Reader:
    """The complete nodes of a small tree held whole."""
    rows = [leaves]
    while len(rows[-1]) > 1:
        rows.append(parents(rows[-1]))
    return lambda level, index: rows[level][index]


def charter_of(*bureaus: Bureau) -> Charter:
    """A first charter of these bureaus, two of its three keys to sign it."""
    return Charter(
        name="pudong",
        version=1,
        issued=datetime(2027, 1, 1, tzinfo=UTC),
        expires=datetime(2028, 1, 1, tzinfo=UTC),
        threshold=2,
        charter_keys=tuple(VerifierKey.of(name, key_of(name).public).format() for name in CHARTER_KEYS),
        bureau=bureaus,
    )


def signed(charter: Charter, signers: Sequence[str] = CHARTER_KEYS) -> tuple[bytes, str]:
    """A charter's note, signed by the keys of these names, and its digest."""
    text = format_charter(charter)
    return sign_charter(text, [(name, key_of(name)) for name in signers]), charter_digest(text)


@dataclass(frozen=True, slots=True)
class Made:
    """An entry before it is chained; `signature` is that of its submission, which begins at `first`."""

    at_us: int
    statement: bytes
    signature: Signature
    first: int
    is_first: bool


def chain(origin: str, made: Iterable[Made]) -> list[bytes]:
    """The entries in this order, counted and chained anew, whatever they say of their submissions."""
    entries: list[bytes] = []
    prev = genesis_hash(origin)
    for index, each in enumerate(made):
        authorship = encode_signed(each.signature) if each.is_first else encode_first(each.first)
        entries.append(encode_entry(index, prev, encode_at(each.at_us), each.statement, authorship))
        prev = chain_hash(entries[-1])
    return entries


class LedgerMaker:
    """One bureau, its keys by the names of its actors, and its ledger. `clerk` is an officer, `gateway` a system."""

    def __init__(self, seed: int = 0, bureau: str = "market-regulation") -> None:
        self.random = Random(f"{seed}/{bureau}")
        self.origin = f"pudong.example/{bureau}"
        self.now_us = START_US
        self.keys = {name: key_of(bureau, name) for name in ("node", "registrar", "witness", "clerk", "gateway")}
        self.made: list[Made] = []
        self.disclosures: dict[int, list[Disclosure]] = {}
        self._registrations: dict[bytes, int] = {}
        self._revocations: dict[bytes, int] = {}
        self.bureau = Bureau(
            id=bureau,
            name=Name(zh="市场监督管理局", en="Market Regulation Bureau", short="市场监管局"),
            credit_code="11310115000000019X",
            origin=self.origin,
            ledger_key=VerifierKey.of(self.origin, self.keys["node"].public).format(),
            witness_key=VerifierKey.of(f"{self.origin}/witness", self.keys["witness"].public, COSIGNATURE_V1).format(),
            registrar_key=VerifierKey.of(f"{self.origin}/registrar", self.keys["registrar"].public).format(),
            endpoint="127.0.0.1:7411",
        )

    def found(self) -> LedgerMaker:
        """Adopt a charter and register `clerk` and `gateway`: three entries."""
        self.record([self.say("adopt_charter", "node", version=1, digest=bytes(32))], "node")
        self.record([self.registers("clerk"), self.registers("gateway", Role.SYSTEM)], "registrar")
        return self

    # What is said.

    def actor(self, name: str) -> str:
        return f"{self.bureau.id}:{name}"

    def say(self, kind: str, by: str = "clerk", **values: object) -> bytes:
        """The bytes of one statement, without sensitive values."""
        return compose(kind, self.actor(by), values).statement.SerializeToString()

    def use(self, by: str = "gateway") -> bytes:
        """A lookup, unlike any other."""
        return self.say(
            "use", by, version="SCJG-0012@2027-03", case=self.random.randbytes(16), purpose="tax-registration"
        )

    def declare(self, code: str, by: str = "clerk") -> bytes:
        return self.say("declare", by, resource=code, scheme="local", title=code, sharing="unconditional")

    def registers(self, name: str, role: Role.ValueType = Role.OFFICER, key: SigningKey | None = None) -> bytes:
        """The registrar's statement that registers a key under a name."""
        key = key or self.keys.setdefault(name, key_of(self.bureau.id, name))
        proof = prove_possession(self.origin, self.actor(name), role, key)
        return self.say(
            "register_actor", "registrar", registered=self.actor(name), key=key.public, role=role, possession=proof
        )

    def revokes(self, name: str, key: SigningKey | None = None, *, since_us: int = 0) -> bytes:
        """The registrar's statement that revokes a key, compromised since then if that is given."""
        public = (key or self.keys[name]).public
        return self.say("revoke_actor", "registrar", revoked=self.actor(name), key=public, compromised_since=since_us)

    # Submissions and entries.

    def new_id(self) -> bytes:
        return uuid7(self.now_us, self.random.randbytes(10))

    def submission(
        self, statements: Sequence[bytes], by: str = "clerk", *, key: SigningKey | None = None, id: bytes | None = None
    ) -> Submission:
        """Statements signed as one."""
        return seal(self.origin, self.actor(by), key or self.keys[by], id or self.new_id(), statements)

    def with_sensitive(self, kind: str, by: str, *many: dict[str, object]) -> Submission:
        """One statement of a kind for each mapping of values, its sensitive ones committed and disclosed."""
        submission_id = self.new_id()
        drafts = [compose(kind, self.actor(by), values) for values in many]
        disclosures = [
            disclosure
            for position, draft in enumerate(drafts)
            for disclosure in place(draft, self.origin, submission_id, position, lambda: self.random.randbytes(32))
        ]
        statements = [draft.statement.SerializeToString() for draft in drafts]
        return seal(self.origin, self.actor(by), self.keys[by], submission_id, statements, disclosures)

    def record(self, what: Submission | Sequence[bytes], by: str = "clerk", *, key: SigningKey | None = None) -> range:
        """Put a submission on the ledger as a node does that lets any key sign; the indexes of its entries."""
        submission = what if isinstance(what, Submission) else self.submission(what, by, key=key)
        prepared = prepare(submission, self.origin)
        first = len(self.made)
        self.now_us += self.random.randrange(1_000_000)
        for position, statement in enumerate(prepared.statements):
            index = first + position
            self.made.append(Made(self.now_us, statement, prepared.signature, first, position == 0))
            opening = [each for each in prepared.disclosures if each.position == position]
            if opening:
                self.disclosures[index] = opening
            said = Statement.FromString(statement)
            if said.HasField("actor_registered"):
                self._registrations[said.actor_registered.key] = index
            elif said.HasField("actor_revoked"):
                self._revocations[said.actor_revoked.key] = index
        return range(first, len(self.made))

    @property
    def entries(self) -> list[bytes]:
        return chain(self.origin, self.made)

    @property
    def size(self) -> int:
        return len(self.made)

    # What is shown of it.

    def root(self, size: int | None = None) -> bytes:
        return root_of([leaf_hash(entry) for entry in self.entries[:size]])

    def note(self, size: int | None = None, root: bytes | None = None) -> bytes:
        """A checkpoint signed by the ledger key; of this ledger, unless a root is given."""
        size = self.size if size is None else size
        return sign_checkpoint(Checkpoint(self.origin, size, root or self.root(size)), self.keys["node"])

    def reader(self) -> Reader:
        return reader_of([leaf_hash(entry) for entry in self.entries])

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        return prove_inclusion(index, self.size if size is None else size, self.reader())

    def consistency(self, old: int, new: int | None = None) -> list[bytes]:
        return prove_consistency(old, self.size if new is None else new, self.reader())

    def ref(self, index: int) -> Ref:
        return Ref(origin=self.origin, index=index, leaf=leaf_hash(self.entries[index]))

    def authorship(self, index: int) -> Authorship:
        made = self.made[index]
        of_submission = self.made[made.first : made.first + made.signature.count]
        read = reader_of([leaf_hash(each.statement) for each in of_submission])
        return Authorship(
            signature=made.signature, path=prove_inclusion(index - made.first, made.signature.count, read)
        )

    def presence(self, index: int, size: int | None = None) -> Presence:
        """All that proves an entry and its author, with every disclosure there is."""
        presence = Presence(
            entry=self.entries[index], authorship=self.authorship(index), disclosures=self.disclosures.get(index, [])
        )
        key = presence.authorship.signature.key
        if key in self._registrations:
            presence.registration.CopyFrom(self.said_of_key(self._registrations[key], size))
            if self._revocations.get(key, self.size) < (self.size if size is None else size):
                presence.revocation.CopyFrom(self.said_of_key(self._revocations[key], size))
        return presence

    def said_of_key(self, index: int, size: int | None = None) -> Registration:
        """An entry by which a key was registered or revoked, with all that proves it."""
        return Registration(
            index=index,
            entry=self.entries[index],
            inclusion=self.inclusion(index, size),
            authorship=self.authorship(index),
        )

    def evidence(self, index: int, presence: Presence | None = None, size: int | None = None) -> bytes:
        """The evidence file of an entry; of another presence, if one is given."""
        shown = presence or self.presence(index, size)
        return format_presence(shown, index, self.inclusion(index, size), self.note(size))
