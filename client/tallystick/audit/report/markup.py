"""Markup, made so that text cannot act: the one place where text becomes HTML or SVG.

`h("td", name, class_="name")` makes an element. A child that is `Html` stands as it is; every other text, and every
attribute, is sanitised (`core.safe_text`: no control character, nothing that turns the direction of writing) and then
escaped. Markup joined with text by `+` is text again and is escaped: a mistake is ugly and never dangerous.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from html import escape
from typing import Final

from tallystick.core.safe_text import sanitise

_VOID: Final = frozenset({"br", "hr", "meta"})


class Html(str):
    """Markup that is safe as it stands."""

    __slots__ = ()


def text(said: str) -> Html:
    """Text as markup that says it, and does nothing."""
    return said if isinstance(said, Html) else Html(escape(sanitise(said)))


def join(parts: Iterable[str], between: str = "") -> Html:
    """Markup and text one after the other, with text between them."""
    return Html(text(between).join(map(text, parts)))


def h(tag: str, *children: str, **attributes: str | int | None) -> Html:
    """An element. An attribute that is None is left out; `class_` is `class`, and other `_` are `-`."""
    said = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(sanitise(str(value)))}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _VOID:
        return Html(f"<{tag}{said}>")
    return Html(f"<{tag}{said}>{join(children)}</{tag}>")


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Container[int] = ()) -> Html:
    """A table under a header; the columns of `numbers` are set to the right. Each cell also carries what its column is
    called, for widths at which a row is better read as a list."""

    def right(column: int) -> str | None:
        return "n" if column in numbers else None

    def row(cells: Sequence[str]) -> Html:
        named = enumerate(zip(header, cells, strict=True))
        return h("tr", *(h("td", cell, class_=right(at), data_label=name) for at, (name, cell) in named))

    head = h("thead", h("tr", *(h("th", name, class_=right(at)) for at, name in enumerate(header))))
    return h("div", h("table", head, h("tbody", *map(row, rows)), class_="rows"), class_="wide")
