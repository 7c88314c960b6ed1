"""Rules on responsibility: nobody is released until somebody accepted, and who approves supervises."""

from __future__ import annotations

from tallystick.audit.finding import Standing
from tallystick.audit.rule import Findings, rule
from tallystick.audit.seen import Seen
from tallystick.audit.views.duties import Gap, Unsupervised


@rule(
    named="责任空档",
    en="{bureau} still answers as {duty} of {scope}: the duty ended on {since}, and nobody has accepted it since",
    zh="{scope} 的{duty}责任自 {since} 起无人认领，仍由 {bureau} 承担",
    standing=Standing.ABSENT,
)
def duty_gap(gap: Gap, seen: Seen) -> Findings:
    """A duty released or ended with no accepted successor; never mere absence, nor the end of an abolished matter."""
    last = gap.last
    released = () if last.released is None else (last.released.reference,)
    yield last.entry.finding(
        bureau=gap.answers, also=released, duty=last.duty_name, scope=last.scope.fact, since=gap.since
    )


@rule(
    named="有审批无监管",
    en="{scope} is approved by {approver} and has had no supervisor since {since}; {bureau} answers",
    zh="{scope} 由 {approver} 审批，自 {since} 起无监管单位，由 {bureau} 承担",
    standing=Standing.ABSENT,
)
def approver_without_supervisor(unsupervised: Unsupervised, seen: Seen) -> Findings:
    """Where no supervisor is assigned the steward's bureau answers, where no steward the bureau's chief."""
    approver, last = unsupervised.approver, unsupervised.last_supervisor
    others = () if last is None else (last.entry.reference,)
    yield approver.entry.finding(
        bureau=unsupervised.answers,
        also=others,
        scope=approver.scope.fact,
        approver=approver.holder,
        since=unsupervised.since,
    )
