"""Where output goes: terminals, pipes, and encodings that lack letters."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

import pytest
from rich.cells import cell_len

from tallystick.cli.output import Output, Table
from tallystick_node.cluster.local import LocalCluster
from tests.cli.conftest import Tally

COMMAND = [sys.executable, "-m", "tallystick.cli.main"]


def on_terminal(arguments: Sequence[object], columns: int = 100, code: int = 0) -> str:
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
    assert process.returncode == code, shown
    return without_styles(shown.decode()).replace("\r\n", "\n")


def without_styles(shown: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)


@pytest.fixture
def profile(shared_cluster: LocalCluster) -> Path:
    return shared_cluster["planning"].profile


def test_a_terminal_gets_columns_with_a_header(shared_cluster: LocalCluster, profile: Path) -> None:
    """Wide letters take two cells, and columns still stand below each other, where no cell is too long for its own."""
    with shared_cluster["planning"].sdk.recorder() as recorder:  # others' titles, before these, may be
        for number in range(3):
            recorder.declare(f"T-{number}", scheme="local", title="题目", sharing="withheld")
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


class _Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("columns", [40, 80])
def test_a_sentence_ends_its_lines_between_words(shared_cluster: LocalCluster, language: str, columns: int) -> None:
    """On a terminal, no word and no number is cut, no line begins with what closes one, and nothing is lost."""
    command = ["--profile", shared_cluster.auditor_profile, "who", "nobody-knows-it", "--lang", language]
    wide, shown, again = "", "", "not yet"
    while wide != again:  # the ledgers grow meanwhile, and are witnessed
        wide, shown, again = (on_terminal(command, width, code=4) for width in (400, columns, 400))
    assert all(cell_len(line) <= columns for line in shown.splitlines())
    assert not re.search(r"^[，。；：、）]", shown, re.MULTILINE)
    assert shown.split() == wide.split() if language == "en" else "".join(shown.split()) == "".join(wide.split())
    assert set(re.findall(r"[0-9a-z-]+", shown)) == set(re.findall(r"[0-9a-z-]+", wide))


def test_a_word_wider_than_the_terminal_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be there to be copied, and the terminal folds it by itself."""
    screen, word = _Screen(), "x" * 100
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys, "stdout", screen)
    Output(as_json=False, language="en").line(f"hand over: {word} now")
    assert screen.getvalue().splitlines() == ["hand over:", word, "now"]


@pytest.mark.parametrize("columns", [40, 80])
def test_a_key_among_facts_can_be_copied_whole(tmp_path: Path, columns: int) -> None:
    """What the charter is to say of a new key stands in one line, however narrow the terminal is."""
    shown = on_terminal(["charter", "key", "pudong.example/key-1", "-o", tmp_path / "key.pem"], columns)
    assert re.search(r"^key +pudong\.example/key-1\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$", shown, re.MULTILINE)


@pytest.mark.parametrize("columns", [80, 90])
def test_where_it_is_narrow_short_columns_are_folded_last(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """A day stays whole while the others can keep a few letters; no line is wider than the terminal."""
    screen = _Screen()
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys, "stdout", screen)
    bureau = "market-regulation"
    row = [bureau, bureau, "a word " * 9, "2026-11-26", "2026-12-03", "runs", f"{bureau}#15", "one side's word"]
    Table(("who owes", "to whom", "what", "since", "due", "clock", "entry", "proven")).print([row])
    lines = without_styles(screen.getvalue()).splitlines()
    assert all(len(line) <= columns for line in lines)
    assert "2026-11-26  2026-12-03" in lines[1]


@pytest.mark.parametrize("columns", [30, 60, 80])
def test_a_column_that_is_kept_is_never_folded(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """The others are, and lose no letter; only where they would be too narrow is the table wider than the terminal."""
    screen = _Screen()
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys, "stdout", screen)
    endpoint, row = (
        "node-7.market-regulation.pudong.example:7411",
        ["market-regulation", "12", "yes, as trusted before"],
    )
    row.insert(2, endpoint)
    Output(as_json=False, language="en").table(("ledger", "entries", "endpoint", "answers"), [row], kept=[2])
    lines = without_styles(screen.getvalue()).splitlines()
    assert sum(endpoint in line for line in lines) == 1
    assert max(map(len, lines)) <= max(columns, 8 + 2 + 7 + 2 + len(endpoint) + 2 + 8)
    assert Counter("".join(lines[1:]).replace(" ", "")) == Counter("".join(row).replace(" ", ""))


@pytest.mark.parametrize("columns", [60, 80])
def test_an_endpoint_in_a_status_can_be_copied(shared_cluster: LocalCluster, columns: int) -> None:
    """Each stands in one line, however narrow the terminal is."""
    shown = on_terminal(["--profile", shared_cluster.auditor_profile, "status"], columns)
    assert all(each.bureau.endpoint in shown for each in shared_cluster)


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


def test_debugging_shows_where_a_fault_is(tmp_path: Path) -> None:
    """Only with TALLYSTICK_DEBUG, and the sentence comes after it."""
    command = [*COMMAND, "--profile", str(tmp_path / "none"), "status"]
    quiet = subprocess.run(command, capture_output=True, text=True, check=False)
    loud = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "TALLYSTICK_DEBUG": "1"}
    )
    assert "Traceback" not in quiet.stderr
    assert "Traceback" in loud.stderr
    assert loud.stderr.splitlines()[-1] == quiet.stderr.splitlines()[-1]


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_stream_is_read_by_nobody_and_stops_nothing(profile: Path, closed: str) -> None:
    """The exit code still says how it went."""
    arguments = shlex.join([*COMMAND, "--profile", str(profile), "status", "--json"])
    ended = subprocess.run(f"{arguments} {closed}", shell=True, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("arguments", [["status"], ["charter", "show", "--json"], ["log"]], ids=str)
def test_output_that_cannot_be_written_is_the_disks_fault(profile: Path, arguments: list[str]) -> None:
    """One line says why; nobody is asked to report it."""
    with open("/dev/full", "w") as full:
        command = [*COMMAND, "--profile", str(profile), *arguments]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 4
    assert ended.stderr.splitlines()[-1] == "tally: what was printed cannot be written: No space left on device"
