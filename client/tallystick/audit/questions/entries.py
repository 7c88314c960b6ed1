"""What every question's JSON says alike: where an entry stands, and that a bureau is closed."""

from __future__ import annotations

from typing import Any

from tallystick.audit.entry import On
from tallystick.core.closing import Closing


def reference_json(entry: On[Any] | None) -> str | None:
    """`bureau#index`; null where there is none."""
    return None if entry is None else entry.reference


def closing_json(closing: Closing | None) -> dict[str, Any] | None:
    """Which version of the charter closed a bureau, and who succeeds it; null where it is not closed."""
    if closing is None:
        return None
    return {"bureau": closing.bureau, "version": closing.version, "successor": closing.successor or None}
