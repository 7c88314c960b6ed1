"""Ask: `tally impact`, who holds a version or anything made from it, and what they did about its recall."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from tallystick.cli.options import Session, command
from tallystick.cli.questions.asking import NOTHING, end, from_indexes, on_day
from tallystick.cli.references import VersionReference

if TYPE_CHECKING:
    from tallystick.audit.questions.holders import Holder
    from tallystick.audit.questions.impact import Reached
    from tallystick.sdk.auditing import Audited


@click.command()
@click.argument("version", metavar="CODE@VERSION", type=VersionReference())
@on_day
@command
def impact(session: Session, version: str, on: str | None) -> int:
    """List who holds a version or anything made from it: sent, received, what they did about its recall, used after.

    A recall is served when it was recorded. A use counts as one after the recall where it both happened and was
    recorded after that. Of several exchanges between the same two bureaus the last is shown.

    The indexes are asked: each entry shown is proven; a holder, an acknowledgement or a use that some node left out is
    not excluded. `tally audit --rule recall-unheeded` reads every ledger whole.

    \b
    Examples:
      tally impact SCJG-0012@2027-03
      tally impact SCJG-0012@2027-03 --lang zh --json
    """
    from tallystick.audit.questions.impact import impact as impact_of
    from tallystick.audit.questions.impact import impact_json, inquire

    with session.ledgers() as ledgers:
        audited = from_indexes(session, ledgers, on, inquire(version, ledgers.charter))
    answer = impact_of(version, audited.seen)
    output, say = session.output, session.output.say
    if not output.json and answer.is_known:
        lines = _Lines(session, audited)
        for reached in answer.versions:
            lines.print(reached)
        if answer.cut:
            output.line(say("What was made from the last of these was not followed.", "末位版本的衍生未再追溯。"))
    elif not output.json:
        output.line(say(f"Nothing was shown of {version}.", f"未见 {version} 的记录。"))
    return end(session, audited, impact_json(version, answer, audited.seen), 0 if answer.is_known else NOTHING)


class _Lines:
    """Prints a version and its holders, in one language."""

    def __init__(self, session: Session, audited: Audited) -> None:
        from tallystick.audit.words import Words
        from tallystick.cli.questions.halves import Halves

        self._output = session.output
        self._words = Words(audited.seen.charter, session.language)
        self._say = self._words.say
        self._calendar = audited.seen.rulebook.calendar
        self._halves = Halves(self._words, audited)

    def print(self, reached: Reached) -> None:
        """What the version is, whether it was recalled, and a row for each holder and exchange."""
        say = self._say
        self._output.line(self._heading(reached))
        self._output.table(
            (
                say("holder", "持有单位"),
                say("from", "来自"),
                say("halves", "收发条目"),
                say("what was shown", "记录"),
                say("how far proven", "证明程度"),
                say("about the recall", "对撤回的处置"),
                say("used", "使用"),
            ),
            [row for holder in reached.holders for row in self._rows(reached, holder)],
        )
        if not reached.holders:
            self._output.line(say("No holder was shown.", "未见持有单位。"))

    def _heading(self, reached: Reached) -> str:
        say, version, recall = self._say, reached.version, reached.recall
        said = [say("made from it: ", "衍生版本：") + reached.name if reached.derived else reached.name]
        if version is None:
            said.append(self._proven(say("no providing of it was shown", "未见提供记录"), version))
        else:
            bureau, day = self._words.bureau(version.bureau), self._day(version.provided_at_us)
            provided = say(f"provided by {bureau} on {day}", f"{bureau}{day}提供")
            said.append(self._proven(f"{provided} {version.reference}", version))
        if recall is None:
            said.append(self._proven(say("no recall was shown", "未见撤回"), recall))
        else:
            bureau, day, reason = self._words.bureau(recall.bureau), self._day(recall.since_us), recall.said.reason
            recalled = say(f"recalled by {bureau} on {day}", f"{bureau}{day}撤回")
            said.append(self._proven(f"{recalled} {recall.reference}", recall) + say(f": {reason}", f"：{reason}"))
        return say("; ", "；").join(said)

    def _proven(self, said: str, shown: object) -> str:
        """What is said, and how far it is proven: where nothing was shown, it is not covered."""
        from tallystick.audit.finding import Standing

        standing = Standing.NOT_COVERED if shown is None else Standing.PROVEN
        label = standing.label(self._words.language)
        return self._say(f"{said} ({label})", f"{said}（{label}）")

    def _rows(self, reached: Reached, holder: Holder) -> Iterator[list[str]]:
        """A row for each exchange that brought it; one where none was shown."""
        from tallystick.audit.finding import Standing

        bureau, heeded, used = self._words.bureau(holder.bureau), self._heeded(reached, holder), self._used(holder)
        for exchange in holder.exchanges:
            yield [
                bureau,
                self._words.bureau(exchange.key.sender),
                self._halves.references(exchange),
                self._halves.named(exchange),
                self._halves.standing(exchange),
                heeded,
                used,
            ]
        if not holder.exchanges:
            unseen = self._say("no exchange was shown", "未见交换记录")
            yield [bureau, "", "", unseen, Standing.NOT_COVERED.label(self._words.language), heeded, used]

    def _heeded(self, reached: Reached, holder: Holder) -> str:
        """What a holder said it did; it is its own word, and proven to be that."""
        from tallystick.audit.questions.impact import action

        heeded = None if holder.holding is None else holder.holding.heeded
        if heeded is not None:
            return f"{action(holder, self._words.language)} {heeded.reference}"
        return "" if reached.recall is None else self._say("no acknowledgement was shown", "未见签收")

    def _used(self, holder: Holder) -> str:
        holding, say = holder.holding, self._say
        if holding is None or not holding.last_use:
            return say("no use was shown", "未见使用")
        if holding.first_after is None:
            return self._halves.last_use(holder)
        count, first = holding.uses_after, holding.first_after.reference
        times = "once" if count == 1 else f"{count} times"
        return say(f"used {times} after the recall, first {first}", f"撤回后使用 {count} 次，首次 {first}")

    def _day(self, at_us: int) -> str:
        return self._words.day(self._calendar.day_of(at_us))
