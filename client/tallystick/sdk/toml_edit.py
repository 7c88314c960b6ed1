"""A few values replaced in a TOML file that a person wrote: comments, order and everything else stay."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping

from tallystick.core.errors import ConfigInvalid

Values = Mapping[tuple[str, str], str]
"""Strings to put in, by table and key; the table is "" above all tables."""

_TABLE = re.compile(r"\s*\[+\s*([^\]\s]+)\s*\]+")


def with_values(text: str, values: Values, where: str) -> str:
    """The text with each value in its place; what is not there is added.

    Raises ConfigInvalid where one stands in a form that is not replaced here, over several lines say.
    """
    lines = text.splitlines()
    for (table, key), value in values.items():
        _put(lines, table, key, f"{key} = {json.dumps(value, ensure_ascii=False)}")
    edited = "\n".join(lines) + "\n"
    wanted = tomllib.loads(text)
    for (table, key), value in values.items():
        (wanted.setdefault(table, {}) if table else wanted)[key] = value
    try:
        found = tomllib.loads(edited)
    except tomllib.TOMLDecodeError:
        found = {}
    if found != wanted:
        names = ", ".join(".".join(filter(None, place)) for place in values)
        raise ConfigInvalid(f"{names} cannot be replaced", where=where, expected="each on a line of its own")
    return edited


def _put(lines: list[str], table: str, key: str, line: str) -> None:
    within = ""
    first = 0 if not table else None
    for number, there in enumerate(lines):
        header = _TABLE.match(there)
        if header:
            within = header[1]
            first = number + 1 if within == table else first
        elif within == table and re.match(rf"\s*{re.escape(key)}\s*=", there):
            lines[number] = line
            return
    if first is None:
        lines += ["", f"[{table}]", line]
    else:
        lines.insert(first, line)
