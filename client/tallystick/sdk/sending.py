"""Sending: the provider's half of an exchange, on its ledger before the first byte leaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from tallystick.core.compose import compose
from tallystick.core.errors import NotFound, Unreachable
from tallystick.core.kinds import BY_NAME, TERM_FIELDS
from tallystick.sdk.citing import carry, cite, shown_in
from tallystick.sdk.clock import new_id
from tallystick.sdk.exchange import (
    Desk,
    format_exchange,
    given,
    newest,
    parse_exchange,
    provided_in,
    record_failure,
    scope_of,
)
from tallystick.sdk.receipt import Receipt
from tallystick.sdk.standing import kind_term
from tallystick.sdk.verbs import HasRef, HasVersion
from tallystick_proto.v1.statement_pb2 import Ref


@dataclass(frozen=True, slots=True)
class Sending:
    """A sending that was recorded. `exchange` is the text to hand over with the data."""

    exchange: str
    receipt: Receipt

    @property
    def ref(self) -> Ref:
        """The citation of the recorded half."""
        return self.receipt.ref


@contextmanager
def sending(
    desk: Desk,
    what: str | HasVersion | None,
    to: str,
    grant: str | Ref | HasRef | None,
    values: Mapping[str, object],
    wait_witnessed_s: float,
) -> Iterator[Sending]:
    """Record DataSent, wait for its witnesses, then let the block run.

    `values` are its further keywords; those that are None are not given.

    Raises, before the block, whatever keeps it from being recorded; NotFound where this ledger provided no such version
    and no digest is given, where the salt of its digest is not kept here, and where there is no bureau `to`. What the
    block raises is recorded as ExchangeFailed and raised again.
    """
    said: dict[str, object] = {**scope_of(what), "exchange": new_id(), "to": to, **given(values)}
    exchange = parse_exchange(said["exchange"]).exchange  # type: ignore[arg-type]
    said |= {"exchange": exchange, **_data_of(desk, what, said)}
    salt = _salt_of(desk, said)
    if grant is not None:
        said |= _granted(desk, grant, said)
    said["last_received"] = _last_received(desk, to)
    receipt = desk.record_witnessed("DataSent", wait_witnessed_s, **said)
    try:
        yield Sending(format_exchange(exchange, salt), receipt)
    except BaseException as error:
        failed = {"exchange": exchange, "side": "sending", "officer": said.get("officer")}
        record_failure(desk, error, shown_in(receipt), failed)
        raise


def _data_of(desk: Desk, what: str | HasVersion | None, said: Mapping[str, object]) -> dict[str, object]:
    """The digest and size of the version as its own entry says them, where they were not given."""
    if "digest" in said or "version" not in said:
        return {}
    provider, provided = provided_in(what) or ("", None)
    if provided is None or provider != desk.own.bureau.id:
        version = str(said["version"])
        terms = [kind_term("VersionProvided"), (TERM_FIELDS["version"], version.encode())]
        shown = next(iter(desk.own.find(terms, newest_first=True, limit=1)), None)
        if shown is None:
            raise NotFound(
                f"{version} was not provided on this ledger",
                where=desk.own.bureau.id,
                expected="a version that was, or the digest of what is sent",
            )
        provided = shown.read.statement.version_provided
    return {"digest": provided.digest, "size": said.get("size", provided.size)}


def _salt_of(desk: Desk, said: Mapping[str, object]) -> bytes | None:
    """The salt that goes with the data, where its digest has one. Raises NotFound."""
    digest = compose("DataSent", "", {"digest": said.get("digest")}).statement.data_sent.digest
    return desk.salts.salt_of(desk.own.bureau.id, str(said.get("version", ""))) if digest.committed else None


def _granted(desk: Desk, grant: str | Ref | HasRef, said: Mapping[str, object]) -> dict[str, object]:
    """The citation of a grant, and its scope. A citation is passed on unread where its ledger does not answer."""
    try:
        shown = cite(desk.ledgers, grant, "AccessGranted")
    except Unreachable:
        if isinstance(grant, str):
            raise
        return {"grant": grant if isinstance(grant, Ref) else grant.ref}
    return carry(BY_NAME["DataSent"], shown, said, own=desk.own.bureau.id) | {"grant": shown.ref}


def _last_received(desk: Desk, to: str) -> Ref | None:
    """The newest receipt of ours that the other side recorded, as far as it answers: what it had by now."""
    ours = (TERM_FIELDS["counterparty"], desk.own.bureau.id.encode())
    found = newest(desk.ledgers[to], kind_term("DataReceived"), ours)
    return None if found is None else found.ref
