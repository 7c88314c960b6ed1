"""Runs the targets of tests/fuzz for some time each, guided by what code their inputs reach.

  scripts/fuzz                          every target, a minute each
  scripts/fuzz --seconds 600 notes      one, for ten minutes
  scripts/fuzz --input FILE notes       one input, as it is

What was reached stays in .fuzz/corpus and is gone on from. An input that shows something wrong is left in
.fuzz/findings, and then the exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from sysconfig import get_path

from tests.fuzz.targets import TARGETS

_ROOT = Path(__file__).parents[1]
_PYTHON = _ROOT / ".venv-fuzz" / "bin" / "python"
_KEPT = _ROOT / ".fuzz"
# atheris stands alone where it is; all else is found where this runs.
_PATH = os.pathsep.join(map(str, (_ROOT, *(_ROOT / each for each in ("proto", "client", "node")), get_path("purelib"))))
# One input may take so long and so much; the machine may be a slow one.
_SECONDS_AN_INPUT = 25
_MEMORY_MIB = 1_500
_INPUT_BYTES_MAX = 64 * 1024
_STATISTIC = re.compile(r"^stat::(\w+): +(\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a target: how often it was run, what new it reached, and the inputs that show something wrong."""

    name: str
    executions: int
    reached: int
    corpus: int
    findings: list[Path]
    said: str

    @property
    def failed(self) -> bool:
        """Whether there is anything to look at; a run that says nothing of itself is."""
        return bool(self.findings) or not self.executions


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print a line for each target, and say whether all of them passed."""
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", nargs="*", choices=[[], *TARGETS], help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=60, metavar="N", help="run each target for so long (60)")
    parser.add_argument("--jobs", type=int, default=1, metavar="J", help="so many targets at once (1)")
    parser.add_argument("--input", type=Path, metavar="FILE", help="run this input alone, and print what it shows")
    said = parser.parse_args(arguments)
    names = said.target or list(TARGETS)
    if said.input is not None:
        for name in names:
            TARGETS[name].run(said.input.read_bytes())
        return 0
    print(f"{'target':12} {'executions':>12} {'new inputs':>11} {'corpus':>7}  findings")
    failed = False
    with ThreadPoolExecutor(said.jobs) as pool:
        for ran in pool.map(lambda name: _run(name, said.seconds), names):
            shown = ", ".join(str(each.relative_to(_ROOT)) for each in ran.findings)
            shown = shown or ("none" if ran.executions else "it did not run")
            print(f"{ran.name:12} {ran.executions:12,} {ran.reached:11,} {ran.corpus:7,}  {shown}", flush=True)
            if ran.failed:
                failed = True
                print(ran.said, file=sys.stderr)
    return int(failed)


def _run(name: str, seconds: int) -> Ran:
    corpus, findings = _KEPT / "corpus" / name, _KEPT / "findings" / name
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(findings.iterdir())
    with tempfile.TemporaryDirectory(prefix="tallystick-fuzz-") as scratch:
        ran = subprocess.run(
            [
                _PYTHON,
                *("-m", "tests.fuzz.guided", name, corpus),
                f"-max_total_time={seconds}",
                f"-timeout={_SECONDS_AN_INPUT}",
                f"-rss_limit_mb={_MEMORY_MIB}",
                f"-max_len={_INPUT_BYTES_MAX}",
                f"-artifact_prefix={findings}/",
                "-print_final_stats=1",
            ],
            cwd=_ROOT,
            env={**os.environ, "TMPDIR": scratch, "PYTHONPATH": _PATH},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
            check=False,
        )
    found = {key: int(number) for key, number in _STATISTIC.findall(ran.stdout)}
    new = sorted(path for path in findings.iterdir() if path not in before)
    executions = found.get("number_of_executed_units", 0) if ran.returncode == 0 or new else 0
    tail = "\n".join(ran.stdout.splitlines()[-40:])
    return Ran(name, executions, found.get("new_units_added", 0), len(list(corpus.iterdir())), new, tail)


if __name__ == "__main__":
    sys.exit(main())
