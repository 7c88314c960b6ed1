"""DCAT-US 1.1 catalogues, as agencies publish them at `/data.json`, read as declarations. No input or output here.

A file is an object with a list `dataset`, or that list alone. `dcat_data_set` says what becomes of each data set; what
cannot be declared is skipped. Nothing is dropped, cut, guessed or skipped without being counted in the `Account`; only
a null is not: it says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tallystick.core.errors import Refused
from tallystick.core.identifiers import SCHEME_CHARS_MAX, check_scheme
from tallystick.sdk.importers.dcat_data_set import (
    NO_PLACE,
    SOURCE,
    Declaration,
    Losses,
    Skip,
    code_of,
    declaration_of,
    fields_of,
)
from tallystick.sdk.importers.json_file import kind_of_value, parse_json
from tallystick.sdk.standing import Standing

SCHEME: Final = "dcat-us"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A data set that is not declared: its place in the file, from 0, what it calls itself, and why."""

    position: int
    identifier: str
    reason: str


@dataclass(slots=True)
class Account(Losses):
    """What became of everything in the file."""

    data_sets: int = 0
    skipped: list[Skipped] = field(default_factory=list)


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
        own = Losses()
        try:
            fields = fields_of(data_set)
            code = code_of(fields)
            if code in codes:
                raise Skip(f"its identifier stands at data set {codes[code]} already")
            codes[code] = position
            declaration = declaration_of(code, fields, scheme, own)
        except Skip as skip:
            account.skipped.append(Skipped(position, _called(data_set), str(skip)))
            continue
        declarations[code] = declaration
        account.add(own)
    return Catalogue(scheme, tuple(declarations.values()), frozenset(codes), account)


def _data_sets(value: object, account: Account) -> list[object]:
    if isinstance(value, list):
        return value
    found = value.get("dataset") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(found, list):
        raise Refused(
            f"no list of data sets, but {kind_of_value(value if found is None else found)}",
            expected="an object with a list `dataset`, or the list",
        )
    for name, inner in value.items():
        if name != "dataset" and inner is not None:
            account.dropped[f"{name} (of the file)", NO_PLACE] += 1
    return found


def _called(data_set: object) -> str:
    """What a skipped data set is called: its identifier, else its title."""
    if isinstance(data_set, dict):
        for name in ("identifier", "title"):
            value = data_set.get(name)
            if isinstance(value, (str, int, float)) and value != "":
                return str(value)[:80]
    return ""
