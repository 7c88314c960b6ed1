"""Ask: `tally trace`, where a version came from and where it went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from tallystick.cli.options import Session, command
from tallystick.cli.questions.asking import NOTHING, end, from_indexes, on_day
from tallystick.cli.references import VersionReference

if TYPE_CHECKING:
    from tallystick.audit.questions.holders import Holder
    from tallystick.audit.questions.trace import Branch, Trace
    from tallystick.sdk.auditing import Audited


@click.command()
@click.argument("version", metavar="CODE@VERSION", type=VersionReference())
@click.option("--format", "form", type=click.Choice(["json", "dot"]), help="JSON, or a graph for Graphviz.")
@on_day
@command
def trace(session: Session, version: str, form: str | None, on: str | None) -> int:
    """Follow a version upstream, to what it was made from, and downstream, to who holds it and what was made of it.

    Across all bureaus, as a tree: that one version was made from another is the word of who provided it; that it came
    to a bureau is proven where both halves of the exchange agree. Of several exchanges between the same two bureaus the
    last is shown.

    The indexes are asked: each entry shown is proven, and a branch that some node left out is not excluded.

    \b
    Examples:
      tally trace SCJG-0012@2027-03
      tally trace SCJG-0012@2027-03 --format dot | dot -Tsvg > trace.svg
    """
    from tallystick.audit.questions.trace import inquire, trace_json
    from tallystick.audit.questions.trace import trace as trace_of

    with session.ledgers() as ledgers:
        audited = from_indexes(session, ledgers, on, inquire(version, ledgers.charter))
    answer = trace_of(version, audited.seen)
    code = 0 if answer.is_known else NOTHING
    if form == "dot":
        _graph(session, answer, audited)
        return audited.coverage.exit_code or code
    session.json |= form == "json"
    if not session.json:
        output = session.output
        lines = _Lines(session, audited)
        output.table(
            (
                output.say("version", "版本"),
                output.say("by", "单位"),
                output.say("entries", "条目"),
                output.say("what was shown", "记录"),
                output.say("how far proven", "证明程度"),
            ),
            [*lines.tree(answer)] if answer.is_known else [],
        )
        if not answer.is_known:
            output.line(output.say(f"Nothing was shown of {version}.", f"未见 {version} 的记录。"))
    return end(session, audited, trace_json(answer, audited.seen), code)


def _graph(session: Session, answer: Trace, audited: Audited) -> None:
    """The graph; the coverage within it, as comments."""
    from tallystick.audit.covered import covered
    from tallystick.audit.questions.dot import trace_dot
    from tallystick.audit.words import Words

    words = Words(audited.seen.charter, session.language)
    for line in trace_dot(answer, audited.seen, words):
        session.output.line(line)
    for sentence in covered(words, audited.coverage):
        session.output.line(f"// {sentence}")


class _Lines:
    """The rows of a trace, its first column drawn as a tree, in one language."""

    def __init__(self, session: Session, audited: Audited) -> None:
        from tallystick.audit.words import Words
        from tallystick.cli.questions.halves import Halves

        self._words = Words(audited.seen.charter, session.language)
        self._say = self._words.say
        self._language = session.language
        self._calendar = audited.seen.rulebook.calendar
        self._halves = Halves(self._words, audited)

    def tree(self, answer: Trace) -> Iterator[list[str]]:
        """The version; below it what it was made from, who holds it, and what was made from it."""
        made_from, made_into = self._say("from ", "来自 "), self._say("into ", "用于 ")
        yield self._version(answer.root, "")
        upstream = [(made_from, branch) for branch in answer.made_from]
        yield from self._hang("", [*upstream, *self._under(answer.root, made_into)])

    def _under(self, branch: Branch, way: str) -> list[tuple[str, Holder | Branch]]:
        """What hangs from a branch, each with the word before its name."""
        held = [(self._say("to ", "至 "), holder) for holder in branch.holders]
        return [*held, *((way, each) for each in branch.next)]

    def _hang(self, stem: str, hanging: Sequence[tuple[str, Holder | Branch]]) -> Iterator[list[str]]:
        from tallystick.audit.questions.trace import Branch

        for number, (way, each) in enumerate(hanging, 1):
            last = number == len(hanging)
            name = stem + ("└─ " if last else "├─ ") + way
            if isinstance(each, Branch):
                yield self._version(each, name)
                yield from self._hang(stem + ("   " if last else "│  "), self._under(each, way))
            else:
                yield from self._holder(each, name)

    def _version(self, branch: Branch, before: str) -> list[str]:
        from tallystick.audit.finding import Standing

        version, say = branch.version, self._say
        if version is None:
            unseen = say("no providing of it was shown", "未见提供记录")
            return [before + branch.name, "", "", unseen, Standing.NOT_COVERED.label(self._language)]
        day = self._words.day(self._calendar.day_of(version.provided_at_us))
        said = [say(f"provided {day}", f"{day}提供")]
        if version.recalled is not None:
            day = self._words.day(self._calendar.day_of(version.recalled.since_us))
            said.append(
                say(f"recalled {day}, {version.recalled.reference}", f"{day}撤回，{version.recalled.reference}")
            )
        if branch.again:
            said.append(say("told elsewhere in this tree", "见本树他处"))
        if branch.cut:
            said.append(say("not followed further: ask about it", "未再追溯，可另行查询"))
        bureau = self._words.bureau(version.bureau)
        proven = Standing.PROVEN.label(self._language)
        return [before + branch.name, bureau, version.reference, say("; ", "；").join(said), proven]

    def _holder(self, holder: Holder, before: str) -> Iterator[list[str]]:
        """A row for each exchange that brought it; where none was shown, one for its use."""
        from tallystick.audit.finding import Standing

        name, used = before + self._words.bureau(holder.bureau), self._halves.last_use(holder)
        for exchange in holder.exchanges:
            said = [self._halves.named(exchange), *filter(None, [used])]
            sender = self._words.bureau(exchange.key.sender)
            yield [
                name,
                self._say(f"from {sender}", f"{sender}提供"),
                self._halves.references(exchange),
                self._say("; ", "；").join(said),
                self._halves.standing(exchange),
            ]
        if not holder.exchanges:
            said = [self._say("no exchange was shown", "未见交换记录"), *filter(None, [used])]
            yield [name, "", "", self._say("; ", "；").join(said), Standing.NOT_COVERED.label(self._language)]
