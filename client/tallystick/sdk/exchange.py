"""What both sides of an exchange share: the text that is handed over, looking up what the other side recorded, failure.

What is handed over beside the data is one text, the exchange's id and, where the digest of the version is salted, the
salt, without which the receiver could not compute the same digest:

    019a8e5c-7d3a-7c41-9f0e-2b6d1c5a8e77
    019a8e5c-7d3a-7c41-9f0e-2b6d1c5a8e77.<salt, 64 hex digits>

A person may type the short form instead, which is shown everywhere and is a hash: `short_forms` looks up what it means.
Any other text is an id of another system, and stands for itself.

A ledger that does not answer is no reason to stop an exchange; one that answers what it cannot prove is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from tallystick.core.errors import Forked, StorageFailed, Unreachable
from tallystick.core.identifiers import check_resource_code
from tallystick.core.kinds import BY_NAME, TERM_FIELDS
from tallystick.core.limits import SALT_BYTES
from tallystick.core.terms import Term
from tallystick.core.values import exchange_id
from tallystick.sdk.citing import carry
from tallystick.sdk.ledgers import Ledgers
from tallystick.sdk.reader import LedgerReader, Shown
from tallystick.sdk.receipt import Receipt
from tallystick.sdk.salts import SaltStore
from tallystick.sdk.standing import kind_term
from tallystick.sdk.verbs import HasVersion
from tallystick_proto.v1.statement_pb2 import VersionProvided

_WITH_SALT = re.compile(rf"(.+)\.([0-9a-f]{{{2 * SALT_BYTES}}})", re.DOTALL)


class HandedOver(NamedTuple):
    """What an exchange text says: the id of 16 bytes, and the salt, if any."""

    exchange: bytes
    salt: bytes | None


@dataclass(frozen=True, slots=True)
class Desk:
    """What an exchange is recorded with: one's own ledger, everybody's, the salts kept here, and what records.

    `record_witnessed` takes, after the kind, how many seconds to wait for witnesses.
    """

    own: LedgerReader
    ledgers: Ledgers
    salts: SaltStore
    record: Callable[..., Receipt]
    record_witnessed: Callable[..., Receipt]


def format_exchange(exchange: bytes, salt: bytes | None) -> str:
    """The text that is handed over."""
    return str(UUID(bytes=exchange)) + (f".{salt.hex()}" if salt is not None else "")


def parse_exchange(given: str | bytes | UUID) -> HandedOver:
    """Reads what was handed over; an id of another system as well, as `exchange_id` takes it."""
    if isinstance(given, str) and (found := _WITH_SALT.fullmatch(given)):
        return HandedOver(exchange_id(found[1]), bytes.fromhex(found[2]))
    return HandedOver(exchange_id(given), None)


def exchange_name(given: str | bytes | UUID) -> str:
    """What was given for the id, as a sentence may repeat it: whole, and without the salt."""
    if isinstance(given, str):
        found = _WITH_SALT.fullmatch(given)
        return found[1] if found else given
    return str(UUID(bytes=exchange_id(given)))


def scope_of(what: str | HasVersion | None) -> dict[str, object]:
    """What is exchanged or used, as the head says it: a version, or for a service the bare code of a resource."""
    if what is None:
        return {}
    named = what if isinstance(what, str) else what.version_ref
    return {"version": named} if "@" in named else {"resource": check_resource_code(named)}


def provided_in(what: object) -> tuple[str, VersionProvided] | None:
    """Who provided a version, and what was said of it, where its receipt is what was given."""
    if isinstance(what, Receipt) and what.statement.HasField("version_provided"):
        return what.bureau, what.statement.version_provided
    return None


def find_sent(ledgers: Ledgers, exchange: bytes, own: str, sender: str | None) -> Shown | None:
    """The sending of an exchange to `own`, verified to be in its ledger: the sender's, or else any that answers.

    A ledger that is proven to be two raises Forked where it is the sender's, and is else passed over.
    """
    terms = [kind_term("DataSent"), (TERM_FIELDS["exchange"], exchange), (TERM_FIELDS["counterparty"], own.encode())]
    if sender is not None:
        return newest(ledgers[sender], *terms)
    for reader in ledgers:
        with suppress(Forked):
            if (found := newest(reader, *terms)) is not None:
                return found
    return None


def newest(reader: LedgerReader, *terms: Term) -> Shown | None:
    """The newest entry with these terms, verified; None where there is none, or its ledger does not answer."""
    with suppress(Unreachable, StorageFailed):
        return next(iter(reader.find(terms, newest_first=True, limit=1)), None)
    return None


def record_failure(desk: Desk, error: BaseException, half: Shown | None, said: Mapping[str, object]) -> None:
    """Record that an exchange failed: a coded word, and the name of what was raised, whose text may be personal.

    Where that cannot be recorded either, a note on the error says so, and it stays the one that is raised.
    """
    reason = "exception" if isinstance(error, Exception) else "interrupted"
    said = given({**said, "reason": reason, "words": type(error).__name__})
    try:
        if half is not None:
            said = carry(BY_NAME["ExchangeFailed"], half, said, own=desk.own.bureau.id) | {"half": half.ref}
        desk.record("ExchangeFailed", **said)
    except Exception as unrecorded:
        error.add_note(f"that the exchange failed could not be recorded: {unrecorded}")


def given(values: Mapping[str, object]) -> dict[str, object]:
    """The values that were given."""
    return {name: value for name, value in values.items() if value is not None}
