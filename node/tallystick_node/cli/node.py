"""`tallyd run`, `fsck`, `config show` and `completion`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tallystick.core.counted import counted, counted_entries
from tallystick.sdk.arguments import FILE
from tallystick.sdk.passphrase import Passphrase
from tallystick_node.console import passphrase_option

if TYPE_CHECKING:
    from tallystick_node.config import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

DIFFERENCES_FOUND = 5


def settings_option(command: Command) -> Command:
    """A home, or the settings file itself."""
    command = click.option("--config", "file", type=FILE, help="The settings file, if it is not DIR/tallyd.toml.")(
        command
    )
    return click.argument("directory", metavar="[DIR]", type=FILE, required=False)(command)


def settings_path(directory: Path | None, file: Path | None) -> Path:
    """The settings file that was meant."""
    from tallystick_node.home import SETTINGS

    if (directory is None) == (file is None):
        raise click.UsageError("name a node's DIR, or its settings by --config FILE")
    return file if directory is None else directory / SETTINGS  # type: ignore[return-value]


def load(directory: Path | None, file: Path | None, passphrase: Passphrase | None = None) -> Settings:
    """The settings that were meant."""
    from tallystick_node.config import Settings

    return Settings.load(settings_path(directory, file), passphrase)


@click.command(short_help="Run the node of DIR until it is told to stop.")
@settings_option
@passphrase_option
@click.option("--lifeline", type=int, hidden=True)
@click.option("--ready-fd", type=int, hidden=True)
def run(
    directory: Path | None, file: Path | None, passphrase: Passphrase, lifeline: int | None, ready_fd: int | None
) -> None:
    """Run the node of DIR until SIGTERM or SIGINT; its log goes to standard error."""
    from tallystick_node import process  # first: it quiets gRPC, which whatever else is imported may bring along

    path = settings_path(directory, file)
    sys.exit(process.run(path, passphrase, lifeline=lifeline, ready=ready_fd))


@click.command(short_help="Check everything the stopped node of DIR holds.")
@settings_option
@passphrase_option
def fsck(directory: Path | None, file: Path | None, passphrase: Passphrase) -> None:
    """Derive everything the stopped node of DIR holds again from its entries' bytes, and name what differs."""
    settings = load(directory, file, passphrase)
    from tallystick_node import doctor
    from tallystick_node.doctor.report import DIFFERENCES_MAX

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done == total else ""
            click.echo(f"\rchecked {done:,} of {total:,} entries of a ledger{end}", nl=False, err=True)

    report = doctor.run(settings, show)
    for difference in report.differences:
        click.echo(str(difference))
    if report.clean:
        copied = f", and {report.copied:,} in copies" if report.copied else ""
        click.echo(f"{report.origin}: {counted_entries(report.size)}{copied}, no difference")
        if report.unopened:
            click.echo(
                f"not opened: {counted(report.unopened, 'disclosure')}, since the key that seals them is not here"
            )
        return
    found = len(report.differences)
    more = " or more" if found >= DIFFERENCES_MAX else ""
    click.echo(f"{report.origin}: {counted_entries(report.size)}, {found}{more} difference{'' if found == 1 else 's'}")
    sys.exit(DIFFERENCES_FOUND)


@click.group()
def config() -> None:
    """A node's settings."""


@config.command()
@settings_option
def show(directory: Path | None, file: Path | None) -> None:
    """Print every setting of DIR, defaults included."""
    click.echo(load(directory, file).render(), nl=False)


@click.command(short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell: eval "$(tallyd completion bash)"."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(context.find_root().command, {}, "tallyd", "_TALLYD_COMPLETE").source())
