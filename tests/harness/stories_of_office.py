"""Lawful stories of the catalogue, of duties, systems, concerns and of records brought in; each may slip."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from typing import Any

from tests.harness.district import Desk, Said
from tests.harness.lawful import DAY_US, HOUR_US, PURPOSES, Story, Told, World, declares
from tests.harness.stories_of_sharing import refused, sharing
from tests.harness.stories_of_witnesses import witnessing


def catalogue(world: World) -> Told:
    """A resource is declared, at first perhaps without its ground, declared anew, withdrawn, taken over by another."""
    desk, other, *_ = world.cast()
    code = f"R-{world.number()}"
    grounds: dict[str, list[dict[str, Any]]] = {
        "unconditional": [{}, {"public": True}],
        "conditional": [{"condition": "on request"}, {"condition": {"code": "c-7", "words": "NA"}}],
        "withheld": [{"basis": "5 U.S.C. 552a"}, {"basis": {"code": "b-7", "words": "private"}}],
    }
    sharing_class = world.random.choice([*grounds])
    common: dict[str, Any] = {"resource": code, "scheme": "local", "title": code}
    for rule, wrong in _WRONG.items():
        if world.slips(rule):
            late = {"happened_at": world.now_us - 73 * HOUR_US} if rule == "late-record" else {}
            desk.say("declare", **common, **wrong, **late)
            return
    if world.chance(0.3):
        desk.say("declare", **common, sharing=sharing_class)
    desk.say("declare", **common, sharing=sharing_class, **world.random.choice(grounds[sharing_class]))
    yield world.later(500)
    if world.slips("duplicate-code"):
        other.say("declare", **common, sharing="unconditional")
    elif world.slips("foreign-code"):
        other.say("provide_version", version=f"{code}@1", digest=world.digest())
    elif world.chance(0.4):
        desk.say("withdraw", resource=code, reason="merged")
        other.say("declare", **common, sharing="unconditional")
    elif world.chance(0.3):
        other.say("declare", **common | {"scheme": "another"}, sharing="unconditional")


_WRONG: dict[str, dict[str, Any]] = {
    "withheld-without-basis": {"sharing": "withheld"},
    "conditional-without-condition": {"sharing": "conditional"},
    "hollow-basis": {"sharing": "withheld", "basis": " Private "},
    "late-record": {"sharing": "unconditional"},
}


def versions(world: World) -> Told:
    """What was promised in cycles is provided in cycles, made unrecognisable where it is personal, until it ends."""
    desk = world.cast()[0]
    cycle, days = world.random.choice([("R/P1W", 7), ("R/P1M", 31), ("R/P3M", 93), ("irregular", 60), ("R/PT1S", 60)])
    personal = world.chance(0.5)
    fields = [{"name": "name", "sensitivity": "personal"}, {"name": "area"}] if personal else []
    code = declares(world, desk, "unconditional", update_cycle=cycle, fields=fields)
    done: dict[str, Any] = {"desensitised": {"method": "hashed", "fields": world.random.choice([[], ["name"]])}}
    for number in range(world.random.randint(1, 12)):
        extra = {} if not personal or world.slips("not-desensitised") else done
        digest = world.digest()
        desk.say("provide_version", version=f"{code}@{number}", digest=digest, **extra)
        if world.slips("datum-coded-twice"):
            again = declares(world, desk, "unconditional")
            desk.say("provide_version", version=f"{again}@1", digest=digest)
        if world.slips("undeclared-resource"):
            desk.say("provide_version", version=f"R-{world.number()}@1", digest=world.digest())
        if days != 60 and world.slips("stale-resource"):
            return
        yield world.now_us + world.random.randint(1, days * DAY_US)
    world.random.choice([_gives_up, _ends])(desk, code)


def _gives_up(desk: Desk, code: str) -> None:
    desk.say("declare", resource=code, scheme="local", title=code, sharing="unconditional", update_cycle="irregular")


def _ends(desk: Desk, code: str) -> None:
    desk.say("withdraw", resource=code, reason="no longer kept")


def duties(world: World) -> Told:
    """A duty is assigned, accepted or declined and assigned again, handed over, and never left to nobody."""
    chief, holder, successor, *_ = world.cast()
    what = world.random.choice(["resource", "system", "matter", "bureau"])
    scope = {} if what == "bureau" else {what: f"D-{world.number()}"}
    duty = world.random.choice(["producer", "steward", "approver", "supervisor", "chief"])
    if duty == "approver" and not (scope and world.slips("approver-without-supervisor")):
        yield from _assigned(world, chief, holder, "supervisor", scope)
    if world.chance(0.3):
        declined = chief.say("assign_duty", holder=successor.bureau.id, duty=duty, **scope)
        yield world.within("accept_duty")
        successor.say("answer_duty", assignment=declined, answer="declined", reason="not ours")
    until = world.today + timedelta(days=90)
    first = yield from _assigned(world, chief, holder, duty, scope, until=until)
    if scope and duty != "approver" and world.slips("duty-gap"):
        yield world.later(48)
        holder.say("release_duty", duty=first)
        return
    yield world.later(1_000)
    second = yield from _assigned(world, chief, successor if scope else holder, duty, scope, succeeds=first)
    assert second
    if world.slipped != "duty-unaccepted" and world.chance(0.5):  # what nobody accepted, nobody is released from
        world.random.choice([chief, holder]).say("release_duty", duty=first, to=successor.bureau.id)


def _assigned(
    world: World, by: Desk, to: Desk, duty: str, scope: dict[str, str], **more: Any
) -> Generator[int, None, Said]:
    assigned = by.say("assign_duty", holder=to.bureau.id, duty=duty, **scope, **more)
    if not world.slips("duty-unaccepted"):
        yield world.within("accept_duty")
        to.say("answer_duty", assignment=assigned, answer="accepted")
    return assigned


def systems(world: World) -> Told:
    """A system is registered, accepted, used, exchanges data, and when it is retired what was granted to it ends."""
    desk, provider, *_ = world.cast()
    code = f"S-{world.number()}"
    values = {"system": code, "name": code, "approved_on": world.today - timedelta(days=300)}
    unaccepted = world.slips("system-not-accepted")
    accepted = {} if unaccepted else {"accepted_on": world.today - timedelta(days=30)}
    if world.chance(0.4):
        desk.say("register_system", **values)  # before anybody accepted it, and used it
    desk.say("register_system", **values, **accepted)
    actor = f"{desk.bureau.id}:a-{world.number()}"
    key: dict[str, Any] = {"key": b"k" * 32, "role": "system", "possession": b"p" * 64}
    desk.say("register_actor", by="registrar", registered=actor, system=code, **key)
    held = yield from _system_grant(world, desk, provider, code)
    if world.slips("zombie-system"):
        return
    alone = world.slips("island-system")
    kept = alone or unaccepted  # alive to the end, and used
    for _ in range(3 if kept else world.random.randint(2, 5)):
        began = world.today
        yield world.now_us + (80 * DAY_US if kept else 1 + world.random.randint(0, 60 * DAY_US))
        desk.say("report_system_use", system=code, since=began, until=world.today, users=3, operations=7)
        if not alone:
            yield from _system_exchange(world, desk, provider, code, actor)
    if kept:
        return
    if held is not None and not world.slips("grant-outlives-system"):
        world.random.choice([desk, provider]).say("end", grant=held, how="given_back")
    desk.say("retire_system", system=code, reason="replaced")


def _system_grant(world: World, desk: Desk, provider: Desk, code: str) -> Generator[int, None, Said]:
    """A grant that names the system, and is used once."""
    resource = declares(world, provider, "conditional")
    request = desk.say("request", resource=resource, provider=provider.bureau.id, purpose=PURPOSES[0], system=code)
    yield world.within("answer_request")
    grant = provider.say("grant", request=request, to=desk.bureau.id, resource=resource, system=code)
    half: dict[str, Any] = {"exchange": world.id(), "version": f"{resource}@1", "digest": world.digest()}
    yield world.within("serve_grant")
    provider.say("provide_version", version=half["version"], digest=half["digest"])
    sent = provider.say("send", to=desk.bureau.id, grant=grant, **half)
    yield world.within("acknowledge_delivery")
    desk.say("receive", sender=provider.bureau.id, sent=sent, **half)
    return grant


def _system_exchange(world: World, desk: Desk, to: Desk, code: str, actor: str) -> Told:
    """Known as the system's by what it says, or by whose key its actor's is."""
    resource = declares(world, desk, "unconditional")
    half: dict[str, Any] = {"exchange": world.id(), "version": f"{resource}@1", "digest": world.digest()}
    named: dict[str, Any] = {"system": code} if world.chance(0.5) else {"by": actor.partition(":")[2]}
    sent = desk.say("send", to=to.bureau.id, **half, **named)
    yield world.within("acknowledge_delivery")
    to.say("receive", sender=desk.bureau.id, sent=sent, **half)


def concerns(world: World) -> Told:
    """Whatever the concern, it is answered in time, by citing it."""
    raiser, addressee, *_ = world.cast()
    code = declares(world, addressee, "unconditional")
    sort = world.random.choice(["quality", "not_received", "incident", "clarification", "finding"])
    finding = {"finding": f"F-{world.number():012d}"} if sort == "finding" else {}
    concern = raiser.say("raise_concern", to=addressee.bureau.id, sort=sort, resource=code, reason="odd", **finding)
    if world.slips("dispute-overdue"):
        return
    yield world.within("answer_concern")
    outcome = world.random.choice(["explained", "corrected", "rejected"])
    addressee.say("answer", concern=concern, to=raiser.bureau.id, outcome=outcome, **finding)


def brought_in(world: World) -> Told:
    """Halves and declarations from elsewhere: of long ago, by night, citing nothing, in either order on the ledgers."""
    sender, receiver, *_ = world.cast()
    happened_us = world.now_us - world.random.randint(0, 500 * DAY_US)
    names: dict[str, Any] = {"exchange": world.id(), "happened_at": happened_us, "source": "xroad"}
    half = {**names, "service": "ee/COM/1/s/v1", "request_size": 7, "size": world.random.choice([0, 9])}
    failed = world.chance(0.2)
    for by, other, kind, key in world.random.sample(
        [(sender, receiver, "send", "to"), (receiver, sender, "receive", "sender")], 2
    ):
        if failed:
            by.say("fail", other=other.bureau.id, side=kind.removesuffix("e") + "ing", reason="http-500", **names)
        else:
            by.say(kind, **half, **{key: other.bureau.id})
        yield world.later(500)
    code = f"R-{world.number()}"
    values = {"scheme": "dcat-us", "title": code, "sharing": "withheld", "basis": "5 U.S.C. 552a"}
    sender.say("declare", resource=code, source="dcat-us-1.1", **values)


STORIES: tuple[Story, ...] = (sharing, refused, catalogue, versions, duties, systems, concerns, brought_in, witnessing)
SLIPS: dict[str, Story] = {
    **dict.fromkeys(
        (
            "withheld-without-basis",
            "conditional-without-condition",
            "hollow-basis",
            "late-record",
            "duplicate-code",
            "foreign-code",
        ),
        catalogue,
    ),
    **dict.fromkeys(("not-desensitised", "datum-coded-twice", "undeclared-resource", "stale-resource"), versions),
    **dict.fromkeys(
        (
            "granted-not-served",
            "request-overdue",
            "denied-without-reason",
            "received-not-sent",
            "sent-not-received",
            "access-without-grant",
            "halves-differ",
            "unsupported-receipt",
            "broken-reference",
            "bulk-use",
            "night-use",
            "beyond-grant",
            "use-without-case",
            "recalled-version-in-use",
            "recall-unheeded",
            "derived-not-corrected",
        ),
        sharing,
    ),
    "clock-skew": witnessing,
    "never-granted": refused,
    "dispute-overdue": concerns,
    **dict.fromkeys(("duty-unaccepted", "duty-gap", "approver-without-supervisor"), duties),
    **dict.fromkeys(("zombie-system", "island-system", "system-not-accepted", "grant-outlives-system"), systems),
}
