"""TOML that somebody else wrote: read in time that grows with its length, or refused with one sentence.

The standard library's parser takes time that grows with the square of a key's parts (`a.a.a.a…`), raises more than it
says, and lets through what breaks whoever uses the values: whole numbers too long to be written out, a NUL in a name of
a file, tables nested deeper than any program goes. TOML itself asks for 64 bits and no more. None of it stands in a
charter, a profile or a settings file that means what it says.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any, Final

TOML_DEEP_MAX: Final = 32
"""How deep tables and lists may be nested, and how many parts a key may have."""

_WHOLE_NUMBERS: Final = range(-(2**63), 2**63)
# What may hold a dot and is no key. What does not end runs to the end of the text, or looking for it would never end.
_NO_KEYS: Final = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:"""|\Z)'
    r"|'''(?:[^']|'(?!''))*+(?:'''|\Z)"
    r'|"(?:[^"\\\n]|\\.)*+"?'
    r"|'[^'\n]*+'?"
    r"|#[^\n]*+",
    re.DOTALL,
)
_KEY: Final = re.compile(r"[\w. \t-]++")


def parse_toml(text: str) -> dict[str, Any]:
    """The table that a text says. Raises ValueError, whose words are for people."""
    # A quoted part of a key becomes a bare one.
    for found in _KEY.finditer(_NO_KEYS.sub("q", text)):
        if found[0].count(".") >= TOML_DEEP_MAX:
            raise ValueError(f"a key of more than {TOML_DEEP_MAX} parts")
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    _check(table, 0)
    return table


def _check(value: object, deep: int) -> None:
    if deep > TOML_DEEP_MAX:
        raise ValueError(f"nested more than {TOML_DEEP_MAX} deep")
    if isinstance(value, dict):
        for name, inner in value.items():
            _check(name, deep)
            _check(inner, deep + 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, deep + 1)
    elif isinstance(value, str) and "\0" in value:
        raise ValueError("a text with a NUL in it")
    elif isinstance(value, int) and value not in _WHOLE_NUMBERS:
        raise ValueError("a whole number of more than 64 bits")
