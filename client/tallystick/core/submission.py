"""Submissions: one to a thousand statements of one actor, signed together, recorded all or not at all.

The signature is Ed25519 over

    tallystick/submission/v1\\n<origin>\\n<actor>\\n<submission id, 32 hex digits>\\n<count>\\n<base64 root>\\n

where the root is the RFC 6962 root of the statements' bytes. The id is a UUIDv7 whose time lies within 7 days before
and 5 minutes after recording. The submission is the unit of retry: the same bytes under the same id are recorded once.

`prepare` is the first half of the write path: pure, with nothing but the bytes and the origin; what depends on the
ledger (is the key registered, is the id known, is its time in the window) is the writer's.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from google.protobuf.unknown_fields import UnknownFieldSet

from tallystick.core import statement
from tallystick.core.commitment import Place, check_opening, commit
from tallystick.core.errors import (
    InvalidIdentifier,
    InvalidSubmission,
    MalformedEntry,
    MalformedKey,
    NotAuthentic,
    SignatureInvalid,
    StaleSubmission,
    VerificationFailed,
)
from tallystick.core.hashing import leaf_hashes
from tallystick.core.identifiers import check_actor, uuid7_time_us
from tallystick.core.keys import Signer, check_public_key, check_signature
from tallystick.core.limits import (
    SALT_BYTES,
    STATEMENT_BYTES_MAX,
    SUBMISSION_AGE_MAX_US,
    SUBMISSION_AHEAD_MAX_US,
    SUBMISSION_BYTES_MAX,
)
from tallystick.core.merkle import root_of
from tallystick.core.terms import Terms
from tallystick_proto.v1.entry_pb2 import Disclosure, Signature, Submission
from tallystick_proto.v1.statement_pb2 import Statements


@dataclass(frozen=True, slots=True)
class Prepared:
    """A submission whose form, validity and signature were checked; its authority and its id were not."""

    actor: str
    signature: Signature
    statements: list[bytes]
    terms: list[Terms]
    kinds: list[int]
    disclosures: tuple[Disclosure, ...]
    id_time_us: int

    @property
    def submission_id(self) -> bytes:
        return self.signature.submission_id

    @property
    def count(self) -> int:
        return len(self.statements)


def signed_message(origin: str, actor: str, submission_id: bytes, count: int, root: bytes) -> bytes:
    """What the actor signs."""
    encoded = base64.b64encode(root).decode()
    return f"tallystick/submission/v1\n{origin}\n{actor}\n{submission_id.hex()}\n{count}\n{encoded}\n".encode()


def statements_root(statements: Sequence[bytes]) -> bytes:
    """The RFC 6962 root of the statements' bytes."""
    return root_of(leaf_hashes(statements))


def seal(
    origin: str,
    actor: str,
    key: Signer,
    submission_id: bytes,
    statements: Sequence[bytes],
    disclosures: Sequence[Disclosure] = (),
) -> Submission:
    """Sign statements as one submission."""
    message = signed_message(origin, actor, submission_id, len(statements), statements_root(statements))
    signature = Signature(
        submission_id=submission_id, count=len(statements), key=key.public, signature=key.sign(message)
    )
    return Submission(
        origin=origin,
        actor=actor,
        signature=signature,
        statements=statement.encode(statements),
        disclosures=disclosures,
    )


def renewed(submission: Submission, key: Signer, submission_id: bytes, salt: Callable[[], bytes]) -> Submission:
    """The same statements under a new id and signature; commitments are bound to the id, so they are made anew."""
    statements = Statements.FromString(submission.statements).statement
    disclosures = []
    for old in submission.disclosures:
        fresh = salt()
        kind_field, _, name = old.field.partition(".")
        commitment = commit(Place(submission.origin, submission_id, old.position, old.field), fresh, old.value)
        setattr(getattr(statements[old.position], kind_field), name, commitment)
        disclosures.append(Disclosure(position=old.position, field=old.field, salt=fresh, value=old.value))
    data = [statement.SerializeToString() for statement in statements]
    return seal(submission.origin, submission.actor, key, submission_id, data, disclosures)


def prepare(submission: Submission, origin: str) -> Prepared:
    """Check a submission's form, its statements and its signature.

    Raises InvalidSubmission or InvalidStatement for what is malformed, NotAuthentic where the key did not sign this.
    """
    if submission.origin != origin:
        raise InvalidSubmission(f"addressed to {submission.origin[:255]!r}", where="origin", expected=origin)
    blob = submission.statements
    if len(blob) > SUBMISSION_BYTES_MAX:
        raise InvalidSubmission(f"{len(blob)} bytes", expected=f"at most {SUBMISSION_BYTES_MAX}")
    signature = submission.signature
    if any(len(UnknownFieldSet(part)) for part in (submission, signature, *submission.disclosures)):
        raise InvalidSubmission("it has fields that are not known", expected="what this node understands")
    try:
        check_actor(submission.actor)
        id_time_us = uuid7_time_us(signature.submission_id)
    except InvalidIdentifier as error:
        raise InvalidSubmission(error.what, where=error.where, expected=error.expected) from None
    pieces, terms, kinds = statement.admit(blob, submission.actor)
    if signature.count != len(pieces):
        raise InvalidSubmission(f"{len(pieces)} statements", where="count", expected=f"the signed {signature.count}")
    message = signed_message(origin, submission.actor, signature.submission_id, len(pieces), statements_root(pieces))
    try:
        check_public_key(signature.key)
        check_signature(signature.key, message, signature.signature, "the submission")
    except (MalformedKey, SignatureInvalid) as error:
        raise NotAuthentic(error.what, where="signature", expected=error.expected) from None
    # What is stored is these four fields and nothing a sender may have put beside them.
    canonical = Signature(
        submission_id=signature.submission_id,
        count=signature.count,
        key=signature.key,
        signature=signature.signature,
    )
    disclosures = tuple(submission.disclosures)
    _check_disclosures(disclosures, submission, pieces)
    return Prepared(submission.actor, canonical, pieces, terms, kinds, disclosures, id_time_us)


def _check_disclosures(disclosures: Sequence[Disclosure], submission: Submission, pieces: Sequence[bytes]) -> None:
    """Every disclosure opens the commitment at its place, and no place is opened twice."""
    places = set()
    for number, disclosure in enumerate(disclosures):
        where = f"disclosure {number}"
        place = (disclosure.position, disclosure.field)
        if len(disclosure.value) > STATEMENT_BYTES_MAX:
            raise InvalidSubmission(
                f"a value of {len(disclosure.value)} bytes", where=where, expected=f"at most {STATEMENT_BYTES_MAX}"
            )
        if disclosure.position >= len(pieces) or place in places or len(disclosure.salt) != SALT_BYTES:
            raise InvalidSubmission(
                "its place or salt is wrong", where=where, expected="one per sensitive field, a salt of 32 bytes"
            )
        places.add(place)
        commitment = statement.commitment_at(pieces[disclosure.position], disclosure.field)
        if commitment is None:
            raise InvalidSubmission(
                f"{disclosure.field[:128]!r} holds no commitment", where=where, expected="a sensitive field"
            )
        at = Place(submission.origin, submission.signature.submission_id, disclosure.position, disclosure.field)
        try:
            check_opening(commitment, at, disclosure.salt, disclosure.value)
        except VerificationFailed as error:
            raise InvalidSubmission(
                error.what, where=where, expected="the value and salt that were committed"
            ) from None


def check_window(id_time_us: int, now_us: int) -> None:
    """The id's time lies at most 7 days before and 5 minutes after `now_us`. Raises StaleSubmission."""
    age = now_us - id_time_us
    if age > SUBMISSION_AGE_MAX_US:
        raise StaleSubmission(
            f"its id is {age // 3_600_000_000} hours old", where="submission id", expected="at most 7 days"
        )
    if -age > SUBMISSION_AHEAD_MAX_US:
        raise StaleSubmission(
            f"its id is {-age // 1_000_000} seconds ahead of this node's clock",
            where="submission id",
            expected="at most 5 minutes; check both clocks",
        )


def check_recorded(origin: str, actor: str, signature: Signature, statements: Sequence[bytes]) -> None:
    """The signature of a recorded submission, all its statements at hand.

    Raises MalformedEntry where count or id do not fit, SignatureInvalid where the key did not sign these statements.
    """
    if signature.count != len(statements):
        raise MalformedEntry(f"{len(statements)} statements", expected=f"the signed {signature.count}")
    try:
        uuid7_time_us(signature.submission_id)
    except InvalidIdentifier as error:
        raise MalformedEntry(error.what, where="submission id", expected=error.expected) from None
    check_public_key(signature.key)
    message = signed_message(origin, actor, signature.submission_id, signature.count, statements_root(statements))
    check_signature(signature.key, message, signature.signature, f"the submission of {actor}")
