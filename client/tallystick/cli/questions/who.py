"""Ask: `tally who`, who answers for something on a day, duty by duty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from tallystick.cli.options import Session, command
from tallystick.cli.questions.asking import NOTHING, end, from_indexes, on_day
from tallystick.cli.references import CodeOrVersion

if TYPE_CHECKING:
    from datetime import date

    from tallystick.audit.questions.who import Answering, Over
    from tallystick.audit.seen import Seen
    from tallystick.audit.views.duties import Duty

_HOW: Final = {
    "accepted": ("accepted", "已认领"),
    "assigned": ("assigned; no acceptance was shown", "已指定，未见认领"),
    "until-accepted": ("ended; nobody was shown to have accepted it since", "责任已止，未见继任者认领，仍由其承担"),
    "instead": ("approved; no supervisor was shown, so this bureau answers", "有审批，未见监管单位，由其承担"),
    "declared": ("declared it", "编目"),
    "provided": ("provided the version", "提供该版本"),
    "registered": ("registered it", "登记该系统"),
}


@click.command()
@click.argument("name", metavar="NAME", type=CodeOrVersion())
@on_day
@command
def who(session: Session, name: str, on: str | None) -> int:
    """Say who answers for a resource, a version, a system, a matter or a bureau, duty by duty, and who had accepted.

    NAME is a code, CODE@VERSION, a system, a matter or a bureau; where it is several of them, all are shown. Nobody is
    released before somebody accepted: where a duty ended, its last holder answers on, and where nobody supervises what
    is approved, the steward's bureau does, its chief's, or the approving bureau.

    The indexes are asked: each entry shown is proven, and that somebody accepted or was released without its being
    shown is not excluded. `tally audit` reads every ledger whole.

    \b
    Examples:
      tally who SCJG-0012 --on 2027-03-09
      tally who 310115-GH-03 --lang zh
    """
    from tallystick.audit.questions.who import Named, inquire, who_json
    from tallystick.audit.questions.who import who as who_of

    named = Named.parse(name)
    with session.ledgers() as ledgers:
        audited = from_indexes(session, ledgers, on, inquire(named))
    found = who_of(named, audited.seen)
    output = session.output
    if not output.json:
        lines = _Lines(session, audited.seen)
        for over in found:
            lines.print(over)
        if not found:
            output.line(output.say(f"Nothing was shown of {name}.", f"未见 {name} 的记录。"))
    return end(session, audited, who_json(named, found, audited.seen), 0 if found else NOTHING)


class _Lines:
    """Prints who answers for one thing, and every duty over it, in one language."""

    def __init__(self, session: Session, seen: Seen) -> None:
        from tallystick.audit.words import Words

        self._output = session.output
        self._say = session.output.say
        self._words = Words(seen.charter, session.language)
        self._language = session.language
        self._seen = seen

    def print(self, over: Over) -> None:
        """A heading, who answers, and how it came to that."""
        say = self._say
        what = self._scope(over.scope.what)
        value = self._words.bureau(over.scope.value) if over.scope.what == "bureau" else over.scope.value
        day = self._words.day(self._seen.day)
        self._output.line(say(f"{what} {value}, on {day}:", f"{what} {value}，{day}："))
        self._output.table(
            (
                say("duty", "责任"),
                say("who answers", "责任单位"),
                say("unit", "内设机构"),
                say("since", "自"),
                say("by what", "依据"),
                say("entries", "条目"),
                say("how far proven", "证明程度"),
            ),
            [self._answering(each) for each in over.answers],
        )
        if not over.answers:
            self._output.line(say("Nobody was shown to answer for it.", "未见责任单位。"))
        if over.assigned:
            self._output.line(say("Duties assigned, the oldest first:", "历次责任指定："))
            self._output.table(None, [self._assigned(each) for each in over.assigned])

    def _answering(self, answering: Answering) -> list[str]:
        return [
            self._duty(answering.duty),
            self._words.bureau(answering.bureau),
            answering.unit,
            self._written(answering.since),
            self._how(answering),
            " ".join(answering.references),
            answering.standing.label(self._language),
        ]

    def _how(self, answering: Answering) -> str:
        """By what it answers; and where it is closed, that nobody is there to, and who succeeds it."""
        how = self._say(*_HOW[answering.how.value])
        if self._seen.closings.before(answering.bureau, self._seen.as_of.at_us) is None:
            return how
        closed = self._seen.charter.by_id(answering.bureau).state_in(self._language)
        return self._say(f"{how}; {closed}", f"{how}；{closed}")

    def _assigned(self, duty: Duty) -> list[str]:
        say, entry = self._say, duty.entry
        by = self._words.bureau(entry.bureau)
        return [
            self._duty(duty.duty),
            self._words.bureau(duty.holder),
            entry.said.unit,
            " ".join(filter(None, (self._written(duty.since), "–", self._written(duty.until)))),
            say(f"assigned by {by} {entry.reference}", f"{by}指定 {entry.reference}"),
            self._answer(duty),
            self._release(duty),
        ]

    def _answer(self, duty: Duty) -> str:
        if duty.accepted is not None:
            return self._say(f"accepted {duty.accepted.reference}", f"已认领 {duty.accepted.reference}")
        if duty.declined is not None:
            return self._say(f"declined {duty.declined.reference}", f"已拒绝 {duty.declined.reference}")
        return self._say("no answer was shown", "未见答复")

    def _release(self, duty: Duty) -> str:
        if duty.released is None:
            return ""
        return self._say(f"released {duty.released.reference}", f"卸任 {duty.released.reference}")

    def _duty(self, duty: int) -> str:
        from tallystick.core.kinds import enum_label
        from tallystick_proto.v1.statement_pb2 import DutyAssigned

        return enum_label(DutyAssigned.Duty.DESCRIPTOR, duty, self._language)

    def _scope(self, what: str) -> str:
        from tallystick.core.kinds import HEAD, field_options

        if what == "bureau":
            return self._say("bureau", "单位")
        return self._say(what, field_options(HEAD.fields_by_name[what]).zh)

    def _written(self, day: date | None) -> str:
        return "" if day is None else self._words.day(day)
