"""Ask: `tally case`, one thread of work across all ledgers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.options import Session, command
from tallystick.cli.questions.asking import end, from_indexes, on_day

if TYPE_CHECKING:
    from tallystick.audit.entry import On


@click.command()
@click.argument("id_", metavar="ID")
@on_day
@command
def case(session: Session, id_: str, on: str | None) -> int:
    """Show everything recorded for a case, on any ledger, in the order in which one thing answers another.

    ID is the case as it was given when it was recorded: a UUID, or any other text.

    \b
    Example:
      tally case 2026-11-0042 --lang zh
    """
    from tallystick.audit.questions.case import case as case_of
    from tallystick.audit.questions.case import case_json, inquire
    from tallystick.cli.describe import Describer
    from tallystick.core.compose import exchange_id

    named = exchange_id(id_)
    entries: list[On[Any]] = []
    with session.ledgers() as ledgers:
        audited = from_indexes(session, ledgers, on, inquire(named), entries.append)
        describe = Describer(ledgers.charter, session.language, session.zone)
    answer = case_of(named, entries, audited.seen)
    output, say = session.output, session.output.say
    if not output.json:
        output.table(
            (say("recorded", "入账时间"), say("entry", "条目"), say("what", "类别"), say("about", "内容")),
            [
                [
                    describe.moment(each.recorded_at_us),
                    each.reference,
                    describe.kind(each.read),
                    describe.summary(each.read),
                ]
                for each in answer.entries
            ],
        )
        for exchange in answer.exchanges:
            name = audited.seen.exchange_name(exchange.key.id)
            if exchange.sent is None:
                sender = describe.bureau(exchange.key.sender)
                output.line(say(f"{name}: no sending by {sender} was shown.", f"{name}：未见{sender}的发送记录。"))
            if exchange.received is None:
                receiver = describe.bureau(exchange.key.receiver)
                output.line(say(f"{name}: no receipt by {receiver} was shown.", f"{name}：未见{receiver}的接收记录。"))
        if not answer.entries:
            output.line(say("Nothing was shown for this case.", "未见该办件的记录。"))
    steps = (describe.step_json(each) for each in answer.entries)
    return end(session, audited, case_json(answer, steps, audited.seen))
