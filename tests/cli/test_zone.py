"""Where times are shown in: the charter's zone, and UTC where there is none to be had."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import msgspec
import pytest

from tallystick.cli.options import Session
from tests.harness.ledger_maker import LedgerMaker, charter_of, signed


@pytest.mark.parametrize(
    ("rulebook", "shown"),
    [
        ({"time_zone": "Europe/Tallinn"}, "Europe/Tallinn"),
        ({}, "UTC"),
        ({"time_zone": "Mars/Olympus"}, "UTC"),
        ({"time_zone": 8}, "UTC"),
    ],
)
def test_times_are_shown_in_the_charters_zone(tmp_path: Path, rulebook: dict[str, object], shown: str) -> None:
    """A zone that is unknown or no name at all does not keep anybody from reading times."""
    note, digest = signed(msgspec.structs.replace(charter_of(LedgerMaker().bureau), rulebook=rulebook))
    (tmp_path / "charter.note").write_bytes(note)
    profile = tmp_path / "profile.toml"
    profile.write_text(f'charter = "charter.note"\ncharter_digest = "{digest}"\n')
    session = Session(profile, json=False, language=None)
    assert session.zone is UTC
    assert session.profile.path == profile
    assert str(session.zone) == shown
