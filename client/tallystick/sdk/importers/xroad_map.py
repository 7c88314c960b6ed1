"""A map from X-Road identifiers to bureaus of the charter: a TOML file of one key an identifier.

    "ee-dev/COM/11022625/ef-dev-adm" = "market-regulation"      a subsystem: INSTANCE/CLASS/MEMBER/SUBSYSTEM
    "ee-dev/COM/11022625" = "taxation"                          every other subsystem of the member, and the member

The longest identifier that fits decides. Identifiers are compared as they are, letter by letter: X-Road's own are. The
file is read strictly: a key of another form, a value that is not a bureau of the charter, or anything else refuses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tallystick.core.errors import ConfigInvalid, NotFound
from tallystick.core.toml_text import parse_toml
from tallystick.sdk.importers.json_file import read_input

if TYPE_CHECKING:
    from tallystick.core.charter import Charter

_FORM: Final = (
    '"INSTANCE/CLASS/MEMBER" or "INSTANCE/CLASS/MEMBER/SUBSYSTEM", as in "DEV/COM/222/TESTCLIENT" = "taxation"'
)
_MEMBER_PARTS: Final = 3
_SUBSYSTEM_PARTS: Final = 4


class Identifier(NamedTuple):
    """A member of X-Road, or one of its subsystems; `subsystem` is "" for the member itself."""

    instance: str
    member_class: str
    member: str
    subsystem: str = ""

    def __str__(self) -> str:
        return "/".join(self if self.subsystem else self[:_MEMBER_PARTS])


class XRoadMap:
    """Which bureau an identifier belongs to."""

    def __init__(self, bureaus: Mapping[Identifier, str]) -> None:
        self._bureaus = dict(bureaus)

    def bureau_of(self, identifier: Identifier) -> str | None:
        """The bureau of a subsystem, else of its member; None where the map has neither."""
        found = self._bureaus.get(identifier)
        return self._bureaus.get(identifier._replace(subsystem="")) if found is None else found


def parse_map(data: bytes, charter: Charter) -> XRoadMap:
    """The map in a file's bytes. Raises ConfigInvalid, naming the key."""
    try:
        table = parse_toml(data.decode("utf-8-sig"))
    except ValueError as error:
        raise ConfigInvalid(f"not TOML: {error}", expected=_FORM) from None
    bureaus: dict[Identifier, str] = {}
    for key, value in table.items():
        parts = key.split("/")
        if len(parts) not in (_MEMBER_PARTS, _SUBSYSTEM_PARTS) or not all(parts):
            raise ConfigInvalid("not an X-Road identifier", where=repr(key), expected=_FORM)
        if not isinstance(value, str):
            raise ConfigInvalid("its value is not text", where=repr(key), expected="the id of a bureau, in quotes")
        try:
            bureaus[Identifier(*parts)] = charter.ledger_of(value).id
        except NotFound as error:
            raise ConfigInvalid(error.what, where=repr(key), expected=error.expected) from None
    return XRoadMap(bureaus)


def load_map(path: Path, charter: Charter) -> XRoadMap:
    """The map in a file. Raises ConfigInvalid or NotFound, naming the file."""
    data = read_input(path)
    try:
        return parse_map(data, charter)
    except ConfigInvalid as error:
        raise error.at(str(path)) from None
