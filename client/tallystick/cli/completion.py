"""Shell: `tally completion`, the script that a shell's own completion needs."""

from __future__ import annotations

import click

from tallystick.cli.options import Session, command


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@command
def completion(session: Session, shell: str) -> None:
    """Print a script that teaches the shell to complete `tally`.

    \b
    Examples:
      tally completion bash >> ~/.bashrc
      tally completion fish > ~/.config/fish/completions/tally.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    root = click.get_current_context().find_root().command
    print(kind(root, {}, "tally", "_TALLY_COMPLETE").source())
