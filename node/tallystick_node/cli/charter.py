"""`tallyd charter`: a stopped node goes by the charter's next version, with new keys where that names them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tallystick.sdk.arguments import FILE
from tallystick.sdk.passphrase import Passphrase
from tallystick_node.console import passphrase_option

OFFICES = ("ledger", "witness", "registrar")


@click.group()
def charter() -> None:
    """A node's charter, from one version to the next. The node must be stopped."""


@charter.command(short_help="Go by the next version of the charter.")
@click.argument("directory", metavar="DIR", type=FILE)
@click.argument("file", type=FILE)
@passphrase_option
def adopt(directory: Path, file: Path, passphrase: Passphrase) -> None:
    """Have the stopped node of DIR go by the version in FILE, after checking that it follows.

    It records that when it is started next.

    Keys that the version names are taken from where they are, or from where `tallyd charter renew` put them.
    """
    from tallystick.sdk.clock import now_us
    from tallystick_node.adoption import adopt_version
    from tallystick_node.config import Settings
    from tallystick_node.home import SETTINGS

    version = adopt_version(Settings.load(directory / SETTINGS, passphrase), file, now_us())
    click.echo(f"{directory} goes by version {version.number}, {version.digest}")


@charter.command(short_help="Make the next keys, and say what the charter must name.")
@click.argument("directory", metavar="DIR", type=FILE)
@click.argument("offices", metavar="[ledger|witness|registrar]...", nargs=-1, type=click.Choice(OFFICES))
@passphrase_option
def renew(directory: Path, offices: tuple[str, ...], passphrase: Passphrase) -> None:
    """Make the next keys of the stopped node of DIR, the ledger's if none is named (an observer's witness's), and print
    them for the charter.

    What is printed goes into the edits of `tally charter propose`. The keys lie beside the present ones and sign
    nothing until the version that names them is adopted; until then nothing may be recorded either, or its floor no
    longer fits.
    """
    import tomli_w

    from tallystick_node.config import Settings
    from tallystick_node.home import SETTINGS
    from tallystick_node.renewal import renewed

    stanza: dict[str, Any] = renewed(Settings.load(directory / SETTINGS, passphrase), offices)
    click.echo(tomli_w.dumps({"bureau": [stanza]}), nl=False)
