"""Rules on what is declared: a sharing class with its basis, and one datum, one code."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tallystick.audit.entry import On
from tallystick.audit.finding import Absence, Standing
from tallystick.audit.rule import Findings, rule
from tallystick.audit.seen import Seen
from tallystick.audit.views.catalogue import Code, Coded
from tallystick.audit.views.grants import Answered
from tallystick_proto.v1.statement_pb2 import (
    DataSent,
    ResourceDeclared,
    ResourceWithdrawn,
    VersionProvided,
    VersionRecalled,
)

CONDITIONAL, WITHHELD = ResourceDeclared.CONDITIONAL, ResourceDeclared.WITHHELD


@rule(
    named="不予共享无依据",
    en="{bureau} withholds {resource} and cites nothing",
    zh="{bureau} 将 {resource} 列为不予共享，未列依据",
)
def withheld_without_basis(declared: On[ResourceDeclared], seen: Seen) -> Findings:
    """Any stated basis passes; whether it is a good one is `hollow-basis`, and then a person's judgement."""
    if declared.said.sharing != WITHHELD or declared.said.HasField("basis"):  # an unset submessage is truthy
        return
    if seen.as_of.covers("withheld-without-basis", declared.bureau):
        yield declared.finding(resource=declared.head.resource)


@rule(
    named="有条件共享未列条件",
    en="{bureau} shares {resource} on conditions and states none",
    zh="{bureau} 将 {resource} 列为有条件共享，未列条件",
)
def conditional_without_condition(declared: On[ResourceDeclared], seen: Seen) -> Findings:
    """Any stated condition passes."""
    if declared.said.sharing != CONDITIONAL or declared.said.HasField("condition"):
        return
    if seen.as_of.covers("conditional-without-condition", declared.bureau):
        yield declared.finding(resource=declared.head.resource)


@rule(
    named="依据空泛",
    en="{bureau} restricts {resource} and states as its ground only “{words}”",
    zh="{bureau} 限制共享 {resource}，所列依据仅为“{words}”",
)
def hollow_basis(declared: On[ResourceDeclared], seen: Seen) -> Findings:
    """Words the charter lists as no basis; a code given beside them is one."""
    said = declared.said
    ground = {WITHHELD: said.basis, CONDITIONAL: said.condition}.get(said.sharing)
    if ground is None or not ground.words or ground.code or not seen.rulebook.is_hollow(ground.words):
        return
    if seen.as_of.covers("hollow-basis", declared.bureau):
        yield declared.finding(resource=declared.head.resource, words=ground.words)


@rule(
    named="有名无实的有条件共享",
    en="{bureau} shares {resource} on conditions, answered {count} requests for it in {period} days and granted none",
    zh="{bureau} 将 {resource} 列为有条件共享，{period} 天内答复共享申请 {count} 件，无一同意",
    standing=Standing.ABSENT,
    set_by=("never_granted_requests", "period_days"),
)
def never_granted(answered: Answered, seen: Seen) -> Findings:
    """Conditional sharing that never happens; a request counts once, however often it was denied.

    One still open is `request-overdue`'s business.
    """
    least, days = seen.rulebook.thresholds.never_granted_requests, seen.rulebook.thresholds.period_days
    declared = seen.catalogue.declared(answered.bureau, answered.resource)
    if least is None or days is None or declared is None or declared.said.sharing != CONDITIONAL:
        return
    since_us = seen.since_us(days)
    denied = [entry for entry in answered.denied if entry.since_us >= since_us]
    granted = [entry for entry in answered.granted if entry.since_us >= since_us]
    if denied and len(denied) >= least and not granted and seen.as_of.covers("never-granted", answered.bureau):
        found = declared.finding(
            also=tuple(entry.reference for entry in denied),
            resource=answered.resource,
            count=len(denied),
            period=days,
        )
        yield replace(found, at_us=denied[-1].since_us)


@rule(
    named="未编目",
    en="{bureau} provides or sends {resource}, which nobody declares",
    zh="{bureau} 提供或发送的 {resource} 未编入目录",
    standing=Standing.ABSENT,
)
def undeclared_resource(entry: On[VersionProvided | DataSent], seen: Seen) -> Findings:
    """A code that nobody declares, or no longer. One that another bureau declares is `foreign-code`.

    What was brought in from elsewhere may be older than a withdrawal. A custodian's grant may stand on a ledger that
    was not read, and then so may the declaration.
    """
    code, catalogue = entry.code, seen.catalogue
    if code and not (catalogue.was_declared(code) if entry.imported else catalogue.declarers(code)):
        yield replace(entry.finding(once=code, resource=code), absent_on=_grant_elsewhere(entry, seen))


def _grant_elsewhere(entry: On[Any], seen: Seen) -> Absence | None:
    """Where the grant would stand under which a custodian says it sends, if that was not read; else None."""
    via = isinstance(entry.said, DataSent) and entry.said.via
    if not via or entry.about is None or entry.about in seen.grants.grants:
        return None
    bureau = seen.bureau_of(entry.about.origin)
    return None if bureau == entry.about.origin else Absence(bureau, entry.about.index, entry.place)


@rule(
    named="越权编码",
    en="{bureau} provides, sends, recalls or withdraws {resource}, which {other} declared and it did not",
    zh="{resource} 由 {other} 编目，{bureau} 未编目而提供、发送、撤回或撤销编目",
)
def foreign_code(entry: On[VersionProvided | VersionRecalled | DataSent | ResourceWithdrawn], seen: Seen) -> Findings:
    """A custodian that sends from a shared store under the grant of who declared it does not speak for itself."""
    if not entry.code or seen.catalogue.has_declared(entry.bureau, entry.code):
        return
    others = seen.catalogue.declarers(entry.code)
    granting = seen.grants.custodian_of(entry)
    if not others or (granting and seen.catalogue.has_declared(granting, entry.code)):
        return
    owner = seen.catalogue.declared(others[0], entry.code)
    if owner is not None:
        found = entry.finding(owner.reference, once=entry.code, resource=entry.code, other=others[0])
        yield replace(found, absent_on=_grant_elsewhere(entry, seen))


@rule(
    named="一码多数",
    en="{bureau} declares {resource}, a code of scheme {scheme} that {other} declares too and recorded first",
    zh="{bureau} 编目的 {resource}（编码体系 {scheme}）与 {other} 入账在先的代码相同",
)
def duplicate_code(code: Code, seen: Seen) -> Findings:
    """One scheme and code that stands on two ledgers; every bureau but the first answers. Of a bureau that was closed
    by then any other takes it over.
    """
    for number, entry in enumerate(code.declared):
        there = (each for each in code.declared[:number] if not seen.closings.before(each.bureau, entry.recorded_at_us))
        first = next(there, None)
        # Either may have withdrawn it where nobody read.
        if first and all(seen.as_of.covers("duplicate-code", each.bureau) for each in (first, entry)):
            resource, scheme = entry.head.resource, entry.said.scheme
            yield entry.finding(first.reference, resource=resource, scheme=scheme, other=first.bureau)


@rule(
    named="一数多码",
    en="{bureau} provided as {version} the very data that {other} provided as {first}",
    zh="{bureau} 以 {version} 提供的数据，与 {other} 以 {first} 提供的数据完全相同",
)
def datum_coded_twice(coded: Coded, seen: Seen) -> Findings:
    """Two codes whose provided versions carry one open digest. Salted digests cannot be compared, and are not.

    What was recalled, or whose code was withdrawn or bureau closed, before it was provided under the other is coded
    once.
    """
    first, again = coded.first, coded.again
    yield again.finding(first.reference, version=again.head.version, first=first.name, other=first.bureau)


@rule(
    named="未脱敏",
    en="{bureau} provided {version} and states no desensitisation of {fields}",
    zh="{bureau} 提供 {version}，未载明对 {fields} 的脱敏处理",
)
def not_desensitised(provided: On[VersionProvided], seen: Seen) -> Findings:
    """A resource with personal or secret fields. A method without a list of fields speaks of all of them."""
    sensitive = seen.catalogue.sensitive_fields(provided.bureau, provided.code)
    done = provided.said.desensitised
    if provided.said.HasField("desensitised"):
        sensitive = sensitive - set(done.fields) if done.fields else frozenset()
    if sensitive:
        yield provided.finding(version=provided.head.version, fields=sensitive)


@rule(
    named="补记过迟",
    en="{bureau} recorded on {recorded} what it says happened on {happened}, more than {hours} hours before",
    zh="{bureau} 于 {recorded} 补记其所称 {happened} 发生之事，迟于 {hours} 小时",
    standing=Standing.ONE_SIDE,
    set_by=("late_record_hours",),
)
def late_record(entry: On[Any], seen: Seen) -> Findings:
    """By its own word on when it happened. What was brought in from elsewhere is late by nature, and exempt. A time in
    which the bureau was suspended does not count.
    """
    hours = seen.rulebook.thresholds.late_record_hours
    if hours is None or entry.imported or not entry.head.happened_at_us:
        return
    happened_us, recorded_us = entry.head.happened_at_us, entry.recorded_at_us
    suspended_us = seen.suspensions.within_us(entry.bureau, happened_us, recorded_us)
    late = timedelta(microseconds=recorded_us - happened_us - suspended_us)
    if late > timedelta(hours=hours):
        calendar = seen.rulebook.calendar
        yield entry.finding(
            recorded=calendar.day_of(entry.recorded_at_us),
            happened=calendar.day_of(entry.head.happened_at_us),
            hours=hours,
        )
