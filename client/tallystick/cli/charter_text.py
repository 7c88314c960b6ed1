"""A version of the charter as these commands show it: its text, signed or not, who signed it, and what it changes.

What it changes is shown value by value, and after these the quorums that follow from them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tallystick.cli.options import Session
from tallystick.core.errors import MalformedNote, VerificationFailed

if TYPE_CHECKING:
    from tallystick.core.charter import Bureau, Charter
    from tallystick.core.note import VerifierKey
    from tallystick.core.quorum import Quorum


def read_text(file: Path, data: bytes) -> tuple[str, Charter]:
    """The text in a file, signed or not, and the charter it says."""
    from tallystick.core.charter_note import parse_charter
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


def closed_facts(session: Session, charter: Charter) -> list[tuple[str, list[str]]]:
    """Which bureaus a version says are closed, and who succeeds each."""
    say = session.output.say
    closed = [
        f"{each.label('zh')}：{each.state_in('zh')}"
        if session.language == "zh"
        else f"{each.id}, {each.state_in('en')}"
        for each in charter.bureau
        if each.state == "closed"
    ]
    return [(say("closed bureaus", "已关闭单位"), closed)] if closed else []


def closed_document(charter: Charter) -> list[dict[str, Any]]:
    """The same for JSON."""
    return [
        {"bureau": each.id, "successor": each.successor or None} for each in charter.bureau if each.state == "closed"
    ]


def print_changes(session: Session, before: Charter, after: Charter) -> None:
    """A row for each value that differs, and for each quorum; then which ledgers none witness any more, and why."""
    from tallystick.core.charter_draft import changes, quorum_changes

    output = session.output
    header = (
        ("what", f"version {before.version}", f"version {after.version}")
        if output.language == "en"
        else ("事项", f"第 {before.version} 版", f"第 {after.version} 版")
    )
    say = output.say
    quorums = [
        (each.ledger.label("zh") if output.language == "zh" else each.ledger.id, each)
        for each in quorum_changes(before, after)
    ]
    rows = [(each.place, each.before or "-", each.after or "-") for each in changes(before, after)]
    rows += [
        (say(f"quorum of {name}", f"{name}见证门限"), _quorum(session, each.before), _quorum(session, each.after))
        for name, each in quorums
    ]
    output.table(header, rows)
    lost: dict[str, list[str]] = {}
    for name, each in quorums:
        if each.after is None:
            lost.setdefault(unwitnessed_text(session, after, each.ledger), []).append(name)
    for why, names in lost.items():
        output.line()
        output.line(
            say(
                f"Under this version nothing recorded on {', '.join(names)} is witnessed: {why}.",
                f"依本版，{'、'.join(names)}所录概不能获见证：{why}。",
            )
        )
    if rows:
        output.line()


def _quorum(session: Session, quorum: Quorum | None) -> str:
    return "-" if quorum is None else quorum_text(session, quorum)


def quorum_text(session: Session, quorum: Quorum) -> str:
    """So many of so many."""
    return session.output.say(f"{quorum.needed} of {quorum.witnesses}", f"{quorum.witnesses} 家取 {quorum.needed}")


def unwitnessed_text(session: Session, charter: Charter, ledger: Bureau) -> str:
    """Why a ledger has no quorum, and what gives it one."""
    say = session.output.say
    if charter.must_list(ledger):
        return say(
            "it lists no witnesses, and with more than seven bureaus and observers nobody is one unlisted",
            "未列见证单位；单位与观察者逾七家时，未列者不作见证",
        )
    return say("too few would witness it, at least 2 are needed", "不足两家，无从见证")


def quorums_document(before: Charter, after: Charter) -> list[dict[str, Any]]:
    """The ledgers whose quorum changes, for JSON; null for no quorum."""
    from tallystick.core.charter_draft import quorum_changes

    def document(quorum: Quorum | None) -> dict[str, int] | None:
        return None if quorum is None else {"needed": quorum.needed, "of": quorum.witnesses}

    return [
        {"ledger": each.ledger.id, "before": document(each.before), "after": document(each.after)}
        for each in quorum_changes(before, after)
    ]
