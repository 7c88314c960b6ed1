"""What is said of a wrong command line, by every program of ours alike: one line, and where help is."""

from __future__ import annotations

import click


def wrong_usage(error: click.ClickException, program: str) -> str:
    """The sentence; `program` is what is meant where the error does not say of which command it is."""
    sentence = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else program
    return f"{sentence[:1].lower()}{sentence[1:]} (see {command} --help)"
