"""`tallyd recover`: a ledger whose database lacks what was signed goes on from its witnesses' copies."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tallystick.core.counted import counted_entries
from tallystick.core.safe_text import sanitise
from tallystick.sdk.arguments import FILE
from tallystick.sdk.passphrase import Passphrase
from tallystick_node.console import passphrase_option

if TYPE_CHECKING:
    from tallystick.core.checkpoint import Checkpoint
    from tallystick.core.errors import Forked
    from tallystick_node.config import Settings
    from tallystick_node.survey import Survey


@click.group(short_help="Rebuild a lost ledger from its witnesses' copies.")
def recover() -> None:
    """Rebuild a ledger whose database was lost, or lacks what was signed, from its witnesses' copies.

    \b
    tallyd recover survey DIR                      what the witnesses hold, and what the charter must say
    (the charter's holders make that the next version; the other nodes adopt it)
    tallyd recover rebuild DIR charter-N.note      the ledger again, up to there
    tallyd run DIR
    """


@recover.command(name="survey", short_help="Say what witnesses hold, and what the charter must say.")
@click.argument("directory", metavar="DIR", type=FILE)
@click.argument("versions", metavar="[CHARTER]...", nargs=-1, type=FILE)
@click.option("--registrar", is_flag=True, help="Make a new registrar's key too: the old one is lost.")
@passphrase_option
def survey_command(directory: Path, versions: tuple[Path, ...], registrar: bool, passphrase: Passphrase) -> None:
    """Ask every witness what it holds of DIR's ledger, make the next keys, and write what the charter must say.

    What is written goes into `tally charter propose`: the new keys, and the floor, which is the largest checkpoint that
    a witness holds. Where witnessed entries exist nowhere any more, it says how the ledger is closed.

    The node of DIR is stopped: what it recorded after that would stand above the floor, and be lost. Where its database
    holds all that was signed nothing is lost, and nothing is made.

    Versions of the charter that DIR has not adopted, such as one that removes a lost witness, are named in their order:
    without its ledger the node cannot adopt them by itself.
    """
    import asyncio

    from tallystick.core.errors import Forked, Usage
    from tallystick.sdk.charter_files import adopt, next_version
    from tallystick.sdk.clock import now_us
    from tallystick_node.config import Settings
    from tallystick_node.home import SETTINGS
    from tallystick_node.identity import load_certificate
    from tallystick_node.peers import Peer
    from tallystick_node.recovery import check_stopped
    from tallystick_node.survey import survey

    settings = Settings.load(directory / SETTINGS, passphrase)
    check_stopped(settings)
    for file in versions:
        known, version = next_version(settings.place(settings.config.charter), settings.config.charter_digest, file)
        adopt(settings.path, settings.config.charter, known, version)
        settings = Settings.load(directory / SETTINGS, passphrase)
    charter, bureau = settings.open_charter()
    if bureau.state == "closed":
        raise Usage("its ledger is closed, and no version opens it again", where=bureau.id, expected="its successor")
    load_certificate(settings, bureau, now_us())
    try:
        found = asyncio.run(survey(charter, bureau, partial(Peer, credentials=settings.credentials)))
    except Forked as error:
        raise _kept(settings, bureau.origin, error) from None
    click.echo(f"what witnesses hold of {bureau.origin}:")
    width = max((len(each.witness.id) for each in found.holdings), default=0)
    for each in found.holdings:
        held = "none" if each.checkpoint is None else f"{each.checkpoint.size:,} {each.checkpoint.root.hex()[:16]}"
        said = held if each.trouble is None else f"not known: {sanitise(str(each.trouble))}"
        click.echo(f"  {each.witness.id:{width}}  {said}")
    floor = found.floor
    noted = _noted(settings, bureau.origin)
    signed = max(found.signed, noted or 0)
    if noted is not None:
        _check_lost(settings, floor, signed)
    path, edits = _edits(settings, found, registrar=registrar)
    if found.exists_nowhere:
        click.echo(
            "what was recorded there exists nowhere any more, and nobody may write it anew: the ledger is closed at "
            f"{counted_entries(floor.size)}. Name a successor: another bureau id of the same credit code, from "
            "`tallyd init`"
        )
    else:
        click.echo(f"they are of one history; the largest, {counted_entries(floor.size)}, is the floor to pin")
        if noted is None:
            click.echo("whether more had been signed, this home no longer knows")
        if signed > floor.size:
            click.echo(f"{signed - floor.size:,} more had been signed, and no witness holds them")
        if bureau.state == "suspended":
            click.echo(
                f"{bureau.id} is suspended, and could not record that it was recovered: by these edits the charter's "
                "holders make it active again"
            )
    from tallystick.sdk.files import write_whole

    write_whole(path, edits.encode())
    click.echo(f"for the charter's holders: tally charter propose {path} -o charter-{charter.version + 1}.toml")


@recover.command(name="rebuild", short_help="Rebuild the ledger up to the floor of a version.")
@click.argument("directory", metavar="DIR", type=FILE)
@click.argument("file", metavar="CHARTER", type=FILE)
@passphrase_option
def rebuild_command(directory: Path, file: Path, passphrase: Passphrase) -> None:
    """Rebuild the ledger of DIR up to the floor that the charter's next version, CHARTER, pins for it.

    Entries come from the witnesses' copies and are checked one by one; the database is made beside the old one, which
    stays. Interrupted at any point, the home is what it was, and the same command goes on. The next start signs with
    the new key; the first entry after the floor says what was recovered.
    """
    import asyncio

    from tallystick.sdk.clock import now_us
    from tallystick_node.config import Settings
    from tallystick_node.home import SETTINGS
    from tallystick_node.peers import Peer
    from tallystick_node.recovery import recover as recovered

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\rfetched {done:,} of {total:,} entries{chr(10) if done == total else ''}", nl=False, err=True)

    settings = Settings.load(directory / SETTINGS, passphrase)
    reach = partial(Peer, credentials=settings.credentials)
    rebuilt = asyncio.run(recovered(settings, file, reach, now_us(), show))
    if rebuilt is None:
        click.echo(f"{directory} was recovered by this version already")
        return
    for error in rebuilt.refused:
        click.echo(f"not taken: {sanitise(str(error))}", err=True)
    click.echo(
        f"{directory}: {counted_entries(rebuilt.floor.size)} from witnesses' copies, version {rebuilt.version.number}"
    )
    if rebuilt.committed:
        click.echo(f"{rebuilt.kept:,} of {rebuilt.committed:,} disclosures were still in {rebuilt.old}")
    if rebuilt.old.exists():
        click.echo(f"the database before it stays in {rebuilt.old}")
    if rebuilt.lost is None:
        click.echo("whether more had been signed, this home no longer knows; whoever was given a receipt for it does")
    elif rebuilt.lost:
        click.echo(f"{rebuilt.lost:,} more had been signed and no witness held them: they are lost")
    click.echo(f"tallyd run {directory}")


def _edits(settings: Settings, found: Survey, *, registrar: bool) -> tuple[Path, str]:
    """Where the edits for the next version go, and their text."""
    from tallystick.core.note import encode_base64
    from tallystick_node.renewal import next_keys

    charter, bureau = settings.open_charter()
    if found.exists_nowhere:
        said = {"id": bureau.id, "state": "closed"}
    else:
        said = next_keys(settings, charter, bureau, ("ledger", "witness", *(["registrar"] if registrar else [])))
        if bureau.state == "suspended":  # the first entry after the floor says that it was recovered
            said["state"] = "active"
    lines = ["[[bureau]]", *(f'{name} = "{value}"' for name, value in said.items())]
    if found.exists_nowhere:
        lines.append('# successor = "the id of a bureau with the same credit code, whose stanza stands below"')
    lines.append(f'floor = {{ size = {found.floor.size}, root = "{encode_base64(found.floor.root)}" }}')
    path = settings.path.parent / f"recover-{charter.version + 1}.toml"
    return path, "\n".join(lines) + "\n"


def _noted(settings: Settings, origin: str) -> int | None:
    """How many entries this home knows to have been signed; None where it no longer knows."""
    from tallystick.core.errors import StorageFailed
    from tallystick_node.signed_size import SignedSize

    try:
        signed = SignedSize.open(settings.signed_size, origin)
    except StorageFailed:
        return None
    signed.close()
    return signed.value[0]


def _check_lost(settings: Settings, floor: Checkpoint, known: int) -> None:
    """Something is to be recovered. Raises Usage where the database holds all that was signed."""
    from tallystick.core.errors import Usage
    from tallystick_node.recovery import holds_all

    if holds_all(settings, floor, known):
        raise Usage(
            f"nothing is lost, the {counted_entries(known)} that were signed are all here",
            where=str(settings.database),
            expected=f"`tallyd run {settings.path.parent}`, or `tallyd charter renew` to give up its keys",
        )


def _kept(settings: Settings, origin: str, error: Forked) -> Forked:
    """The same error, once the evidence is kept, naming its file."""
    from tallystick.core.errors import Forked
    from tallystick.sdk.file_names import file_name
    from tallystick.sdk.files import write_whole

    path = settings.path.parent / f"{file_name(origin)}.equivocation"
    write_whole(path, error.evidence)
    return Forked(
        f"{error.what}, proven by {path}",
        where=error.where,
        expected="one history; which of the two is pinned, the charter's holders decide",
        known=error.known,
        evidence=error.evidence,
    )
