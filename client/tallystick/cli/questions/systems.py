"""Ask: `tally systems`, what bureaus run and whether it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tallystick.cli.options import Session, command, read_from
from tallystick.cli.questions.asking import end, from_full_pass, on_day
from tallystick.cli.references import BureauId
from tallystick.core.counted import counted

if TYPE_CHECKING:
    from tallystick.audit.seen import Seen
    from tallystick.audit.views.systems import System
    from tallystick.audit.words import Words


@click.command()
@click.argument("bureau", required=False, type=BureauId())
@on_day
@read_from
@command
def systems(session: Session, bureau: str | None, on: str | None) -> int:
    """List the systems of the inventory: accepted or not, when last used, when one of its actors last exchanged data.

    With BUREAU, only the systems of that one. Each line is its bureau's own word, at the entry shown. Every ledger is
    read whole: that nobody used a system holds within the coverage.

    \b
    Examples:
      tally systems --lang zh
      tally systems data-office --on 2027-03-31
    """
    from tallystick.audit.questions.systems import system_json
    from tallystick.audit.questions.systems import systems as systems_of
    from tallystick.audit.words import Words

    with session.ledgers() as ledgers:
        if bureau:
            ledgers.charter.ledger_of(bureau)
        audited = from_full_pass(session, ledgers, on)
    seen = audited.seen
    found = systems_of(seen, bureau or "")
    output, say = session.output, session.output.say
    if not output.json:
        words = Words(seen.charter, session.language)
        output.table(
            (
                say("bureau", "单位"),
                say("system", "系统"),
                say("name", "名称"),
                say("operator", "运维单位"),
                say("accepted", "验收"),
                say("use", "使用"),
                say("last exchange", "最近交换"),
                say("entry", "条目"),
            ),
            [
                [
                    words.bureau(each.bureau),
                    each.code,
                    each.entry.said.name,
                    each.entry.said.operator,
                    each.entry.said.accepted_on or say("no day given", "未载"),
                    _use(words, each, seen),
                    "" if each.exchanged_on is None else words.day(each.exchanged_on),
                    each.entry.reference,
                ]
                for each in found
            ],
        )
        if found:
            output.line()
        count = len(found)
        output.line(
            say(
                f"{counted(count, 'system')}. Each line is its bureau's own word.",
                f"{count} 个系统。各行均为登记单位之言。",
            )
        )
    return end(session, audited, {"systems": [system_json(each, seen) for each in found]})


def _use(words: Words, system: System, seen: Seen) -> str:
    from tallystick.audit.questions.systems import use

    if system.retired is not None:
        return words.say(f"retired, {system.retired.reference}", f"已下线，{system.retired.reference}")
    if system.used_until is not None:
        day = words.day(system.used_until)
        return words.say(f"last used {day}", f"最近使用 {day}")
    if use(system, seen) == "not-covered":
        return words.say("not covered", "未覆盖")
    since = words.day(system.known_since)
    return words.say(f"no use within the coverage since {since}", f"自 {since} 起核查范围内无使用记录")
