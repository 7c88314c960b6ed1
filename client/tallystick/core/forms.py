"""The named forms a field's options may ask for (`format: "day"`), each with the function that checks it.

Identifiers are checked by `identifiers`; the forms of time stand here: a *day* is `YYYY-MM-DD`, a *moment* is
microseconds since 1970 UTC and above zero, an *update cycle* is `irregular` or an ISO 8601 repeating duration
(`R/P1Y`, `R/PT1S`), as DCAT-US writes `accrualPeriodicity`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from tallystick.core import identifiers
from tallystick.core.entry import MOMENT_MAX_US
from tallystick.core.errors import InvalidIdentifier

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UPDATE_CYCLE = re.compile(
    r"irregular|R/P(?=[0-9T])([0-9]+(\.[0-9]+)?Y)?([0-9]+(\.[0-9]+)?M)?([0-9]+(\.[0-9]+)?W)?([0-9]+(\.[0-9]+)?D)?"
    r"(T(?=[0-9])([0-9]+(\.[0-9]+)?H)?([0-9]+(\.[0-9]+)?M)?([0-9]+(\.[0-9]+)?S)?)?"
)


def check_day(text: str) -> None:
    """A day of the Gregorian calendar as `YYYY-MM-DD`. Raises InvalidIdentifier."""
    try:
        if _DAY.fullmatch(text) is None:
            raise ValueError
        date.fromisoformat(text)
    except ValueError:
        raise InvalidIdentifier(f"{text[:40]!r} is not a day", expected="YYYY-MM-DD") from None


def check_moment(at_us: int) -> None:
    """Microseconds since 1970 UTC, above zero and before the year 10000. Raises InvalidIdentifier."""
    if not 0 < at_us <= MOMENT_MAX_US:
        raise InvalidIdentifier(f"{at_us} is not a moment", expected="microseconds since 1970, before the year 10000")


def check_update_cycle(text: str) -> None:
    """`irregular` or an ISO 8601 repeating duration. Raises InvalidIdentifier."""
    if len(text) > 64 or _UPDATE_CYCLE.fullmatch(text) is None:
        raise InvalidIdentifier(f"{text[:64]!r} is not an update cycle", expected="irregular, or a duration as R/P1Y")


FORMS: Final[Mapping[str, Callable[[Any], object]]] = MappingProxyType(
    {
        "actor": identifiers.check_actor,
        "bureau_id": identifiers.check_bureau_id,
        "day": check_day,
        "label": identifiers.check_label,
        "moment": check_moment,
        "origin": identifiers.check_origin,
        "resource_code": identifiers.check_resource_code,
        "scheme": identifiers.check_scheme,
        "update_cycle": check_update_cycle,
        "version_ref": identifiers.parse_version_ref,
    }
)
