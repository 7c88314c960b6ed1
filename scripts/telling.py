"""How a story is told: chapters, receipts, commands as a user runs them, and what has to be true at the end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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

    def run(self, *words: str, expect: int = 0) -> str:
        """Run a command as a user would, show it with its answer, and hold it to its exit code."""
        print(f"  $ {self._shown(words)}")
        done = self._done(words, expect)
        said = done.stdout + done.stderr
        lines = said.rstrip().replace(str(self.folder), "DIR").splitlines()
        if len(lines) > LINES_MAX:
            lines = [*lines[: LINES_MAX - 3], f"… {len(lines) - LINES_MAX + 1} lines more …", *lines[-2:]]
        for line in lines:
            print(f"    {line}")
        return said

    def document(self, *words: str, expect: int = 0) -> Any:
        """What a command answers as JSON, held to its exit code and not shown."""
        return json.loads(self._done((*words, "--json"), expect).stdout)

    def _done(self, words: tuple[str, ...], expect: int) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(BIN / words[0]), *words[1:]],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "TALLYSTICK_PROFILE": str(self.folder / "profiles" / "auditor.toml")},
        )
        if done.returncode != expect:
            said = f"{done.stdout}{done.stderr}"
            raise SystemExit(f"{said}demo: `{self._shown(words)}` ended with {done.returncode}, expected {expect}")
        return done

    def _shown(self, words: tuple[str, ...]) -> str:
        return " ".join(word.replace(str(self.folder), "DIR") for word in words)

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
