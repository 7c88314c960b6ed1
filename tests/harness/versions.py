"""Versions of the charter that offices go by, as its one holder signs them."""

from __future__ import annotations

from tallystick.core.charter import sign_charter
from tallystick.core.charter_chain import Version, read_version
from tallystick.core.charter_draft import draft
from tests.harness.office import key_of

HOLDER = "pudong.example/charter"


def after(before: Version, edits: str = "") -> Version:
    """The version after another one, with these edits."""
    text = draft(before, edits, before.charter.issued)
    return read_version(sign_charter(text, [(HOLDER, key_of("charter"))]))


def twins(before: Version) -> tuple[Version, Version]:
    """Two versions after another one, both signed."""
    return after(before), after(before, "[rulebook]\npurposes = []\n")
