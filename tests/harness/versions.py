"""Versions of the charter that offices go by, as its one holder signs them."""

from __future__ import annotations

from tallystick.core.charter_chain import Version, read_version
from tallystick.core.charter_draft import draft
from tallystick.core.charter_note import sign_charter
from tests.harness.office import key_of

HOLDER = "pudong.example/charter"
CLIENTS = "clients' charter"
"""Whose key signs a charter of clients that is not their nodes', or the two would be a fork."""


def after(before: Version, edits: str = "", holder: str = "charter") -> Version:
    """The version after another one, with these edits, signed by whose key goes by `holder`."""
    text = draft(before, edits, before.charter.issued)
    return read_version(sign_charter(text, [(HOLDER, key_of(holder))]))


def twins(before: Version, holder: str = "charter") -> tuple[Version, Version]:
    """Two versions after another one, both signed."""
    return after(before, holder=holder), after(before, "[rulebook]\npurposes = []\n", holder)
