"""Trust: `tally key`, key files of every kind: what is in them, the passphrase they are under, and what they seal.

A node's keys are files as an officer's are: `tally key encrypt DIR/keys/*.key`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tallystick.cli.options import Session, command, shared_options
from tallystick.core.counted import counted
from tallystick.core.errors import Usage

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_FILES = click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))


@click.group()
@shared_options
def key() -> None:
    """Key files: what is in them, the passphrase they are under, and what they seal."""


@key.command(short_help="Show whose private halves they are.")
@_FILES
@command
def show(session: Session, files: tuple[Path, ...]) -> None:
    """Show of each key file its kind, its public half, and whether it is under a passphrase.

    \b
    Example:
      tally key show keys/clerk.key
    """
    from tallystick.sdk.key_file import is_encrypted

    output = session.output
    found = [(file, is_encrypted(file), _shown(session, file)) for file in files]
    if output.json:
        told = [
            {"file": str(file), "kind": kind, "public": public, "encrypted": encrypted}
            for file, encrypted, (kind, public) in found
        ]
        output.document({"keys": told})
        return
    zh = output.language == "zh"
    yes, no = output.say("yes", "是"), output.say("no", "否")
    output.table(
        ("文件", "类型", "公钥", "加密") if zh else ("file", "kind", "public key", "encrypted"),
        [(str(file), kind, public, yes if encrypted else no) for file, encrypted, (kind, public) in found],
    )


@key.command(short_help="Put them under a passphrase.")
@_FILES
@command
def encrypt(session: Session, files: tuple[Path, ...]) -> None:
    """Put key files that are under none under one passphrase, and write each anew in its place.

    What the file held before may still be found on the disk: a key that may have been copied is replaced, not
    encrypted.

    \b
    Example:
      tally key encrypt keys/clerk.key
    """
    from tallystick.sdk.key_file import is_encrypted

    _refuse([file for file in files if is_encrypted(file)], "it is under a passphrase already", "change")
    _rewrite(session, [(file, _load(session, file)) for file in files], session.passphrase.chosen(str(files[0])))


@key.command(short_help="Put them under another passphrase.")
@_FILES
@click.option("--new-passphrase-fd", "fd", metavar="N", type=int, help="Read the new one here; else it is asked for.")
@command
def change(session: Session, files: tuple[Path, ...], fd: int | None) -> None:
    """Put key files that are under one passphrase under another. Each is under the old or the new one at any moment.

    \b
    Example:
      tally key change keys/clerk.key
    """
    from tallystick.sdk.key_file import is_encrypted
    from tallystick.sdk.passphrase import Passphrase

    _refuse([file for file in files if not is_encrypted(file)], "it is under no passphrase", "encrypt")
    loaded = [(file, _load(session, file)) for file in files]
    _rewrite(session, loaded, Passphrase.another(fd).chosen(str(files[0])))


@key.command(short_help="Take over what the client keeps under an old key.")
@click.argument("old", metavar="OLD", type=click.Path(path_type=Path))
@command
def reseal(session: Session, old: Path) -> None:
    """Seal under the key of the profile's identity what its client keeps under the key in the file OLD: salts, and what
    was submitted and is not witnessed yet. An identity that changes its key needs it once.

    \b
    Example:
      tally key reseal keys/clerk-old.key
    """
    from tallystick.sdk.key_file import load_key
    from tallystick.sdk.resealing import reseal as taken_over

    profile = session.profile
    done = taken_over(profile, load_key(old, session.passphrase))
    output = session.output
    if output.json:
        output.document({"resealed": done, "state": str(profile.state)})
        return
    output.line(
        output.say(
            f"{counted(done, 'file')} in {profile.state} sealed anew", f"{profile.state} 中 {done} 个文件已重新密封"
        )
    )


def _shown(session: Session, file: Path) -> tuple[str, str]:
    """The kind of a key, and its public half."""
    from tallystick.sdk.key_file import load_key, names_device, public_half

    if names_device(file):
        return "Ed25519, in a device", load_key(file, session.passphrase).public.hex()
    return public_half(_load(session, file))


def _load(session: Session, file: Path) -> PrivateKeyTypes:
    """The private key in a file. Raises ConfigInvalid."""
    from tallystick.sdk.key_file import load_private, not_such_a_key

    found = load_private(file, session.passphrase)
    if found is None:
        raise not_such_a_key(file, "a private key")
    return found


def _refuse(wrong: list[Path], what: str, other: str) -> None:
    """Nothing is written where one of the files is not as this command takes them."""
    if wrong:
        raise Usage(what, where=str(wrong[0]), expected=f"tally key {other}")


def _rewrite(session: Session, loaded: list[tuple[Path, PrivateKeyTypes]], passphrase: bytes) -> None:
    from tallystick.sdk.key_file import replace_private

    for file, private in loaded:
        replace_private(file, private, passphrase)
    output = session.output
    if output.json:
        output.document({"encrypted": [str(file) for file, _ in loaded]})
        return
    for file, _ in loaded:
        output.line(output.say(f"{file} is under the passphrase", f"{file} 已用口令加密"))
