"""Versions of one charter, one after another: two bureaus, one of which is given another key, or is closed."""

from __future__ import annotations

from typing import Any

import msgspec

from tallystick.core.bureau import Retired
from tallystick.core.charter import Charter, Floor
from tallystick.core.charter_chain import Version, follow, read_version
from tallystick.core.note import VerifierKey, encode_base64
from tests.harness.ledger_maker import CHARTER_KEYS, LedgerMaker, charter_of, key_of, signed

MARKET, TAXATION = LedgerMaker().bureau, LedgerMaker(bureau="taxation").bureau
FIRST = read_version(signed(charter_of(MARKET, TAXATION))[0])
FLOOR = Floor(7, encode_base64(bytes(range(32))))


def key_text(name: str, label: str, algorithm: int = 1) -> str:
    return VerifierKey.of(name, key_of(label).public, algorithm).format()


def after(before: Version, **changes: Any) -> Charter:
    """The charter of the next version with these changes."""
    number = before.number + 1
    return msgspec.structs.replace(before.charter, version=number, previous=before.digest, **changes)


def with_market(before: Version = FIRST, **changes: Any) -> Charter:
    """The next version with another market-regulation."""
    market = msgspec.structs.replace(before.charter.by_id(MARKET.id), **changes)
    return after(before, bureau=(market, *before.charter.bureau[1:]))


def next_of(*known: Version, charter: Charter, by: tuple[str, ...] = CHARTER_KEYS) -> Version:
    return follow(known, signed(charter, by)[0])


def closing(before: Version, **changes: Any) -> Charter:
    heir = LedgerMaker(bureau="market-supervision").bureau
    charter = with_market(before, state="closed", floor=FLOOR, **changes)
    return msgspec.structs.replace(charter, bureau=(*charter.bureau, heir))


RENEWED = with_market(
    floor=FLOOR, ledger_key=key_text(MARKET.origin, "new"), retired=(Retired(MARKET.ledger_key, FLOOR.size),)
)
SECOND = next_of(FIRST, charter=RENEWED)
