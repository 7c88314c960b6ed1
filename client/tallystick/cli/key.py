"""Trust: `tally key`, key files of every kind: what is in them, the passphrase they are under, and what they seal.

A node's keys are files as an officer's are: `tally key encrypt DIR/keys/*.key`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tallystick.cli.options import Session, command, shared_options
from tallystick.core.counted import counted
from tallystick.core.errors import Usage
from tallystick.sdk.arguments import FILE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_FILES = click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)


@click.group()
@shared_options
def key() -> None:
    """Key files: what is in them, the passphrase they are under, and what they seal."""


@key.command(short_help="Show whose private halves they are.")
@_FILES
@click.option("--open", "opening", is_flag=True, help="Ask for passphrases and PINs, to show these keys too.")
@command
def show(session: Session, files: tuple[Path, ...], opening: bool) -> None:
    """Show of each key file its kind, its public half, and whether it is under a passphrase.

    Of one that is, or that names a key in a device, the public half is not known before it is opened: with --open, or
    with the passphrase that --passphrase-fd reads.

    \b
    Example:
      tally key show keys/clerk.key
    """
    opening = opening or session.tells_passphrase
    found = [(file, _described(session, file, opening=opening)) for file in files]
    output = session.output
    if output.json:
        told = [
            {
                "file": str(file),
                "kind": key.kind or None,
                "public": key.public or None,
                "encrypted": key.encrypted,
                "encryption": key.encryption or None,
            }
            for file, key in found
        ]
        output.document({"keys": told})
        return
    say = output.say
    rows = []
    for file, key in found:
        encrypted = say("yes", "是") if key.encrypted else say("no", "否")
        if key.encryption:
            encrypted += say(f" ({key.encryption})", f"（{key.encryption}）")
        rows.append((str(file), key.kind or "-", key.public or "-", encrypted))
    output.table(
        ("文件", "类型", "公钥", "加密") if output.language == "zh" else ("file", "kind", "public key", "encrypted"),
        rows,
    )
    if not all(key.public for _, key in found):
        output.note(say("What was not opened is shown with --open.", "未打开者，加 --open 可示其公钥。"))


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
@click.argument("old", metavar="OLD", type=FILE)
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


@dataclass(frozen=True, slots=True)
class _Key:
    """What is known of a key file: kind and public half, unless it was not opened, and how it is encrypted, if so."""

    kind: str = ""
    public: str = ""
    encrypted: bool = False
    encryption: str = ""


def _described(session: Session, file: Path, *, opening: bool) -> _Key:
    from tallystick.sdk.key_file import encrypted_how, is_encrypted, load_key, names_device, public_half

    if names_device(file):
        return _Key("Ed25519, in a device", load_key(file, session.passphrase).public.hex() if opening else "")
    encrypted = is_encrypted(file)
    kind, public = public_half(_load(session, file)) if opening or not encrypted else ("", "")
    return _Key(kind, public, encrypted, encrypted_how(file) if encrypted else "")


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
