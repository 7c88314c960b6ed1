"""The certificate that a node shows, which is renewed while it runs.

The files are looked at now and then. What they hold, and the charter vouches for, is shown on every connection made
from there on; those that stand go on with what they were made with. What others would not accept is said in the log and
not shown: the certificate before stays, for as long as it lasts. That one ends soon is said once a day.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from tallystick.core.errors import TallystickError
from tallystick.core.moments import moment_json
from tallystick.sdk.certified_key import CertifiedKey

log = structlog.get_logger()

LOOK_S: Final = 30.0
"""How often the files are looked at."""
_SAY_S: Final = 24 * 3600.0


class OwnCertificate:
    """`shown` is what is shown now, read from any thread; `read` is what the files hold, or raises. The rest is used
    within one event loop.
    """

    def __init__(self, shown: CertifiedKey, read: Callable[[], CertifiedKey | None], now_us: Callable[[], int]) -> None:
        self.shown = shown
        self._read = read
        self._now_us = now_us
        self._refused = ""
        self._say_from_s = float("-inf")

    async def watch(self) -> None:
        """Look at the files for as long as the node runs."""
        while True:
            self.say_that_it_ends()
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except Exception:  # a bug must not end the looking: the certificate would end with it
                log.exception("looking at the certificate failed")

    async def look(self) -> None:
        """Show what the files hold now, where others would accept it."""
        try:
            found = await asyncio.get_running_loop().run_in_executor(None, self._read)
        except TallystickError as error:
            if str(error) != self._refused:
                log.warning("the certificate is not taken from its files", reason=str(error))
            self._refused = str(error)
            return
        self._refused = ""
        if found is not None and found != self.shown:
            self.shown = found
            self._say_from_s = float("-inf")
            log.info("the certificate was renewed", ends=moment_json(found.certificate.ends_us))

    def say_that_it_ends(self) -> None:
        """Once a day, from when less than a third of its term is left."""
        certificate, now_s = self.shown.certificate, asyncio.get_running_loop().time()
        if now_s < self._say_from_s or not certificate.ends_soon(self._now_us()):
            return
        self._say_from_s = now_s + _SAY_S
        say = log.warning if certificate.valid(self._now_us()) else log.error
        say("the certificate ends", ends=moment_json(certificate.ends_us), renew="tallyd cert renew")
