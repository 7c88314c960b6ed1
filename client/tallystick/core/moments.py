"""Moments as they are shown: to people in a zone, to programs in RFC 3339. Microseconds since 1970, of any size."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo


def moment_text(at_us: int, zone: tzinfo) -> str:
    """A moment as people read it, to the second, with its distance from UTC; bare microseconds beyond the calendar."""
    try:
        return datetime.fromtimestamp(at_us // 1_000_000, zone).isoformat(sep=" ", timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return f"{at_us} us"


def moment_json(at_us: int) -> str | None:
    """A moment in RFC 3339, UTC, to the microsecond; None where no calendar has it."""
    seconds, rest = divmod(at_us, 1_000_000)
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"
    except (ValueError, OverflowError, OSError):
        return None
