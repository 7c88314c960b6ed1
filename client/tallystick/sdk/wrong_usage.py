"""What is said of a wrong command line, by every program of ours alike: one line, and where help is; and of what the
system says where no error of ours does.
"""

from __future__ import annotations

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
