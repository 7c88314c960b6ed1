"""The demonstration and the measurements run from start to end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(180)
def test_the_story_is_told_to_its_end() -> None:
    """The demo ends well, names what was tampered with, and leaves nothing running."""
    done = subprocess.run(
        [sys.executable, "-m", "scripts.story"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=170
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "held: an auditor's client refuses the altered entry and names it" in done.stdout
    assert "held: nothing is left running" in done.stdout


@pytest.mark.timeout(180)
def test_every_measurement_can_be_made(tmp_path: Path) -> None:
    """A small run of the measurements has every figure; what they say is not judged here."""
    words = ["--entries", "3000", "--calls", "64", "--sizes", "3000", "--json", str(tmp_path / "figures.json")]
    done = subprocess.run(
        [sys.executable, "-m", "scripts.measure", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))["figures"]
    assert {"floor", "sdk, built live", "sealed beforehand", "reopen at 3,000"} <= set(figures)
    assert {f"{name}, {count} callers" for name in ("echo", "single statements") for count in (1, 64)} <= set(figures)
