"""`tallyd init`: a bureau's home, and its ledger once there is a charter."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tallystick.sdk.arguments import FILE, TEXT, Digest
from tallystick.sdk.passphrase import Passphrase
from tallystick_node.console import passphrase_option, say

if TYPE_CHECKING:
    from tallystick_node.home import Wish


@click.command(short_help="Make a node's home in DIR, or found its ledger.")
@click.argument("directory", metavar="DIR", type=FILE)
@click.option("--bureau", metavar="ID", type=TEXT, help="The bureau's id, as in market-regulation.")
@click.option("--origin", metavar="NAME", type=TEXT, help="The ledger's name, as in pudong.example/market-regulation.")
@click.option("--name-en", metavar="TEXT", type=TEXT, help="The bureau's name in English. [default: from the id]")
@click.option("--name-zh", metavar="TEXT", type=TEXT, help="The bureau's name in Chinese. [default: the id]")
@click.option("--short", metavar="TEXT", type=TEXT, help="Its short name in Chinese, for tables.")
@click.option("--credit-code", metavar="CODE", type=TEXT, help="Its unified social credit code, 18 characters.")
@click.option(
    "--listen",
    metavar="HOST:PORT",
    type=TEXT,
    default="127.0.0.1:7411",
    show_default=True,
    help="Where the node listens.",
)
@click.option("--in-the-clear", is_flag=True, help="Without TLS, for a loopback address alone.")
@click.option("--observer", is_flag=True, help="A node without a ledger: it follows, answers and cosigns.")
@click.option(
    "--own-charter", is_flag=True, help="Also sign a charter of this one bureau, and found the ledger under it."
)
@click.option("--charter", "note", type=FILE, help="Adopt this charter in a DIR that has its keys.")
@click.option(
    "--charter-digest", "digest", metavar="DIGEST", type=Digest(), help="Its digest, blake3:…, given out of band."
)
@click.option("--encrypt", is_flag=True, help="Put the new keys under a passphrase.")
@passphrase_option
def init(
    directory: Path,
    bureau: str | None,
    origin: str | None,
    name_en: str | None,
    name_zh: str | None,
    short: str | None,
    credit_code: str | None,
    listen: str,
    in_the_clear: bool,
    observer: bool,
    own_charter: bool,
    note: Path | None,
    digest: str | None,
    encrypt: bool,
    passphrase: Passphrase,
) -> None:
    """Make a node's home in DIR, or found its ledger under a charter; an observer's home has none.

    \b
    Alone:    tallyd init DIR --bureau … --origin … --credit-code … --own-charter
    Together: tallyd init DIR --bureau … --origin … --credit-code …
              (send DIR/bureau.toml to the charter's holders, and get the charter)
              tallyd init DIR --charter FILE --charter-digest DIGEST
    Observer: the same, with --observer.
    Lost:     tallyd init DIR --bureau … --charter FILE --charter-digest DIGEST
              (a home that the charter names and that is gone, keys and all; then tallyd recover survey DIR)
    """
    if observer and own_charter:
        raise click.UsageError("an observer has no charter of its own: it would have nobody to observe")
    if note is not None or digest is not None:
        if (
            note is None
            or digest is None
            or own_charter
            or observer
            or encrypt
            or in_the_clear
            or any((origin, name_en, name_zh, short, credit_code))
        ):
            raise click.UsageError(
                "to adopt a charter give --charter and --charter-digest, with --bureau for a home that was lost"
            )
        _adopt(directory, note, digest, bureau, passphrase)
        return
    if bureau is None or origin is None or credit_code is None:
        raise click.UsageError("a new home needs --bureau, --origin and --credit-code")
    from tallystick.core.charter import Name
    from tallystick_node.home import Wish

    name = Name(zh=name_zh or bureau, en=name_en or bureau.replace("-", " ").title(), short=short or "")
    wish = Wish(bureau, origin, name, credit_code, listen, observer, in_the_clear)
    _make(directory, wish, passphrase if encrypt else None, own_charter=own_charter)


def _make(directory: Path, wish: Wish, passphrase: Passphrase | None, *, own_charter: bool) -> None:
    from tallystick_node import home

    digest = home.make_home(directory, wish, own_charter=own_charter, passphrase=passphrase)
    click.echo((directory / home.STANZA).read_text(), nl=False)
    click.echo()
    if own_charter:
        click.echo(f"charter {directory / home.CHARTER}, digest {digest}")
        _show_next(directory)
        return
    click.echo(f"this is {directory / home.STANZA}: send it to the charter's holders, and when you have the charter:")
    click.echo(f"tallyd init {directory} --charter FILE --charter-digest DIGEST")


def _adopt(directory: Path, note: Path, digest: str, lost: str | None, passphrase: Passphrase) -> None:
    from tallystick.sdk.charter_files import read_note
    from tallystick_node import home
    from tallystick_node.authority import TLS

    data = read_note(note)
    if lost is not None:
        if home.make_lost_home(directory, lost, data, digest).certificate_authority:
            click.echo(
                f"put the bureau's authority back, as authority.crt and authority.key in {directory / TLS}; then:"
            )
            click.echo(f"tallyd cert renew {directory}")
        click.echo(f"tallyd recover survey {directory}")
        return
    bureau = home.adopt_charter(directory, data, digest, passphrase)
    if bureau.is_observer or home.has_registrar(directory):
        _show_next(directory)
    else:
        say("no actor was registered: the registrar's key is not here; use tally identity register where it is")
        click.echo(f"tallyd run {directory}")


def _show_next(directory: Path) -> None:
    from tallystick_node.home import PROFILES
    from tallystick_node.profiles import OFFICER

    click.echo(f"tallyd run {directory}")
    click.echo(f"tally --profile {directory / PROFILES[OFFICER]} status")
