"""What every `tallyd` process says at its end: one line on standard error, and an exit code.

Light, so that help is fast.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn, TypeVar

import click

from tallystick.core.safe_text import sanitise
from tallystick.sdk.passphrase import Passphrase

Command = TypeVar("Command", bound=Callable[..., Any])


def passphrase_option(command: Command) -> Command:
    """What a command that opens keys takes; it gets a `Passphrase`."""
    return click.option(
        "--passphrase-fd",
        "passphrase",
        metavar="N",
        type=int,
        callback=lambda _context, _parameter, fd: Passphrase(fd),
        help="Read the passphrase of encrypted keys from this file descriptor; else it is asked for.",
    )(command)


def say(sentence: str) -> None:
    """One line on standard error. What is said of others' text is said as `tally` says it."""
    sys.stderr.write(f"tallyd: {sanitise(' '.join(sentence.split()))}\n")
    sys.stderr.flush()


def exit_on_signal(number: int, frame: FrameType | None) -> NoReturn:
    """Leave through every `finally`, so that what was opened is closed and what was half made is removed."""
    sys.exit(128 + number)
