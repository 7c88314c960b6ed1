"""Where output goes: terminals, pipes, and encodings that lack letters."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

import pytest

from tallystick_node.cluster.local import LocalCluster
from tests.cli.conftest import Tally

COMMAND = [sys.executable, "-m", "tallystick.cli.main"]


def on_terminal(arguments: Sequence[object], columns: int = 100) -> str:
    """What a command shows on a terminal, its styles taken out."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}
    with subprocess.Popen([*COMMAND, *map(str, arguments)], stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:  # the other side is closed
            pass
        os.close(ours)
    assert process.returncode == 0, shown
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode()).replace("\r\n", "\n")


@pytest.fixture
def profile(shared_cluster: LocalCluster) -> Path:
    return shared_cluster["planning"].profile


def test_a_terminal_gets_columns_with_a_header(profile: Path) -> None:
    """Wide letters take two cells, and columns still stand below each other."""
    lines = on_terminal(["--profile", profile, "log", "-n", 3, "--lang", "zh"]).splitlines()
    assert lines[0].startswith("条目")
    assert all(line.startswith("planning#") for line in lines[1:4])
    assert "\t" not in "".join(lines)


@pytest.mark.parametrize("columns", [50, 60, 100])
def test_a_narrow_terminal_loses_no_column(profile: Path, columns: int) -> None:
    """What does not fit is folded; every letter of every cell is there."""

    def table(columns: int) -> list[str]:
        """The header and the one row, without the remark below them."""
        lines = on_terminal(["--profile", profile, "log", "-n", 1], columns).splitlines()
        return list(takewhile(lambda line: "Covered" not in line, lines))

    assert all(len(line) <= columns for line in table(columns))
    assert Counter("".join(table(columns)).replace(" ", "")) == Counter("".join(table(400)).replace(" ", ""))


def test_markup_in_a_ledger_is_text(tally: Tally, profile: Path) -> None:
    """What looks like a style of the layout is shown as it is, and nothing of it works."""
    title = "[bold red]not[/] :smile: \x1b[31m"
    declaring = ("declare", "MARKUP", "--title", title, "--scheme", "local", "--sharing", "withheld", "--json")
    reference = tally(*declaring, profile=profile).json["reference"]
    for arguments in (["log", "-n", 3], ["show", reference]):
        assert "[bold red]not[/] :smile: \\x1b[31m" in on_terminal(["--profile", profile, *arguments], columns=200)


def test_a_progress_bar_leaves_nothing_on_standard_output(profile: Path, tmp_path: Path) -> None:
    """On a terminal an import shows how far it is, and then its report."""
    data_sets = [{"identifier": f"BAR-{number}", "title": "t", "accessLevel": "public"} for number in range(50)]
    (tmp_path / "data.json").write_text(json.dumps(data_sets))
    shown = on_terminal(["--profile", profile, "import", "dcat", tmp_path / "data.json", "--scheme", "bar"])
    assert re.search(r"unchanged +0", shown)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_letters_an_encoding_lacks_are_escaped(profile: Path, encoding: str) -> None:
    """Text is shown by escapes, and JSON stays JSON."""
    environment = {**os.environ, "PYTHONIOENCODING": encoding}

    def run(*arguments: str) -> bytes:
        command = [*COMMAND, "--profile", str(profile), *arguments]
        return subprocess.run(command, capture_output=True, check=True, env=environment).stdout

    assert run("charter", "show", "--lang", "zh").decode(encoding)
    bureaus = json.loads(run("charter", "show", "--json").decode(encoding))["bureaus"]
    assert bureaus[0]["name"]["zh"] == "市场监督管理局"


def test_debugging_shows_where_a_fault_is(profile: Path, tmp_path: Path) -> None:
    """Only with TALLYSTICK_DEBUG, and the sentence comes after it."""
    command = [*COMMAND, "--profile", str(tmp_path / "none"), "status"]
    quiet = subprocess.run(command, capture_output=True, text=True, check=False)
    loud = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "TALLYSTICK_DEBUG": "1"}
    )
    assert "Traceback" not in quiet.stderr
    assert "Traceback" in loud.stderr
    assert loud.stderr.splitlines()[-1] == quiet.stderr.splitlines()[-1]
