"""How long an update cycle lasts, in whole days: ISO 8601 repeating durations as DCAT-US writes `accrualPeriodicity`.

`R/P1Y` is 366 days and `R/P1M` 31, so that no calendar makes a bureau late; parts are added up, and a part of a day
counts as a day. `irregular` promises nothing, and `R/PT1S` (a stream) never goes stale: both last for ever, which is
None.
"""

from __future__ import annotations

import math
import re
from typing import Final

_NEVER: Final = ("", "irregular", "R/PT1S")
_PARTS: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)([YMWDHS])")
_DATE_DAYS: Final = {"Y": 366.0, "M": 31.0, "W": 7.0, "D": 1.0}
_TIME_DAYS: Final = {"H": 1 / 24, "M": 1 / 1_440, "S": 1 / 86_400}
_DAYS_MAX: Final = 366 * 1_000


def cycle_days(cycle: str) -> int | None:
    """The days from one version to the next; None where there is no promise."""
    if cycle in _NEVER:
        return None
    dates, _, times = cycle.removeprefix("R/P").partition("T")
    days = sum(float(number) * _DATE_DAYS[unit] for number, unit in _PARTS.findall(dates))
    days += sum(float(number) * _TIME_DAYS[unit] for number, unit in _PARTS.findall(times))
    return min(math.ceil(days), _DAYS_MAX)
