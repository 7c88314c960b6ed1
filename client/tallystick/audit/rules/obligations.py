"""Rules on what is owed: one sentence a row of the table. When it was due stands in the obligation, not here.

`{late}` is "is" or "was" in English, and in Chinese 未 or nothing before the verb: whether it was answered since.
Late is late, whether it was answered in the end or not, and by as much as it was when a closing ended it, or before
who owes was suspended; only what goes stale is as good as new once renewed. What another opened says since when its
clock runs, and how that is known (`Served`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tallystick.audit.finding import Fact, Found, Standing
from tallystick.audit.rule import Findings, rule
from tallystick.audit.seen import Seen
from tallystick.audit.views.owed import Owed, Served


def overdue(owed: Owed, seen: Seen, **facts: Fact) -> Iterator[Found]:
    """What is said of any obligation that is late: answered late is proven, not answered is an absence.

    How late an answer was is one side's word where the clock's start is nothing but the word of another's node.
    """
    if not owed.late or owed.deadline_us is None:
        return
    answered = () if owed.met is None else (owed.met.reference,)
    by_word = owed.served is Served.BY_WORD and owed.bureau != owed.opened.bureau
    met_late = Standing.ONE_SIDE if by_word else Standing.PROVEN
    yield owed.opened.finding(
        bureau=owed.bureau,
        also=answered,
        standing=Standing.ABSENT if owed.met is None else met_late,
        days=owed.late_days,
        late=_late(owed),
        other=owed.opened.bureau,
        due=seen.rulebook.calendar.day_of(owed.deadline_us - 1),
        since=seen.rulebook.calendar.day_of(owed.served_us),
        served=owed.served.value,
        **facts,
    )


def _late(owed: Owed) -> str:
    if owed.met is not None:
        return "was-late"
    if owed.closing is None:
        return "still-late" if owed.suspended is None else "late-when-suspended"
    return "late-when-closed" if owed.closing.bureau == owed.bureau else "late-when-other-closed"


@rule(
    named="申请逾期未答复",
    en="{bureau} {late} {days} late in answering {other}'s request for {resource}, due {due},"
    " counted from {since}, {served}",
    zh="{bureau} 对 {other} 申请 {resource} 的答复期限为 {due}，逾期{days}{late}答复，自 {since} 起算，{served}",
    standing=Standing.ABSENT,
)
def request_overdue(owed: Owed, seen: Seen) -> Findings:
    """Granting, denying, or the request's withdrawal is an answer; a clarification asked stops the clock."""
    return overdue(owed, seen, resource=owed.opened.code)


@rule(
    named="同意未提供",
    en="{bureau} granted {resource} to {to} and {late} {days} late in sending it, due {due}",
    zh="{bureau} 同意向 {to} 共享 {resource}，提供期限为 {due}，逾期{days}{late}提供",
    standing=Standing.ABSENT,
)
def granted_not_served(owed: Owed, seen: Seen) -> Findings:
    """Nothing sent under the grant, by who granted or from a shared store; what cites no grant is sent under any.

    Any bureau may keep the shared store, so that nothing was sent in time is proven only where all were read.
    """
    all_read = seen.as_of.covered >= {bureau.id for bureau in seen.charter.ledgers}
    for found in overdue(owed, seen, resource=owed.opened.code, to=owed.opened.head.counterparty):
        yield found if all_read else replace(found, standing=Standing.ABSENT)


@rule(
    named="有发无收",
    en="{other} says it sent exchange {exchange} to {bureau}, which recorded no receipt by {due},"
    " counted from {since}, {served}",
    zh="{other} 称已向 {bureau} 发送交换 {exchange}，{bureau} 至 {due} 无接收记录，自 {since} 起算，{served}",
    standing=Standing.ONE_SIDE,
)
def sent_not_received(owed: Owed, seen: Seen) -> Findings:
    """A claim, and no acknowledgement in the coverage. Never that data moved."""
    for found in overdue(owed, seen, exchange=seen.exchange_name(owed.opened.head.exchange)):
        if owed.met is None:
            yield replace(found, standing=Standing.ONE_SIDE)


@rule(
    named="校核逾期",
    en="{bureau} {late} {days} late in answering a concern of {other}, due {due}, counted from {since}, {served}",
    zh="{bureau} 对 {other} 所提疑义的答复期限为 {due}，逾期{days}{late}答复，自 {since} 起算，{served}",
    standing=Standing.ABSENT,
)
def dispute_overdue(owed: Owed, seen: Seen) -> Findings:
    """Whatever the concern is: clarification, quality, not received, an incident, a finding."""
    return overdue(owed, seen)


@rule(
    named="撤回未处置",
    en="{bureau} received {version}, which {other} recalled, and {late} {days} late in saying what it did, due {due},"
    " counted from {since}, {served}",
    zh="{bureau} 曾接收 {other} 已撤回的 {version}，签收期限为 {due}，逾期{days}{late}签收，自 {since} 起算，{served}",
    standing=Standing.ABSENT,
)
def recall_unheeded(owed: Owed, seen: Seen) -> Findings:
    """Whoever had received the version when it was recalled."""
    return overdue(owed, seen, version=owed.opened.head.version)


@rule(
    named="衍生数据未更正",
    en="{bureau} made {derived} from {version}, which {other} recalled, and had not corrected it by {due},"
    " counted from {since}, {served}",
    zh="{bureau} 的 {derived} 由 {other} 已撤回的 {version} 衍生，至 {due} 未更正，自 {since} 起算，{served}",
    standing=Standing.ABSENT,
)
def derived_not_corrected(owed: Owed, seen: Seen) -> Findings:
    """Corrected by recalling the derived version, or by acknowledging the recall as corrected or destroyed."""
    derived = owed.derived_version
    made = seen.catalogue.versions.get(derived)
    references = () if made is None else (made.reference,)
    for found in overdue(owed, seen, version=owed.opened.head.version, derived=derived):
        yield replace(found, references=(*found.references, *references))


@rule(
    named="责任未认领",
    en="{bureau} {late} {days} late in accepting or declining {other}'s assignment as {duty} of {scope}, due {due},"
    " counted from {since}, {served}",
    zh="{other} 指定 {bureau} 承担 {scope} 的{duty}责任，答复期限为 {due}，逾期{days}{late}答复，"
    "自 {since} 起算，{served}",
    standing=Standing.ABSENT,
)
def duty_unaccepted(owed: Owed, seen: Seen) -> Findings:
    """Declining is an answer too."""
    assigned = seen.duties.at(owed.opened.place)
    if assigned is not None:
        yield from overdue(owed, seen, duty=assigned.duty_name, scope=assigned.scope.fact)


@rule(
    named="逾期未更新",
    en="{bureau} promised {resource} anew by {due} and has provided nothing since {version}",
    zh="{bureau} 的 {resource} 更新期限为 {due}，自 {version} 起未再提供",
    standing=Standing.ABSENT,
)
def stale_resource(owed: Owed, seen: Seen) -> Findings:
    """While it is stale: what came late is in the ratio of updates on time."""
    if owed.met is None and seen.catalogue.declared(owed.bureau, owed.opened.code) is not None:
        yield from overdue(owed, seen, resource=owed.opened.code, version=owed.opened.head.version)
