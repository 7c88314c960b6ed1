"""The demonstration and the measurements run from start to end."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def first_screen() -> list[str]:
    """The lines of the audit that the README begins with; `…` stands for anything in one of them."""
    block = (ROOT / "README.md").read_text(encoding="utf-8").partition("```console\n")[2].partition("```")[0]
    return [line for line in block.splitlines() if line != "…"]


@pytest.mark.timeout(300)
def test_the_story_is_told_to_its_end() -> None:
    """The demo ends well, names what was tampered with and who signed two histories, and leaves nothing running."""
    done = subprocess.run(
        [sys.executable, "-m", "scripts.story"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=290
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "held: an auditor's client refuses the altered entry and names it" in done.stdout
    assert "held: every other bureau's ledger holds the evidence" in done.stdout
    assert "held: nothing is left running" in done.stdout
    for line in first_screen():
        pattern = ".*".join(map(re.escape, line.split("…")))
        assert re.search(pattern, done.stdout), f"the README shows what the story does not: {line}"


def measured(module: str, *words: str, into: Path) -> dict[str, dict[str, float]]:
    """The figures of a run of measurements, by their names."""
    command = [sys.executable, "-m", module, *words, "--json", str(into)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=170)
    assert done.returncode == 0, done.stdout + done.stderr
    figures: dict[str, dict[str, float]] = json.loads(into.read_text(encoding="utf-8"))["figures"]
    return figures


@pytest.mark.timeout(180)
def test_every_measurement_can_be_made(tmp_path: Path) -> None:
    """A small run of the measurements has every figure; what they say is not judged here."""
    words = ("--entries", "3000", "--calls", "64", "--sizes", "3000", "--pairs", "1")
    figures = measured("scripts.measure", *words, into=tmp_path / "figures.json")
    assert {"floor", "sdk, built live", "sealed beforehand", "reopen at 3,000"} <= set(figures)
    assert {f"{name}, {count} callers" for name in ("echo", "single statements") for count in (1, 64)} <= set(figures)


@pytest.mark.timeout(180)
def test_every_question_can_be_measured(tmp_path: Path) -> None:
    """A small run over ten bureaus times the audit and every question, and finds nothing in lawful traffic."""
    figures = measured("scripts.measure_audit", "--sizes", "300,600", "--repeats", "1", into=tmp_path / "figures.json")
    assert {figures[f"audit at {size}"]["findings"] for size in (300, 600)} == {0}
    questions = {name.partition(": ")[2] for name in figures if not name.startswith("audit")}
    assert {"who", "access", "trace", "impact", "case", "owed", "catalogue", "systems", "reconcile all"} <= questions


@pytest.mark.timeout(180)
def test_what_holding_to_account_costs_can_be_measured() -> None:
    """A small run over simulated districts has a row for each size; a new checkpoint is known everywhere within as many
    rounds of gossip as doublings reach everybody, also where most learn of it from others than who signed it.
    """
    command = [sys.executable, "-m", "scripts.measure_gossip", "--bureaus", "5", "16"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=170)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()[-2:]]
    assert [row[0] for row in rows] == ["5", "16"]
    for row in rows:
        news_after = float(row[-2])
        assert news_after <= math.ceil(math.log2(int(row[0])))
