"""Rules on who may have what: grants before sending, use within the grant."""

from __future__ import annotations

from tallystick.audit.entry import On, place_of
from tallystick.audit.finding import Standing
from tallystick.audit.rule import Findings, rule
from tallystick.audit.seen import Seen
from tallystick.audit.views.grants import Grant
from tallystick.audit.views.systems import System
from tallystick_proto.v1.statement_pb2 import AccessDenied, DataSent, DataUsed, ResourceDeclared


@rule(
    named="无授权提供",
    en="{bureau} sent {resource} to {to} and {why}",
    zh="{bureau} 向 {to} 发送 {resource}，{why}",
)
def access_without_grant(sent: On[DataSent], seen: Seen) -> Findings:
    """What is shared unconditionally needs no grant; what was brought in from elsewhere may cite none."""
    declared = seen.catalogue.standing(sent.bureau, sent.code)
    if sent.imported or declared is None or declared.said.sharing == ResourceDeclared.UNCONDITIONAL:
        return
    to, at_us = sent.head.counterparty, sent.since_us
    grant = seen.grants.grants.get(sent.about) if sent.about is not None else None
    if sent.about is None:
        yield sent.finding(once=(to, sent.code), resource=sent.code, to=to, why="cites-no-grant")
    elif grant is not None and not (
        grant.to == to and grant.resource == sent.code and grant.in_force(at_us, seen.day_of(at_us))
    ):
        yield sent.finding(grant.entry.reference, once=sent.about, resource=sent.code, to=to, why="grant-does-not-hold")


@rule(
    named="超授权使用",
    en="{bureau} used {resource} beyond what {other} granted: {what} {value}",
    zh="{bureau} 使用 {resource} 超出 {other} 的授权：{what} {value}",
)
def beyond_grant(used: On[DataUsed], seen: Seen) -> Findings:
    """Another bureau's resource, not shared unconditionally, used outside every grant of it to this bureau.

    A grant that the use names is the one it is held against. Without any grant in the coverage the use is one too, of
    nothing granted, where the provider's ledger is there to be asked.
    """
    owner = seen.catalogue.standing(used.bureau, used.code)
    if owner is None or owner.bureau == used.bureau or owner.said.sharing == ResourceDeclared.UNCONDITIONAL:
        return
    named = seen.grants.grants.get(used.about) if used.about is not None else None
    grants = (named,) if named is not None else seen.grants.held(used.bureau, used.code)
    strays = [_stray(used, grant, seen) for grant in grants]
    if None in strays or (used.about is not None and named is None):
        return
    what, value = strays[-1] or ("", "") if strays else ("grant", "")
    reference = (grants[-1].entry.reference,) if grants else (owner.reference,)
    yield used.finding(
        *reference, once=(used.code, what, value), resource=used.code, other=owner.bureau, what=what, value=value
    )


def _stray(used: On[DataUsed], grant: Grant, seen: Seen) -> tuple[str, str] | None:
    """Where a use goes beyond a grant: in which respect, and what it says there. None where it does not."""
    at_us = used.happened_at_us
    fields = [name for name in used.said.fields if grant.entry.said.fields and name not in grant.entry.said.fields]
    if grant.to != used.bureau or grant.resource != used.code:
        return "grant", grant.entry.reference
    if not grant.in_force(at_us, seen.day_of(at_us)):
        return "day", seen.day_of(at_us)
    if fields:
        return "fields", ", ".join(fields)
    if grant.purpose and used.said.purpose != grant.purpose:
        return "purpose", used.said.purpose
    if grant.system and used.head.system and used.head.system != grant.system:
        return "system", used.head.system
    return None


@rule(
    named="系统已停授权未收",
    en="{bureau} left its grant of {resource} to {other} in force after {other}'s system {system} was retired",
    zh="{other} 的系统 {system} 已下线，{bureau} 对 {resource} 的授权未收回",
    standing=Standing.ABSENT,
)
def grant_outlives_system(system: System, seen: Seen) -> Findings:
    """A grant that names the system, held on the day judged, after the day of retirement."""
    retired = system.retired
    if retired is None or seen.rulebook.calendar.day_of(retired.since_us) >= seen.day:
        return
    for grant in seen.grants.of_system(system.bureau, system.code):
        at_us = seen.as_of.at_us - 1
        held = grant.in_force(at_us, seen.day_of(at_us)) and grant.entry.since_us < retired.since_us
        if held and seen.as_of.covers("grant-outlives-system", grant.provider):
            yield grant.entry.finding(
                retired.reference, resource=grant.resource, other=system.bureau, system=system.code
            )


@rule(
    named="不同意共享未说明理由",
    en="{bureau} denied {to} access to {resource} and gave no reason",
    zh="{bureau} 不同意 {to} 共享 {resource}，未说明理由",
)
def denied_without_reason(denied: On[AccessDenied], seen: Seen) -> Findings:
    """Either words or a basis is a reason."""
    if denied.said.reason or denied.said.HasField("basis"):
        return
    request = seen.grants.requests.get(place_of(denied.head.about))
    resource = denied.head.resource or ("" if request is None else request.entry.head.resource)
    to = denied.head.counterparty or ("" if request is None else request.entry.bureau)
    yield denied.finding(resource=resource, to=to)
