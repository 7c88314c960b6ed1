"""Markup: whatever text is, it is read back as itself and nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tallystick.audit.report.drawing import bar, fitted
from tallystick.audit.report.markup import Html, h, join, table, text
from tallystick.core.safe_text import sanitise
from tests.harness.reported import Page

anything = st.text(st.characters(codec="utf-8"), max_size=60)


@given(anything, anything)
def test_text_is_read_back_as_it_is_shown(said: str, named: str) -> None:
    """Text in an element and in an attribute is one element with that text, sanitised, and nothing more."""
    read = Page(h("p", said, title=named))
    assert (dict(read.tags), read.text) == ({"p": 1}, sanitise(said))
    assert read.attributes == [("p", "title", sanitise(named))]


@given(anything)
def test_markup_in_an_attribute_is_text_too(said: str) -> None:
    """An attribute has no markup: what is safe between elements is not safe within quotes."""
    read = Page(h("p", title=Html(f'"><b>{said}')))
    assert dict(read.tags) == {"p": 1}


@given(st.lists(anything, max_size=4))
def test_parts_joined_are_parts_and_nothing_more(parts: list[str]) -> None:
    """Markup stands, text is escaped, each once."""
    read = Page(h("p", join([h("b", part) for part in parts], "<")))
    assert dict(read.tags) == {"p": 1} | ({"b": len(parts)} if parts else {})
    assert read.text == "<".join(map(sanitise, parts))


def test_markup_added_to_text_is_text() -> None:
    """A mistake is ugly and never dangerous."""
    assert text(h("b", "x") + "<i>") == "&lt;b&gt;x&lt;/b&gt;&lt;i&gt;"


def test_every_cell_carries_the_name_of_its_column() -> None:
    """So that a row can be read as a list where it is too narrow for a table."""
    read = Page(table(["bureau", "sent"], [["market", "3"], ["tax", "4"]], numbers=(1,)))
    assert read.values("data-label") == ["bureau", "sent"] * 2
    assert read.values("class").count("n") == 3


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=4))
def test_a_bar_shows_every_part_and_is_as_long_as_the_whole(sizes: list[int]) -> None:
    """Each part that is not 0 is seen, however small, and the last one ends where the bar does."""
    drawn = bar([(f"part {number}", size) for number, size in enumerate(sizes)])
    read = Page(drawn)
    assert read.tags["rect"] == sum(size > 0 for size in sizes)
    begins, widths = ([int(value) for value in read.values(name)] for name in ("x", "width"))
    assert all(width >= 1 for width in widths)
    assert not widths or begins[-1] + widths[-1] >= 1000


@given(anything, st.integers(1, 30))
def test_what_is_fitted_is_as_it_was_or_ends_with_an_ellipsis(said: str, columns: int) -> None:
    """No part of it is anything that was not there, and it is no longer than it was."""
    short = fitted(said, columns)
    assert short == sanitise(said) or (short.endswith("…") and sanitise(said).startswith(short[:-1]))
    assert len(short) <= max(columns, 1)
