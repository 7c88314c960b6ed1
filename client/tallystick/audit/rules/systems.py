"""Rules on systems: alive and used by nobody, in use and joined to nothing, in use and accepted by nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tallystick.audit.finding import Standing
from tallystick.audit.rule import Findings, rule
from tallystick.audit.seen import Seen
from tallystick.audit.views.systems import System


@rule(
    named="僵尸系统",
    en="{bureau} keeps {system} alive, and nobody is recorded to have used it since {since}",
    zh="{bureau} 的系统 {system} 仍在运行，自 {since} 起无使用记录",
    standing=Standing.ABSENT,
    set_by=("zombie_days",),
)
def zombie_system(system: System, seen: Seen) -> Findings:
    """Neither users nor operations reported, nor an entry that names it, for as long as the charter says."""
    days = seen.rulebook.thresholds.zombie_days
    idle = seen.systems.last_day(system, seen.as_of) - system.idle_since
    if days is None or system.retired is not None or idle <= timedelta(days=days):
        return
    if seen.as_of.covers("zombie-system", system.bureau):
        zombie_us = seen.rulebook.calendar.end_us(system.idle_since + timedelta(days=days))
        yield replace(system.entry.finding(system=system.code, since=system.idle_since), at_us=zombie_us)


@rule(
    named="孤岛系统",
    en="{bureau} uses {system}, and none of its actors recorded an exchange in {period} days",
    zh="{bureau} 的系统 {system} 在用，{period} 天内其主体无数据交换记录",
    standing=Standing.ABSENT,
    set_by=("period_days",),
)
def island_system(system: System, seen: Seen) -> Findings:
    """Known for the whole period, in use within it, and never an exchange in it."""
    days = seen.rulebook.thresholds.period_days
    if days is None or system.retired is not None:
        return
    begin = seen.day_before(days, seen.systems.last_day(system, seen.as_of))
    in_use = system.used_until is not None and system.used_until >= begin
    joined = system.exchanged_on is not None and system.exchanged_on >= begin
    if not in_use or joined or system.known_since > begin:
        return
    if seen.as_of.covers("island-system", system.bureau):
        yield system.entry.finding(system=system.code, period=days)


@rule(
    named="未验收上线",
    en="{bureau} uses {system}, whose registration gives no day of acceptance",
    zh="{bureau} 的系统 {system} 已投入使用，其登记未载验收日期",
    standing=Standing.ABSENT,
)
def system_not_accepted(system: System, seen: Seen) -> Findings:
    """Used, not retired since, and the registration that stands gives no day of acceptance that has come."""
    accepted_on = system.entry.said.accepted_on
    if not system.first_use or system.retired is not None or (accepted_on and accepted_on <= seen.day.isoformat()):
        return
    if seen.as_of.covers("system-not-accepted", system.bureau):
        found = system.entry.finding(also=(system.first_use,), system=system.code)
        yield replace(found, at_us=system.first_use_at_us)
