"""JSON as other programs write it: read whole or refused with one sentence.

UTF-8, UTF-16 and UTF-32 are told apart by their first bytes, with or without a byte order mark. `NaN` and `Infinity`,
which JSON does not have, are read as numbers, so that one of them in a field nobody needs does not cost the file. Of a
name that stands twice in one object the last value counts, as everywhere; `repeated` says which names did.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from tallystick.core.errors import Refused
from tallystick.core.limits import IMPORT_BYTES_MAX
from tallystick.sdk.files import read_some


def read_input(path: Path) -> bytes:
    """The bytes of a file to import. Raises ConfigInvalid where it cannot be read, Refused where it is too large."""
    data = read_some(path, IMPORT_BYTES_MAX, "a file")
    if len(data) > IMPORT_BYTES_MAX:
        raise Refused("it is too large", where=str(path), expected=f"at most {IMPORT_BYTES_MAX} bytes")
    return data


def parse_json(data: bytes) -> tuple[object, Counter[str]]:
    """The value in a file, and how often a name stood twice in one object. Raises Refused."""
    repeated: Counter[str] = Counter()

    def pairs(found: list[tuple[str, object]]) -> dict[str, object]:
        built = dict(found)
        if len(built) < len(found):
            names = Counter(name for name, _ in found)
            repeated.update({name: count - 1 for name, count in names.items() if count > 1})
        return built

    try:
        text = data.decode(json.detect_encoding(data))
        return json.loads(text.removeprefix("\ufeff"), object_pairs_hook=pairs), repeated
    except json.JSONDecodeError as error:
        raise Refused(
            f"not JSON: {error.msg}, line {error.lineno} column {error.colno}", expected="a JSON file"
        ) from None
    except UnicodeDecodeError as error:
        raise Refused(f"not JSON: no {error.encoding} text at byte {error.start}", expected="UTF-8 text") from None
    except ValueError as error:  # a number of more digits than Python reads
        raise Refused(f"not JSON that can be read: {error}", expected="a JSON file") from None
    except RecursionError:
        raise Refused("nested too deeply", expected="a JSON file") from None


def kind_of_value(value: object) -> str:
    """What a value is, in words."""
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
