"""Lawful stories of witnesses: a ledger's node records what they cosigned, whatever one of them says of the time."""

from __future__ import annotations

from tests.harness.cosigned import SECOND_US, note_of, put_note
from tests.harness.lawful import DAY_US, Told, World, declares

_DIFFER_S = 240
_YEAR_S = 365 * 86_400


def witnessing(world: World) -> Told:
    """Some witnesses are away, clocks differ by minutes, and one of the quorum may say any time at all."""
    desk, liar, *_ = world.cast()
    others = [other for other in world.district.desks if other != desk.bureau.id]
    lies = world.chance(0.3)
    declares(world, desk, "unconditional")
    for _ in range(world.random.randint(2, 12)):
        wrong_s = 3_600 if world.slips("clock-skew") else 0
        now_s = world.now_us // SECOND_US
        at_s = {by: now_s + wrong_s + world.random.randint(-_DIFFER_S, _DIFFER_S) for by in others}
        if not wrong_s:
            if lies and len(others) > 2:
                at_s[liar.bureau.id] = now_s + world.random.randint(-_YEAR_S, _YEAR_S)
            for away in world.random.sample(others, world.random.randint(0, len(others))):
                if world.chance(0.3):
                    del at_s[away]
        size = len(desk.entries) - world.random.randint(0, min(3, len(desk.entries) - 1))
        put_note(world.district, desk.bureau.id, note_of(world.district, desk.bureau.id, at_s, size))
        yield world.now_us + world.random.randint(1, 40 * DAY_US)
