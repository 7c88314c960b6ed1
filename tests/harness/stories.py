"""Lawful stories that the tests of rules bend: resources shared, granted and exchanged, and the edges of a deadline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tallystick.audit.finding import Finding
from tallystick.core.closing import Closing
from tallystick.core.compose import compose
from tests.harness.district import RULEBOOK, ZONE, District, Said

CODE = "R-1"
VERSION = "R-1@1"
SINCE_EN = ", counted from 2027-03-01, recorded by its node's word"
SINCE_ZH = "，自 2027年3月1日 起算，入账时间以其节点所称为准"
"""Since when the clock of what was opened on the first day runs, where no quorum had it."""


def digest_of(number: int = 7) -> str:
    """A digest like no other number's."""
    return f"blake3:{number:064x}"


def district(*others: str, holidays: Iterable[date] = (), working_days: Iterable[date] = ()) -> District:
    """`market`, `tax` and others, with these holidays and make-up days."""
    days = {"holidays": list(holidays), "working_days": list(working_days)}
    return District("market", "tax", *others, rulebook=RULEBOOK | days)


def closing(bureau: str, day: str | None, successor: str = "") -> Closing:
    """By version 2, issued at a day's noon, or nobody knows when."""
    issued = None if day is None else datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZONE)
    return Closing(bureau, 2, issued, successor)


def just_before_midnight(where: District, day: str) -> None:
    """What is said from now on is recorded in the last microsecond of a day."""
    at_midnight(where, day)
    where.now_us -= 1


def at_midnight(where: District, day: str) -> None:
    """What is said from now on is recorded at 24:00 of a day, which no longer belongs to it."""
    where.on(date.fromisoformat(day) + timedelta(days=1), 0)


def then(where: District) -> District:
    """The next microsecond: what is said now comes after what was said before, on whatever ledger."""
    where.now_us += 1
    return where


def moment(where: District, day: str) -> int:
    """10:00 of a day, in microseconds since 1970; the district goes on speaking when it did."""
    now_us = where.now_us
    where.on(day)
    then_us, where.now_us = where.now_us, now_us
    return then_us


def only(where: District, on: str) -> Finding:
    """The one finding of a whole audit."""
    (finding,) = where.audit(on)
    return finding


def unjudged(where: District, on: str) -> dict[tuple[str, str], int]:
    """What an audit that finds nothing could not judge, by rule and bureau."""
    found, _, coverage = where.look(on)
    assert not found
    return dict(coverage.unjudged)


@dataclass(frozen=True, slots=True)
class Granted:
    """The market's resource, its first version, the tax office's request and the grant."""

    version: Said
    request: Said
    grant: Said


def declared(where: District, code: str = CODE, by: str = "market") -> Said:
    """A resource in the catalogue, shared without conditions."""
    return where[by].declare(code, scheme="local", title=code, sharing="unconditional")


def requested(where: District) -> Said:
    """The tax office asks the market for its resource."""
    declared(where)
    return where["tax"].request(CODE, provider="market", purpose="tax-registration")


def granted(where: District) -> Granted:
    """A version is provided, and at once asked for and granted."""
    request = requested(where)
    version = where["market"].provide_version(VERSION, digest=digest_of(), size=10)
    return Granted(version, request, where["market"].grant(request, to="tax", resource=CODE))


def sent(where: District, shared: Granted, exchange: str = "x-1") -> Said:
    """The version goes to the tax office, by the market's word."""
    return where["market"].send(
        exchange, to="tax", version=VERSION, grant=shared.grant, digest=digest_of(), service="files", size=10
    )


def exchanged(where: District) -> tuple[Said, Said]:
    """Both halves of an exchange under a grant."""
    half = sent(where, granted(where))
    return half, where["tax"].receive(
        "x-1", sender="market", version=VERSION, sent=half, digest=digest_of(), service="files", size=10
    )


def exchange_id(text: str) -> bytes:
    """The id that an exchange so called has on the ledgers."""
    return compose("send", "market:clerk", {"exchange": text}).statement.head.exchange
