"""`tallyd cluster`: real nodes on loopback, in one folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tallystick.core.safe_text import sanitise
from tallystick.sdk.arguments import FILE, TEXT

if TYPE_CHECKING:
    from tallystick_node.cluster.local import LocalCluster

Command = TypeVar("Command", bound=Callable[..., Any])

BUREAUS = 5


def _folder(command: Command) -> Command:
    return click.option(
        "--dir",
        "folder",
        type=FILE,
        envvar="TALLYSTICK_CLUSTER",
        default=Path("cluster"),
        show_default=True,
        show_envvar=True,
        help="The cluster's folder.",
    )(command)


@click.group(short_help="A cluster of nodes on this machine, ready for use.")
def cluster() -> None:
    """A cluster of nodes on this machine, with keys, charter and profiles ready for use."""


@cluster.command(short_help="Make the cluster, or start what is stopped.")
@_folder
@click.option("--bureaus", type=int, help=f"How many, when it is made. [default: {BUREAUS}]")
@click.option("--observers", type=int, help="How many beside them, when it is made. [default: 0]")
@click.option("--in-the-clear", is_flag=True, help="Without TLS, when it is made.")
def up(folder: Path, bureaus: int | None, observers: int | None, in_the_clear: bool) -> None:
    """Make the cluster if there is none, and start every node that is stopped.

    Its keys are under no passphrase, since all are its user's: it is there for trying things out.
    """
    from tallystick_node.cluster.layout import alone, is_cluster
    from tallystick_node.cluster.local import LocalCluster

    _allow_open_files()
    with alone(folder):
        there = is_cluster(folder)
        count = bureaus if there or bureaus is not None else BUREAUS
        members = LocalCluster.up(folder, count, observers=observers, in_the_clear=in_the_clear)
        try:
            _show(members)
        except BaseException:
            members.close()
            raise
        members.leave()
    profiles = [member.profile for member in members if member.bureau.state == "active" and member.profile.exists()]
    click.echo(f"\ntally --profile {next(iter(profiles), members.auditor_profile)} status")


@cluster.command(short_help="Say of each node whether it serves, and where.")
@_folder
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def status(folder: Path, as_json: bool) -> None:
    """Say of each node whether it serves, where, and how many entries it has signed for.

    Exits with 0 whatever it says of them, since a node that is stopped may be meant to be: `state` in --json tells, and
    `tally status` exits with 3 where a node is out of reach.
    """
    members = _open(folder)
    try:
        if as_json:
            from dataclasses import asdict

            click.echo(json.dumps([asdict(standing) for standing in members.status()], ensure_ascii=False, indent=2))
        else:
            _show(members)
    finally:
        members.close_clients()


@cluster.command()
@_folder
def down(folder: Path) -> None:
    """Stop every node: SIGTERM, and SIGKILL if that does not help."""
    from tallystick_node.cluster.layout import alone

    members = _open(folder)
    with alone(folder):
        members.stop()
    click.echo(f"{len(members.members)} nodes are stopped")
    _name_elsewhere(members)


@cluster.command()
@_folder
@click.argument("bureau", type=TEXT)
def stop(folder: Path, bureau: str) -> None:
    """Stop one node: SIGTERM, and SIGKILL if that does not help."""
    from tallystick_node.cluster.layout import alone

    member = _open(folder)[bureau]
    with alone(folder):
        was_running = member.running is not None
        member.stop()
    click.echo(f"{bureau} is stopped" if was_running else f"{bureau} was not running")


@cluster.command()
@_folder
@click.argument("bureau", type=TEXT)
def kill(folder: Path, bureau: str) -> None:
    """Kill a node with SIGKILL, as a power cut would."""
    from tallystick_node.cluster.layout import alone

    member = _open(folder)[bureau]
    with alone(folder):
        was_running = member.running is not None
        member.kill()
    click.echo(f"{bureau} is killed" if was_running else f"{bureau} was not running")


@cluster.command()
@_folder
@click.argument("bureau", type=TEXT)
def start(folder: Path, bureau: str) -> None:
    """Start one node again."""
    from tallystick_node.cluster.layout import alone

    members = _open(folder)
    member = members[bureau]
    with alone(folder):
        was_running = member.running is not None
        member.start()
        members.leave()
    if was_running:
        click.echo(f"{bureau} was running")
    elif member.bureau.state != "active":
        click.echo(f"{bureau} answers at {member.bureau.endpoint}, and records nothing: it is {member.bureau.state}")
    elif member.will_record():
        click.echo(f"{bureau} serves at {member.bureau.endpoint}")
    else:
        click.echo(f"{bureau} answers at {member.bureau.endpoint}, and records once enough of its witnesses run")


def _open(folder: Path) -> LocalCluster:
    from tallystick_node.cluster.births import Births
    from tallystick_node.cluster.local import LocalCluster

    return LocalCluster(folder, Births())


def _show(members: LocalCluster) -> None:
    rows = [("bureau", "pid", "state", "endpoint", "entries")]
    standings = members.status()
    for each in standings:
        entries = "-" if each.entries is None else f"{each.entries:,}"
        rows.append((each.bureau, str(each.pid or "-"), each.state, each.endpoint, entries))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        click.echo("  ".join([*cells, row[-1].rjust(widths[-1])]))
    for each in standings:
        if each.why:
            click.echo(sanitise(each.why))
        if each.certificate:
            click.echo(each.certificate)
    _name_elsewhere(members)
    charter = members.charter
    alone = [each for each in charter.ledgers if each.state == "active" and charter.quorum_of(each) is None]
    if alone:
        why = "a ledger needs two witnesses; make it with --bureaus 3 or more, or with --observers"
        if any(map(charter.must_list, alone)):
            why = "with more than seven bureaus and observers only those witness a ledger whom its stanza lists"
        click.echo(f"nothing recorded on {', '.join(each.id for each in alone)} is witnessed: {why}")


def _name_elsewhere(members: LocalCluster) -> None:
    if members.elsewhere:
        names = ", ".join(each.id for each in members.elsewhere)
        click.echo(f"no folder in {members.folder}, so not started, stopped or asked here: {names}")


def _allow_open_files() -> None:
    """Several pipes a node: let this process have as many files open as it may."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard) if soft < hard else (soft, hard))
