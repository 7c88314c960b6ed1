"""A version of the charter as these commands show it: its text, signed or not, who signed it, and what it changes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tallystick.cli.options import Session
from tallystick.core.errors import MalformedNote, VerificationFailed

if TYPE_CHECKING:
    from tallystick.core.charter import Charter
    from tallystick.core.note import VerifierKey


def read_text(file: Path, data: bytes) -> tuple[str, Charter]:
    """The text in a file, signed or not, and the charter it says."""
    from tallystick.core.charter import parse_charter
    from tallystick.core.note import parse_note

    try:
        text = parse_note(data).text
    except MalformedNote:
        text = data.decode(errors="replace")
    try:
        return text, parse_charter(text)
    except VerificationFailed as error:
        raise error.at(str(file)) from None


def standing(session: Session, signed: list[VerifierKey], *charters: Charter) -> list[tuple[str, str]]:
    """How many of each charter's keys signed, and how many must."""
    say = session.output.say
    names = [each.format() for each in signed]
    return [
        (
            say(f"keys of version {one.version}", f"第 {one.version} 版公钥"),
            say(
                f"{sum(each in names for each in one.charter_keys)} signed, {one.threshold} needed",
                f"已签 {sum(each in names for each in one.charter_keys)}，需 {one.threshold}",
            ),
        )
        for one in charters
    ]


def print_changes(session: Session, before: Charter, after: Charter) -> None:
    """A row for each value that differs."""
    from tallystick.core.charter_draft import changes

    output = session.output
    header = (
        ("what", f"version {before.version}", f"version {after.version}")
        if output.language == "en"
        else ("事项", f"第 {before.version} 版", f"第 {after.version} 版")
    )
    output.table(header, [(each.place, each.before or "-", each.after or "-") for each in changes(before, after)])
    output.line()
