"""What measurements print alike: when they ran and on what machine, a line a thing measured, and all of it as JSON."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path

NAME_CHARS = 36
VALUE_CHARS = 11


def heading(how: str) -> str:
    """Say what the figures below depend on, `how` being what else there is to know; returns when that was."""
    when = time.strftime("%Y-%m-%d %H:%M")
    print(
        f"{when}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()}, {how}", flush=True
    )
    return when


def row(name: str, figures: Mapping[str, float]) -> None:
    """One line of the table."""
    shown = (f"{key} {value:>{VALUE_CHARS},.{2 if abs(value) < 10 else 0}f}   " for key, value in figures.items())
    print(f"{name:<{NAME_CHARS}}" + "".join(shown), flush=True)


def keep(file: Path, when: str, figures: Mapping[str, Mapping[str, float]]) -> None:
    """Write the figures of a run to a file."""
    file.write_text(json.dumps({"when": when, "figures": figures}, indent=2) + "\n", encoding="utf-8")
