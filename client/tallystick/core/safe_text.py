"""Text that came from a ledger, a file or a peer, made safe to show: the one place where that is done.

What is shown is what is there, on one line, and nothing else. Shown by its escape (`\\x1b`, `\\u202e`) is therefore

  1. what commands: control characters, line and paragraph ends;
  2. what turns the direction of writing, and what nobody sees: format characters, surrogates, private use, what no
     Unicode known here assigns, variation selectors, fillers and blanks that are called letters;
  3. a combining mark that stands on no letter or digit, and would change whatever was printed before it; and of the
     marks on one letter those after the first MARKS_MAX, which would run into the lines above and below.

Letters of every script stay, and what they are written with: joiners where they change a letter's shape (beside a
virama, or between Arabic letters that would else join), Mongolian variation selectors after Mongolian letters, and the
signs that go around numbers in Arabic and Syriac. Which letters look alike is not judged here: ids are ASCII.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Final

MARKS_MAX: Final = 8
"""Marks on one letter. Tibetan needs so many; no living language needs more."""

_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# Control, format, surrogates, private use, unassigned, line and paragraph ends.
_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters, marks and signs in which there is nothing to see, whatever their category says.
_INVISIBLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U00016fe4\U0001d159\U000e0100-\U000e01ef]"
)
# Format characters that are seen, as signs before or around a number.
_SEEN: Final = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
_NON_JOINER, _JOINER = "\u200c", "\u200d"
_VIRAMA: Final = 9  # its combining class
# What nothing above is about: printable ASCII, and what Chinese and most European text is made of.
_OTHERS: Final = re.compile(
    "[^ -~\u00a1-\u00ac\u00ae-\u024f\u2010-\u2027"
    "\u3000-\u3029\u3041-\u3096\u30a1-\u30fe\u3400-\u4dbf\u4e00-\u9fff\uff01-\uff5e]+"
)


def sanitise(text: str) -> str:
    """The text on one line, with everything invisible, stacked or commanding shown by its escape."""
    if text.isascii() and text.isprintable():
        return text
    return _OTHERS.sub(lambda found: _shown(found, _escape), text)


def sanitise_json(document: str) -> str:
    """A JSON document that means the same, its unsafe characters written as JSON escapes; its own line ends stay."""
    return _OTHERS.sub(lambda found: _shown(found, _json_escape), document)


def _shown(found: re.Match[str], escape: Callable[[str], str]) -> str:
    """A stretch of a text in which anything may stand."""
    stretch = found[0]
    before = found.string[found.start() - 1] if found.start() else ""
    # How many marks the last letter has; as if it had all, where there is none.
    marks = 0 if before.isalnum() else MARKS_MAX
    shown = []
    for position, character in enumerate(stretch):
        category = unicodedata.category(character)
        previous = stretch[position - 1 : position]
        if _INVISIBLE.match(character) or category in _UNSAFE:
            following = stretch[position + 1 : position + 2]
            stays = character in _SEEN or (marks < MARKS_MAX and _shapes(previous, character, following))
            marks = marks if stays else MARKS_MAX
        elif category[0] == "M":
            stays = marks < MARKS_MAX
            marks += 1
        else:
            stays = True
            marks = 0 if category[0] in "LN" else MARKS_MAX
        shown.append(character if stays else escape(character))
    return "".join(shown)


def _shapes(previous: str, character: str, following: str) -> bool:
    """Whether an invisible character changes how the letter before it, which was shown, is written."""
    if "\u180b" <= character <= "\u180f":
        return "\u1820" <= previous <= "\u18aa"
    if character not in (_NON_JOINER, _JOINER) or not previous:
        return False
    if unicodedata.combining(previous) == _VIRAMA:
        return True
    if following and unicodedata.combining(following) == _VIRAMA:
        return unicodedata.category(previous) == "Lo"
    return character == _NON_JOINER and previous in _joining() and following in _arabic()


@cache
def _presented() -> dict[str, set[str]]:
    """The letters that Arabic's presentation forms are forms of, by the form."""
    found: dict[str, set[str]] = {}
    for number in range(0xFB50, 0xFEFD):
        form, *letters = unicodedata.decomposition(chr(number)).split() or [""]
        if len(letters) == 1:
            found.setdefault(form, set()).add(chr(int(letters[0], 16)))
    return found


def _joining() -> set[str]:
    """The Arabic letters that join to the one after them."""
    return _presented()["<initial>"]


def _arabic() -> set[str]:
    """The Arabic letters that join to the one before them."""
    return _presented()["<final>"]


def _escape(character: str) -> str:
    short = _SHORT.get(character)
    if short is not None:
        return short
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _json_escape(character: str) -> str:
    if character == "\n":  # between values: within one it is escaped already
        return character
    encoded = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{int.from_bytes(encoded[i : i + 2], 'big'):04x}" for i in range(0, len(encoded), 2))
