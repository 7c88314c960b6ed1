"""Ask: `tally access`, who may have a resource, and who had it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

import click

from tallystick.cli.options import Session, command
from tallystick.cli.questions.asking import NOTHING, end, from_indexes, on_day
from tallystick.cli.references import Code

if TYPE_CHECKING:
    from tallystick.audit.questions.access import Access
    from tallystick.audit.views.exchanges import Exchange
    from tallystick.audit.views.grants import Grant, Request
    from tallystick.sdk.auditing import Audited

_STATES: Final = {
    "in-force": ("in force", "有效"),
    "ended": ("ended", "已终止"),
    "expired": ("expired", "已到期"),
    "denied": ("denied", "不同意"),
    "unanswered": ("no answer was shown", "未见答复"),
}


@click.command()
@click.argument("resource", metavar="CODE", type=Code())
@on_day
@command
def access(session: Session, resource: str, on: str | None) -> int:
    """Say who may have a resource and on what terms, who asked and was not granted it, and who had it.

    How it is shared is its declarers' word; a grant or a denial is its provider's. Of the exchanges between two bureaus
    the last is shown, with the grant it cites.

    The indexes are asked: each entry shown is proven; that a grant ended without its being shown is not excluded.
    `tally audit --rule access-without-grant` reads every ledger whole.

    \b
    Examples:
      tally access SCJG-0012
      tally access SCJG-0012 --on 2027-03-09 --lang zh
    """
    from tallystick.audit.questions.access import access as access_of
    from tallystick.audit.questions.access import access_json, inquire

    with session.ledgers() as ledgers:
        audited = from_indexes(session, ledgers, on, inquire(resource, ledgers.charter))
    answer = access_of(resource, audited.seen)
    output = session.output
    if not output.json and answer.is_known:
        _Lines(session, audited).print(answer)
    elif not output.json:
        output.line(output.say(f"Nothing was shown of {resource}.", f"未见 {resource} 的记录。"))
    return end(session, audited, access_json(answer, audited.seen), 0 if answer.is_known else NOTHING)


class _Lines:
    """Prints what was shown of a resource, in one language."""

    def __init__(self, session: Session, audited: Audited) -> None:
        from tallystick.audit.words import Words
        from tallystick.cli.questions.halves import Halves

        self._output = session.output
        self._seen = audited.seen
        self._words = Words(audited.seen.charter, session.language)
        self._say = self._words.say
        self._halves = Halves(self._words, audited)

    def print(self, answer: Access) -> None:
        """How it is shared; then who may have it, who was not granted it, and who had it."""
        say = self._say
        for line in self._declared(answer):
            self._output.line(line)
        self._part(
            say("Granted:", "授权："),
            say("No grant was shown.", "未见授权。"),
            [self._grant(each) for each in answer.grants],
        )
        if answer.requests:
            self._part(say("Asked for, and not granted:", "申请未获同意："), "", [*map(self._request, answer.requests)])
        self._part(
            say("The last exchanges:", "最近交换："),
            say("No exchange was shown.", "未见交换。"),
            [self._exchange(each) for each in answer.exchanges],
        )

    def _part(self, title: str, none: str, rows: list[list[str]]) -> None:
        self._output.line(title if rows else none)
        self._output.table(None, rows)

    def _declared(self, answer: Access) -> list[str]:
        from tallystick.audit.finding import Standing
        from tallystick.audit.questions.access import ground
        from tallystick.core.kinds import enum_label
        from tallystick_proto.v1.statement_pb2 import ResourceDeclared

        lines = []
        for each in answer.declared:
            shared = enum_label(ResourceDeclared.Sharing.DESCRIPTOR, each.said.sharing, self._words.language)
            told = [shared, *filter(None, [ground(each)])]
            if each.said.public:
                told.append(self._say("open to the public", "向社会开放"))
            told.append(Standing.PROVEN.label(self._words.language))
            bureau, said = self._words.bureau(each.bureau), self._say("; ", "；").join(told)
            lines.append(
                self._say(
                    f"{answer.code}, declared by {bureau}, {each.reference}: {said}.",
                    f"{answer.code}，{bureau}编目，{each.reference}：{said}。",
                )
            )
        none = self._say(f"No declaration of {answer.code} that stands was shown.", f"未见 {answer.code} 的有效编目。")
        return lines or [none]

    def _grant(self, grant: Grant) -> list[str]:
        from tallystick.audit.finding import Standing
        from tallystick.audit.questions.access import grant_state

        say, said = self._say, grant.entry.said
        terms = [grant.purpose, grant.system and say(f"for system {grant.system}", f"系统 {grant.system}")]
        terms.append(say(", ", "、").join(sorted(grant.fields)))
        terms += said.conditions
        entries = [] if grant.request is None else [grant.request.entry.reference]
        entries += [grant.entry.reference, *([] if grant.ended is None else [grant.ended.reference])]
        return [
            self._words.bureau(grant.to),
            say(f"from {self._words.bureau(grant.provider)}", f"{self._words.bureau(grant.provider)}同意"),
            say(*_STATES[grant_state(grant, self._seen)]),
            say(f"until {said.until}", f"至{self._words.day(date.fromisoformat(said.until))}") if said.until else "",
            say("; ", "；").join(filter(None, terms)),
            " ".join(entries),
            Standing.PROVEN.label(self._words.language),
        ]

    def _request(self, request: Request) -> list[str]:
        from tallystick.audit.questions.access import request_answer, request_standing

        state, answer = request_answer(request)
        asked = self._words.bureau(request.entry.head.counterparty)
        entries = [request.entry.reference, *([] if answer is None else [answer.reference])]
        return [
            self._words.bureau(request.entry.bureau),
            self._say(f"of {asked}", f"向{asked}申请"),
            self._say(*_STATES[state]),
            "",
            request.entry.said.purpose,
            " ".join(entries),
            request_standing(request).label(self._words.language),
        ]

    def _exchange(self, exchange: Exchange) -> list[str]:
        from tallystick.audit.questions.access import granted_by
        from tallystick.audit.questions.holders import either

        say, cited = self._say, " ".join(granted_by(exchange, self._seen))
        sender, half = self._words.bureau(exchange.key.sender), either(exchange)
        return [
            self._words.bureau(exchange.key.receiver),
            say(f"from {sender}", f"{sender}提供"),
            half.version or half.resource,
            self._halves.named(exchange),
            say(f"under {cited}", f"依据 {cited}") if cited else say("cites no grant", "未引用同意"),
            self._halves.references(exchange),
            self._halves.standing(exchange),
        ]
