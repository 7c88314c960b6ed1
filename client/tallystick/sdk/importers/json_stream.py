"""JSON of any length, read value by value: lists, lists within an object, and one document after another.

Two readers, for UTF-8 with or without a byte order mark. `list_elements` walks `[…]` and lists within an object,
`{"records": […]}`, one after another, over a sliding buffer; what is broken there ends the reading, since nothing tells
where the next element begins. `documents` reads values that each begin on a line of their own, on one line or several
(NDJSON, and what `mongoexport` writes); there what is broken costs its own line, and reading goes on with the next. On
several lines a document may have 256 of them and 64 KiB.

An object that names a field twice becomes a `Repeated`: which of its values counts is not decided here.
"""

from __future__ import annotations

import codecs
import json
from collections import deque
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import islice
from typing import Any, Final, NamedTuple

from tallystick.core.limits import IMPORT_RECORD_CHARS_MAX

CHUNK_BYTES: Final = 64 * 1024
_BLANK: Final = " \t\r\n"
# Of a document on several lines; one on a single line may be as long as a record.
_DOCUMENT_LINES_MAX: Final = 256
_DOCUMENT_CHARS_MAX: Final = 64 * 1024
_ENDS: Final = ("}", "]")
_COMPLETE_BY_ITSELF: Final = '}]"'

Line = tuple[int, "str | Broken"]
"""The number of a line, from 1, and its text, or why it has none."""


class Broken(NamedTuple):
    """What stands where a record should, and could not be read."""

    why: str
    what: str = ""


class Repeated(dict[str, Any]):
    """An object in which a name stands twice; the last value is kept."""


class Damaged(Exception):
    """The rest cannot be read; `in_value` where an element itself is what is broken."""

    def __init__(self, why: str, *, in_value: bool = False) -> None:
        super().__init__(why)
        self.in_value = in_value


def _pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
    built = dict(found)
    return built if len(built) == len(found) else Repeated(built)


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_pairs)


class _Slider:
    """A window that moves over a text and reads one JSON value at a time."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._ended = False

    def _fill(self, most: int) -> None:
        data = self._read(most)
        self._ended = not data
        try:
            more = self._decoder.decode(data, final=self._ended)
        except UnicodeDecodeError:
            raise Damaged("not UTF-8 text") from None
        self._text = self._text[self._at :] + more
        self._at = 0

    def peek(self) -> str:
        """The next character that is not blank; "" at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _BLANK:
                    return self._text[self._at]
                self._at += 1
            if self._ended:
                return ""
            self._fill(CHUNK_BYTES)

    def take(self, character: str) -> bool:
        """Whether that is the next character, which is then passed."""
        if self.peek() != character:
            return False
        self._at += 1
        return True

    def expect(self, character: str) -> None:
        """Pass that character. Raises Damaged."""
        if not self.take(character):
            found = repr(self.peek()) if self.peek() else "the end of the file"
            raise Damaged(f"not JSON: {found} where {character!r} should stand")

    def value(self) -> Any:
        """The next value. Raises Damaged."""
        self.peek()
        more = CHUNK_BYTES
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except RecursionError:
                raise Damaged("nested too deeply", in_value=True) from None
            except ValueError as error:  # not JSON, or not yet whole
                if self._ended or len(self._text) - self._at > IMPORT_RECORD_CHARS_MAX:
                    why = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
                    raise Damaged(f"not JSON: {why}", in_value=True) from None
            else:
                # A number at the window's end may go on behind it.
                if end < len(self._text) or self._ended or self._text[end - 1] in _COMPLETE_BY_ITSELF:
                    self._at = end
                    return value
            self._fill(more)
            more *= 2  # so that a long value is not parsed again for each chunk


def list_elements(read: Callable[[int], bytes], name: str) -> Iterator[Any]:
    """The elements of every list in a file, and of every list that its objects hold under a name; an object that holds
    none is an element itself. Raises Damaged.
    """
    slider = _Slider(read)
    while slider.peek():
        if slider.peek() == "{":
            yield from _within_object(slider, name)
        else:
            yield from _list(slider)


def begins_with_list(head: bytes, name: str) -> bool:
    """Whether the object that a file begins with holds a list under a name, as far as its beginning shows."""
    slider = _Slider(BytesIO(head).read)
    try:
        if not slider.take("{"):
            return False
        while slider.peek() == '"':
            if slider.value() == name and slider.take(":") and slider.peek() == "[":
                return True
            slider.take(":")
            slider.value()
            slider.take(",")
    except Damaged:
        pass
    return False


def _list(slider: _Slider) -> Iterator[Any]:
    slider.expect("[")
    if slider.take("]"):
        return
    while True:
        yield slider.value()
        if not slider.take(","):
            slider.expect("]")
            return


def _within_object(slider: _Slider, wanted: str) -> Iterator[Any]:
    slider.expect("{")
    others: dict[str, Any] = {}
    held = False
    closed = slider.take("}")
    while not closed:
        if slider.peek() != '"':
            slider.expect('"')
        name = slider.value()
        slider.expect(":")
        if name == wanted and slider.peek() == "[":
            held = True
            yield from _list(slider)
        else:
            others[name] = slider.value()
        if not slider.take(","):
            slider.expect("}")
            closed = True
    if not held:
        yield others


def documents(lines: Iterator[Line]) -> Iterator[tuple[int, Any]]:
    """Each document with the line it begins on; `Broken` for a line at which none begins."""
    ahead = _Ahead(lines)
    while (line := ahead.first) is not None:
        number, value = line
        taken = 1
        if isinstance(value, str) and value.strip():
            value = _decoded(value)
            if value is _UNFINISHED:
                value, taken = ahead.continued()
        ahead.take(taken)
        if not isinstance(line[1], str) or line[1].strip():
            yield number, value


class _Ahead:
    """Lines that were read and are not accounted for yet.

    Where a document may end among them is looked at once, when a line is read: of a file in which every line begins
    one and none ends it, all lines would else be gone through again for each.
    """

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._held: deque[tuple[Line, int]] = deque()  # each with how many characters were read up to its end
        self._taken = self._chars = 0
        self._ends: deque[int] = deque()  # counted from the file's first line

    @property
    def first(self) -> Line | None:
        """The line that is looked at; None behind the last."""
        return self._held[0][0] if self._held or self._read() else None

    def take(self, count: int) -> None:
        """So many lines are accounted for."""
        for _ in range(count):
            self._held.popleft()
        self._taken += count
        while self._ends and self._ends[0] <= self._taken:  # where a document begins, the one before has ended
            self._ends.popleft()

    def continued(self) -> tuple[Any, int]:
        """The document that begins on the first line and goes on behind it, and how many lines it has. Where none does,
        that line is broken, and those behind it are looked at on their own.
        """
        (_, first), before = self._held[0]
        place = 0
        while (end := self._end(place)) is not None:
            chars = self._held[end][1] - before + len(str(first))
            said = [line for (_, line), _ in islice(self._held, end + 1)]
            if chars > _DOCUMENT_CHARS_MAX or not all(isinstance(line, str) for line in said):
                break
            value = _decoded("\n".join(map(str, said)))
            if isinstance(value, Broken):
                break
            if value is not _UNFINISHED:
                return value, end + 1
            place += 1
        return Broken("not JSON", str(first)[:80]), 1

    def _end(self, place: int) -> int | None:
        """The line, from the first, on which a document that begins there may end: the first such line, or the one
        that has so many before it.
        """
        while place >= len(self._ends):
            if len(self._held) >= _DOCUMENT_LINES_MAX or not self._read():
                return None
        end = self._ends[place] - self._taken
        return end if end < _DOCUMENT_LINES_MAX else None

    def _read(self) -> bool:
        line = next(self._lines, None)
        if line is None:
            return False
        text = line[1]
        self._chars += len(text)
        if not isinstance(text, str) or (text.rstrip().endswith(_ENDS) and self._held):
            self._ends.append(self._taken + len(self._held))
        self._held.append((line, self._chars))
        return True


_UNFINISHED: Final = object()


def _decoded(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except RecursionError:
        return Broken("nested too deeply")
    except json.JSONDecodeError as error:
        if error.pos < len(text.rstrip()):
            return Broken("not JSON", f"{error.msg}: {text[:80]}")
        return _UNFINISHED
    except ValueError as error:
        return Broken("not JSON", str(error))
