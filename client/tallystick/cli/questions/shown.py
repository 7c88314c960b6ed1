"""Ask: `tally shown`, who was shown what of a ledger, of an entry, or of what is committed about a subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.options import Session, command, read_from
from tallystick.cli.questions.asking import end, from_full_pass, on_day
from tallystick.cli.references import BureauOrEntry
from tallystick.core.counted import counted
from tallystick.sdk.arguments import TEXT

if TYPE_CHECKING:
    from tallystick.audit.questions.shown import Showing, Showings
    from tallystick.sdk.auditing import Audited
    from tallystick.sdk.ledgers import Ledgers
    from tallystick.sdk.openings import Opened


@click.command()
@click.argument("of", metavar="[BUREAU|REF]", type=BureauOrEntry(), required=False)
@click.option(
    "--to", metavar="READER", type=TEXT, help="Only to this reader or party, as in audit-office or taxation:clerk."
)
@click.option(
    "--subject-from-stdin",
    "subject",
    is_flag=True,
    help="Only what told of whom or what is read from standard input, one line; it is never printed.",
)
@on_day
@read_from
@command
def shown(session: Session, of: str | None, to: str | None, subject: bool, on: str | None) -> int:
    """List who was shown what: of a bureau's ledger, of one entry, of what was looked up about a subject, or all of it.

    Nodes record what auditors and other bureaus read, and before they open it, whatever they open, to whomever. Every
    ledger is read whole. Which entries a search by value found is committed; asked about one entry, or about a
    subject, the nodes are asked to open that, which they record in turn. Each line is the word of the node that
    showed it; what a node showed and did not record, nothing here finds.

    \b
    Examples:
      tally shown taxation#1088
      tally shown market-regulation --to audit-office --lang zh
      tally shown --subject-from-stdin < subject
    """
    from tallystick.audit.questions.shown import Showings, shown_json
    from tallystick.cli.fields import line_of_stdin
    from tallystick.core.errors import NotFound, Usage
    from tallystick.core.identifiers import parse_entry_ref

    if subject and of and "#" in of:
        raise Usage("a subject and one entry", where="--subject-from-stdin", expected="one of the two")
    if to is not None:
        _check_reader(session, to)
    with session.ledgers() as ledgers:
        wanted = Showings(to=to or "", subject=subject)
        if of and "#" in of:
            entry = parse_entry_ref(of)
            wanted.ledger, wanted.index = entry.bureau, entry.index
        elif of:
            wanted.ledger = of
        if wanted.ledger:
            ledgers.charter.ledger_of(wanted.ledger)
        value = line_of_stdin("subject").encode() if subject else b""
        audited = from_full_pass(session, ledgers, on, wanted)
        if wanted.index is not None and wanted.index >= _size(audited, wanted):
            raise NotFound(f"there is no {of}", expected=f"an entry below #{_size(audited, wanted)}")
        opened = _Opening(ledgers, audited, wanted).of(value)
    if not session.output.json:
        _Lines(session, audited).print(wanted, opened)
    return end(session, audited, {"shown": shown_json(wanted.found), "opened": _accounts(opened)})


def _check_reader(session: Session, to: str) -> None:
    """A party that some version of the charter names, or an actor of one. Raises Usage.

    Of every version known, since one that this version no longer names may have been shown something before.
    """
    from tallystick.core.errors import InvalidIdentifier, Usage
    from tallystick.core.holder import Holder
    from tallystick.sdk.charter_files import known_versions

    known = known_versions(session.profile.charter_path, session.profile.charter_digest)
    parties = dict.fromkeys(party.id for version in reversed(known) for party in version.charter.parties)
    expected = "a bureau or auditor of the charter, or an actor as in taxation:clerk"
    try:
        named = Holder.parse(to).party
    except InvalidIdentifier as error:
        raise Usage(error.what, where="--to", expected=expected) from None
    if named not in parties:
        raise Usage(f"the charter names no {named!r}", where="--to", expected=expected)


def _size(audited: Audited, wanted: Showings) -> int:
    """How many entries the ledger asked about has, as far as that is covered; as many as it takes where it is not."""
    (ledger,) = (each for each in audited.coverage.ledgers if each.bureau == wanted.ledger)
    return (wanted.index or 0) + 1 if ledger.gap else ledger.size


class _Opening:
    """Asks the nodes to open what is committed, and tells the question. A node that is caught is a gap from then on;
    one that does not open it to who asks is not, and what it found stays one of several.
    """

    def __init__(self, ledgers: Ledgers, audited: Audited, wanted: Showings) -> None:
        self._ledgers = ledgers
        self._coverage = audited.coverage
        self._wanted = wanted

    def of(self, subject: bytes) -> list[Opened] | None:
        """What the nodes answered of a subject, or of the one entry asked about; None where neither was."""
        from tallystick.audit.questions.lookups import SUBJECT
        from tallystick.sdk.openings import open_all

        wanted = self._wanted
        if not subject:
            if wanted.index is None:
                return None
            account = self._found(wanted.ledger, [wanted.index])
            return account[:1]
        opened = open_all(
            self._ledgers, self._coverage, SUBJECT, subject, wanted.ends, wanted.committed[SUBJECT], wanted.ledger
        )
        wanted.only({(each.bureau, match.entry.index) for each in opened for match in each.matching})
        for each in opened:
            self._found(each.bureau, [match.entry.index for match in each.matching])
        return opened

    def _found(self, bureau: str, indexes: list[int]) -> list[Opened]:
        """Have a node open which of these entries its searches found."""
        from tallystick.audit.questions.shown import FOUND
        from tallystick.core.errors import NotAllowed, TallystickError
        from tallystick.sdk.openings import find_openings

        wanted = self._wanted
        accounts: list[Opened] = []
        (ledger,) = (each for each in self._coverage.ledgers if each.bureau == bureau)
        committed = wanted.committed[FOUND][bureau]
        try:
            for index in indexes:
                if not ledger.gap and wanted.may_be(bureau, index):
                    value = str(index).encode()
                    found = find_openings(self._ledgers[bureau], FOUND, value, wanted.ends[bureau], committed)
                    wanted.open({match.reference for match in found.matching}, index)
                    accounts.append(found)
            wanted.drop(bureau)
        except NotAllowed:
            pass
        except TallystickError as error:
            ledger.fail(error)
        return accounts


def _accounts(opened: list[Opened] | None) -> list[dict[str, Any]] | None:
    from tallystick.sdk.openings import account_json

    return None if opened is None else [account_json(each) for each in opened]


class _Lines:
    """What is printed of an answer, in one language."""

    def __init__(self, session: Session, audited: Audited) -> None:
        from tallystick.cli.describe import Describer

        self._output = session.output
        self._say = session.output.say
        self._describe = Describer(audited.seen.charter, session.language, session.zone)
        self._language = session.language

    def print(self, wanted: Showings, opened: list[Opened] | None) -> None:
        """A line for what was shown at once, then what is whose word."""
        say, found = self._say, wanted.found
        self._output.table(
            (
                say("shown", "查阅时间"),
                say("to", "查阅者"),
                say("what", "内容"),
                say("of", "条目"),
                say("recorded", "留痕"),
            ),
            [self._row(each) for each in found],
        )
        if found:
            self._output.line()
        self._output.line(self._count(len(found)))
        for each in opened or ():
            self._output.line(self._account(each, wanted))
        if wanted.candidates:
            count = len(wanted.candidates)
            self._output.line(
                say(
                    f"{count} of these found one of several entries; which, was not opened to you.",
                    f"其中 {count} 次查得数条之一，未向您披露是哪一条。",
                )
            )

    def _row(self, each: Showing) -> list[str]:
        return [
            self._describe.moment(each.at_us),
            each.to,
            self._what(each),
            self._of(each),
            each.reference,
        ]

    def _what(self, each: Showing) -> str:
        from tallystick.audit.questions.shown import ENTRIES

        if each.what == ENTRIES:
            return self._say("entries", "条目")
        field = self._describe.field(each.what)
        return {
            "opened": field,
            "searched": self._say(f"search: {field}", f"按值查找：{field}"),
            "found": self._say(f"found: {field}", f"查得：{field}"),
        }[each.how]

    def _of(self, each: Showing) -> str:
        if each.entry is not None:
            return each.entry
        last = each.first + each.count - 1
        entries = f"{each.ledger}#{each.first}" + (f"-{last}" if each.count > 1 else "")
        return self._say(f"one of {entries}", f"{entries} 之一") if each.how == "found" else entries

    def _count(self, count: int) -> str:
        if not count:
            return self._say("Nothing of it is recorded as shown, within the coverage.", "核查范围内无此类查阅留痕。")
        return self._say(
            f"{counted(count, 'line')}, each the word of the node that showed it.",
            f"{count:,} 条查阅留痕，各为出示节点之言。",
        )

    def _account(self, opened: Opened, wanted: Showings) -> str:
        """What one node opened: what is proven of it, and what is its word."""
        name, matching = self._describe.bureau(opened.bureau), len(opened.matching)
        committed, others, unopened = opened.committed, opened.opened - matching, opened.unopened
        if wanted.subject:
            of_en, this_en, of_zh, this_zh = "lookups of a subject", "of this one", "涉及查询对象的查询", "属此对象"
        else:
            of_en, this_en, of_zh, this_zh = "entries found by searches", "this one", "经查找所得条目", "为本条"
        return self._say(
            f"{name}: of {committed:,} {of_en}, {matching:,} proven to be {this_en}; by its node's word alone"
            f" {others:,} are others, and it holds nothing to open {unopened:,}.",
            f"{name}：{of_zh} {committed:,} 次中，经核验{this_zh} {matching:,} 次；"
            f"仅据其节点所称，属其他 {others:,} 次，无从打开 {unopened:,} 次。",
        )
