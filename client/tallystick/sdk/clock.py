"""The clock and the randomness of this machine, for the code above `core`, which takes both as arguments."""

from __future__ import annotations

import secrets
import time

from tallystick.core.identifiers import uuid7
from tallystick.core.limits import SALT_BYTES


def now_us() -> int:
    """Microseconds since 1970 by this machine's clock."""
    return time.time_ns() // 1_000


def new_id() -> bytes:
    """A new UUIDv7, its first 12 random bits the fraction of the millisecond, so that ids sort as they were made."""
    moment = now_us()
    fraction = moment % 1_000 * 4_096 // 1_000
    return uuid7(moment, (fraction << 62 | secrets.randbits(62)).to_bytes(10, "big"))


def new_salt() -> bytes:
    """A fresh salt of 32 bytes."""
    return secrets.token_bytes(SALT_BYTES)
