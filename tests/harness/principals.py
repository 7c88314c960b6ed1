"""Everybody who may call a node, and what each of them may sign: made from the homes of a cluster.

Certificates and connections are made here from their parts, and not by the client's code.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

import grpc

from tallystick.core import keys
from tallystick.core.actors import possession_message
from tallystick.core.bureau import Bureau
from tallystick.core.compose import Sensitive, compose, place
from tallystick.core.holder import NODE_HOST
from tallystick.core.identifiers import uuid7
from tallystick.core.keys import SigningKey
from tallystick.core.kinds import KINDS, Kind
from tallystick.core.limits import SALT_BYTES
from tallystick.core.submission import seal
from tallystick.sdk.certificates import CertificateAuthority
from tallystick.sdk.clock import now_us
from tallystick.sdk.wire_errors import from_rpc
from tallystick_proto.v1.entry_pb2 import Submission
from tallystick_proto.v1.meta_pb2 import Role
from tallystick_proto.v1.statement_pb2 import Ref
from tests.harness.any_statement import least
from tests.harness.authorities import Shown
from tests.harness.office import key_of

WAIT_S = 30.0
YES, NOT_LET_IN, NO_CONNECTION = "yes", "not let in", "no connection"
REFUSAL = "this is not for you to call; expected a caller to whom the node's table of access gives it"


def authority_at(home: Path, party: str) -> CertificateAuthority:
    """The authority whose key a home keeps."""
    return CertificateAuthority.load(home / "tls" / "authority.crt", home / "tls" / "authority.key", party)


def channel_to(bureau: Bureau, shown: Shown | None) -> grpc.Channel:
    """A connection to a bureau's node; in the clear where its stanza pins no authority."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.ssl_target_name_override", NODE_HOST)]
    if not bureau.certificate_authority:
        return grpc.insecure_channel(bureau.endpoint, options[:1])
    secure = grpc.ssl_channel_credentials(bureau.certificate_authority.encode(), *(shown or (None, None)))
    return grpc.secure_channel(bureau.endpoint, secure, options)


def outcome(channel: grpc.Channel, rpc: str, question: bytes) -> str:
    """What comes of a call with one question: `YES` where something is answered, else how it is refused."""
    call: Any = channel.stream_stream(f"/{rpc}")
    answers = call(iter([question]), timeout=WAIT_S)
    try:
        next(answers)
    except StopIteration:
        return "no answer"
    except grpc.RpcError as error:
        return refusal_of(error)
    finally:
        answers.cancel()
    return YES


def refusal_of(error: grpc.RpcError) -> str:
    """The same words for the same end of a call, and no more than that."""
    said = error.details() or ""
    if (error.code(), said) == (grpc.StatusCode.PERMISSION_DENIED, REFUSAL):
        return NOT_LET_IN
    if error.code() is grpc.StatusCode.UNAVAILABLE and "failed to connect" in said:
        return NO_CONNECTION
    return type(from_rpc(error, "", "")).__name__


class Signer:
    """Somebody who signs for a ledger, rightly or not, and a valid statement of every kind in his name.

    `revocable` are keys that the ledger registered for `spare`, each for one revocation that is to be recorded, and
    `erasable` entries with a disclosure of their subject, each for one erasure.
    """

    def __init__(
        self,
        bureau: Bureau,
        actor: str,
        key: keys.Signer,
        revocable: Iterator[SigningKey] | None = None,
        erasable: Iterator[Ref] | None = None,
    ) -> None:
        self._bureau = bureau
        self._actor = actor
        self._key = key
        self._revocable = repeat(spare_keys(1)[0]) if revocable is None else revocable
        self._erasable = repeat(Ref(origin=bureau.origin, leaf=bytes(32))) if erasable is None else erasable

    def statement(self, kind: Kind) -> bytes:
        """One statement; of a registration a new key's, of a revocation one of a key that is registered."""
        values = least(kind)
        if kind.name == "ActorRegistered":
            values = registration(self._bureau, f"a-{os.urandom(8).hex()}", SigningKey(os.urandom(32)))
        elif kind.name == "ActorRevoked":
            values = revocation(self._bureau, "spare", next(self._revocable))
        elif kind.name == "DisclosureErased":
            values = {"entry": next(self._erasable), "field_path": "data_used.subject", "reason": "over"}
        return self.say(kind.verb, values)

    def say(self, kind: str, values: dict[str, object]) -> bytes:
        """One statement, as it is said."""
        return compose(kind, self._actor, values).statement.SerializeToString()

    def submission(self, *statements: bytes) -> Submission:
        id_ = uuid7(now_us(), os.urandom(10))
        return seal(self._bureau.origin, self._actor, self._key, id_, statements)

    def lookup(self) -> Submission:
        """A lookup of somebody, with what opens its commitment."""
        return self.disclosing("use", {"resource": "R-1", "purpose": "p", "subject": Sensitive("a citizen")})

    def disclosing(self, kind: str, values: dict[str, object]) -> Submission:
        """One statement, with what opens its commitments."""
        draft = compose(kind, self._actor, values)
        id_ = uuid7(now_us(), os.urandom(10))
        disclosures = place(draft, self._bureau.origin, id_, 0, lambda: os.urandom(SALT_BYTES))
        said = draft.statement.SerializeToString()
        return seal(self._bureau.origin, self._actor, self._key, id_, [said], disclosures)

    def of_every_kind(self) -> Iterator[Submission]:
        """A submission of each kind, in their order."""
        return (self.submission(self.statement(kind)) for kind in KINDS.values())


def registration(bureau: Bureau, name: str, key: SigningKey, role: Role.ValueType = Role.OFFICER) -> dict[str, object]:
    """What registers a key under a name."""
    actor = f"{bureau.id}:{name}"
    possession = key.sign(possession_message(bureau.origin, actor, role, key.public))
    return {"registered": actor, "key": key.public, "role": role, "possession": possession}


def revocation(bureau: Bureau, name: str, key: SigningKey) -> dict[str, object]:
    """What revokes a key of a name."""
    return {"revoked": f"{bureau.id}:{name}", "key": key.public, "reason": "left"}


def spare_keys(count: int) -> Sequence[SigningKey]:
    """Keys to be registered and revoked."""
    return [key_of(f"spare {number}") for number in range(count)]
