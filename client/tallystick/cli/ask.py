"""Ask: `tally log`, what ledgers hold, each entry verified before it is shown.

Filters on a statement's head are put to the node, which may leave something out: such a list is *as answered by* that
node. Without such a filter the entries are read by their indexes, all of a range, and nothing within it can be missing.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from tallystick.cli.options import Session, command
from tallystick.cli.references import Actor, BureauId, Code, EntryReference, Label, VersionReference
from tallystick.core.counted import counted_entries
from tallystick.core.errors import TallystickError, Unreachable
from tallystick.core.limits import LEDGER_ENTRIES_MAX
from tallystick.sdk.arguments import TEXT

if TYPE_CHECKING:
    from tallystick.cli.describe import Describer
    from tallystick.cli.log_query import Query
    from tallystick.sdk.ledgers import Ledgers
    from tallystick.sdk.reader import LedgerReader, Shown

_ROWS_AT_ONCE = 500


def _complete_kind(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from tallystick.core.kinds import KINDS

    return [CompletionItem(kind.name, help=kind.en) for kind in KINDS.values() if kind.name.startswith(incomplete)]


@dataclass(frozen=True, slots=True)
class Asked:
    """One ledger's part of the answer: up to which size, how many of it are witnessed (None where it has no quorum, or
    that is not shown now), and whether nothing in the range can be missing.
    """

    reader: LedgerReader
    size: int
    witnessed: int | None
    complete: bool


@click.command()
@click.argument("bureau", required=False, type=BureauId())
@click.option(
    "--kind", metavar="KIND", type=TEXT, help="Only this kind: its name, verb or label.", shell_complete=_complete_kind
)
@click.option(
    "--resource", metavar="CODE", type=Code(), help="Only what speaks of this resource, or of a version of it."
)
@click.option("--version", metavar="CODE@VERSION", type=VersionReference(), help="Only what speaks of this version.")
@click.option(
    "--derived-from", metavar="CODE@VERSION", type=VersionReference(), help="Only versions made from this one."
)
@click.option("--actor", metavar="ACTOR", type=Actor(), help="Only what this actor signed.")
@click.option("--officer", metavar="ACTOR", type=Actor(), help="Only what was done for this officer.")
@click.option(
    "--with",
    "counterparty",
    metavar="BUREAU",
    help="Only what names this bureau as the other side.",
    type=BureauId(),
)
@click.option("--case", metavar="ID", type=TEXT, help="Only this case.")
@click.option("--exchange", metavar="ID", type=TEXT, help="Only this exchange, by its whole id.")
@click.option("--system", metavar="LABEL", type=Label(), help="Only this system.")
@click.option("--matter", metavar="LABEL", type=Label(), help="Only this matter.")
@click.option(
    "--about", metavar="REF", type=EntryReference(), help="Only what answers this entry, as in taxation#1042."
)
@click.option("--submission", metavar="HEX", type=TEXT, help="Only this submission.")
@click.option(
    "--since", metavar="TIME", type=TEXT, help="Only what was recorded then or later: a day, or a time in ISO 8601."
)
@click.option("--until", metavar="TIME", type=TEXT, help="Only what was recorded before then.")
@click.option(
    "-n",
    "--limit",
    metavar="N",
    type=click.IntRange(min=0, max=LEDGER_ENTRIES_MAX),
    default=20,
    show_default=True,
    help="At most so many; 0: all.",
)
@click.option("--oldest-first", is_flag=True, help="Begin with the oldest.")
@click.option("--follow", is_flag=True, help="Stay, and show what is recorded from now on.")
@click.option("--all-bureaus", is_flag=True, help="All ledgers of the charter, in the order of their clocks.")
@command
def log(
    session: Session,
    /,
    bureau: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    oldest_first: bool,
    follow: bool,
    all_bureaus: bool,
    **filters: str | None,
) -> int:
    """List what a ledger holds, newest first; without a BUREAU the profile's own.

    Every entry was verified to be in its ledger; `tally show` verifies who signed it. What a key signed that was
    compromised by then, as its revocation says, is called suspect. With --json, one entry a line.

    \b
    Examples:
      tally log taxation --kind DataReceived --with market-regulation -n 50
      tally log --resource SCJG-0012 --since 2027-03-01 --json
    """
    from tallystick.cli.describe import Describer
    from tallystick.cli.log_query import Query
    from tallystick.sdk.witnessing import refreshed

    if bureau and all_bureaus:
        raise click.UsageError("a BUREAU and --all-bureaus cannot be combined", click.get_current_context())
    if follow and until:
        raise click.UsageError("--follow and --until cannot be combined", click.get_current_context())
    with session.ledgers() as ledgers:
        query = Query.parse(filters, since, until, ledgers.charter, session.zone)
        newest_first = not (oldest_first or follow)
        failed: list[TallystickError] = []
        asked = []
        suspects = _Suspects()
        for reader in _readers(session, ledgers, bureau, all_bureaus):
            try:
                checkpoint, witnessed = refreshed(reader, ledgers.charter)
                suspects.learn(reader, checkpoint.size)
                asked.append(Asked(reader, checkpoint.size, witnessed, query.is_complete))
            except TallystickError as error:
                if not all_bureaus:
                    raise
                failed.append(error)
                session.output.note(f"{reader.bureau.id}: {error}")
        lines = _Lines(session, Describer(ledgers.charter, session.language, session.zone), asked, suspects)
        lines.print(_first_ones(query, asked, limit, newest_first, take_last=follow and not oldest_first))
        _print_coverage(session, asked, failed, limit, lines.count, newest=not oldest_first)
        if follow:
            _follow(query, asked, lines)
    return max((error.exit_code for error in failed), default=0)


def _readers(session: Session, ledgers: Ledgers, bureau: str | None, all_bureaus: bool) -> Iterable[LedgerReader]:
    """An auditor's profile has no bureau of its own, and looks at all."""
    if bureau:
        return [ledgers[bureau]]
    if all_bureaus or not session.profile.has_bureau:
        return list(ledgers)
    return [ledgers[session.profile.bureau.id]]


def _first_ones(
    query: Query, asked: Sequence[Asked], limit: int, newest_first: bool, *, take_last: bool
) -> Iterator[Shown]:
    """What there is now, merged by the ledgers' own clocks. `take_last` gives the newest ones, oldest of them first."""
    backwards = newest_first or take_last
    each = [query.entries(part.reader, part.size, newest_first=backwards) for part in asked]
    merged = heapq.merge(*each, key=lambda shown: shown.entry.recorded_at_us, reverse=backwards)
    chosen: Iterator[Shown] = islice(merged, limit) if limit else merged
    if take_last:
        chosen = iter(list(chosen)[::-1])
    try:
        yield from chosen
    finally:
        for entries in each:
            entries.close()


def _follow(query: Query, asked: Sequence[Asked], lines: _Lines) -> None:
    """One thread a ledger, since each reader serves one alone; the first that fails ends it all."""
    from queue import Queue
    from threading import Thread

    arrived: Queue[Shown | Exception] = Queue()

    def watch(part: Asked) -> None:
        try:
            for shown in part.reader.find(query.asked, first=part.size, follow=True):
                arrived.put(shown)
            arrived.put(Unreachable("its node ended the answer", where=part.reader.bureau.id))
        except Exception as error:  # raised again where it is waited for
            arrived.put(error)

    for part in asked:
        Thread(target=watch, args=(part,), daemon=True).start()
    while asked:
        shown = arrived.get()
        if isinstance(shown, Exception):
            raise shown
        lines.print(iter([shown]))


class _Suspects:
    """What compromised keys signed, as far as the ledgers' indexes name the revocations."""

    def __init__(self) -> None:
        from tallystick.audit.views.suspects import Suspects

        self._readers: dict[str, LedgerReader] = {}
        self._view = Suspects()

    def learn(self, reader: LedgerReader, size: int) -> None:
        """The revocations among the first `size` entries of a ledger. Raises what reading raises."""
        from tallystick.audit.entry import on_entry
        from tallystick.core.history import Recorded
        from tallystick.core.kinds import BY_NAME, TERM_FIELDS

        self._readers[reader.bureau.id] = reader
        for shown in reader.find([(TERM_FIELDS["kind"], str(BY_NAME["ActorRevoked"].number).encode())], end=size):
            entry = on_entry(shown.bureau, shown.origin, Recorded(shown.entry, shown.read))
            if entry is not None:
                self._view.fold(entry)

    def holds(self, shown: Shown) -> bool:
        """Whether an entry is suspect."""
        from tallystick.audit.views.suspects import Signed

        entry = shown.entry
        if not self._view.may_be(shown.bureau, entry.index, shown.read.statement.head.actor):
            return False
        opening = entry.signed or self._readers[shown.bureau].entry(entry.first).entry.signed
        if opening is None:  # its first entry carries no signature: `show` says what is wrong with it
            return False
        return self._view.is_suspect(shown.bureau, entry.index, Signed(opening.key, entry.recorded_at_us))


class _Lines:
    """Prints entries, one a line, as they come."""

    def __init__(self, session: Session, describer: Describer, asked: Sequence[Asked], suspects: _Suspects) -> None:
        from tallystick.cli.output import Table

        self.count = 0
        self._suspects = suspects
        self._witnessed = {part.reader.bureau.id: part.witnessed for part in asked}
        self._output = session.output
        self._describer = describer
        english = self._output.language == "en"
        self._table = Table(
            ("entry", "recorded", "what", "by", "about") if english else ("条目", "入账时间", "类别", "主体", "内容")
        )

    def print(self, entries: Iterator[Shown]) -> None:
        describe = self._describer
        while rows := list(islice(entries, _ROWS_AT_ONCE)):
            self.count += len(rows)
            if not self._output.json:
                self._table.print([self._row(shown) for shown in rows])
                continue
            for shown in rows:
                said = describe.entry_json(shown.bureau, shown.origin, shown.entry, shown.read)
                self._output.document(said | self._standing(shown), one_line=True)

    def _standing(self, shown: Shown) -> dict[str, Any]:
        """Whether an entry was witnessed when its ledger was asked, and the bureau whose copy showed it, if any."""
        witnessed = self._witnessed[shown.bureau]
        return {
            "witnessed": None if witnessed is None else shown.entry.index < witnessed,
            "keeper": shown.keeper or None,
            "suspect": self._suspects.holds(shown),
        }

    def _row(self, shown: Shown) -> tuple[str, ...]:
        describe = self._describer
        head = shown.read.statement.head
        suspect = self._output.say(", suspect", "（存疑）") if self._suspects.holds(shown) else ""
        return (
            shown.reference,
            describe.moment(shown.entry.recorded_at_us),
            describe.kind(shown.read) + suspect,
            head.actor,
            describe.summary(shown.read),
        )


def _print_coverage(
    session: Session, asked: Sequence[Asked], failed: Sequence[TallystickError], limit: int, count: int, *, newest: bool
) -> None:
    """Which ledgers, up to which size, how complete, how far witnessed, and whose copies showed them."""
    from tallystick.audit.words import Words

    output, words = session.output, Words(session.profile.charter, session.language)
    parts = []
    for part in asked:
        name = part.reader.bureau.label("zh") if output.language == "zh" else part.reader.bureau.id
        how = (
            output.say("full range", "全范围")
            if part.complete
            else output.say(f"as answered by {name}", f"据{name}应答")
        )
        if part.witnessed is not None:
            far = output.say(f"{part.witnessed} witnessed", f"其中 {part.witnessed} 条已获见证")
        elif session.profile.charter.quorum_of(part.reader.bureau) is not None:
            far = output.say("not shown now how many are witnessed", "此刻未示已获见证者")
        else:
            far = output.say("no quorum of witnesses", "见证单位不足")
        said = output.say(
            f"{name} up to {counted_entries(part.size)}, {how}, {far}",
            f"{name}至第 {part.size} 条，{how}，{far}",
        )
        if part.reader.keeper:
            witness = words.bureau(part.reader.keeper)
            said += output.say(
                f", its node out of reach, as the copy of {witness} shows it", f"，节点无法连接，据{witness}所存副本"
            )
        parts.append(said)
    en, zh = ("newest", "最新") if newest else ("oldest", "最早")
    cut = output.say(f"; the {en} {limit} alone", f"；只列{zh} {limit} 条") if limit and count >= limit else ""
    missing = output.say(f"; {len(failed)} not covered", f"；{len(failed)} 本未覆盖") if failed else ""
    covered = output.say("; ", "；").join(parts) or output.say("nothing", "无")
    entries = output.say(counted_entries(count), f"{count} 条")
    output.note(
        output.say(f"{entries}. Covered: {covered}{cut}{missing}.", f"{entries}。核查范围：{covered}{cut}{missing}。")
    )
