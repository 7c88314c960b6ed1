"""The files X-Road's operational-monitoring records come in, read record by record. The form is told by the content.

    {"records": [ {…}, … ]}      as the operational-monitoring service answers
    [ {…}, … ]                   a list of such records, or of the documents X-Road Metrics corrects
    {…} ⏎ {…} ⏎ …                one document after another, as its database and its open data are exported
    a table                      as the open data's own table is: separated by tabs, commas or semicolons

Each of them may be compressed by gzip. Text is UTF-8. A table's first line names its columns, in any spelling that has
the letters of X-Road's names, or the table has the 29 columns of the open data in their order. Of a table with tabs the
escapes PostgreSQL writes are undone (`\\t`, `\\n`, `\\r`, `\\\\`; `\\N` stands for null); in the others cells may be
quoted, on one line each.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

from tallystick.core.errors import ConfigInvalid, Refused
from tallystick.core.limits import IMPORT_RECORD_CHARS_MAX
from tallystick.sdk.importers.json_stream import Broken, Damaged, Line, begins_with_list, documents, list_elements

STANDARD_INPUT: Final = "-"
# Of the open data's table, in the order of its columns.
COLUMNS: Final = (
    "id",
    "clientMemberClass",
    "clientMemberCode",
    "clientSecurityServerAddress",
    "clientSubsystemCode",
    "clientXRoadInstance",
    "messageId",
    "messageProtocolVersion",
    "producerDurationProducerView",
    "representedPartyClass",
    "representedPartyCode",
    "requestAttachmentCount",
    "requestInDate",
    "requestInTs",
    "requestMimeSize",
    "requestSoapSize",
    "responseAttachmentCount",
    "responseMimeSize",
    "responseSoapSize",
    "securityServerType",
    "serviceCode",
    "serviceMemberClass",
    "serviceMemberCode",
    "serviceSecurityServerAddress",
    "serviceSubsystemCode",
    "serviceVersion",
    "serviceXRoadInstance",
    "succeeded",
    "totalDuration",
)

_Form = Literal["list", "documents"] | tuple[str, tuple[str, ...] | None]

_RECORDS: Final = "records"
_HEAD_BYTES: Final = 64 * 1024
_LINES_LOOKED_AT: Final = 10
_TOLD_EVERY: Final = 1000
# gzip raises each of them, for data that are damaged or end too soon.
_READING_FAILS: Final = (OSError, EOFError, zlib.error)
_GZIP: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"
_DELIMITERS: Final = "\t,;"
_NAMED: Final = frozenset({"messageid", "securityservertype"})
_ESCAPES: Final = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\\\": "\\"}
_ESCAPE: Final = re.compile(r"\\[tnr\\]")


def letters(name: str) -> str:
    """A field's name without case or signs: `requestInTs`, `requestints` and `request_in_ts` are one."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


class Source:
    """One file. `cut_short` says, once `records` has ended, why the rest of it could not be read, if it could not; `at`
    is told now and then how many bytes were taken.
    """

    def __init__(self, name: str, raw: BinaryIO) -> None:
        self.name = name
        self.unit = "line"
        self.cut_short = ""
        self.at: Callable[[int], None] | None = None
        self._raw = raw
        head, self._stream = _rewound(raw)
        if head.startswith(_GZIP):
            head, self._stream = _rewound(gzip.GzipFile(fileobj=self._stream))
        self._form = _form_of(head.removeprefix(_BOM))

    def place(self, number: int) -> str:
        """What a record is called."""
        return f"{self.name}, {self.unit} {number}"

    @property
    def bytes_taken(self) -> int:
        """How many bytes of the file were taken so far, where that can be told."""
        return self._raw.tell() if self._raw.seekable() else 0

    def records(self) -> Iterator[tuple[int, Any]]:
        """Each record with its number, as it stands; `Broken` for what could not be read."""
        number = seen = 0
        try:
            for number, value in self._values():
                yield number, value
                seen += 1
                if seen % _TOLD_EVERY == 0 and self.at is not None:
                    self.at(self.bytes_taken)
        except Damaged as damage:
            self.cut_short = f"after {self.unit} {number}: {damage}"
            if damage.in_value:
                yield number + 1, Broken("not JSON", str(damage))
        except _READING_FAILS as error:
            self.cut_short = f"after {self.unit} {number}: {error}"

    def _values(self) -> Iterator[tuple[int, Any]]:
        match self._form:
            case "list":
                self.unit = "record"
                yield from enumerate(list_elements(self._stream.read, _RECORDS), 1)
            case "documents":
                yield from documents(self._lines())
            case (delimiter, columns):
                yield from _table(self._lines(), delimiter, columns)

    def _lines(self) -> Iterator[Line]:
        number = 0
        while data := self._stream.readline(IMPORT_RECORD_CHARS_MAX + 1):
            number += 1
            if len(data) > IMPORT_RECORD_CHARS_MAX and not data.endswith(b"\n"):
                while not data.endswith(b"\n") and (data := self._stream.readline(IMPORT_RECORD_CHARS_MAX)):
                    pass
                yield number, Broken("too long")
                continue
            try:
                yield number, (data.removeprefix(_BOM) if number == 1 else data).decode().rstrip("\r\n")
            except UnicodeDecodeError:
                yield number, Broken("not UTF-8 text")


class _Rewound(io.RawIOBase):
    """What was read of a stream already, and then the stream, or what ended the reading."""

    def __init__(self, head: bytes, stream: Any, failure: Exception | None) -> None:
        super().__init__()
        self._head = head
        self._stream = stream
        self._failure = failure

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data, self._head = self._head[: len(buffer)], self._head[len(buffer) :]
        if not data:
            if self._failure is not None:
                raise self._failure
            data = self._stream.read1(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _rewound(stream: Any) -> tuple[bytes, io.BufferedReader]:
    """The beginning of a stream, and the stream from its beginning."""
    head, failure = b"", None
    try:
        # With `read`, what came before a failure would be lost with it.
        while len(head) < _HEAD_BYTES and (more := stream.read1(_HEAD_BYTES - len(head))):
            head += more
    except _READING_FAILS as error:
        failure = error
    return head, io.BufferedReader(_Rewound(head, stream, failure), _HEAD_BYTES)


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """A file, or with `-` standard input. Raises ConfigInvalid, or Refused where it has none of the forms."""
    name = str(path)
    with ExitStack() as stack:
        try:
            raw: BinaryIO = sys.stdin.buffer if name == STANDARD_INPUT else stack.enter_context(path.open("rb"))
            source = Source(name, raw)
        except OSError as error:
            raise ConfigInvalid(f"cannot be read: {error.strerror}", where=name, expected="a file") from None
        except Refused as error:
            raise error.at(name) from None
        yield source


def check_forms(paths: Iterable[Path]) -> int:
    """Look at the beginning of every file before anything is recorded; their bytes in all, as far as they can be told.

    Raises as `opened`. What can be read only once is left alone: standard input, a pipe.
    """
    total = 0
    for path in paths:
        if str(path) == STANDARD_INPUT or path.is_fifo():
            continue
        with opened(path):
            total += path.stat().st_size
    return total


def opened_in_turn(paths: Iterable[Path], at: Callable[[int], None] | None = None) -> Iterator[Source]:
    """The files one after another, each closed before the next; `at` is told how many bytes of all were taken."""
    before = 0
    for path in paths:
        with opened(path) as source:
            if at is not None:
                source.at = lambda taken, before=before: at(before + taken)
            yield source
            before += source.bytes_taken


def _form_of(head: bytes) -> _Form:
    """The form of a file by its beginning; of a table its delimiter, and its columns where no line names them."""
    start = head.lstrip()
    if start[:1] == b"[" or begins_with_list(start, _RECORDS):
        return "list"
    if start[:1] == b"{" or not start:
        return "documents"
    # The first line may be a broken one.
    for line in start.decode(errors="replace").split("\n")[:_LINES_LOOKED_AT]:
        if line.startswith("{"):
            return "documents"
        for delimiter in _DELIMITERS:
            cells = _cells(line.rstrip("\r"), delimiter)
            if cells is not None and set(map(letters, cells)) >= _NAMED:
                return delimiter, None
            if cells is not None and len(cells) == len(COLUMNS):
                return delimiter, COLUMNS
    raise Refused(
        "none of the forms X-Road's records come in",
        expected=f"JSON, or a table of {len(COLUMNS)} columns or with a line that names them",
    )


def _cells(line: str, delimiter: str) -> list[str] | None:
    """The cells of a line; None where its quotes do not end."""
    if delimiter == "\t":
        cells = line.split("\t")
        return [_ESCAPE.sub(lambda found: _ESCAPES[found[0]], cell) for cell in cells] if "\\" in line else cells
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None


def _table(lines: Iterator[Line], delimiter: str, columns: tuple[str, ...] | None) -> Iterator[tuple[int, Any]]:
    for number, line in lines:
        if isinstance(line, Broken):
            yield number, line
            continue
        cells = _cells(line, delimiter)
        if columns is None:
            if cells is not None and set(map(letters, cells)) >= _NAMED:
                columns = tuple(cells)
            elif line.strip():
                yield number, Broken("stands before the line that names the columns", line[:80])
        elif not line:
            continue
        elif cells is None:
            yield number, Broken("its quotes do not end", line[:80])
        elif len(cells) != len(columns):
            yield number, Broken("another number of columns", f"{len(cells)}, not {len(columns)}")
        else:
            yield number, dict(zip(columns, cells, strict=True))
