"""`tallyd cert`: a bureau's own certificate authority, and the certificates it issues; an auditor's too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tallystick.core.counted import counted
from tallystick.sdk.arguments import FILE, TEXT
from tallystick.sdk.passphrase import Passphrase
from tallystick_node.console import passphrase_option

if TYPE_CHECKING:
    from tallystick.core.certificate import Certificate

_AUTHORITY_DAYS = 3_650
_DAYS = 90
_TARGET = "Where a request's certificate goes. Folders on the way are made; a file that is there is not replaced."
_party = click.option(
    "--party", metavar="ID", type=TEXT, help="Whose DIR it is, where it is no node's home: an auditor's."
)
_days = click.option("--days", type=int, default=_DAYS, show_default=True, help="How long it lasts.")


@click.group(short_help="A party's certificate authority, and what it issues.")
def cert() -> None:
    """Certificates say who is at the other end of a connection. Every bureau, and every auditor, is its own authority,
    which the charter pins; its files are in DIR/tls.
    """


@cert.command(short_help="Make the authority, and say what the charter must pin.")
@click.argument("directory", metavar="DIR", type=FILE)
@_party
@click.option("--next", "succeeding", is_flag=True, help="Make one that is to take its place, to be pinned beside it.")
@click.option("--days", type=int, default=_AUTHORITY_DAYS, show_default=True, help="How long a new one lasts.")
@click.option("--encrypt", is_flag=True, help="Put its key, and so those it issues for here, under a passphrase.")
@passphrase_option
def authority(
    directory: Path, party: str | None, succeeding: bool, days: int, encrypt: bool, passphrase: Passphrase
) -> None:
    """Make the certificate authority of DIR, where it has none yet, and print what the charter must pin.

    With --next a second one is made beside it, `authority-next`, and both are printed. Once every node and client goes
    by a version of the charter that pins both, move its two files into the place of the first one's and renew what the
    first one issued; a later version then pins the second alone.
    """
    import tomli_w

    from tallystick.sdk.clock import now_us
    from tallystick_node.certifying import Certifying

    certifying = Certifying(directory, party, passphrase)
    stanza = certifying.make_authority(now_us(), days, succeeding=succeeding, encrypt=encrypt)
    kind = "auditor" if certifying.settings is None else "bureau"
    click.echo(tomli_w.dumps({kind: [stanza]}, multiline_strings=True), nl=False)


@cert.command(short_help="Issue a certificate, for a new key or a request.")
@click.argument("directory", metavar="DIR", type=FILE)
@click.argument("name", type=TEXT)
@_party
@click.option("--request", metavar="FILE", type=FILE, help="Issue it for the key of this request.")
@click.option("-o", "--output", "target", metavar="FILE", type=FILE, help=_TARGET)
@_days
@passphrase_option
def issue(
    directory: Path,
    name: str,
    party: str | None,
    request: Path | None,
    target: Path | None,
    days: int,
    passphrase: Passphrase,
) -> None:
    """Have the authority of DIR issue a certificate for NAME: an actor of its bureau (clerk, or taxation:clerk), or the
    auditor itself.

    Without a request, a new key is made with it, DIR/tls/NAME.key. A request, as `tally identity renew --request`
    writes it, has to be for NAME.
    """
    from tallystick.sdk.clock import now_us
    from tallystick_node.certifying import Certifying

    if target is not None and request is None:
        raise click.UsageError("--output is where a request's certificate goes, and there is no --request")
    holder, place = Certifying(directory, party, passphrase).issue(name, now_us(), days, request, target)
    click.echo(f"{place}: the certificate of {holder.id}, for {counted(days, 'day')}")


@cert.command(short_help="Renew the node's certificate.")
@click.argument("directory", metavar="DIR", type=FILE)
@click.option("--request", metavar="FILE", type=FILE, help="Write a request to be issued elsewhere; its key waits.")
@click.option("--certificate", metavar="FILE", type=FILE, help="Take up what was issued for the request.")
@_days
@passphrase_option
def renew(directory: Path, request: Path | None, certificate: Path | None, days: int, passphrase: Passphrase) -> None:
    """Make a new key and certificate of the node of DIR, running or not; a running one shows it within a minute.

    Where the authority's key is not in DIR, a request is written first, taken to where it is (`tallyd cert issue`), and
    what comes back is taken up; until then the old certificate stays.
    """
    from tallystick.sdk.certificates import read_pem
    from tallystick.sdk.clock import now_us
    from tallystick.sdk.files import write_whole
    from tallystick_node.certifying import Certifying

    if request is not None and certificate is not None:
        raise click.UsageError("--request comes first, and --certificate once it was issued")
    certifying = Certifying(directory, passphrase=passphrase)
    files = certifying.node_files
    if request is not None:
        write_whole(request, files.request(certifying.node, passphrase))
        click.echo(f"{request}: the request of {certifying.node.id}; its key waits in {files.next_key}")
        return
    if certificate is None:
        made = certifying.renew(now_us(), days)
    else:
        pem = read_pem(certificate)
        made = files.install(pem, certifying.node, now_us(), certifying.charter, passphrase, str(certificate))
    click.echo(f"{files.certificate}: {made.holder.id}, {made}")


@cert.command(short_help="Show the certificates of DIR, and when they end.")
@click.argument("directory", metavar="DIR", type=FILE)
@_party
def show(directory: Path, party: str | None) -> None:
    """Show every certificate in DIR/tls: whose it is, when it ends, and whether the charter vouches for it."""
    from tallystick.core.errors import NotFound
    from tallystick.sdk.clock import now_us
    from tallystick_node.certifying import Certifying

    now = now_us()
    listed = list(Certifying(directory, party).listed(now))
    if not listed:
        raise NotFound("there are no certificates", where=str(directory), expected="those of `tallyd cert authority`")
    for name, whose, certificate, trouble in listed:
        click.echo(f"{name:<20}  {whose}{_term(certificate, now)}{f'; {trouble}' if trouble else ''}")


def _term(certificate: Certificate | None, now_us: int) -> str:
    if certificate is None:
        return ""
    left = certificate.days_left(now_us)
    soon = " (renew it)" if certificate.ends_soon(now_us) else ""
    return f", {counted(left, 'day')} left{soon}, {certificate}"
