"""How every program of ours ends where it was called wrongly, or the system has its say: in one line, and with nothing
more printed where nobody can read it.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import click

from tallystick.core.errors import ConfigInvalid, StorageFailed, TallystickError


def wrong_usage(error: click.ClickException, program: str) -> str:
    """The sentence; `program` is what is meant where the error does not say of which command it is."""
    sentence = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else program
    return f"{sentence[:1].lower()}{sentence[1:]} (see {command} --help)"


def system_error(error: OSError) -> TallystickError:
    """Files and sockets have their own errors. What is left is a name that was given and nothing can be said of, as
    beyond a folder that is closed; or the output.
    """
    if error.filename is not None:
        return ConfigInvalid(f"cannot be reached: {error.strerror}", where=str(error.filename), expected="another name")
    return StorageFailed(f"what was printed cannot be written: {error.strerror or error}")


def drop_output() -> None:
    """What is still buffered would be written at exit, and complain."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
