"""Judge: `tally reconcile`, both halves of exchanges held together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tallystick.cli.options import Session, command, read_from
from tallystick.cli.questions.asking import NOTHING, end, from_full_pass, from_indexes, on_day
from tallystick.cli.references import BureauId
from tallystick.sdk.arguments import TEXT

if TYPE_CHECKING:
    from tallystick.audit.questions.reconcile import Fate, Reconciled
    from tallystick.audit.views.exchanges import Agreement, Exchange
    from tallystick.sdk.auditing import Audited
    from tallystick.sdk.ledgers import Ledgers

_DOES_NOT_MATCH = 1
_ABSENT = ("received-not-sent", "sent-not-received")


@click.command()
@click.argument("one", required=False, metavar="[A", type=BureauId())
@click.argument("other", required=False, metavar="B]", type=BureauId())
@click.option(
    "--exchange", metavar="ID", type=TEXT, help="Only this exchange: its whole id, or the short form shown for it."
)
@on_day
@read_from
@command
def reconcile(session: Session, one: str | None, other: str | None, exchange: str | None, on: str | None) -> int:
    """Hold both halves of every exchange together, or of those between A and B: what matches, differs, stands alone.

    A half alone is one side's word, and says which ledger shows no other up to where; halves that differ convict
    neither. Every ledger is read whole, so that no half was left out within the coverage. An exchange asked for by its
    whole id is looked up in the indexes instead: both halves are proven where both are shown, that one is not shown
    proves nothing. Exit code 1 where something does not match.

    \b
    Examples:
      tally reconcile market-regulation taxation --lang zh
      tally reconcile --exchange 01a21113-f859-7f0a-9ca0-b0ff1e9066c5
      tally reconcile --exchange 7QK2M9
    """
    from tallystick.audit.questions.reconcile import reconcile as reconcile_all
    from tallystick.audit.questions.reconcile import reconciled_json

    if exchange is not None and one is not None:
        raise click.UsageError("bureaus and --exchange cannot be combined", click.get_current_context())
    if one is not None and one == other:
        raise click.UsageError("both are one bureau; two are held together", click.get_current_context())
    with session.ledgers() as ledgers:
        bureaus = [ledgers.charter.ledger_of(bureau).id for bureau in (one, other) if bureau is not None]
        if exchange is not None:
            audited, answer = _one_exchange(session, ledgers, exchange, on)
        else:
            audited = from_full_pass(session, ledgers, on, absent=_ABSENT)
            answer = reconcile_all(audited.seen, bureaus)
    if not session.output.json:
        _Lines(session, audited, answer).print()
    code = 0 if answer.all_match else _DOES_NOT_MATCH
    if exchange is not None and not answer.matched and not answer.others:
        code = NOTHING
    return end(session, audited, reconciled_json(answer, audited.seen), code)


def _one_exchange(session: Session, ledgers: Ledgers, exchange: str, on: str | None) -> tuple[Audited, Reconciled]:
    """By its whole id from the indexes; by its short form, which no index knows, from a full pass."""
    from tallystick.audit.questions.reconcile import Named, inquire, reconcile_some
    from tallystick.core.identifiers import short_form_in
    from tallystick.sdk.exchange import parse_exchange

    id_ = parse_exchange(exchange).exchange
    if (short_form := short_form_in(exchange)) is not None:
        named = Named(short_form, id_)
        audited = from_full_pass(session, ledgers, on, named, absent=_ABSENT)
        return audited, reconcile_some(named.exchanges(audited.seen), audited.seen, full=True)
    audited = from_indexes(session, ledgers, on, inquire(id_))
    return audited, reconcile_some(audited.seen.exchanges.of(id_), audited.seen, full=False)


class _Lines:
    """What is printed of an answer, in one language."""

    def __init__(self, session: Session, audited: Audited, answer: Reconciled) -> None:
        from tallystick.audit.words import Words

        self._output = session.output
        self._say = session.output.say
        self._seen = audited.seen
        self._full = audited.coverage.full
        self._answer = answer
        self._words = Words(audited.seen.charter, session.language)

    def print(self) -> None:
        """What matches, then what does not, then how many of either."""
        answer, say, name = self._answer, self._say, self._words.bureau
        self._output.table(
            (say("from", "提供方"), say("to", "使用方"), say("matched", "相符"), say("by", "依据")),
            [[name(each.sender), name(each.receiver), f"{count:,}", self._by(each)] for each, count in answer.matched],
        )
        if answer.matched and answer.others:
            self._output.line()
        self._output.table(
            (
                say("exchange", "交换"),
                say("from", "提供方"),
                say("to", "使用方"),
                say("halves", "两联"),
                say("proven", "证明程度"),
            ),
            [
                [
                    self._seen.exchange_name(exchange.key.id),
                    name(exchange.key.sender),
                    name(exchange.key.receiver),
                    self._halves(fate, exchange),
                    self._standing(fate),
                ]
                for fate, exchange in answer.others
            ],
        )
        if answer.matched or answer.others:
            self._output.line()
        self._output.line(self._counts())

    def _by(self, agreement: Agreement) -> str:
        """What both halves say alike, and what they cannot be held against each other by."""
        say, label = self._say, self._label
        names = [say("id", "编号"), *(label(name) for name in agreement.by)]
        said = [", ".join(names)]
        if agreement.digests == 0:
            said.append(say("no digests on either side", "双方均无摘要"))
        elif agreement.digests == 1:
            said.append(say("a digest on one side only", "仅一方有摘要"))
        if agreement.imported:
            said.append(say("brought in from elsewhere", "外部导入"))
        return say("; ", "；").join(said)

    def _halves(self, fate: Fate, exchange: Exchange) -> str:
        """Who says what of it, and where; and where nothing is said."""
        from tallystick.audit.questions.reconcile import Fate

        say = self._say
        parts = []
        for half, verb in ((exchange.sent, say("sent", "发送")), (exchange.received, say("received", "接收"))):
            if half is not None:
                words = ", ".join(
                    f"{self._label(each.name)} {each.sent if half is exchange.sent else each.received}"
                    for each in exchange.differences
                )
                words = f" {words}" if words else ""
                parts.append(say(f"{half.reference} says it {verb}{words}", f"{half.reference} 称已{verb}{words}"))
        if exchange.failed:
            said_by = ", ".join(exchange.failed)
            parts.append(say(f"{said_by} says it failed", f"{said_by} 称交换失败"))
        if fate in (Fate.UNMATCHED, Fate.NOT_JUDGED):
            parts.append(self._missing(fate, exchange))
        return say("; ", "；").join(parts)

    def _missing(self, fate: Fate, exchange: Exchange) -> str:
        """What is known of the half that is not there."""
        from tallystick.audit.questions.reconcile import Fate, up_to

        say, name = self._say, self._words.bureau(exchange.missing)
        sending = exchange.sent is None
        what, zh = ("sending", "发送") if sending else ("receipt", "接收")
        last = up_to(exchange, self._seen)
        if fate is Fate.NOT_JUDGED and last is not None:
            return say(f"recorded while {name} was being read", f"在读取{name}台账期间入账")
        if fate is Fate.NOT_JUDGED:
            return say(f"the ledger of {name} is not covered", f"{name}的台账未覆盖")
        if not self._full:
            return say(f"no {what} by {name} was shown", f"未见{name}的{zh}记录")
        return say(f"the ledger of {name} shows no {what} up to #{last}", f"{name}的台账至 #{last} 无{zh}记录")

    def _standing(self, fate: Fate) -> str:
        from tallystick.audit.questions.reconcile import Fate

        say = self._say
        match fate:
            case Fate.DIFFERING:
                return say("two signed claims differ, neither is convicted", "两份签署之言不一，不归责任一方")
            case Fate.NOT_JUDGED:
                return say("not covered", "未覆盖")
        return say("one side's word", "一方之言")

    def _counts(self) -> str:
        from tallystick.audit.questions.reconcile import Fate

        say, answer = self._say, self._answer
        if not answer.matched and not answer.others:
            if self._full:
                return say("No exchange within the coverage.", "核查范围内无交换。")
            return say("No half of this exchange was shown.", "未见该交换的任何一方记录。")
        said = [say(f"{answer.count:,} matched", f"{answer.count:,} 项相符")]
        for fate, en, zh in (
            (Fate.DIFFERING, "with halves that differ", "项收发不符"),
            (Fate.UNMATCHED, "with one half alone", "项仅有一方"),
            (Fate.FAILED, "failed", "项失败"),
            (Fate.NOT_JUDGED, "not judged", "项未判断"),
        ):
            if count := len(answer.of(fate)):
                said.append(say(f"{count:,} {en}", f"{count:,} {zh}"))
        return say(", ", "，").join(said) + say(".", "。")

    def _label(self, name: str) -> str:
        """What a field of a half is called."""
        from tallystick.core.kinds import BY_NAME

        use = BY_NAME["DataReceived"].use(name)
        return name if use is None else use.label(self._words.language)
