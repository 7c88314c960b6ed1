"""One X-Road operational-monitoring record, its fields read, whatever spelling, version or export they came in.

Names are known by their letters (`requestInTs`, `requestints`, `request_in_ts`). Three went by several names over the
years, and a record may carry them under more than one:

    request size       requestSize, requestSoapSize, requestRestSize
    response size      responseSize, responseSoapSize, responseRestSize
    fault code         faultCode, soapFaultCode

The sizes are those of the message itself. The MIME sizes are not taken: they are of the container around message and
attachments, which each security server writes for itself, and they are there only where something is attached; the
message is signed and the same at both ends, so that its size is what two halves can be compared by.

Null, NaN, and the texts "", `\\N`, `null` and `None` are nothing. MongoDB's extended JSON (`{"$numberLong": "7"}`)
is the number it says. What a field cannot mean raises `Unreadable`; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import isnan
from typing import Any, Final, TypeVar

from tallystick.sdk.importers.xroad_input import letters
from tallystick.sdk.importers.xroad_map import Identifier

CLIENT: Final = "Client"
PRODUCER: Final = "Producer"
MISSING: Final = "missing"

_V = TypeVar("_V")

_SPELLINGS: Final = {
    "messageId": ("messageId",),
    "securityServerType": ("securityServerType",),
    "succeeded": ("succeeded",),
    "requestInTs": ("requestInTs",),
    "requestSize": ("requestSize", "requestSoapSize", "requestRestSize"),
    "responseSize": ("responseSize", "responseSoapSize", "responseRestSize"),
    "faultCode": ("faultCode", "soapFaultCode"),
    "statusCode": ("statusCode",),
    "serviceCode": ("serviceCode",),
    "serviceVersion": ("serviceVersion",),
    **{
        f"{side}{part}": (f"{side}{part}",)
        for side in ("client", "service")
        for part in ("XRoadInstance", "MemberClass", "MemberCode", "SubsystemCode")
    },
}
_BY_LETTERS: Final = {letters(spelling): name for name, spellings in _SPELLINGS.items() for spelling in spellings}
_NAMES_REMEMBERED_MAX: Final = 10_000
_NULLS: Final = frozenset({"", "\\N", "null", "NULL", "None"})
_TYPES: Final = {"client": CLIENT, "consumer": CLIENT, "producer": PRODUCER, "provider": PRODUCER}
_TRUTHS: Final = {
    **dict.fromkeys(("true", "t", "1", "yes", "y"), True),
    **dict.fromkeys(("false", "f", "0", "no", "n"), False),
}
# What X-Road and its open data write themselves; every other spelling is counted.
_USUAL: Final = frozenset({CLIENT, PRODUCER, "true", "false", "t", "f", "True", "False"})
_NUMBER: Final = re.compile(r"([0-9]{1,18})(?:\.0+)?")
_WRAPPINGS: Final = frozenset({"$numberLong", "$numberInt", "$numberDouble", "$numberDecimal", "$date", "$oid"})
_WRAPPINGS_MAX: Final = 2  # {"$date": {"$numberLong": "…"}}


class Unreadable(Exception):
    """A field does not say what it should: its name, why, and what stands there."""

    def __init__(self, name: str, why: str, found: object = "") -> None:
        super().__init__(name, why, found)
        self.name = name
        self.why = why
        self.found = str(found)[:80]


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a record that say something: `read` by X-Road's name, of the others their names.

    `read_as` are the spellings that were taken for something else: field, what stood there, what it was read as.
    """

    read: Mapping[str, Any]
    others: tuple[str, ...]
    read_as: list[tuple[str, str, str]] = field(default_factory=list)

    def text(self, name: str) -> str:
        """A field's text; "" where it says nothing."""
        value = self.read.get(name)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise Unreadable(name, "not text", value)
        text = str(value)
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Unreadable(name, "not text", ascii(text)) from None
        return text

    def number(self, name: str) -> int | None:
        """A field's whole number, 0 or more."""
        value = self.read.get(name)
        if value is None:
            return None
        found = None if isinstance(value, bool) else _NUMBER.fullmatch(str(value))
        if found is None:
            raise Unreadable(name, "not a whole number", value)
        return int(found[1])

    def server(self, under: str) -> str:
        """Whose security server wrote the record: CLIENT or PRODUCER. Of a record that stands under one of them in its
        document, `under` is that one, else "".
        """
        given = self.text("securityServerType")
        if not given and not under:
            raise Unreadable("securityServerType", MISSING)
        server = self._known("securityServerType", given, _TYPES) if given else under
        if under and server != under:
            raise Unreadable("securityServerType", "not what the record stands under", given)
        return server

    def succeeded(self) -> bool:
        """Whether the message was mediated."""
        value = self.read.get("succeeded")
        if value is None:
            raise Unreadable("succeeded", MISSING)
        return value if isinstance(value, bool) else self._known("succeeded", self.text("succeeded"), _TRUTHS)

    def _known(self, name: str, given: str, known: Mapping[str, _V]) -> _V:
        meant = known.get(letters(given)) if len(given) <= 64 else None
        if meant is None:
            raise Unreadable(name, "unknown value", given)
        if given not in _USUAL:
            self.read_as.append((name, given, str(meant)))
        return meant

    def identifier(self, side: str) -> Identifier | None:
        """The subsystem of a side, `client` or `service`; None where the record names nobody there."""
        instance, member_class, member, subsystem = (
            self.text(f"{side}{part}") for part in ("XRoadInstance", "MemberClass", "MemberCode", "SubsystemCode")
        )
        if not (instance or member_class or member or subsystem):
            return None
        for part, value in (("XRoadInstance", instance), ("MemberClass", member_class), ("MemberCode", member)):
            if not value:
                raise Unreadable(f"{side}{part}", MISSING)
        return Identifier(instance, member_class, member, subsystem)


# The same names stand in every record.
@lru_cache(_NAMES_REMEMBERED_MAX)
def _name_of(name: str) -> str | None:
    return _BY_LETTERS.get(letters(name))


def _plain(value: Any) -> Any:
    """A value without what MongoDB's extended JSON wraps it in; None where it says nothing."""
    for _ in range(_WRAPPINGS_MAX):
        if not isinstance(value, dict) or len(value) != 1:
            break
        ((name, inner),) = value.items()
        if name == "$undefined":
            return None
        if name not in _WRAPPINGS:
            break
        value = inner
    if isinstance(value, str):
        return None if value in _NULLS else value
    return None if isinstance(value, float) and isnan(value) else value


def read_fields(record: Mapping[str, Any]) -> Fields:
    """The fields of a record. Raises Unreadable where two spellings of one field say different things."""
    read: dict[str, Any] = {}
    others = []
    for given, value in record.items():
        plain = _plain(value)
        if plain is None:
            continue
        name = _name_of(given)
        if name is None:
            others.append(given)
        elif name in read and str(read[name]) != str(plain):
            raise Unreadable(name, "stands twice, with two values", f"{read[name]}, {plain}")
        else:
            read[name] = plain
    return Fields(read, tuple(others))
