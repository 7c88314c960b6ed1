"""Commitments to personal fields, and the salted digest of data that is not open to all.

A commitment binds a value to the one place it stands in, so that it can be neither copied elsewhere nor linked:

    BLAKE3 derive_key("tallystick commitment v1") of
        salt (32 random bytes, fresh for each field)
        origin, submission id (16 bytes), position in the submission (u32 big-endian), field path (dotted proto names),
        each as its length in two bytes, big-endian, and its bytes
        the value

A salted digest is the same on both halves of an exchange, since its salt belongs to the version and travels with the
data, and outsiders cannot guess small data from it:

    BLAKE3 derive_key("tallystick digest v1") of
        salt (32), bureau, code, version (each with its two-byte length), BLAKE3-256 of the data (32)
"""

from __future__ import annotations

from hmac import compare_digest
from typing import Final, NamedTuple

from blake3 import blake3

from tallystick.core.errors import ProofFailed, Usage
from tallystick.core.limits import HASH_BYTES, SALT_BYTES, SUBMISSION_ID_BYTES, SUBMISSION_STATEMENTS_MAX

_COMMITMENT: Final = "tallystick commitment v1"
_DIGEST: Final = "tallystick digest v1"
_PART_BYTES_MAX: Final = 0xFFFF


class Place(NamedTuple):
    """Where a committed value stands: `position` of its statement in the submission, `field` a dotted proto path."""

    origin: str
    submission_id: bytes
    position: int
    field: str


def commit(place: Place, salt: bytes, value: bytes) -> bytes:
    """The 32-byte commitment to `value` at `place`. Raises Usage if place or salt cannot be one."""
    if len(place.submission_id) != SUBMISSION_ID_BYTES or not 0 <= place.position < SUBMISSION_STATEMENTS_MAX:
        raise Usage("this is not a place in a submission", where=place.field[:80])
    hasher = blake3(derive_key_context=_COMMITMENT)
    hasher.update(_salt(salt))
    for part in (place.origin, place.submission_id, place.position.to_bytes(4, "big"), place.field):
        hasher.update(_sized(part))
    return hasher.update(value).digest()


def check_opening(commitment: bytes, place: Place, salt: bytes, value: bytes) -> None:
    """`salt` and `value` open `commitment` at `place`. Raises ProofFailed."""
    try:
        computed = commit(place, salt, value)
    except Usage as error:
        raise ProofFailed(error.what, where=error.where, expected=error.expected) from None
    if not compare_digest(computed, commitment):
        raise ProofFailed("salt and value do not open the commitment", where=place.field[:80])


def salted_digest(salt: bytes, bureau: str, code: str, version: str, blake3_of_data: bytes) -> bytes:
    """The 32-byte digest of a version whose data is not open to all. Raises Usage."""
    if len(blake3_of_data) != HASH_BYTES:
        raise Usage(f"the digest has {len(blake3_of_data)} bytes", expected=f"{HASH_BYTES}")
    hasher = blake3(derive_key_context=_DIGEST)
    hasher.update(_salt(salt))
    for part in (bureau, code, version):
        hasher.update(_sized(part))
    return hasher.update(blake3_of_data).digest()


def _salt(salt: bytes) -> bytes:
    if len(salt) != SALT_BYTES:
        raise Usage(f"the salt has {len(salt)} bytes", expected=f"{SALT_BYTES}")
    return salt


def _sized(part: str | bytes) -> bytes:
    try:
        part = part.encode() if isinstance(part, str) else part
    except UnicodeEncodeError:
        raise Usage(f"{part[:80]!r} cannot be written as UTF-8") from None
    if len(part) > _PART_BYTES_MAX:
        raise Usage(f"a part of the place has {len(part)} bytes", expected=f"at most {_PART_BYTES_MAX}")
    return len(part).to_bytes(2, "big") + part
