"""The threat model claims what a test shows: each claim names its test, and each test that is named exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
TEXT: Final = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
ACTORS: Final = (
    "An outsider on the network",
    "A curious bureau",
    "A lying bureau",
    "A lying operator of a node",
    "Two bureaus that collude",
    "A thief of a disk",
    "A thief of a key",
    "A malicious auditor",
)
_TEST: Final = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_NOTHING: Final = "nothing: "
"""How a row begins what stands in the way, where nothing does and no test can show it."""


def sections() -> dict[str, str]:
    """Each section of the page by its heading."""
    parts = re.split(r"^## (.+)$", TEXT, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text: str) -> Iterator[list[str]]:
    """The rows of the tables whose last column says what shows it, without their headers."""
    last = ""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            last = ""
        elif not last:
            last = cells[-1]
        elif last == "shown by" and not set(cells[0]) <= set("-: "):
            yield cells


@cache
def named_in(path: str) -> frozenset[str]:
    """The tests in a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )


@pytest.mark.parametrize("actor", ACTORS)
def test_every_actor_has_its_table(actor: str) -> None:
    """Whoever may want something is treated, with what he tries and what stands in his way."""
    assert list(rows(sections()[actor]))


def test_every_claim_names_what_shows_it() -> None:
    """A row either names tests, or says that nothing stands in the way."""
    bare = [row for text in sections().values() for row in rows(text) if not _TEST.search(row[-1])]
    assert [row for row in bare if not any(cell.startswith(_NOTHING) for cell in row)] == []


def test_every_test_that_is_named_exists() -> None:
    """No claim leans on a test that is not there."""
    named = _TEST.findall(TEXT)
    missing = [f"{path}::{name}" for path, name in named if not (ROOT / path).exists() or name not in named_in(path)]
    assert named
    assert missing == []
    assert TEXT.count("tests/") == len(named), "a test is named as `tests/file.py::test_name`"
