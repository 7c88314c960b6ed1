"""Ask: `tally case`, one thread of work across all ledgers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tallystick.cli.options import Session, command
from tallystick.cli.questions.asking import NOTHING, end, from_indexes, on_day
from tallystick.sdk.arguments import TEXT

if TYPE_CHECKING:
    from tallystick.audit.questions.case import Case, Step
    from tallystick.cli.describe import Describer
    from tallystick.sdk.auditing import Audited


@click.command()
@click.argument("id_", metavar="ID", type=TEXT)
@on_day
@command
def case(session: Session, id_: str, on: str | None) -> int:
    """Show everything recorded for a case, on any ledger, in the order in which one thing answers another.

    ID is the case as it was given when it was recorded: a UUID, or any other text. Shown too is what answers an entry
    of the case, or is answered by one, without naming the case.

    The indexes are asked: each entry shown is proven to be in its ledger, and that one was left out is not excluded.

    \b
    Examples:
      tally case 2026-11-0042 --lang zh
      tally case 2026-11-0042 --json
    """
    from tallystick.audit.questions.case import Thread, case_json
    from tallystick.cli.describe import Describer
    from tallystick.core.values import exchange_id

    thread = Thread(exchange_id(id_))
    records: list[object] = []
    with session.ledgers() as ledgers:
        audited = from_indexes(session, ledgers, on, thread.inquire(), records.append)
        describe = Describer(ledgers.charter, session.language, session.zone)
    answer = thread.told(records, audited.seen)
    if not session.output.json:
        _print(session, answer, describe, audited)
    document = case_json(answer, describe.step_json, audited.seen)
    return end(session, audited, document, 0 if answer.steps else NOTHING)


def _print(session: Session, answer: Case, describe: Describer, audited: Audited) -> None:
    from tallystick.audit.words import Words
    from tallystick.cli.questions.halves import Halves

    output, say = session.output, session.output.say
    output.table(
        (
            say("recorded", "入账时间"),
            say("entry", "条目"),
            say("by", "主体"),
            say("what", "类别"),
            say("about", "内容"),
            say("note", "注"),
        ),
        [
            [
                describe.moment(step.entry.recorded_at_us),
                step.entry.reference,
                step.entry.head.actor,
                describe.kind(step.entry.read),
                describe.summary(step.entry.read),
                _note(session, step),
            ]
            for step in answer.steps
        ],
    )
    halves = Halves(Words(audited.seen.charter, session.language), audited)
    output.table(
        (
            say("exchange", "交换"),
            say("from", "发送方"),
            say("to", "接收方"),
            say("halves", "收发条目"),
            say("what was shown", "记录"),
            say("how far proven", "证明程度"),
        ),
        [
            [
                halves.name(exchange),
                describe.bureau(exchange.key.sender),
                describe.bureau(exchange.key.receiver),
                halves.references(exchange),
                halves.says(exchange),
                halves.standing(exchange),
            ]
            for exchange in answer.exchanges
        ],
    )
    if not answer.steps:
        output.line(say("Nothing was shown for this case.", "未见该办件的记录。"))


def _note(session: Session, step: Step) -> str:
    """What a reader must know of a step besides what it says."""
    say = session.output.say
    notes = [] if step.names_case else [say("does not name the case", "未载明该办件")]
    if step.broken:
        cited = " ".join(step.broken)
        notes.append(say(f"what it cites is not what stands at {cited}", f"所引条目与 {cited} 处不符"))
    return say("; ", "；").join(notes)
