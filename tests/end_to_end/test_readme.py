"""The README's examples, run as they stand, in order, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BIN = Path(sys.executable).parent


def blocks() -> list[tuple[str, str]]:
    """The README's examples after its first screen, whose ledger is the demo's."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return [(match[1], match[2]) for match in BLOCK.finditer(text, text.index("## Try it"))]


def commands(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block with the answer that is shown below it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, answer = part.partition("\n")
        yield command, answer


def as_pattern(shown: str) -> re.Pattern[str]:
    """What is shown, where `…` stands for anything."""
    return re.compile(".*".join(re.escape(piece) for piece in shown.rstrip("\n").split("…")), re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    subprocess.run(
        [BIN / "tallyd", "cluster", "down", "--dir", "cluster"], cwd=tmp_path, capture_output=True, check=False
    )


@pytest.mark.timeout(180)
def test_every_example_of_the_readme_runs_and_answers_as_shown(folder: Path) -> None:
    """A stranger who types what the README shows sees what it shows."""
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder)}
    ran = 0
    for language, block in blocks():
        if language == "python":
            done = subprocess.run(
                [sys.executable, "-W", "error", "-c", block],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            ran += 1
            continue
        for command, answer in commands(block):
            done = subprocess.run(
                command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            expected = 1 if "finding." in answer else 0
            assert done.returncode == expected, f"{command}\n{done.stdout}{done.stderr}"
            assert as_pattern(answer).match(done.stdout), f"{command}\n{done.stdout}"
            ran += 1
    assert ran >= 15
