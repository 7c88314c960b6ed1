"""DCAT-US 1.1 catalogues, as agencies publish them at `/data.json`, read as declarations. No input or output here.

    identifier                    the resource's code, as it is
    title                         title
    accessLevel                   public: unconditional and public; restricted public: conditional; non-public: withheld
    rights                        the words of the condition (restricted public) or of the basis (non-public), as they
                                  are, however hollow: a rule judges them later; absent, null or empty is none
    accrualPeriodicity            update cycle, where it is one
    publisher                     the smallest unit that has a name: steward
    distribution                  each format and media type once: methods

A file is an object with a list `dataset`, or that list alone. Every other field has no place in a declaration; a
`contactPoint` is a person and is never kept. Nothing is dropped, cut, guessed or skipped without being counted in the
`Account`; only a null is not: it says nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tallystick.core.compose import compose
from tallystick.core.errors import InvalidIdentifier, InvalidStatement, Refused
from tallystick.core.forms import check_update_cycle
from tallystick.core.identifiers import SCHEME_CHARS_MAX, check_resource_code, check_scheme
from tallystick.core.kinds import BY_NAME, field_options
from tallystick.core.validation import RULES
from tallystick.sdk.importers.json_file import parse_json
from tallystick.sdk.standing import Standing
from tallystick_proto.v1.statement_pb2 import Basis, ResourceDeclared

SOURCE: Final = "dcat-us-1.1"
SCHEME: Final = "dcat-us"

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
_NO_PLACE: Final = "no place in a declaration"
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


@dataclass(frozen=True, slots=True)
class Skipped:
    """A data set that is not declared: its place in the file, from 0, what it calls itself, and why."""

    position: int
    identifier: str
    reason: str


@dataclass(slots=True)
class Account:
    """What became of everything in the file. `dropped` and `cut` count by field and reason, or longest length."""

    data_sets: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    cut: Counter[tuple[str, int]] = field(default_factory=Counter)
    read_as: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A file, read. `codes` are all it names, those of skipped data sets too."""

    scheme: str
    declarations: tuple[Declaration, ...]
    codes: frozenset[str]
    account: Account

    def gone(self, standing: Mapping[str, Standing]) -> list[str]:
        """The codes of earlier imports under this scheme that the file lacks."""
        return sorted(
            code
            for code, stands in standing.items()
            if (stands.source, stands.declared.scheme) == (SOURCE, self.scheme) and code not in self.codes
        )


class _Skip(Exception):
    """This data set cannot be declared; the text says why."""


def scheme_of(bureau: str) -> str:
    """The scheme of an agency's identifiers, which are unique within its own catalogue only (DCAT-US, `identifier`)."""
    return f"{SCHEME}.{bureau}"[:SCHEME_CHARS_MAX]


def read_catalogue(data: bytes, scheme: str = SCHEME) -> Catalogue:
    """The declarations in a DCAT-US 1.1 file. Raises Refused where it is none, InvalidIdentifier for a bad scheme."""
    check_scheme(scheme)
    value, repeated = parse_json(data)
    account = Account()
    account.dropped.update({(name, "named twice in one object; the last counts"): n for name, n in repeated.items()})
    data_sets = _data_sets(value, account)
    account.data_sets = len(data_sets)
    declarations: dict[str, Declaration] = {}
    codes: dict[str, int] = {}
    for position, data_set in enumerate(data_sets):
        # What a skipped data set would have dropped is not counted: it is skipped whole.
        own = Account()
        try:
            declaration = _declaration(data_set, scheme, own, codes, position)
        except _Skip as skip:
            account.skipped.append(Skipped(position, _called(data_set), str(skip)))
            continue
        declarations[declaration.code] = declaration
        account.dropped += own.dropped
        account.cut += own.cut
        account.read_as += own.read_as
    return Catalogue(scheme, tuple(declarations.values()), frozenset(codes), account)


def _data_sets(value: object, account: Account) -> list[object]:
    if isinstance(value, list):
        return value
    found = value.get("dataset") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(found, list):
        raise Refused(
            f"no list of data sets, but {_what(value if found is None else found)}",
            expected="an object with a list `dataset`, or the list",
        )
    for name, inner in value.items():
        if name != "dataset" and inner is not None:
            account.dropped[f"{name} (of the file)", _NO_PLACE] += 1
    return found


def _declaration(data_set: object, scheme: str, account: Account, codes: dict[str, int], position: int) -> Declaration:
    if not isinstance(data_set, dict):
        raise _Skip(f"not an object but {_what(data_set)}")
    code = _code(data_set.get("identifier"), codes, position)
    sharing = _sharing(data_set.get("accessLevel"), account)
    values: dict[str, object] = {
        "resource": code,
        "scheme": scheme,
        "title": _title(data_set.get("title"), account),
        "sharing": sharing,
        "public": sharing == "unconditional",
        "update_cycle": _cycle(data_set.get("accrualPeriodicity"), account),
        "steward": _steward(data_set.get("publisher"), account),
        "methods": _methods(data_set.get("distribution"), account),
        "source": SOURCE,
    }
    _rights(data_set.get("rights"), sharing, values, account)
    for name, value in data_set.items():
        if value is not None and name not in _READ:
            account.dropped[name, _NO_PLACE] += 1
    if data_set.get("contactPoint") is not None:
        account.dropped["contactPoint", "a person"] += 1
    try:
        statement = compose(_KIND.name, _NOBODY, values).statement
        RULES[_KIND.number].head.check(statement.head)
        RULES[_KIND.number].body.check(statement.resource_declared)
    except (InvalidStatement, InvalidIdentifier) as error:
        raise _Skip(str(error)) from None
    return Declaration(code, values, statement.resource_declared)


def _code(value: object, codes: dict[str, int], position: int) -> str:
    if value is None or value == "":
        raise _Skip("no identifier")
    if not isinstance(value, str):
        raise _Skip(f"its identifier is not text but {_what(value)}")
    try:
        check_resource_code(value)
    except InvalidIdentifier as error:
        raise _Skip(f"its identifier cannot be a code: {error}") from None
    if value in codes:
        raise _Skip(f"its identifier stands at data set {codes[value]} already")
    codes[value] = position
    return value


def _title(value: object, account: Account) -> str:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise _Skip("no title")
    if not isinstance(value, str):
        raise _Skip(f"its title is not text but {_what(value)}")
    return _cut(value, "title", _TITLE_MAX, account)


def _sharing(value: object, account: Account) -> str:
    """Odd spellings are read by their letters alone; what is no access level is never guessed."""
    if value is None:
        raise _Skip("no accessLevel, so its sharing class is unknown")
    if not isinstance(value, str):
        raise _Skip(f"its accessLevel is not text but {_what(value)}")
    level = _BY_LETTERS.get(re.sub(r"[^a-z]", "", value.casefold()))
    if level is None or len(value) > 64:
        raise _Skip(f"its accessLevel {value[:64]!r} is none of " + ", ".join(_ACCESS_LEVELS))
    if value != level:
        account.read_as[value, level] += 1
    return _ACCESS_LEVELS[level]


def _rights(value: object, sharing: str, values: dict[str, object], account: Account) -> None:
    if value is None or value == "":
        return
    becomes = _RIGHTS_BECOME.get(sharing)
    if becomes is None:
        account.dropped["rights", "public data needs neither basis nor condition"] += 1
    elif not isinstance(value, str):
        account.dropped["rights", "not text"] += 1
    elif not value.strip():
        account.dropped["rights", "blank"] += 1
    else:
        values[becomes] = _cut(value, "rights", _WORDS_MAX, account)


def _cycle(value: object, account: Account) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        account.dropped["accrualPeriodicity", "not text"] += 1
        return None
    try:
        check_update_cycle(value)
    except InvalidIdentifier:
        account.dropped["accrualPeriodicity", "not `irregular` or an ISO 8601 repeating duration"] += 1
        return None
    return value


def _steward(value: object, account: Account) -> str | None:
    """The publisher itself if it has a name, else the unit above it."""
    for _ in range(_PUBLISHERS_DEEP_MAX):
        if value is None:
            return None
        if isinstance(value, str):
            value = {"name": value}
        if not isinstance(value, dict):
            account.dropped["publisher", f"not an object but {_what(value)}"] += 1
            return None
        name, above = value.get("name"), value.get("subOrganizationOf")
        _count_others("publisher", value, {"name", "subOrganizationOf"}, account)
        if isinstance(name, str) and name.strip():
            if above is not None:
                account.dropped["publisher.subOrganizationOf", "the smallest unit is the steward"] += 1
            return _cut(name, "publisher.name", _STEWARD_MAX, account)
        if name is not None:
            account.dropped["publisher.name", "not text"] += 1
        value = above
    account.dropped["publisher", "nested too deeply"] += 1
    return None


def _methods(value: object, account: Account) -> list[str]:
    """A single distribution may stand without its list."""
    distributions = [value] if isinstance(value, dict) else value
    if distributions is None:
        return []
    if not isinstance(distributions, list):
        account.dropped["distribution", f"not a list but {_what(value)}"] += 1
        return []
    methods: dict[str, None] = {}
    for distribution in distributions:
        if not isinstance(distribution, dict):
            account.dropped["distribution", f"not an object but {_what(distribution)}"] += 1
            continue
        _count_others("distribution", distribution, {"format", "mediaType"}, account)
        for name in ("format", "mediaType"):
            found = distribution.get(name)
            if isinstance(found, str) and found.strip():
                methods[_cut(found, f"distribution.{name}", _METHOD_MAX, account)] = None
            elif found is not None:
                account.dropped[f"distribution.{name}", "not text"] += 1
    if len(methods) > _METHODS_MAX:
        account.dropped["distribution", f"a declaration holds {_METHODS_MAX} methods"] += len(methods) - _METHODS_MAX
    return list(methods)[:_METHODS_MAX]


def _count_others(prefix: str, value: dict[str, object], read: Iterable[str], account: Account) -> None:
    for name, inner in value.items():
        if inner is not None and name not in read:
            account.dropped[f"{prefix}.{name}", _NO_PLACE] += 1


def _cut(text: str, name: str, most: int, account: Account) -> str:
    if len(text) <= most:
        return text
    account.cut[name, most] += 1
    return text[: most - 1] + "…"


def _called(data_set: object) -> str:
    """What a skipped data set is called: its identifier, else its title."""
    if isinstance(data_set, dict):
        for name in ("identifier", "title"):
            value = data_set.get(name)
            if isinstance(value, (str, int, float)) and value != "":
                return str(value)[:80]
    return ""


def _what(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "an object"
