"""What words of a command line may be, for every program of ours alike: text, what names something, or a file's name.

A word that is empty is nobody's wish: a variable that was not set, in a script, would pass for what was left out.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from pathlib import Path
from typing import Final

import click

from tallystick.core.errors import InvalidIdentifier

_EMPTY: Final = "it is empty"


class Text(click.ParamType[str]):
    """Text, in UTF-8 as all that is recorded."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value:
            self.fail(_EMPTY, param, ctx)
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fail(f"{value[:80]!r} is no text; expected UTF-8", param, ctx)
        return value


class Reference(click.ParamType[str]):
    """The text itself, once it was read: what names something and has a form."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            self.read(value)
        except InvalidIdentifier as error:
            self.fail(str(error), param, ctx)
        return value

    @abstractmethod
    def read(self, text: str) -> None:
        """Raises InvalidIdentifier."""


class Digest(Reference):
    """`blake3:9f2c…`, of a charter's text."""

    name = "digest"

    def read(self, text: str) -> None:
        from tallystick.core.hashing import parse_digest

        parse_digest(text)


class File(click.Path):
    """The name of a file or folder, of any bytes that the system takes. What is there is not looked at yet."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Path:
        if not os.fspath(value):
            self.fail(f"{_EMPTY}; expected the name of a file or folder", param, ctx)
        return Path(value)


TEXT: Final = Text()
FILE: Final = File()
