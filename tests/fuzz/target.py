"""What a fuzz target is: a function of bytes that passes whatever the bytes are, and inputs to begin from.

A target hands its bytes to one parser as that parser's caller would. What it lets pass is a domain error whose sentence
can be shown, and a value of which everything holds that the parser promises: where the format is strict, that it is
written again as the same bytes. Anything else that is raised is a finding, and so is what takes long or much memory.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from tallystick.core.errors import TallystickError

SENTENCE_CHARS_MAX: Final = 4_000
"""No error says more than this of what it was given, so that nobody's log or terminal is filled by one."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Target:
    """A name, the function, and what it is to begin from: valid inputs, for the most part."""

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]


def tried(parse: Callable[..., Value], *arguments: object) -> Value | None:
    """What a parser makes of something; None where it refuses it as it should."""
    try:
        return parse(*arguments)
    except TallystickError as error:
        sentence = str(error)
    assert sentence
    assert len(sentence) <= SENTENCE_CHARS_MAX, f"a sentence of {len(sentence)} characters"
    return None


def folder() -> Path:
    """A folder for what a parser is given as a path, gone when the process ends."""
    made = tempfile.mkdtemp(prefix="tallystick-fuzz-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)
