"""`tallyd backup` and `restore`: a home's copy, and a home from it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tallystick.core.counted import counted_entries
from tallystick.sdk.arguments import FILE
from tallystick.sdk.passphrase import Passphrase
from tallystick_node.console import passphrase_option

if TYPE_CHECKING:
    from tallystick.core.charter import Bureau, Charter
    from tallystick_node.restoring import Restored


def show_bytes(written: int) -> None:
    """Progress, for a person who waits."""
    if sys.stderr.isatty():
        click.echo(f"\rcopied {written / 1024 / 1024:,.1f} MiB", nl=False, err=True)


@click.command(short_help="Copy the home of DIR while its node runs, or is stopped.")
@click.argument("directory", metavar="DIR", type=FILE)
@click.argument("target", metavar="DEST", type=FILE)
@click.option("--with-keys", is_flag=True, help="Copy the private keys too: whoever has them is this bureau's node.")
@passphrase_option
def backup(directory: Path, target: Path, with_keys: bool, passphrase: Passphrase) -> None:
    """Copy the home of DIR to the new folder DEST: database, note of what was signed, charter and settings.

    A running node goes on: what is copied is its database as it stands between two commits. DEST is there whole, or not
    at all; `tallyd fsck DEST` checks every entry in it. `tallyd restore` makes a home of it again.
    """
    from tallystick.sdk.clock import now_us
    from tallystick_node.backup import make_backup
    from tallystick_node.config import Settings
    from tallystick_node.home import SETTINGS

    settings = Settings.load(directory / SETTINGS, passphrase)
    taken = make_backup(settings, target, now_us(), show_bytes, with_keys=with_keys)
    if sys.stderr.isatty():
        click.echo(err=True)
    click.echo(f"{target}: {counted_entries(taken.size)} of {taken.origin}, {'with' if with_keys else 'without'} keys")


@click.command(short_help="Make a home of a backup, or put its database back.")
@click.argument("source", metavar="BACKUP", type=FILE)
@click.argument("directory", metavar="DIR", type=FILE)
@click.option("--force", is_flag=True, help="Put it back though what is there has all that was signed.")
def restore(source: Path, directory: Path, force: bool) -> None:
    """Make the home DIR of a backup; or, where DIR is the stopped home it was taken of, put the database back there.

    Nothing is overwritten: a database that was there stays beside the one put back. What was recorded since the backup
    is not in it: where any of that was signed, `tallyd recover` is the way. It ends by saying who would notice that.
    Where the home's own database has all that was signed, and more than the backup, it is left as it is.
    """
    from tallystick_node.config import Settings
    from tallystick_node.home import SETTINGS
    from tallystick_node.restoring import restore as restored

    done = restored(source, directory, whole_too=force)
    taken = done.taken
    charter, bureau = Settings.load(directory / SETTINGS).open_charter()
    click.echo(f"{directory}: {counted_entries(taken.size)} of {taken.origin}, as of {taken.taken.isoformat()}")
    if done.aside is not None:
        click.echo(f"the database before it stays in {done.aside}")
    for path in done.missing_keys:
        click.echo(f"not in the backup: put it back as {path}")
    if done.signed_size > taken.size:
        click.echo(
            f"{counted_entries(done.signed_size)} had been signed, and the node does not start on fewer: "
            f"tallyd recover survey {directory}"
        )
        return
    if not bureau.is_observer:
        for line in _checked(directory, charter, bureau, done):
            click.echo(line)
    if any(each.id != bureau.id for each in charter.ledgers):
        click.echo(f"if it cosigned other ledgers after the backup, first: tallyd charter renew {directory} witness")


def _checked(directory: Path, charter: Charter, bureau: Bureau, done: Restored) -> list[str]:
    """Who would notice that more was signed than the backup has, and what nobody would."""
    said = [
        "by this home's note, nothing was signed after the backup"
        if done.noted
        else "whether anything was signed after the backup, this home does not know"
    ]
    quorum = charter.quorum_of(bureau)
    if quorum is not None:
        said.append(
            f"its node signs nothing before {quorum.needed} of its {quorum.witnesses} witnesses have said what they "
            f"hold of its ledger; where that is more than this: tallyd recover survey {directory}"
        )
        if not done.noted:
            said.append(
                "what fewer hold, and none of them answers, or nobody holds, it does not hear of, and then it signs a "
                "second history"
            )
        return said
    said.append("its node asks nobody, having too few witnesses under its charter, and signs as soon as it is started")
    if not done.noted:
        said.append(
            "if anything was, it signs a second history under its key, which whoever was shown the first can prove; "
            f"first: tallyd charter renew {directory} ledger"
        )
    return said
