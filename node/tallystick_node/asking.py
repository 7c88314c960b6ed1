"""Asking a witness what it holds of a ledger until it has answered: at first at once, and then ever more rarely."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Final, TypeVar

import structlog

from tallystick.core.charter import Bureau
from tallystick.core.errors import TallystickError
from tallystick_node.peers import Reach
from tallystick_proto.v1.witness_pb2 import HeldAnswer

log = structlog.get_logger()

Result = TypeVar("Result")

_RETRY_FIRST_S: Final = 0.1
_RETRY_MAX_S: Final = 10.0


async def ask_held(
    reach: Reach, witness: Bureau, origin: str, take: Callable[[HeldAnswer], Result], rng: random.Random
) -> Result:
    """What `take` makes of a witness's answer. What it raises, like who does not answer, is asked again: an answer that
    proves nothing, or that this node's disk kept from being held against what is known, is none.
    """
    retry_s, trouble = _RETRY_FIRST_S, ""
    while True:
        try:
            async with reach(witness) as peer:
                return take(await peer.held(origin))
        except TallystickError as error:
            say = log.debug if str(error) == trouble else log.info
            say("a witness has not answered", witness=witness.id, reason=str(error), error=type(error).__name__)
            trouble = str(error)
        except Exception:  # a bug must not leave the node waiting without a word, nor keep it from asking the others
            log.exception("asking failed", witness=witness.id)
        await asyncio.sleep(retry_s * rng.uniform(0.5, 1.0))  # so that those who restart together do not ask together
        retry_s = min(2 * retry_s, _RETRY_MAX_S)
