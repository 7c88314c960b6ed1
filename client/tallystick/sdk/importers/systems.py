"""The stock of existing systems, a CSV file as spreadsheets write it, read as registrations. No input or output here.

    code, 编码, 系统编码             system; what a system is known by, and so required
    name, 名称, 系统名称             name; required
    project, 项目                    project
    approved_on, 批复日期            approved_on: a day as YYYY-MM-DD, YYYY/M/D or YYYY年M月D日
    accepted_on, 验收日期            accepted_on, likewise
    operator, 运维单位               operator
    replaces, 替代系统               replaces: the code of the system before

The first row names the columns, in any order and case; cells are separated by commas, semicolons or tabs, whichever
gives the most of these names. Text is UTF-8, with or without a byte order mark, or else GB18030. Spaces around a cell
are not part of it. Lines are counted as an editor does, from 1; a row is called by the line it begins on.

Every row is a registration, skipped with a reason, or a repetition of a code (the first of them counts), and empty rows
are counted too. A cell that fits no field is dropped and counted, a long one cut; neither costs its row.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tallystick.core.compose import compose
from tallystick.core.errors import InvalidIdentifier, InvalidStatement, Refused
from tallystick.core.forms import check_day
from tallystick.core.identifiers import check_label
from tallystick.core.kinds import BY_NAME, TERM_FIELDS, field_options
from tallystick.core.validation import RULES
from tallystick.sdk.importers.bring_in import Remarks
from tallystick.sdk.reader import LedgerReader
from tallystick_proto.v1.statement_pb2 import SystemRegistered

SOURCE: Final = "csv"

_KIND: Final = BY_NAME["SystemRegistered"]
_RETIRED: Final = BY_NAME["SystemRetired"]
_COLUMNS: Final = {
    "code": ("code", "编码", "系统编码"),
    "name": ("name", "名称", "系统名称"),
    "project": ("project", "项目"),
    "approved_on": ("approvedon", "批复日期"),
    "accepted_on": ("acceptedon", "验收日期"),
    "operator": ("operator", "运维单位"),
    "replaces": ("replaces", "替代系统"),
}
_BY_NAME: Final = {spelling: column for column, spellings in _COLUMNS.items() for spelling in spellings}
_REQUIRED: Final = ("code", "name")
_LENGTHS: Final = {
    name: field_options(SystemRegistered.DESCRIPTOR.fields_by_name[name]).max_len
    for name in ("name", "project", "operator")
}
_DAY: Final = re.compile(
    r"([0-9]{4})(?:-([0-9]{1,2})-([0-9]{1,2})|/([0-9]{1,2})/([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})日)"
)
_DELIMITERS: Final = ",;\t"
_ENCODINGS: Final = ("utf-8-sig", "gb18030")
# Whoever validates does not record: the actor here is only a form that passes.
_NOBODY: Final = "importer:systems"


@dataclass(frozen=True, slots=True)
class Registration:
    """One row as a registration, an item of an import."""

    line: int
    code: str
    values: dict[str, object]
    body: SystemRegistered

    @property
    def kind(self) -> str:
        return _KIND.name

    @property
    def key(self) -> str:
        return self.code

    @property
    def says(self) -> SystemRegistered:
        return self.body


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that is not registered: the line it begins on, its code, and why."""

    line: int
    code: str
    reason: str


@dataclass(slots=True)
class Account:
    """What became of every row: registered, `skipped`, `repeated` or `empty`; the rest is of cells."""

    encoding: str = ""
    rows: int = 0
    empty: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    repeated: list[Skipped] = field(default_factory=list)
    unknown_columns: list[str] = field(default_factory=list)
    dropped: Remarks = field(default_factory=Remarks)
    cut: Counter[tuple[str, int]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Stock:
    """A file, read. `codes` are all it names, those of skipped rows too."""

    registrations: tuple[Registration, ...]
    codes: frozenset[str]
    account: Account

    def gone(self, standing: dict[str, Standing]) -> list[str]:
        """The codes of systems that stand by an earlier import and the file lacks."""
        return sorted(code for code, stands in standing.items() if stands.is_imported and code not in self.codes)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a ledger says of one system: the last registration, and the index of the retirement since, if there is."""

    registered: SystemRegistered
    index: int
    source: str
    retired: int | None = None

    @property
    def is_imported(self) -> bool:
        return self.source == SOURCE and self.retired is None


class _Skip(Exception):
    """This row cannot be registered; the text says why."""


def standing_systems(reader: LedgerReader) -> dict[str, Standing]:
    """Every system registered on a ledger, by code, each entry verified; as its node answers."""
    standing: dict[str, Standing] = {}
    for shown in reader.find([(TERM_FIELDS["kind"], str(_KIND.number).encode())]):
        statement = shown.read.statement
        standing[statement.head.system] = Standing(
            statement.system_registered, shown.entry.index, statement.head.source
        )
    for shown in reader.find([(TERM_FIELDS["kind"], str(_RETIRED.number).encode())]):
        code = shown.read.statement.head.system
        stands = standing.get(code)
        if stands is not None and stands.index < shown.entry.index:
            standing[code] = Standing(stands.registered, stands.index, stands.source, shown.entry.index)
    return standing


def read_stock(data: bytes) -> Stock:
    """The registrations in a CSV file. Raises Refused where it is none, or names no code and no name."""
    account = Account()
    text = _decoded(data, account)
    rows = _rows(text)
    try:
        columns = _columns(next(rows)[1], account)
    except StopIteration:
        raise Refused("it is empty", expected="a CSV file whose first row names its columns") from None
    registrations: dict[str, Registration] = {}
    codes: dict[str, int] = {}
    for line, cells in rows:
        account.rows += 1
        if not any(cells):
            account.empty += 1
            continue
        for beyond in cells[len(columns) :]:
            if beyond:
                account.dropped.add("(no column)", "beyond the first row", _place(line, beyond))
        row = {column: cell for column, cell in zip(columns, cells, strict=False) if column}
        code = row.get("code", "")
        first = codes.setdefault(code, line) if code else line
        if first != line:
            account.repeated.append(Skipped(line, code, f"its code stands on line {first} already"))
            continue
        try:
            registrations[code] = _registration(line, row, account)
        except _Skip as skip:
            account.skipped.append(Skipped(line, code[:80], str(skip)))
    return Stock(tuple(registrations.values()), frozenset(codes), account)


def _decoded(data: bytes, account: Account) -> str:
    for encoding in _ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        account.encoding = encoding.removesuffix("-sig")
        return text
    raise Refused("neither UTF-8 nor GB18030 text", expected="a CSV file")


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line it begins on, its cells without the spaces around them. Lines without a cell are none."""
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(_DELIMITERS, key=lambda each: sum(_letters(cell) in _BY_NAME for cell in first.split(each)))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, [cell.strip() for cell in cells]
            line = reader.line_num + 1
    except csv.Error as error:
        raise Refused(f"line {line} is not CSV: {error}", expected="cells whose quotes end") from None


def _columns(header: list[str], account: Account) -> list[str]:
    """What each column is, "" of one nobody knows. Raises Refused."""
    columns = [_BY_NAME.get(_letters(name), "") for name in header]
    for column, spellings in _COLUMNS.items():
        if columns.count(column) > 1:
            raise Refused(f"two columns are its {column}", where="line 1", expected="one of " + ", ".join(spellings))
        if column in _REQUIRED and column not in columns:
            named = ", ".join(header)[:200]
            raise Refused(f"no column {column} among {named}", where="line 1", expected=" or ".join(spellings))
    account.unknown_columns = [name for name, column in zip(header, columns, strict=True) if not column]
    return columns


def _letters(name: str) -> str:
    return re.sub(r"[\s_\"-]", "", name.casefold())


def _registration(line: int, row: dict[str, str], account: Account) -> Registration:
    code = row.get("code", "")
    for column in _REQUIRED:
        if not row.get(column):
            raise _Skip(f"no {column}")
    try:
        check_label(code, "system")
    except InvalidIdentifier as error:
        raise _Skip(f"its code cannot be a system's: {error}") from None
    values: dict[str, object] = {"system": code, "source": SOURCE}
    for name, most in _LENGTHS.items():
        values[name] = _cut(row.get(name, ""), name, most, account)
    for name in ("approved_on", "accepted_on"):
        values[name] = _day(row.get(name, ""), name, line, account)
    values["replaces"] = _label(row.get("replaces", ""), line, account)
    try:
        statement = compose(_KIND.name, _NOBODY, values).statement
        RULES[_KIND.number].head.check(statement.head)
        RULES[_KIND.number].body.check(statement.system_registered)
    except (InvalidStatement, InvalidIdentifier) as error:
        raise _Skip(str(error)) from None
    return Registration(line, code, values, statement.system_registered)


def _day(text: str, name: str, line: int, account: Account) -> str:
    if not text:
        return ""
    found = _DAY.fullmatch(text)
    if found is not None:
        year, month, day = (part for part in found.groups() if part is not None)
        written = f"{year}-{month:0>2}-{day:0>2}"
        try:
            check_day(written)
        except InvalidIdentifier:
            pass
        else:
            return written
    account.dropped.add(name, "not a day", _place(line, text))
    return ""


def _label(text: str, line: int, account: Account) -> str:
    if text:
        try:
            return check_label(text, "system")
        except InvalidIdentifier:
            account.dropped.add("replaces", "not a code", _place(line, text))
    return ""


def _cut(text: str, name: str, most: int, account: Account) -> str:
    if len(text) <= most:
        return text
    account.cut[name, most] += 1
    return text[: most - 1] + "…"


def _place(line: int, text: str) -> str:
    return f"line {line}: {text[:80]}"
