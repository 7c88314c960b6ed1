"""Trust: `tally charter verify` and `adopt`: trusting a first version of the charter, and going from one to the next,
offline.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.acknowledged import acknowledged_sentence
from tallystick.cli.charter_making import charter as charter
from tallystick.cli.charter_text import (
    closed_document,
    closed_facts,
    print_changes,
    quorums_document,
    read_text,
    standing,
)
from tallystick.cli.options import Session, command
from tallystick.core.errors import CharterMismatch, VerificationFailed
from tallystick.sdk.arguments import FILE, Digest

if TYPE_CHECKING:
    from tallystick.core.charter import Charter
    from tallystick.core.charter_chain import Version
    from tallystick.core.note import VerifierKey


@charter.command(short_help="Check a version: that it follows the one in use, or has a digest.")
@click.argument("file", type=FILE)
@click.option("--previous", metavar="FILE", type=FILE, help="The version before it; else the profile's charter.")
@click.option(
    "--digest",
    metavar="DIGEST",
    type=Digest(),
    help="Judge it alone, by this digest, from a hand you trust: a first version.",
)
@command
def verify(session: Session, file: Path, previous: Path | None, digest: str | None) -> None:
    """Show what a version of the charter changes and who signed it, and check that it follows the one before, offline.

    Exits with 5 where it does not follow. With --previous, trust rests on the digest of that file: compare it. With
    --digest no version before it is looked at, and no profile is needed.

    \b
    Examples:
      tally charter verify charter-3.note --previous charter-2.note
      tally charter verify charter.note --digest blake3:9f2c…
    """
    from tallystick.core.charter_chain import follow, signers
    from tallystick.core.charter_draft import changes
    from tallystick.core.charter_note import charter_digest
    from tallystick.sdk.charter_files import known_versions, read_note, version_in

    if digest is not None:
        if previous is not None:
            raise click.UsageError("--previous and --digest cannot be combined", click.get_current_context())
        _verify_alone(session, file, digest)
        return
    if previous is not None:
        known = [version_in(previous)]
    else:
        known = known_versions(session.profile.charter_path, session.profile.charter_digest)
    note = read_note(file)
    text, proposed = read_text(file, note)
    why: VerificationFailed | None = None
    try:
        follow(known, note)
    except VerificationFailed as error:
        why = error
    last = known[-1]
    digest = charter_digest(text)
    both = (last.charter,) if digest == last.digest else (last.charter, proposed)
    signed = signers(note, *both)
    changed = changes(last.charter, proposed)
    output = session.output
    say = output.say
    if output.json:
        document: dict[str, Any] = {"follows": why is None and digest != last.digest, "same": digest == last.digest}
        document |= {"name": proposed.name, "version": proposed.version, "digest": digest, "previous": last.digest}
        document["signed_by"] = [key.name for key in signed]
        document["changes"] = [{"place": each.place, "before": each.before, "after": each.after} for each in changed]
        document["quorums"] = quorums_document(last.charter, proposed)
        document["closed"] = closed_document(proposed)
        output.document(document)
    else:
        against = [
            (say("checked against", "对照"), say(f"version {last.number}", f"第 {last.number} 版")),
            (say("its digest", "其摘要"), last.digest),
        ]
        _print_version(session, proposed, digest, signed, both, against)
        output.line()
        print_changes(session, last.charter, proposed)
        if why is None and digest != last.digest:
            output.line(
                say(
                    f"It follows version {last.number}: enough holders of the old and of the new keys signed it.",
                    f"该版承接第 {last.number} 版：新旧章程公钥的签名均达门限。",
                )
            )
        elif why is None:
            output.line(say("It is the version in use.", "即现行版本。"))
    if why is not None:
        raise why.at(str(file))


def _print_version(
    session: Session,
    version: Charter,
    digest: str,
    signed: list[VerifierKey],
    by: tuple[Charter, ...],
    against: Sequence[tuple[str, str]] = (),
) -> None:
    """What a version is, and which of the keys of which charters signed it."""
    say = session.output.say
    session.output.facts(
        [
            (say("charter", "章程"), version.name),
            (say("version", "版本"), str(version.version)),
            (say("digest", "摘要"), digest),
            *against,
            (say("signed by", "签名"), [key.name for key in signed] or ["-"]),
            *standing(session, signed, *by),
            *closed_facts(session, version),
        ]
    )


def _verify_alone(session: Session, file: Path, digest: str) -> None:
    """Show a version that is trusted by its digest alone. Raises VerificationFailed where that is another's."""
    from tallystick.core.charter_chain import signers
    from tallystick.core.charter_note import charter_digest, open_charter
    from tallystick.sdk.charter_files import read_note

    note = read_note(file)
    text, found = read_text(file, note)
    why: VerificationFailed | None = None
    try:
        open_charter(note, digest)
    except VerificationFailed as error:
        why = error
    signed = signers(note, found)
    output = session.output
    say = output.say
    if output.json:
        document: dict[str, Any] = {"trusted": why is None, "name": found.name, "version": found.version}
        document |= {"digest": charter_digest(text), "signed_by": [key.name for key in signed]}
        output.document(document)
    else:
        _print_version(session, found, charter_digest(text), signed, (found,))
        if why is None:
            output.line()
            output.line(
                say(
                    "It has the digest that was given, and the signatures its threshold asks for.",
                    "与所给摘要一致，签名数达到门限。",
                )
            )
    if why is not None:
        raise why.at(str(file))


@charter.command(short_help="Go by the next version.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
@command
def adopt(session: Session, files: tuple[Path, ...]) -> None:
    """Have the profile go by the next version of its charter, after checking that it follows; several in their order.

    The version is kept beside the one before, which stays, and the profile names it from one moment to the next.
    What was recorded under earlier versions stays provable under this one. Another version of a number that is known
    is refused, and if the same holders signed it, called what it is: a fork.

    \b
    Example:
      tally charter adopt charter-3.note --profile profiles/auditor.toml
    """
    from tallystick.sdk.clock import now_us
    from tallystick.sdk.profile import Profile

    profile = session.profile
    aside: list[Path] = []
    for file in files:
        known, version = profile.next_version(file)
        if version.charter.expired(now_us()) and file == files[-1]:
            raise CharterMismatch(
                f"it expired on {version.charter.expires.isoformat()}", where=str(file), expected="a later version"
            )
        aside += profile.adopt(known, version)
        profile = Profile.load(profile.path)
    _print_adopted(session, version, profile.path, aside)


def _print_adopted(session: Session, version: Version, profile: Path, aside: list[Path]) -> None:
    output = session.output
    say = output.say
    if output.json:
        output.document(
            {
                "version": version.number,
                "digest": version.digest,
                "profile": str(profile),
                "set_aside": [str(path) for path in aside],
            }
        )
        return
    output.line(
        say(
            f"{profile} goes by version {version.number}, {version.digest}",
            f"{profile} 现行第 {version.number} 版，{version.digest}",
        )
    )
    for path in aside:
        output.line(f"{path}: {acknowledged_sentence(session, path.read_bytes(), version.charter)}")
