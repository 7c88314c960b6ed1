"""Rules on who may have what: grants before sending, use within the grant."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from tallystick.audit.entry import On, Place, place_of
from tallystick.audit.finding import Absence, Standing
from tallystick.audit.rule import Findings, rule
from tallystick.audit.seen import Seen
from tallystick.audit.views.grants import Grant
from tallystick.audit.views.systems import System
from tallystick_proto.v1.statement_pb2 import AccessDenied, AccessEnded, DataSent, DataUsed, ResourceDeclared


def _unread(entry: On[Any], cited: Place, seen: Seen) -> Absence | None:
    """Whose ledger must have been read up to where, before what is cited can be called no grant.

    Nothing can cite what comes after it on its own ledger, and no ledger but one of the charter grants anything; that
    needs no looking.
    """
    bureau = seen.bureau_of(cited.origin)
    known = bureau != cited.origin and cited.origin != entry.place.origin
    return Absence(bureau, cited.index, entry.place) if known else None


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
    to, cited = sent.head.counterparty, sent.about
    grant = seen.grants.grants.get(cited) if cited is not None else None
    if cited is None:
        yield sent.finding(once=(to, sent.code), resource=sent.code, to=to, why="cites-no-grant")
    elif grant is None:
        found = sent.finding(once=cited, resource=sent.code, to=to, why="not-a-grant")
        yield replace(found, absent_on=_unread(sent, cited, seen))
    elif not _allows(sent, grant, seen):
        yield sent.finding(grant.entry.reference, once=cited, resource=sent.code, to=to, why="grant-does-not-hold")


def _allows(sent: On[DataSent], grant: Grant, seen: Seen) -> bool:
    """Whether a grant is for whom and what was sent, by whose data it is, and in force."""
    # It was there to be cited: a clock that runs behind its own makes it no later.
    at_us = max(sent.since_us, grant.entry.since_us)
    same = grant.to == sent.head.counterparty and grant.resource == sent.code
    given = seen.catalogue.has_declared(grant.provider, sent.code)
    return same and given and grant.in_force(at_us, seen.day_of(at_us))


class Stray(NamedTuple):
    """In which respect a use goes beyond what was granted, and what it says there; "" where that says it all."""

    what: str
    value: str | date | frozenset[str] = ""


@rule(
    named="超授权使用",
    en="{bureau} used {resource} beyond what {other} granted: {what}{value}",
    zh="{bureau} 使用 {resource} 超出 {other} 同意的范围：{what}{value}",
)
def beyond_grant(used: On[DataUsed], seen: Seen) -> Findings:
    """Another bureau's resource, not shared unconditionally, used outside every grant of it to this bureau.

    A grant that the use names is the one it is held against, and proves it. Without one it is held against all there
    are, which is an absence on the provider's ledger; what was brought in from elsewhere need name none.
    """
    owner, cited = seen.catalogue.standing(used.bureau, used.code), used.about
    if owner is None or owner.bureau == used.bureau or owner.said.sharing == ResourceDeclared.UNCONDITIONAL:
        return
    absent_on: Absence | None
    if cited is None:
        if used.imported:
            return
        grants, stray = seen.grants.held(used.bureau, used.code), Stray("no-grant")
        standing, absent_on = Standing.ABSENT, Absence(owner.bureau)
    else:
        named = seen.grants.grants.get(cited)
        grants, stray = () if named is None else (named,), Stray("not-a-grant")
        standing, absent_on = Standing.PROVEN, _unread(used, cited, seen) if named is None else None
    for grant in grants:
        beyond = _stray(used, grant, seen)
        if beyond is None:
            return
        stray = beyond
    found = used.finding(
        grants[-1].entry.reference if grants else owner.reference,
        standing=standing,
        once=(used.code, stray.what, "" if stray.what == "day" else stray.value),
        resource=used.code,
        other=owner.bureau,
        what=stray.what,
        value=stray.value,
    )
    yield replace(found, absent_on=absent_on)


def _stray(used: On[DataUsed], grant: Grant, seen: Seen) -> Stray | None:
    """Where a use goes beyond a grant. None where it does not."""
    # Two ledgers' clocks differ: on the day of the grant, a use counts as after it.
    day, granted_us = seen.day_of(used.happened_at_us), grant.entry.since_us
    at_us = max(used.happened_at_us, granted_us) if day == seen.day_of(granted_us) else used.happened_at_us
    beyond = frozenset(used.said.fields) - grant.fields if grant.fields else frozenset()
    given = grant.provider != used.bureau and seen.catalogue.has_declared(grant.provider, used.code)
    if grant.to != used.bureau or grant.resource != used.code or not given:
        return Stray("grant-does-not-hold")
    if not grant.in_force(at_us, day):
        return Stray("day", date.fromisoformat(day))
    if beyond:
        return Stray("fields", beyond)
    if grant.purpose and used.said.purpose != grant.purpose:
        return Stray("purpose", used.said.purpose)
    if grant.system and used.head.system and used.head.system != grant.system:
        return Stray("system", used.head.system)
    return None


@rule(
    named="系统已停授权未收",
    en="{bureau} left its grant of {resource} to {other} in force after {other}'s system {system} was retired",
    zh="{other} 的系统 {system} 已下线，{bureau} 就 {resource} 给予的授权未收回",
    standing=Standing.ABSENT,
)
def grant_outlives_system(system: System, seen: Seen) -> Findings:
    """A grant that names the system, held on the day judged, after the day of retirement. Either side may end it; who
    was closed by the end of that day cannot.
    """
    retired, calendar = system.retired, seen.rulebook.calendar
    # Whatever day its own bureau gives it: no other could know of it before it was recorded.
    if retired is None or (retired_on := calendar.day_of(retired.recorded_at_us)) >= seen.day:
        return
    for grant in seen.grants.of_system(system.bureau, system.code):
        if seen.closings.before(grant.provider, calendar.end_us(retired_on)):
            continue
        at_us = seen.as_of.at_us - 1
        held = grant.in_force(at_us, seen.day_of(at_us)) and grant.entry.since_us < retired.since_us
        ends = dict.fromkeys((grant.provider, grant.to))
        if held and all(seen.as_of.covers("grant-outlives-system", bureau) for bureau in ends):
            found = grant.entry.finding(
                retired.reference, resource=grant.resource, other=system.bureau, system=system.code
            )
            yield replace(found, at_us=retired.recorded_at_us)


@rule(
    named="不同意共享未说明理由",
    en="{bureau} denied {to} access to {resource} and gave no reason",
    zh="{bureau} 不同意向 {to} 共享 {resource}，未说明理由",
)
def denied_without_reason(denied: On[AccessDenied | AccessEnded], seen: Seen) -> Findings:
    """Either words or a basis is a reason, and to end another's request is to deny it.

    Where the request was not read, it is named by where it stands.
    """
    said = denied.said
    if said.reason or (isinstance(said, AccessDenied) and said.HasField("basis")):
        return
    if isinstance(said, AccessEnded) and not seen.grants.is_refusal(denied):
        return
    about = place_of(denied.head.about)
    request = seen.grants.requests.get(about)
    asked = seen.reference(about.origin, about.index) if request is None else request.entry.head.resource
    yield denied.finding(once=about, resource=denied.head.resource or asked, to=seen.bureau_of(about.origin))
