"""The rules, a file a family. Importing this package enters them all."""

from tallystick.audit.rules import (
    access,
    catalogue,
    charters,
    duties,
    exchanges,
    lookups,
    obligations,
    structure,
    systems,
    versions,
    witnessing,
)

__all__ = [
    "access",
    "catalogue",
    "charters",
    "duties",
    "exchanges",
    "lookups",
    "obligations",
    "structure",
    "systems",
    "versions",
    "witnessing",
]
