"""Values in a TOML file: the ones named change, and nothing else of what a person wrote does."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import ConfigInvalid
from tallystick.sdk.toml_edit import with_values

TEXT = '# mine\ncharter = "a"  # here\nother = 1\n\n[keys] # both\n  ledger = "l"\ncharter = "not this"\n'


def test_only_what_is_named_changes() -> None:
    """Comments, order, other tables and a key of the same name in one of them stay."""
    edited = with_values(TEXT, {("", "charter"): "b", ("keys", "ledger"): "m"}, "x.toml")
    assert edited == TEXT.replace('charter = "a"  # here', 'charter = "b"').replace('  ledger = "l"', 'ledger = "m"')


def test_what_is_not_there_is_added() -> None:
    """A key, in its table; and a table, at the end."""
    edited = with_values(TEXT, {("", "state"): "s", ("keys", "witness"): "w", ("more", "x"): "y"}, "x.toml")
    wanted = tomllib.loads(TEXT) | {"state": "s", "more": {"x": "y"}}
    wanted["keys"]["witness"] = "w"
    assert tomllib.loads(edited) == wanted


@given(st.text(max_size=30))
def test_any_text_is_a_value(value: str) -> None:
    """Quotes, controls and letters of all scripts read back as they were."""
    if value.isprintable():
        assert tomllib.loads(with_values(TEXT, {("", "charter"): value}, "x"))["charter"] == value


@pytest.mark.parametrize(
    "text",
    ['charter = """\na\n"""\n', 'keys = { ledger = "a" }\n', '"charter" = "a"\n', 'other = """\ncharter = "x"\n"""\n'],
)
def test_a_form_that_is_not_replaced_here_is_refused(text: str) -> None:
    """Where a line cannot simply be replaced, nothing is, and the file's name is said."""
    with pytest.raises(ConfigInvalid, match=r"x\.toml: .*cannot be replaced"):
        with_values(text, {("", "charter"): "b", ("keys", "ledger"): "m"}, "x.toml")
