"""Text that came from a ledger, a file or a peer, made safe to show: the one place where that is done.

Control characters can move a terminal's cursor, and bidirectional and other invisible ones can make a line read as what
it is not. Each of them is shown by its escape: `\\x1b`, `\\u202e`. Letters of every script stay as they are.
"""

from __future__ import annotations

import unicodedata

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# Control, format (bidirectional marks, joiners, tags), surrogates, private use, unassigned, line and paragraph ends.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def sanitise(text: str) -> str:
    """The text on one line, with everything invisible or commanding shown by its escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(c) if unicodedata.category(c) in _UNSAFE else c for c in text)


def _escape(character: str) -> str:
    short = _SHORT.get(character)
    if short is not None:
        return short
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def sanitise_json(document: str) -> str:
    """A JSON document that means the same, its unsafe characters written as JSON escapes; its own line ends stay."""
    return "".join(_json_escape(c) if c != "\n" and unicodedata.category(c) in _UNSAFE else c for c in document)


def _json_escape(character: str) -> str:
    encoded = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{int.from_bytes(encoded[i : i + 2], 'big'):04x}" for i in range(0, len(encoded), 2))
