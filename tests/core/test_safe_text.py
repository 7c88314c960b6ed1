"""Text of others on a terminal: nothing in it may command or deceive."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.safe_text import sanitise, sanitise_json

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(st.text(st.characters()))
def test_nothing_that_commands_or_hides_is_left(text: str) -> None:
    """Whatever comes in, no control, format, surrogate, private, unassigned or line-end character comes out."""
    assert not [c for c in sanitise(text) if unicodedata.category(c) in HIDDEN]


@given(st.text(st.characters(exclude_categories=tuple(HIDDEN))))  # type: ignore[arg-type]
def test_letters_of_every_script_stay(text: str) -> None:
    """What is visible is shown as it is."""
    assert sanitise(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb", "a\\u202eb"),
        ("two\nlines\tand", "two\\nlines\\tand"),
        ("\x9b2J", "\\x9b2J"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("half \udc80", "half \\udc80"),
        ("市场监管局", "市场监管局"),
    ],
)
def test_what_is_escaped_can_be_seen(text: str, shown: str) -> None:
    """An escape names the character."""
    assert sanitise(text) == shown


@given(st.text(st.characters()))
def test_json_means_the_same_and_hides_nothing(text: str) -> None:
    """A document read back is what was written, and holds no character that commands or hides."""
    document = sanitise_json(json.dumps({"said": text}, ensure_ascii=False, indent=2))
    assert json.loads(document) == {"said": text}
    assert not [c for c in document if unicodedata.category(c) in HIDDEN and c != "\n"]
