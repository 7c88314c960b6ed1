"""Which processes are at work on a folder, and commands run as a person would run them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tallystick_node.cluster.running import Running

BIN = Path(sys.executable).parent


def processes_of(folder: Path) -> list[int]:
    """The ids of the living processes, but this one, that hold a file open under a folder."""
    root = f"{folder.resolve()}/"
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit() and _holds(each, root)]


def wait_until_none(folder: Path, timeout_s: float = 30.0) -> None:
    """Wait for the end of every process at work on a folder."""
    for pid in processes_of(folder):
        running = Running.look(pid)
        assert running is None or running.wait(timeout_s), f"process {pid} outlives its cluster"


def tallyd(*arguments: str | Path, timeout_s: float = 60.0, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run the installed command to its end."""
    return subprocess.run([BIN / "tallyd", *arguments], capture_output=True, text=True, timeout=timeout_s, input=stdin)


def refused(code: int, *arguments: str | Path) -> str:
    """Run the command, which must fail with a code and one line that is no traceback; returns the line."""
    done = tallyd(*arguments)
    assert done.returncode == code, f"exit code {done.returncode}: {done.stdout}{done.stderr}"
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("tallyd: ")
    return lines[0]


def _holds(process: Path, root: str) -> bool:
    if process.name == str(os.getpid()) or Running.look(int(process.name)) is None:
        return False
    try:
        return any(os.readlink(each).startswith(root) for each in (process / "fd").iterdir())
    except OSError:
        return False
