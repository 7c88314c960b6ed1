"""One data set of a DCAT-US 1.1 catalogue, its fields read into a declaration.

    identifier                    the resource's code, as it is
    title                         title
    accessLevel                   public: unconditional and public; restricted public: conditional; non-public: withheld
    rights                        the words of the condition (restricted public) or of the basis (non-public), as they
                                  are, however hollow: a rule judges them later; absent, null or empty is none
    accrualPeriodicity            update cycle, where it is one
    publisher                     the smallest unit that has a name: steward
    distribution                  each format and media type once: methods

Every other field has no place in a declaration; a `contactPoint` is a person and is never kept. What is left out, cut
short or read in spite of its spelling is counted in `Losses`; what cannot be declared at all raises `Skip`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tallystick.core.compose import compose
from tallystick.core.errors import InvalidIdentifier, InvalidStatement
from tallystick.core.forms import check_update_cycle
from tallystick.core.identifiers import check_resource_code
from tallystick.core.kinds import BY_NAME, field_options
from tallystick.core.validation import RULES
from tallystick.sdk.importers.json_file import kind_of_value
from tallystick_proto.v1.statement_pb2 import Basis, ResourceDeclared

SOURCE: Final = "dcat-us-1.1"
NO_PLACE: Final = "no place in a declaration"

_KIND: Final = BY_NAME["ResourceDeclared"]
_TITLE_MAX: Final = field_options(ResourceDeclared.DESCRIPTOR.fields_by_name["title"]).max_len
_STEWARD_MAX: Final = field_options(ResourceDeclared.DESCRIPTOR.fields_by_name["steward"]).max_len
_METHOD_MAX: Final = field_options(ResourceDeclared.DESCRIPTOR.fields_by_name["methods"]).max_len
_METHODS_MAX: Final = field_options(ResourceDeclared.DESCRIPTOR.fields_by_name["methods"]).max_items
_WORDS_MAX: Final = field_options(Basis.DESCRIPTOR.fields_by_name["words"]).max_len

_ACCESS_LEVELS: Final = {"public": "unconditional", "restricted public": "conditional", "non-public": "withheld"}
_BY_LETTERS: Final = {re.sub(r"[^a-z]", "", level): level for level in _ACCESS_LEVELS}
_RIGHTS_BECOME: Final = {"conditional": "condition", "withheld": "basis"}
_READ: Final = frozenset(
    {"identifier", "title", "accessLevel", "rights", "accrualPeriodicity", "publisher", "distribution", "contactPoint"}
)
_PUBLISHERS_DEEP_MAX: Final = 16
# Whoever validates does not record: the actor here is only a form that passes.
_NOBODY: Final = "importer:dcat"


@dataclass(frozen=True, slots=True)
class Declaration:
    """One data set as a declaration, an item of an import: `values` for the SDK's `declare`, `body` what it says."""

    code: str
    values: dict[str, object]
    body: ResourceDeclared

    @property
    def kind(self) -> str:
        return _KIND.name

    @property
    def key(self) -> str:
        return self.code

    @property
    def says(self) -> ResourceDeclared:
        return self.body


@dataclass(slots=True)
class Losses:
    """What was not taken as it was. `dropped` and `cut` count by field and reason, or longest length; `read_as` by what
    was given and what it was read as.
    """

    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    cut: Counter[tuple[str, int]] = field(default_factory=Counter)
    read_as: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, more: Losses) -> None:
        """Count those of a data set too."""
        self.dropped += more.dropped
        self.cut += more.cut
        self.read_as += more.read_as


class Skip(Exception):
    """This data set cannot be declared; the text says why."""


def fields_of(data_set: object) -> dict[str, object]:
    """The fields of what should be a data set. Raises Skip."""
    if not isinstance(data_set, dict):
        raise Skip(f"not an object but {kind_of_value(data_set)}")
    return data_set


def code_of(fields: Mapping[str, object]) -> str:
    """The code of a data set. Raises Skip."""
    value = fields.get("identifier")
    if value is None or value == "":
        raise Skip("no identifier")
    if not isinstance(value, str):
        raise Skip(f"its identifier is not text but {kind_of_value(value)}")
    try:
        check_resource_code(value)
    except InvalidIdentifier as error:
        raise Skip(f"its identifier cannot be a code: {error}") from None
    return value


def declaration_of(code: str, fields: Mapping[str, object], scheme: str, losses: Losses) -> Declaration:
    """The declaration that a data set makes under its code; what of it is lost is counted. Raises Skip."""
    sharing = _sharing(fields.get("accessLevel"), losses)
    values: dict[str, object] = {
        "resource": code,
        "scheme": scheme,
        "title": _title(fields.get("title"), losses),
        "sharing": sharing,
        "public": sharing == "unconditional",
        "update_cycle": _cycle(fields.get("accrualPeriodicity"), losses),
        "steward": _steward(fields.get("publisher"), losses),
        "methods": _methods(fields.get("distribution"), losses),
        "source": SOURCE,
    }
    _rights(fields.get("rights"), sharing, values, losses)
    for name, value in fields.items():
        if value is not None and name not in _READ:
            losses.dropped[name, NO_PLACE] += 1
    if fields.get("contactPoint") is not None:
        losses.dropped["contactPoint", "a person"] += 1
    try:
        statement = compose(_KIND.name, _NOBODY, values).statement
        RULES[_KIND.number].head.check(statement.head)
        RULES[_KIND.number].body.check(statement.resource_declared)
    except (InvalidStatement, InvalidIdentifier) as error:
        raise Skip(str(error)) from None
    return Declaration(code, values, statement.resource_declared)


def _title(value: object, losses: Losses) -> str:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise Skip("no title")
    if not isinstance(value, str):
        raise Skip(f"its title is not text but {kind_of_value(value)}")
    return _cut(value, "title", _TITLE_MAX, losses)


def _sharing(value: object, losses: Losses) -> str:
    """Odd spellings are read by their letters alone; what is no access level is never guessed."""
    if value is None:
        raise Skip("no accessLevel, so its sharing class is unknown")
    if not isinstance(value, str):
        raise Skip(f"its accessLevel is not text but {kind_of_value(value)}")
    level = _BY_LETTERS.get(re.sub(r"[^a-z]", "", value.casefold()))
    if level is None or len(value) > 64:
        raise Skip(f"its accessLevel {value[:64]!r} is none of " + ", ".join(_ACCESS_LEVELS))
    if value != level:
        losses.read_as[value, level] += 1
    return _ACCESS_LEVELS[level]


def _rights(value: object, sharing: str, values: dict[str, object], losses: Losses) -> None:
    if value is None or value == "":
        return
    becomes = _RIGHTS_BECOME.get(sharing)
    if becomes is None:
        losses.dropped["rights", "public data needs neither basis nor condition"] += 1
    elif not isinstance(value, str):
        losses.dropped["rights", "not text"] += 1
    elif not value.strip():
        losses.dropped["rights", "blank"] += 1
    else:
        values[becomes] = _cut(value, "rights", _WORDS_MAX, losses)


def _cycle(value: object, losses: Losses) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        losses.dropped["accrualPeriodicity", "not text"] += 1
        return None
    try:
        check_update_cycle(value)
    except InvalidIdentifier:
        losses.dropped["accrualPeriodicity", "not `irregular` or an ISO 8601 repeating duration"] += 1
        return None
    return value


def _steward(value: object, losses: Losses) -> str | None:
    """The publisher itself if it has a name, else the unit above it."""
    for _ in range(_PUBLISHERS_DEEP_MAX):
        if value is None:
            return None
        if isinstance(value, str):
            value = {"name": value}
        if not isinstance(value, dict):
            losses.dropped["publisher", f"not an object but {kind_of_value(value)}"] += 1
            return None
        name, above = value.get("name"), value.get("subOrganizationOf")
        _count_others("publisher", value, {"name", "subOrganizationOf"}, losses)
        if isinstance(name, str) and name.strip():
            if above is not None:
                losses.dropped["publisher.subOrganizationOf", "the smallest unit is the steward"] += 1
            return _cut(name, "publisher.name", _STEWARD_MAX, losses)
        if name is not None:
            losses.dropped["publisher.name", "not text"] += 1
        value = above
    losses.dropped["publisher", "nested too deeply"] += 1
    return None


def _methods(value: object, losses: Losses) -> list[str]:
    """A single distribution may stand without its list."""
    distributions = [value] if isinstance(value, dict) else value
    if distributions is None:
        return []
    if not isinstance(distributions, list):
        losses.dropped["distribution", f"not a list but {kind_of_value(value)}"] += 1
        return []
    methods: dict[str, None] = {}
    for distribution in distributions:
        if not isinstance(distribution, dict):
            losses.dropped["distribution", f"not an object but {kind_of_value(distribution)}"] += 1
            continue
        _count_others("distribution", distribution, {"format", "mediaType"}, losses)
        for name in ("format", "mediaType"):
            found = distribution.get(name)
            if isinstance(found, str) and found.strip():
                methods[_cut(found, f"distribution.{name}", _METHOD_MAX, losses)] = None
            elif found is not None:
                losses.dropped[f"distribution.{name}", "not text"] += 1
    if len(methods) > _METHODS_MAX:
        losses.dropped["distribution", f"a declaration holds {_METHODS_MAX} methods"] += len(methods) - _METHODS_MAX
    return list(methods)[:_METHODS_MAX]


def _count_others(prefix: str, value: dict[str, object], read: Iterable[str], losses: Losses) -> None:
    for name, inner in value.items():
        if inner is not None and name not in read:
            losses.dropped[f"{prefix}.{name}", NO_PLACE] += 1


def _cut(text: str, name: str, most: int, losses: Losses) -> str:
    if len(text) <= most:
        return text
    losses.cut[name, most] += 1
    return text[: most - 1] + "…"
