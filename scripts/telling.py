"""How a story is told: chapters, receipts, commands as a user runs them, and what has to be true at the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tallystick import Receipt
from tallystick_node.cluster.local import LocalCluster

BIN = Path(sys.executable).parent
# Long answers are cut for the telling; the command shows them whole.
LINES_MAX = 14


class Story:
    """Tells what it does, and remembers what has to be true at the end."""

    def __init__(self, cluster: LocalCluster, folder: Path) -> None:
        self.cluster = cluster
        self.folder = folder
        self.kept: list[str] = []

    def tell(self, *lines: str) -> None:
        """Say something in one's own words."""
        for line in lines:
            print(f"  {line}")

    def chapter(self, title: str) -> None:
        """Begin a part of the story."""
        print(f"\n== {title}")

    def record(self, what: str, receipt: Receipt) -> Receipt:
        """Show a receipt."""
        again = " (recorded before)" if receipt.again else ""
        print(f"  {receipt.reference:<22} {what}{again}")
        return receipt

    def run(self, *words: str, expect: int = 0, quiet: bool = False) -> str:
        """Run a command as a user would, show it with its answer unless `quiet`, and hold it to its exit code."""
        shown = " ".join(word.replace(str(self.folder), "DIR") for word in words)
        if not quiet:
            print(f"  $ {shown}")
        done = subprocess.run(
            [str(BIN / words[0]), *words[1:]],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "TALLYSTICK_PROFILE": str(self.folder / "profiles" / "auditor.toml")},
        )
        lines = (done.stdout + done.stderr).rstrip().replace(str(self.folder), "DIR").splitlines()
        if len(lines) > LINES_MAX:
            lines = [*lines[: LINES_MAX - 3], f"… {len(lines) - LINES_MAX + 1} lines more …", *lines[-2:]]
        for line in () if quiet else lines:
            print(f"    {line}")
        if done.returncode != expect:
            raise SystemExit(f"demo: `{shown}` ended with {done.returncode}, expected {expect}")
        return done.stdout + done.stderr

    def check(self, what: str, holds: bool) -> None:
        """Something the story promises."""
        if not holds:
            raise SystemExit(f"demo: this should hold and does not: {what}")
        self.kept.append(what)


@contextmanager
def place() -> Iterator[Path]:
    """A folder that is gone afterwards, whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="tallystick-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
