"""Lawful stories of requests, grants, exchanges, uses and recalls; each may slip where it names a rule."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from tests.harness.district import Desk, Said
from tests.harness.lawful import DAY_US, HOUR_US, PURPOSES, Told, World, declares, recalls


class Sharing:
    """One resource between a provider and a consumer, and what the story knows of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.provider, self.consumer, *self.others = world.cast()
        self.open = world.chance(0.3)
        self.code = declares(world, self.provider, "unconditional" if self.open else "conditional")
        self.purpose = world.random.choice(PURPOSES)
        self.fields = world.random.choice([[], ["name", "address"]])
        self.system = world.random.choice(["", f"S-{world.number()}"])
        self.request: Said | None = None
        self.grant: Said | None = None
        self.until: date | None = None
        self.served = False
        self.over = False

    @property
    def in_force(self) -> bool:
        return self.until is None or self.world.today <= self.until


def sharing(world: World) -> Told:
    """A resource is asked for, granted, sent, received, used, perhaps recalled; or it ends at any step before."""
    story = Sharing(world)
    yield world.later(48)
    if not story.open:
        yield from _granted(story)
        if story.grant is None:
            return
    granted_us = world.now_us
    for number in range(world.random.randint(1, 3)):
        if story.grant is not None and not story.served:
            if world.slips("granted-not-served"):
                return
            yield world.within("serve_grant", granted_us)
        if not story.in_force:
            return
        version = f"{story.code}@{number}"
        digest = world.digest()
        story.provider.say("provide_version", version=version, digest=digest, size=world.number())
        yield from _exchange(story, version, digest)
        story.served = True
        if story.over:
            return
        yield from _uses(story, version)
        if world.chance(0.4):
            yield from _derived(story, version)
        if world.chance(0.4):
            yield world.later(240)
            recalls(world, story.provider, version)
            yield from _late_words(story, version, world.now_us)
        yield world.later(240)
    if story.grant is not None and world.chance(0.4):
        who = world.random.choice([story.provider, story.consumer])
        who.say("end", grant=story.grant, how="given_back" if who is story.consumer else "revoked")


def _granted(story: Sharing) -> Told:
    """Asked, perhaps clarified, and answered in time; `story.grant` is what came of it, if anything."""
    world, provider, consumer = story.world, story.provider, story.consumer
    request = consumer.say(
        "request",
        resource=story.code,
        provider=provider.bureau.id,
        purpose=story.purpose,
        fields=story.fields,
        system=story.system,
    )
    asked_us, pauses = world.now_us, list[tuple[int, int]]()
    if world.chance(0.3):
        # Asked on the last day it would not stop the clock.
        yield min(world.within("answer_request", asked_us), world.due("answer_request", asked_us) - DAY_US - 1)
        question = provider.say("raise_concern", about=request, to=consumer.bureau.id, sort="clarification")
        began_us = world.now_us
        if world.slips("dispute-overdue"):
            return
        yield world.within("answer_concern")
        consumer.say("answer", concern=question, to=provider.bureau.id, outcome="explained")
        pauses.append((began_us, world.now_us))
    if world.slips("request-overdue"):
        return
    yield world.within("answer_request", asked_us, pauses)
    what = world.random.choice(["grant"] * 6 + ["deny", "withdraw", "close"])
    if what == "deny":
        why = world.random.choice([{"reason": "not needed"}, {"basis": "Art. 7"}])
        why = {} if world.slips("denied-without-reason") else why
        provider.say("deny", request=request, to=consumer.bureau.id, resource=story.code, **why)
    elif what != "grant":
        who, words = (consumer, "") if what == "withdraw" else (provider, "the register is closed")
        who.say("end", grant=request, how="withdrawn", reason=words)
    else:
        story.until = world.today + timedelta(days=world.random.randint(30, 200)) if world.chance(0.3) else None
        grant = provider.say(
            "grant",
            request=request,
            to=consumer.bureau.id,
            resource=story.code,
            fields=story.fields,
            until=story.until,
            system=story.system,
        )
        if world.chance(0.2):
            yield world.within("serve_grant")
            ended = world.random.choice([(consumer, grant), (provider, grant), (consumer, request)])
            ended[0].say("end", grant=ended[1], how="withdrawn")
        else:
            story.grant = grant


def _exchange(story: Sharing, version: str, digest: str) -> Told:
    """Sent by the provider, or by a custodian under its grant; received in time, or said to have failed by either."""
    world, consumer = story.world, story.consumer
    sender = story.others[0] if story.grant is not None and story.others and world.chance(0.3) else story.provider
    own = sender is story.provider
    via = {} if own or (story.served and world.slips("foreign-code")) else {"via": "shared store"}
    names: dict[str, Any] = {"exchange": world.id(), "version": version}
    half: dict[str, Any] = {**names, "digest": digest, "size": world.number(), "service": "licences/v1"}
    lawful = story.grant is None or story.served
    if lawful and world.slips("received-not-sent"):
        story.over = True
        consumer.say("receive", sender=sender.bureau.id, **half)
        return
    cited = None if own and story.grant is not None and world.slips("access-without-grant") else story.grant
    for _ in range(2 if world.chance(0.1) else 1):  # what is said again in the same words is nothing new
        sent = sender.say("send", to=consumer.bureau.id, grant=cited, **half, **via)
    if world.slips("sent-not-received"):
        story.over = True
        return
    yield world.within("acknowledge_delivery")
    if world.chance(0.15):
        who, side, other = world.random.choice([(sender, "sending", consumer), (consumer, "receiving", sender)])
        who.say("fail", other=other.bureau.id, side=side, reason="cut-off", half=sent, **names)
        return
    if world.slips("halves-differ"):
        half["size"] += 1
    cites = None if world.slips("unsupported-receipt") else sent
    if cites is not None and world.slips("broken-reference"):
        cites.ref.leaf = bytes(32)
    for _ in range(2 if world.chance(0.1) and cites is sent and not world.slipped else 1):
        consumer.say("receive", sender=sender.bureau.id, sent=cites, grant=story.grant, **half)
    world.received(consumer, version)


def _uses(story: Sharing, version: str) -> Told:
    """By day, for a case, within the grant while it holds; none of what was recalled or never came."""
    world = story.world
    officer = f"{story.consumer.bureau.id}:o-{world.number()}"
    for _ in range(world.random.randint(0, 3)):
        yield world.by_day(world.later(72))
        if story.in_force and version not in world.recalled and version in world.holders:
            many = 21 if world.slips("bulk-use") else 1
            for _ in range(many):
                story.consumer.say("use", **_use(story, version, officer))


def _use(story: Sharing, version: str, officer: str) -> dict[str, Any]:
    world = story.world
    beyond = story.grant is not None and world.slips("beyond-grant")
    night = {"happened_at": _last_night(world)} if officer and not story.grant and world.slips("night-use") else {}
    return {
        "version": version,
        "provider": story.provider.bureau.id,
        "purpose": next(each for each in PURPOSES if each != story.purpose) if beyond else story.purpose,
        "officer": officer,
        "case": None if world.slips("use-without-case") else world.id(),
        "fields": story.fields[:1],
        "grant": story.grant if world.chance(0.5) else None,
        "system": story.system,
        **night,
    }


def _last_night(world: World) -> int:
    calendar = world.district.rulebook.calendar
    return calendar.start_us(calendar.day_of(world.now_us)) + HOUR_US


def _derived(story: Sharing, version: str) -> Told:
    """The consumer makes a version of its own of it, which another bureau may receive, and make something of again."""
    world, source = story.world, version
    if version not in world.holders or version in world.recalled:
        return
    makers = [story.consumer, *story.others[:1]]
    for maker, receiver in zip(makers, [*makers[1:], None], strict=True):
        code = declares(world, maker, "unconditional")
        made, digest = f"{code}@1", world.digest()
        maker.say("provide_version", version=made, digest=digest, derived_from=[source])
        world.derived.setdefault(source, []).append((maker.bureau.id, made))
        source = made
        if receiver is None or world.chance(0.5):
            return
        half: dict[str, Any] = {"exchange": world.id(), "version": made, "digest": digest}
        sent = maker.say("send", to=receiver.bureau.id, **half)
        yield world.within("acknowledge_delivery")
        receiver.say("receive", sender=maker.bureau.id, sent=sent, **half)
        world.received(receiver, made)
        if made in world.recalled:
            return


def _late_words(story: Sharing, version: str, recalled_us: int) -> Told:
    """What was used before a recall may be recorded after it."""
    world = story.world
    if version not in world.holders or not story.in_force or story.grant is not None:
        return
    used_us = recalled_us - HOUR_US
    if world.slips("recalled-version-in-use"):
        used_us = world.by_day(recalled_us + HOUR_US)
    if used_us == world.by_day(used_us):
        yield max(world.later(24), used_us + HOUR_US)
        story.consumer.say("use", **_use(story, version, "") | {"happened_at": used_us})


def refused(world: World) -> Told:
    """A conditional resource that is refused, less often than never."""
    provider, *consumers = world.cast()
    code = declares(world, provider, "conditional")
    slips = world.slips("never-granted")
    if slips:
        yield world.now_us + 150 * DAY_US  # into the period that refusals are judged over
    for number in range(3 if slips else world.random.randint(0, 2)):
        yield world.later(24)
        yield from _refused_once(world, provider, consumers[number % len(consumers)], code)


def _refused_once(world: World, provider: Desk, consumer: Desk, code: str) -> Iterator[int]:
    request = consumer.say("request", resource=code, provider=provider.bureau.id, purpose=PURPOSES[0])
    yield world.within("answer_request")
    provider.say("deny", request=request, to=consumer.bureau.id, resource=code, reason="no need shown")
