"""Rules on versions that were recalled."""

from __future__ import annotations

from tallystick.audit.rule import Findings, rule
from tallystick.audit.seen import Seen
from tallystick.audit.views.holdings import Holding


@rule(
    named="使用已撤回数据",
    en="{bureau} used {version} {times} after {other} recalled it on {recalled}",
    zh="{other} 于 {recalled} 撤回 {version} 后，{bureau} 仍使用 {times}",
)
def recalled_version_in_use(holding: Holding, seen: Seen) -> Findings:
    """Both when it happened and when it was recorded lie after the recall."""
    recall = holding.recall
    if holding.first_after is not None and recall is not None:
        yield holding.first_after.finding(
            recall.reference,
            version=holding.version,
            times=holding.uses_after,
            other=recall.bureau,
            recalled=seen.rulebook.calendar.day_of(recall.since_us),
        )
