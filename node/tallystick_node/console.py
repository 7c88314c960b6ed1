"""What every `tallyd` process says at its end: one line on standard error, and an exit code.

Light, so that help is fast.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import NoReturn

INTERNAL_ERROR = 4


def say(sentence: str) -> None:
    """One line on standard error."""
    sys.stderr.write(f"tallyd: {' '.join(sentence.split())}\n")
    sys.stderr.flush()


def exit_on_signal(number: int, frame: FrameType | None) -> NoReturn:
    """Leave through every `finally`, so that what was opened is closed and what was half made is removed."""
    sys.exit(128 + number)
