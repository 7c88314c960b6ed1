"""Ask: `tally lookups`, who used data, when, and for what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.options import Session, command, read_from
from tallystick.cli.questions.asking import NOTHING, end, from_full_pass, from_indexes, on_day
from tallystick.cli.references import Actor
from tallystick.core.counted import counted
from tallystick.sdk.arguments import TEXT

if TYPE_CHECKING:
    from tallystick.audit.entry import On
    from tallystick.audit.questions.lookups import Lookups
    from tallystick.sdk.auditing import Audited
    from tallystick.sdk.ledgers import Ledgers
    from tallystick.sdk.openings import Opened


@click.command()
@click.option("--officer", metavar="ACTOR", type=Actor(), help="Only by this officer, as in taxation:o-7f3a.")
@click.option(
    "--hours", metavar="FROM-TO", type=TEXT, help="Only within these hours of the day, in the charter's time zone."
)
@click.option(
    "--subject-from-stdin",
    "subject",
    is_flag=True,
    help="Only about whom or what is read from standard input, one line; it is never printed.",
)
@on_day
@read_from
@command
def lookups(session: Session, officer: str | None, hours: str | None, subject: bool, on: str | None) -> int:
    """List who looked data up, when, and for what: all of it, of an officer, within some hours, about a subject.

    An officer's lookups are found by the indexes: each is proven, that none was left out is not. Else every ledger is
    read whole. A ledger commits to subjects and names none: the value is sent to the nodes that hold what opens the
    commitments, and each lookup they answer with is checked against its ledger. How many others there are is their
    word, held against the ledger's count. That somebody looked and recorded nothing, nothing here finds.

    \b
    Examples:
      tally lookups --officer taxation:o-7f3a --hours 22-06
      tally lookups --subject-from-stdin --lang zh < subject
    """
    from tallystick.audit.questions.lookups import Hours, Lookups, inquire
    from tallystick.cli.fields import line_of_stdin
    from tallystick.core.identifiers import split_actor
    from tallystick.sdk.rulebook import rulebook_of

    chosen = None if hours is None else Hours.parse(hours)
    opened: list[Opened] | None = None
    with session.ledgers() as ledgers:
        if officer is not None:
            ledgers.charter.ledger_of(split_actor(officer).bureau)
        calendar = rulebook_of(ledgers.charter).calendar
        wanted = Lookups(calendar, officer or "", chosen, keep=not subject)
        if subject:
            value = line_of_stdin("subject").encode()
            audited = from_full_pass(session, ledgers, on, wanted)
            opened = _open(ledgers, audited, wanted, value)
        elif officer is not None:
            audited = from_indexes(session, ledgers, on, inquire(officer), wanted)
        else:
            audited = from_full_pass(session, ledgers, on, wanted)
    if not session.output.json:
        _Lines(session, audited).print(wanted.found, opened)
    nobody = officer is not None and not subject and not wanted.of_officer
    return end(session, audited, _document(wanted, opened), NOTHING if nobody else 0)


def _open(ledgers: Ledgers, audited: Audited, wanted: Lookups, value: bytes) -> list[Opened]:
    """What the nodes open; every lookup that holds the value goes to those wanted."""
    from tallystick.audit.entry import on_entry
    from tallystick.audit.questions.lookups import SUBJECT
    from tallystick.core.history import Recorded
    from tallystick.sdk.openings import open_all

    opened = open_all(ledgers, audited.coverage, SUBJECT, value, wanted.ends, wanted.committed)
    for each in opened:
        for shown in each.matching:
            entry = on_entry(shown.bureau, shown.origin, Recorded(shown.entry, shown.read))
            assert entry is not None  # only a kind that is known has a commitment
            wanted.take(entry)
    return opened


def _document(wanted: Lookups, opened: list[Opened] | None) -> dict[str, Any]:
    from tallystick.audit.questions.lookups import lookups_json
    from tallystick.sdk.openings import account_json

    return {
        "lookups": lookups_json(wanted.found),
        "subject": None if opened is None else [account_json(each) for each in opened],
    }


class _Lines:
    """What is printed of an answer, in one language."""

    def __init__(self, session: Session, audited: Audited) -> None:
        from tallystick.cli.describe import Describer

        self._output = session.output
        self._say = session.output.say
        self._full = audited.coverage.full
        self._describe = Describer(audited.seen.charter, session.language, session.zone)

    def print(self, found: list[On[Any]], opened: list[Opened] | None) -> None:
        """A line a lookup, then how many there are, and what the nodes say of the rest."""
        say = self._say
        self._output.table(
            (
                say("happened", "发生时间"),
                say("who", "经办人"),
                say("what", "信息资源"),
                say("purpose", "用途"),
                say("case", "办件"),
                say("entry", "条目"),
            ),
            [self._row(entry) for entry in found],
        )
        if found:
            self._output.line()
        self._output.line(self._count(found))
        for each in opened or ():
            self._output.line(self._account(each))

    def _row(self, entry: On[Any]) -> list[str]:
        from uuid import UUID

        head, said = entry.head, entry.said
        return [
            self._describe.moment(entry.happened_at_us),
            head.officer or head.actor,
            head.version or head.resource,
            said.purpose,
            str(UUID(bytes=head.case)) if head.case else self._say("none", "无"),
            entry.reference,
        ]

    def _count(self, found: list[On[Any]]) -> str:
        from tallystick.audit.questions.lookups import officer_of

        count, officers = len(found), len({officer_of(entry) for entry in found})
        if not found:
            if self._full:
                return self._say("No such lookup within the coverage.", "核查范围内无此类查询。")
            return self._say("No such lookup was shown.", "未见此类查询。")
        return self._say(
            f"{counted(count, 'lookup')} by {officers:,}. Each is its bureau's own word, signed.",
            f"{officers:,} 名经办人查询 {count:,} 次。各行均为其单位签署之言。",
        )

    def _account(self, opened: Opened) -> str:
        """What one node opened: what is proven of it, and what is its word."""
        name, matching = self._describe.bureau(opened.bureau), len(opened.matching)
        committed, others, unopened = opened.committed, opened.opened - matching, opened.unopened
        return self._say(
            f"{name}: of {counted(committed, 'lookup')} of a subject, {matching:,} proven to be of this one; by its"
            f" node's word alone {others:,} are of others, and it holds nothing to open {unopened:,}.",
            f"{name}：涉及查询对象的 {committed:,} 次查询中，经核验属此对象 {matching:,} 次；"
            f"仅据其节点所称，属他人 {others:,} 次，无从打开 {unopened:,} 次。",
        )
