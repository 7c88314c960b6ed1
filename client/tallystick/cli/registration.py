"""Registration requests, and the actors of a ledger as its entries register them.

A request is a JSON file, made where the key is and taken by the registrar:

    {"format": "tallystick/registration/v1", "origin": …, "actor": …, "role": "officer" or "system",
     "key": 32 bytes in hex, "possession": 64 bytes in hex}

`possession` is the key's own signature, as `core.actors` specifies it; reading a request checks it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallystick.core.actors import Actors, possession_message, prove_possession
from tallystick.core.errors import (
    InvalidIdentifier,
    NotAuthentic,
    Refused,
    SignatureInvalid,
    VerificationFailed,
)
from tallystick.core.evidence import actors_of
from tallystick.core.identifiers import check_actor, check_origin
from tallystick.core.keys import Signer, check_public_key, check_signature
from tallystick.core.kinds import BY_NAME, TERM_FIELDS
from tallystick.sdk.files import read_some
from tallystick.sdk.reader import LedgerReader
from tallystick_proto.v1.meta_pb2 import Role

FORMAT: Final = "tallystick/registration/v1"
_REQUEST_BYTES_MAX: Final = 16 * 1024
_ROLES: Final = {"system": Role.SYSTEM, "officer": Role.OFFICER}


@dataclass(frozen=True, slots=True)
class Request:
    """A key that asks to be registered, its possession proven."""

    origin: str
    actor: str
    role: str
    key: bytes
    possession: bytes


def make_request(origin: str, actor: str, role: str, key: Signer) -> bytes:
    """The file that asks for a key's registration."""
    request = {
        "format": FORMAT,
        "origin": origin,
        "actor": actor,
        "role": role,
        "key": key.public.hex(),
        "possession": prove_possession(origin, actor, _ROLES[role], key).hex(),
    }
    return (json.dumps(request, indent=2) + "\n").encode()


def read_request(path: Path) -> Request:
    """Read a request and check its proof.

    Raises ConfigInvalid, Refused, or NotAuthentic where the key did not sign it.
    """
    data = read_some(path, _REQUEST_BYTES_MAX, "a registration request")
    try:
        return _parse(data)
    except (Refused, VerificationFailed) as error:
        raise error.at(str(path)) from None


def _parse(data: bytes) -> Request:
    bad = Refused("not a registration request", expected="the file that `tally identity init` wrote")
    try:
        found = json.loads(data) if len(data) <= _REQUEST_BYTES_MAX else None
    except (ValueError, RecursionError):
        raise bad from None
    texts = ("origin", "actor", "role", "key", "possession")
    if (
        not isinstance(found, dict)
        or found.get("format") != FORMAT
        or not all(isinstance(found.get(name), str) for name in texts)
    ):
        raise bad
    if found["role"] not in _ROLES:
        raise Refused(
            f"{found['role'][:40]!r} is no role an actor registers in", where="role", expected="system or officer"
        )
    try:
        key, possession = bytes.fromhex(found["key"]), bytes.fromhex(found["possession"])
        check_origin(found["origin"])
        check_actor(found["actor"])
    except (ValueError, InvalidIdentifier) as error:
        raise Refused(str(error), expected="the file that `tally identity init` wrote") from None
    check_public_key(key, "key")
    try:
        message = possession_message(found["origin"], found["actor"], _ROLES[found["role"]], key)
        check_signature(key, message, possession, "possession")
    except SignatureInvalid as error:
        raise NotAuthentic("the key did not sign this request", where="possession", expected=error.expected) from None
    return Request(found["origin"], found["actor"], found["role"], key, possession)


def actors_on(reader: LedgerReader) -> Actors:
    """Who may sign on a ledger: the charter's keys, and each registration and revocation with its author verified.

    As answered by its node: one that it left out is not there.
    """
    actors = actors_of(reader.bureau)
    indexes: list[int] = []
    for kind in ("ActorRegistered", "ActorRevoked"):
        term = (TERM_FIELDS["kind"], str(BY_NAME[kind].number).encode())
        indexes += [shown.entry.index for shown in reader.find([term])]
    for index in sorted(indexes):
        try:
            shown = reader.show(index)
            actors.fold(index, shown.read.statement, shown.entry.recorded_at_us)
        except NotAuthentic as error:  # a node that recorded it all the same signed what it should have refused
            raise SignatureInvalid(error.what, where=f"{reader.bureau.id}#{index}", expected=error.expected) from None
    return actors
