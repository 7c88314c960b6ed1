"""Rules on looking data up: at night, in bulk, for no case. Counted in the open; whom it was about stays hidden."""

from __future__ import annotations

from tallystick.audit.entry import On
from tallystick.audit.finding import Fact, Found, Standing
from tallystick.audit.rule import Findings, rule
from tallystick.audit.seen import Seen
from tallystick.audit.views.lookups import OfficerDay
from tallystick_proto.v1.statement_pb2 import DataUsed


@rule(
    named="夜间查询",
    en="officer {officer} of {bureau} looked data up {times} in the night of {day}",
    zh="{bureau} 经办人 {officer} 于 {day} 夜间查询 {times}",
    standing=Standing.ONE_SIDE,
    set_by=("night",),
)
def night_use(day: OfficerDay, seen: Seen) -> Findings:
    """The charter's night, by the officer's own word on when it happened."""
    if day.at_night:
        facts: dict[str, Fact] = {"officer": day.officer, "times": day.at_night, "day": day.day}
        yield Found(day.bureau, (day.first_at_night,), day.first_at_night_us, facts)


@rule(
    named="批量查询",
    en="officer {officer} of {bureau} looked data up {times} on {day}, of {most} the charter allows for",
    zh="{bureau} 经办人 {officer} 于 {day} 查询 {times}，超过章程所定 {most} 次",
    standing=Standing.ONE_SIDE,
    set_by=("bulk_uses_per_day",),
)
def bulk_use(day: OfficerDay, seen: Seen) -> Findings:
    """More uses by one officer in a day than the charter allows for, by his own word on which day it was."""
    most = seen.rulebook.thresholds.bulk_uses_per_day
    if most is not None and day.uses > most:
        facts: dict[str, Fact] = {"officer": day.officer, "times": day.uses, "day": day.day, "most": most}
        yield Found(day.bureau, (day.first,), day.first_at_us, facts)


@rule(
    named="无办件查询",
    en="{officer} of {bureau} used {resource} and names no case",
    zh="{bureau} 的 {officer} 使用 {resource}，未注明办件",
)
def use_without_case(used: On[DataUsed], seen: Seen) -> Findings:
    """Once a resource and whoever looked; what was brought in from elsewhere may name no case."""
    if not used.head.case and not used.imported:
        by = used.head.officer or used.head.actor
        yield used.finding(once=(used.code, by), resource=used.code, officer=by)
