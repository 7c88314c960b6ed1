"""The rulebook of a charter, its time zone looked up in this machine's time zone database."""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from tallystick.audit.rulebook import Rulebook, zone_name
from tallystick.core.charter import Charter
from tallystick.core.errors import MalformedCharter


def zone_of(charter: Charter) -> tzinfo:
    """The zone a charter's rulebook names, UTC where it names none. Raises MalformedCharter where it is not known."""
    name = zone_name(charter.rulebook)
    if name == "UTC":  # known without a database
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise MalformedCharter(
            f"{name[:80]!r} is not known here",
            where="charter: rulebook.time_zone",
            expected="a zone of this machine's time zone database, such as Europe/Tallinn",
        ) from None


def rulebook_of(charter: Charter) -> Rulebook:
    """The rulebook of a charter. Raises MalformedCharter where a part of it does not read, or its zone is not known."""
    return Rulebook.parse(charter.rulebook, zone_of(charter))
