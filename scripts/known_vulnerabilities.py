"""Asks the package registry for known vulnerabilities of all that the lock files name; pip-audit does the asking.

Ends with 1 where there is one, and names it. Where nobody can be asked, or the registry does not answer for a package,
it says so and ends with 0: what was not asked is neither good nor bad.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[1]
_PYTHON: Final = _ROOT / ".venv-audit" / "bin" / "python"
_ANSWER_S: Final = 15
_ALL_S: Final = 300


@dataclass(frozen=True, slots=True)
class Audited:
    """What the registry said: how many packages it knows nothing bad of, which it did not answer for, what is wrong."""

    fine: int
    unanswered: tuple[str, ...]
    vulnerable: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What a person is told."""
        asked = self.fine + len(self.unanswered) + len(self.vulnerable)
        if len(self.unanswered) == asked:
            return f"NOT AUDITED: this machine's package registry tells nothing of the {asked} packages"
        said = f"{self.fine} of {asked} packages have no known vulnerability"
        return f"{said}; NOT AUDITED: {', '.join(self.unanswered)}" if self.unanswered else said


class _Silent(Exception):
    """Nobody answers; the text says how that shows."""


def judged(reports: Iterable[str]) -> Audited:
    """What pip-audit's reports say. A package that it skipped is none that it found nothing of."""
    found = {each["name"]: each for report in reports for each in json.loads(report)["dependencies"]}.values()
    unanswered = [each["name"] for each in found if "skip_reason" in each]
    vulnerable = [
        f"{each['name']} {each['version']}: {vuln['id']}, mended in {', '.join(vuln['fix_versions']) or 'no version'}"
        for each in found
        for vuln in each.get("vulns", ())
    ]
    bad = {each["name"] for each in found if each.get("vulns")}
    return Audited(len(found) - len(unanswered) - len(bad), tuple(unanswered), tuple(vulnerable))


def _asked(lock: Path) -> str:
    """The report on a lock file. Raises _Silent."""
    how = ["--disable-pip", "--no-deps", "--progress-spinner", "off", "--format", "json", "--timeout", str(_ANSWER_S)]
    try:
        done = subprocess.run(
            [_PYTHON, "-m", "pip_audit", *how, "-r", lock], capture_output=True, text=True, check=False, timeout=_ALL_S
        )
    except subprocess.TimeoutExpired:
        raise _Silent(f"no answer within {_ALL_S} seconds") from None
    if not done.stdout.startswith("{"):
        raise _Silent((done.stderr.strip().splitlines() or ["it says nothing"])[-1][:200])
    return done.stdout


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask, print what was said, and say whether there is a vulnerability."""
    argparse.ArgumentParser(prog="scripts/advisories", description=__doc__).parse_args(arguments)
    if subprocess.run([_ROOT / "scripts" / "tools", "audit"], check=False).returncode:
        print("NOT AUDITED: there is no pip-audit here")
        return 0
    try:
        with ThreadPoolExecutor() as pool:  # each by itself: two locks may name one package
            audited = judged(list(pool.map(_asked, sorted(_ROOT.glob("requirements*.lock")))))
    except _Silent as error:
        print(f"NOT AUDITED: the package registry cannot be asked ({error})")
        return 0
    print(audited.sentence)
    for each in audited.vulnerable:
        print(f"VULNERABLE: {each}")
    return int(bool(audited.vulnerable))


if __name__ == "__main__":
    sys.exit(main())
