"""Trust: `tally charter propose`, `key`, `sign`: what a charter's holders do to make its next version.

All of it works on files, so that charter keys can stay on a machine that no network reaches. But where `--floor` pins a
ledger that has a quorum, it is asked how far that cosigned it: what nobody else holds is then pinned by mistake.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tallystick.cli.charter_text import (
    closed_document,
    closed_facts,
    print_changes,
    quorums_document,
    read_text,
    standing,
)
from tallystick.cli.options import Session, command, new_file
from tallystick.cli.references import BureauId
from tallystick.cli.trust import charter as charter
from tallystick.core.errors import ConfigInvalid, NotFound, Usage, VerificationFailed
from tallystick.sdk.arguments import FILE, TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tallystick.core.charter import Charter, Floor

_OF_EVERY_VERSION = ("version", "previous", "issued")


@charter.command(short_help="Write the text of the next version.")
@click.argument("edits", metavar="EDITS", type=FILE)
@new_file(required=True)
@click.option(
    "--floor",
    "floors",
    metavar="BUREAU",
    type=BureauId(),
    multiple=True,
    help="Pin a ledger at the last checkpoint this profile trusted; may be repeated.",
)
@command
def propose(session: Session, edits: Path, target: Path, floors: tuple[str, ...]) -> None:
    """Write the text of the charter's next version: this one, with EDITS, a TOML file in the charter's form, merged in.

    A table is merged into the one that stands there, a bureau into the one of its id; anything else is replaced. Keys
    that are replaced are named as retired, at the floor. Nobody has signed the text yet. With --floor, it is asked how
    much of the ledger a quorum of its witnesses cosigned, and said where that is not all of it.

    \b
    Example:
      tally charter propose edits.toml -o charter-3.toml
    """
    from datetime import UTC, datetime

    from tallystick.core.charter_draft import changes, draft
    from tallystick.core.charter_note import charter_digest, parse_charter
    from tallystick.sdk.charter_files import version_in
    from tallystick.sdk.clock import now_us
    from tallystick.sdk.files import check_new, write_whole

    before = version_in(session.profile.charter_path)
    try:
        asked = edits.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ConfigInvalid(f"cannot be read: {why}", where=str(edits), expected="TOML") from None
    check_new(target)
    issued = datetime.fromtimestamp(now_us() // 1_000_000, UTC).astimezone(before.charter.issued.tzinfo)
    pinned = {bureau: _floor(session, bureau) for bureau in floors}
    try:
        text = draft(before, asked, issued, pinned)
    except VerificationFailed as error:
        raise Usage(error.what, where=f"{edits}: {error.where}", expected=error.expected) from None
    after = parse_charter(text)
    if all(each.place in _OF_EVERY_VERSION for each in changes(before.charter, after)):
        raise Usage(
            "nothing changes",
            where=str(edits),
            expected=f"what version {before.number} does not say already, or --floor BUREAU",
        )
    write_whole(target, text.encode())
    output = session.output
    witnessed = dict(_witnessed(session, before.charter, after, floors))
    if output.json:
        output.document(
            {
                "file": str(target),
                "version": after.version,
                "floors": [
                    {"bureau": bureau, "size": size, "witnessed": cosigned}
                    for bureau, (size, cosigned) in witnessed.items()
                ],
                "digest": charter_digest(text),
                "quorums": quorums_document(before.charter, after),
                "closed": closed_document(after),
            }
        )
        return
    print_changes(session, before.charter, after)
    _print_floors(session, witnessed)
    output.facts(
        [
            (output.say("text", "文本"), str(target)),
            (output.say("version", "版本"), str(after.version)),
            (output.say("digest", "摘要"), charter_digest(text)),
            *closed_facts(session, after),
        ]
    )


@charter.command(short_help="Make a key for a holder of the charter.")
@click.argument("name", type=TEXT)
@new_file(required=True)
@click.option("--encrypt", is_flag=True, help="Put it under a passphrase.")
@command
def key(session: Session, name: str, target: Path, encrypt: bool) -> None:
    """Make a charter key for the holder NAME, and show what `charter_keys` or an auditor's `key` says of it.

    \b
    Example:
      tally charter key pudong.example/key-4 -o key-4.pem --encrypt
    """
    from tallystick.core.note import VerifierKey
    from tallystick.sdk.files import check_new
    from tallystick.sdk.key_file import generate_key

    check_new(target)
    chosen = session.passphrase.chosen(str(target)) if encrypt else b""
    try:
        made = generate_key(target, chosen)
        verifier = VerifierKey.of(name, made.public).format()
    except VerificationFailed as error:
        target.unlink()
        raise Usage(error.what, where="NAME", expected=error.expected) from None
    output = session.output
    if output.json:
        output.document({"key": verifier, "file": str(target), "encrypted": encrypt})
        return
    output.facts([(output.say("key", "公钥"), verifier), (output.say("key file", "私钥文件"), str(target))])


@charter.command(short_help="Add one signature to a version.")
@click.argument("file", type=FILE)
@click.option("--key", "key_path", required=True, metavar="KEY", type=FILE, help="The charter key's file.")
@new_file("Where to; may be FILE itself", metavar="NOTE", required=True)
@click.option(
    "--previous", metavar="PREVIOUS", type=FILE, help="The version before it, for a key that this one no longer names."
)
@command
def sign(session: Session, file: Path, key_path: Path, target: Path, previous: Path | None) -> None:
    """Add one charter key's signature to a version: its text, or its note with the signatures of others.

    The keys of the version before and its own sign, each as many as its threshold. Look at the version with
    `tally charter verify` first.

    \b
    Example:
      tally charter sign charter-3.toml --key key-1.pem -o charter-3.note
    """
    from tallystick.core.charter_chain import signers
    from tallystick.core.charter_note import charter_digest
    from tallystick.core.note import VerifierKey, add_signatures, parse_note, sign_note
    from tallystick.sdk.charter_files import read_note, version_in
    from tallystick.sdk.files import check_new, write_whole
    from tallystick.sdk.key_file import load_key

    data = read_note(file)
    text, proposed = read_text(file, data)
    if target.absolute() != file.absolute():
        check_new(target)
    charters = (proposed,) if previous is None else (version_in(previous).charter, proposed)
    signing = load_key(key_path, session.passphrase)
    keys = [VerifierKey.parse(each) for each in dict.fromkeys(k for one in charters for k in one.charter_keys)]
    own = [each for each in keys if each.public == signing.public]
    if not own:
        raise Usage(
            "this is not one of the charter's keys",
            where=str(key_path),
            expected=f"one of {', '.join(each.name for each in keys)}; or --previous, whose keys sign too",
        )
    note = sign_note(text, (own[0].name, signing))
    if data != text.encode():
        if own[0] in signers(data, *charters):
            raise Usage(f"{own[0].name} has signed it", where=str(file), expected="another key")
        note = add_signatures(data, *parse_note(note).signatures)
    signed = signers(note, *charters)
    write_whole(target, note)
    output = session.output
    say = output.say
    if output.json:
        output.document(
            {
                "file": str(target),
                "version": proposed.version,
                "digest": charter_digest(text),
                "signed_as": own[0].name,
                "signed_by": [each.name for each in signed],
            }
        )
        return
    output.facts(
        [
            (say("signed as", "署名"), own[0].name),
            (say("version", "版本"), str(proposed.version)),
            (say("digest", "摘要"), charter_digest(text)),
            *standing(session, signed, *charters),
            (say("note", "签名文件"), str(target)),
        ]
    )


def _witnessed(
    session: Session, before: Charter, after: Charter, floors: Iterable[str]
) -> Iterator[tuple[str, tuple[int, int | None]]]:
    """Of ledgers that are pinned and have a quorum, the floor's size and how much of that a quorum is shown to have
    cosigned; None where that is not shown now.
    """
    from tallystick.core.errors import TallystickError
    from tallystick.sdk.witnessing import shown_cosigned, witnessed_of

    for bureau in dict.fromkeys(floors):
        quorum, pinned = before.quorum_of(before.by_id(bureau)), after.by_id(bureau).pinned
        if quorum is None or pinned is None:
            continue
        try:
            with session.ledgers() as ledgers:
                cosigned = shown_cosigned(ledgers[bureau], before)
        except TallystickError:  # it is not for what is shown now to stand in the way of a text
            cosigned = None
        yield bureau, (pinned.size, witnessed_of(pinned, cosigned, quorum))


def _print_floors(session: Session, witnessed: Mapping[str, tuple[int, int | None]]) -> None:
    """A line for each floor that pins more than a quorum is shown to have cosigned."""
    output = session.output
    for bureau, (size, cosigned) in witnessed.items():
        if cosigned == size:
            continue
        en, zh = f"of which a quorum is shown to have cosigned {cosigned}", f"其中达到门限副署的仅示 {cosigned} 条"
        if cosigned is None:
            en, zh = "and how many of them a quorum cosigned is not shown now", "其中达到门限副署的条数此刻未示"
        output.line(output.say(f"The floor of {bureau} is {size} entries, {en}.", f"{bureau} 锁定于 {size} 条，{zh}。"))
        output.line()


def _floor(session: Session, bureau: str) -> Floor:
    """A ledger's floor at the last checkpoint this profile trusted. Raises NotFound."""
    from tallystick.core.charter import Floor
    from tallystick.core.checkpoint import open_checkpoint
    from tallystick.core.note import encode_base64

    found = session.profile.charter.ledger_of(bureau)
    note = session.profile.trust_store.load(found.origin)
    if note is None:
        raise NotFound("this profile was shown nothing of it yet", where=bureau, expected="a ledger it has read")
    checkpoint = open_checkpoint(note, found.ledger_verifier, found.ends)
    return Floor(checkpoint.size, encode_base64(checkpoint.root))
