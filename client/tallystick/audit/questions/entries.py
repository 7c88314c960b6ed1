"""What every question's JSON says alike: where an entry stands."""

from __future__ import annotations

from typing import Any

from tallystick.audit.entry import On


def reference_json(entry: On[Any] | None) -> str | None:
    """`bureau#index`; null where there is none."""
    return None if entry is None else entry.reference
