"""The half of an exchange that one X-Road record tells, in the name of the bureau whose side it is.

    messageId                               exchange: a UUID's 16 bytes, of any other text the first 16 of its BLAKE3
    Producer                                DataSent, `to` the client's bureau
    Client                                  DataReceived, `sender` the service's bureau
    the service                             service: INSTANCE/CLASS/MEMBER/SUBSYSTEM/code/version, without empty parts
                                            at its end
    request and response size               request_size, size
    requestInTs (ms)                        happened_at
    succeeded is false                      ExchangeFailed instead, with its side; its reason is the fault code, else
                                            `http-<statusCode>`, else `unstated`; its words are the service. The other
                                            side may be absent: a call that failed may have named none

There is no version, no resource and no digest: a service is not a coded datum. Times, sizes and the service's code may
be absent; `without` names them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from tallystick.core.entry import MOMENT_MAX_US
from tallystick.core.kinds import BY_NAME, TERM_FIELDS, field_options
from tallystick.core.limits import LABEL_CHARS_MAX
from tallystick.core.values import exchange_id
from tallystick.sdk.importers.xroad_map import Identifier
from tallystick.sdk.importers.xroad_record import MISSING, PRODUCER, Fields, Unreadable
from tallystick.sdk.reader import LedgerReader
from tallystick_proto.v1.statement_pb2 import DataSent, ExchangeFailed, Statement

SOURCE: Final = "xroad"

_SERVICE_MAX: Final = field_options(DataSent.DESCRIPTOR.fields_by_name["service"]).max_len
_NO_LABEL: Final = re.compile(r"[@#\x00-\x1f\x7f-\x9f]")
_US_PER_MS: Final = 1000
_SENDING: Final = b"s"
_RECEIVING: Final = b"r"


@dataclass(frozen=True, slots=True)
class Half:
    """What one record becomes, an item of an import. `key` is the exchange's 16 bytes and one for its side; `place` is
    where it was read, `without` and `cut` what it lacks and what was shortened to how many characters.
    """

    kind: str
    key: bytes
    says: int
    values: dict[str, object]
    place: str
    without: tuple[str, ...] = ()
    cut: tuple[tuple[str, int], ...] = field(default=())


def half_of(fields: Fields, server: str, service: Identifier | None, counterparty: str | None, place: str) -> Half:
    """The half a record tells whose own side is ours; `counterparty` is the bureau of the other. Raises Unreadable."""
    sending = server == PRODUCER
    message = fields.text("messageId")
    if not message:
        raise Unreadable("messageId", MISSING)
    exchange = exchange_id(message)
    happened_at_us = (fields.number("requestInTs") or 0) * _US_PER_MS
    if happened_at_us > MOMENT_MAX_US:
        raise Unreadable("requestInTs", "not a time", fields.read["requestInTs"])
    request_size, size = fields.number("requestSize"), fields.number("responseSize")
    named, cut = _cut(_service(fields, service), "service", _SERVICE_MAX)
    absent = {"requestInTs": not happened_at_us, "serviceCode": not fields.text("serviceCode")}
    values: dict[str, object] = {"exchange": exchange, "happened_at": happened_at_us, "source": SOURCE}
    reason = ""
    if not fields.succeeded():
        kind = "ExchangeFailed"
        reason, shortened = _cut(_reason(fields), "faultCode", LABEL_CHARS_MAX)
        cut += shortened
        absent["other side"] = counterparty is None
        values |= {"other": counterparty, "reason": reason, "words": named}
        values["side"] = "sending" if sending else "receiving"
        request_size = size = None
    elif counterparty is None:
        raise Unreadable("clientMemberCode" if sending else "serviceMemberCode", MISSING)
    else:
        kind = "DataSent" if sending else "DataReceived"
        absent |= {"requestSize": request_size is None, "responseSize": size is None}
        values |= {"service": named, "request_size": request_size, "size": size}
        values["to" if sending else "sender"] = counterparty
    key = exchange + (_SENDING if sending else _RECEIVING)
    says = _says(kind, counterparty or "", happened_at_us, named, request_size or 0, size or 0, reason)
    return Half(kind, key, says, values, place, tuple(name for name, is_absent in absent.items() if is_absent), cut)


def standing_halves(reader: LedgerReader) -> dict[bytes, int]:
    """What a ledger holds of X-Road, each entry verified: by exchange and side a fingerprint of what is said.

    One entry takes some 150 bytes of memory, 17 for the key and 4 for the fingerprint, the rest is Python's; a half
    that an import wants takes as much again, since it may be repeated. Nothing else grows with the records.
    """
    standing: dict[bytes, int] = {}
    for kind in ("DataSent", "DataReceived", "ExchangeFailed"):
        for shown in reader.find([(TERM_FIELDS["kind"], str(BY_NAME[kind].number).encode())]):
            statement = shown.read.statement
            if statement.head.source == SOURCE:
                key, says = _standing(kind, statement)
                standing[key] = says
    return standing


def _standing(kind: str, statement: Statement) -> tuple[bytes, int]:
    head = statement.head
    said = (head.counterparty, head.happened_at_us)
    if kind == "ExchangeFailed":
        failed = statement.exchange_failed
        side = _SENDING if failed.side == ExchangeFailed.SENDING else _RECEIVING
        return head.exchange + side, _says(kind, *said, failed.words, 0, 0, failed.reason)
    half = statement.data_sent if kind == "DataSent" else statement.data_received
    side = _SENDING if kind == "DataSent" else _RECEIVING
    return head.exchange + side, _says(kind, *said, half.service, half.request_size, half.size, "")


def _says(
    kind: str, counterparty: str, happened_at_us: int, service: str, request_size: int, size: int, reason: str
) -> int:
    """A fingerprint of 32 bits, good within this process: enough to tell the same record from another one."""
    return hash((kind, counterparty, happened_at_us, service, request_size, size, reason)) & 0xFFFF_FFFF


def _service(fields: Fields, service: Identifier | None) -> str:
    if service is None:
        return ""
    return "/".join([*service, fields.text("serviceCode"), fields.text("serviceVersion")]).rstrip("/")


def _reason(fields: Fields) -> str:
    status = fields.text("statusCode")
    return _NO_LABEL.sub("_", fields.text("faultCode")) or (f"http-{status}" if status else "unstated")


def _cut(text: str, name: str, most: int) -> tuple[str, tuple[tuple[str, int], ...]]:
    return (text, ()) if len(text) <= most else (text[: most - 1] + "…", ((name, most),))
