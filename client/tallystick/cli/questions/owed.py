"""Ask: `tally owed` and `tally inbox`, the answers that are owed, and the command that gives each."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from tallystick.cli.options import Session, command, read_from
from tallystick.cli.questions.asking import end, from_full_pass, on_day
from tallystick.cli.references import BureauId
from tallystick.core.counted import counted

if TYPE_CHECKING:
    from tallystick.audit.seen import Seen
    from tallystick.audit.views.owed import Owed
    from tallystick.cli.describe import Describer


@click.command()
@click.argument("bureau", required=False, type=BureauId())
@click.option("--to", metavar="BUREAU", type=BureauId(), help="Only what is owed to this bureau.")
@on_day
@read_from
@command
def owed(session: Session, bureau: str | None, to: str | None, on: str | None) -> int:
    """List the answers that bureaus owe each other: what, to whom, since when, by when, and how late.

    With BUREAU, only what that one owes. Deadlines are the charter's, in working days; while the bureau that owes waits
    for a clarification, the clock stands still. Every ledger is read whole: that no answer was given holds within the
    coverage, and nothing is said of a bureau whose ledger is not covered.

    \b
    Examples:
      tally owed
      tally owed planning --on 2027-03-31 --lang zh
      tally owed --to taxation
    """
    return _answer(session, bureau or "", to or "", on)


@click.command()
@on_day
@read_from
@command
def inbox(session: Session, on: str | None) -> int:
    """List what the profile's own bureau has to answer, by when, and the command that answers it.

    Every ledger is read whole, as for `tally owed`.

    \b
    Examples:
      tally inbox --lang zh
      tally inbox --json
    """
    return _answer(session, session.profile.bureau.id, "", on)


def _answer(session: Session, bureau: str, to: str, on: str | None) -> int:
    from tallystick.audit.obligations import OBLIGATIONS
    from tallystick.audit.questions.owed import due_day, owed_json, owing
    from tallystick.audit.words import Words
    from tallystick.cli.describe import Describer

    with session.ledgers() as ledgers:
        for named in filter(None, (bureau, to)):
            ledgers.charter.ledger_of(named)
        audited = from_full_pass(session, ledgers, on, absent={obligation.rule for obligation in OBLIGATIONS})
    seen = audited.seen
    found = owing(seen, bureau, to)
    describe = Describer(seen.charter, session.language, session.zone)
    words, output, say = Words(seen.charter, session.language), session.output, session.output.say
    if not output.json:
        lines = _Lines(session, seen, describe)
        output.table(
            (
                say("who owes", "应办单位"),
                say("to whom", "对方"),
                say("what", "事项"),
                say("since", "自"),
                say("due", "期限"),
                say("clock", "计时"),
                say("entry", "条目"),
                say("proven", "证明程度"),
            ),
            [
                [
                    describe.bureau(each.bureau),
                    lines.creditor(each),
                    lines.what(each),
                    words.day(seen.rulebook.calendar.day_of(each.served_us)),
                    "" if (due := due_day(each, seen)) is None else words.day(due),
                    lines.clock(each),
                    each.opened.reference,
                    lines.standing(each),
                ]
                for each in found
            ],
        )
        if found:
            output.line()
            if commands := [[each.opened.reference, answer] for each in found for answer in answers(each)]:
                output.line(say("Answer with:", "答复命令："))
                output.table(None, commands)
                output.line()
            output.line(say("No answer to any of these stands within the coverage.", "以上各项在核查范围内均无答复。"))
        if bureau and bureau not in seen.as_of.covered:
            named = describe.bureau(bureau)
            output.line(
                say(f"What {named} owes is not covered: its ledger is not.", f"{named}的待办未覆盖：其台账未覆盖。")
            )
        elif not found:
            output.line(say("Nothing is owed within the coverage.", "核查范围内无待办。"))
    return end(session, audited, {"owed": [{**owed_json(each, seen), "answers": answers(each)} for each in found]})


def answers(owed: Owed) -> list[str]:
    """The commands that answer it, as they are typed; none where who owes or whom it is owed to is closed, or who owes
    is suspended.

    What only the one who answers knows stands in capitals. What a ledger says is quoted: a code may hold what a shell
    would run.
    """
    if owed.closing is not None or owed.suspended is not None:
        return []
    opened, reference = owed.opened, owed.opened.reference
    code = shlex.quote(opened.code)
    match owed.rule:
        case "request-overdue":
            return [f"tally grant {reference}", f"tally deny {reference} --reason TEXT"]
        case "granted-not-served":
            return [f"tally send {code}@VERSION --to {owed.creditor} --grant {reference}"]
        case "sent-not-received":
            return [f"tally receive {_handed_over(owed)} FILE --sender {opened.bureau}"]
        case "dispute-overdue":
            return [f"tally answer {reference} --outcome OUTCOME"]
        case "recall-unheeded":
            return [f"tally acknowledge {reference} --action ACTION"]
        case "derived-not-corrected":
            derived = shlex.quote(owed.derived_version)
            return [f"tally recall {derived} --reason TEXT", f"tally acknowledge {reference} --action fixed"]
        case "duty-unaccepted":
            return [f"tally duty accept {reference}", f"tally duty decline {reference}"]
        case _:
            return [f"tally provide {code} FILE --version VERSION"]


def _handed_over(owed: Owed) -> str:
    """The exchange text; the salt is no ledger's to show, it was handed over with the data."""
    from tallystick.sdk.exchange import format_exchange

    salted = bool(owed.opened.said.digest.committed)
    return format_exchange(owed.opened.head.exchange, None) + (".SALT" if salted else "")


class _Lines:
    """What is said of one answer that is owed, in one language."""

    def __init__(self, session: Session, seen: Seen, describe: Describer) -> None:
        self._say = session.output.say
        self._language = session.language
        self._seen = seen
        self._describe = describe

    def creditor(self, owed: Owed) -> str:
        to = owed.creditor
        return self._describe.bureau(to) if to else self._say("everybody", "各单位")

    def what(self, owed: Owed) -> str:
        """What the answer is."""
        from tallystick.core.kinds import enum_label
        from tallystick_proto.v1.statement_pb2 import ConcernRaised, DutyAssigned

        say, head, code = self._say, owed.opened.head, owed.opened.code
        match owed.rule:
            case "request-overdue":
                return say(f"an answer to the request for {code}", f"答复 {code} 的共享申请")
            case "granted-not-served":
                return say(f"{code}, as granted", f"按同意提供 {code}")
            case "sent-not-received":
                named = " ".join(filter(None, (self._seen.exchange_name(head.exchange), head.version or code)))
                return say(f"a receipt for exchange {named}", f"确认接收 {named}")
            case "dispute-overdue":
                sort = enum_label(ConcernRaised.Sort.DESCRIPTOR, owed.opened.said.sort, self._language)
                about = owed.opened.said.finding
                if owed.opened.about is not None:
                    about = self._seen.reference(owed.opened.about.origin, owed.opened.about.index)
                return say(f"an answer to a concern ({sort}) {about}", f"答复疑义（{sort}）{about}").rstrip()
            case "recall-unheeded":
                return say(f"what was done about {head.version}, recalled", f"签收处置已撤回的 {head.version}")
            case "derived-not-corrected":
                made = owed.derived_version
                return say(
                    f"the correction of {made}, made from {head.version}, recalled",
                    f"更正由已撤回的 {head.version} 衍生的 {made}",
                )
            case "duty-unaccepted":
                duty = self._seen.duties.at(owed.opened.place)
                assert duty is not None
                named = enum_label(DutyAssigned.Duty.DESCRIPTOR, duty.duty, self._language)
                over = duty.scope.value if duty.scope.what != "bureau" else self._describe.bureau(duty.scope.value)
                return say(f"whether it is {named} of {over}", f"认领或拒绝 {over} 的{named}责任")
            case _:
                return say(f"a new version of {code}, after {head.version}", f"更新 {code}（现为 {head.version}）")

    def clock(self, owed: Owed) -> str:
        """How the deadline stands."""
        from tallystick.audit.questions.owed import paused_by

        say, days = self._say, owed.late_days
        if owed.closing is not None:
            late = say(f"{counted(days, 'working day')} late when ", f"逾期 {days} 个工作日，") if owed.late else ""
            heir = self._describe.bureau(owed.closing.successor)
            if owed.closing.bureau != owed.bureau:
                late += say("the other side was ", "对方")
            return late + (
                say(f"closed, succeeded by {heir}", f"已关闭，由{heir}承继") if heir else say("closed", "已关闭")
            )
        if owed.late:
            late = say(f"{counted(days, 'working day')} late", f"逾期 {days} 个工作日") if days else say("late", "逾期")
            return late if owed.suspended is None else late + say(" when suspended", "，现已暂停")
        if owed.suspended is not None:
            version = owed.suspended.version
            return say(f"stands still: suspended by version {version}", f"停计：已由章程第 {version} 版暂停")
        if asked := paused_by(owed, self._seen):
            return say(f"paused by {', '.join(asked)}", f"待 {'、'.join(asked)} 答复，暂停")
        return say("no deadline is set", "未设期限") if owed.deadline_us is None else say("runs", "未到期")

    def standing(self, owed: Owed) -> str:
        """How far it is proven that it was opened; that nobody answered is said below all of them."""
        from tallystick.audit.finding import Standing
        from tallystick.audit.rule import RULES

        one_side = RULES[owed.rule].standing is Standing.ONE_SIDE
        return (Standing.ONE_SIDE if one_side else Standing.PROVEN).label(self._language)
