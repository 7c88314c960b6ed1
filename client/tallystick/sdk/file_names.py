"""Names of files that are made of names from elsewhere: none of them leaves its folder, and no two are the same.

A name is quoted as in a URL, so that neither slash nor NUL is in it, nor the `+` behind which it is said what else a
file is (`<name>+conflict-…`). One that is too long for a file system is cut, and told apart by its hash.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from tallystick.core.hashing import chain_hash

_CHARS_MAX: Final = 150
_NO_NAMES: Final = ("", ".", "..")


def file_name(said: str) -> str:
    """What a file, or the beginning of its name, is called for a name."""
    quoted = quote(said, safe="", errors="backslashreplace")
    if len(quoted) <= _CHARS_MAX and quoted not in _NO_NAMES:
        return quoted
    return f"{quoted[:_CHARS_MAX]}+{chain_hash(said.encode(errors='backslashreplace')).hex()[:16]}"
