"""TOML of others: what reads, reads as it always did; what would hang, break or deceive whoever uses it is refused."""

from __future__ import annotations

import tomllib

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.toml_text import TOML_DEEP_MAX, parse_toml

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
_VALUES = st.recursive(
    st.one_of(_TEXT, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.dates(), st.floats(allow_nan=False)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(_TEXT, _VALUES, max_size=4))
def test_what_reads_reads_as_it_always_did(table: dict[str, object]) -> None:
    """Whatever can be written reads back, in quotes and dots of any sort."""
    assert parse_toml(tomli_w.dumps(table)) == table


@pytest.mark.parametrize(
    "text",
    [
        'a = "' + "." * 1000 + '"',
        "a = '" + "." * 1000 + "'",
        'a = """\n' + "x.y" * 1000 + '\n"""',
        "a = '''it's." + "x.y" * 1000 + "'''",
        "# " + "a.b" * 1000 + "\na = 1",
        'a = "it\'s \\" # ' + "a.b" * 1000 + '"',
        'a = """x"""""',
        ".".join("a" * TOML_DEEP_MAX) + " = 1",
    ],
    ids=["basic", "literal", "lines", "literal lines", "comment", "escaped", "five quotes", "as long as may be"],
)
def test_dots_are_counted_in_keys_alone(text: str) -> None:
    """What stands in text or comments is nobody's key."""
    assert parse_toml(text) == tomllib.loads(text)


_MANY = 450_000


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (".".join("a" * _MANY) + " = 1", "more than 32 parts"),
        ("[" + " . ".join("a" * _MANY) + "]", "more than 32 parts"),
        ("x = {" + ".".join(['"a"'] * (_MANY // 2)) + " = 1}", "more than 32 parts"),
        ("a." * TOML_DEEP_MAX + "a = 1", "more than 32 parts"),
        ("[a]\n" + "a = " + "[" * 40 + "]" * 40, "nested more than 32 deep"),
        ("a = " + "[" * 5_000, "nested too deeply"),
        ("a = 0x" + "f" * 5_000, "more than 64 bits"),
        ("a = 9223372036854775808", "more than 64 bits"),
        ("a = " + "1" * 5_000, "digits"),
        ('a = "data\\u0000"', "NUL"),
        ('"\\u0000" = 1', "NUL"),
        ('a = """' + '\\"""' * 200_000, "Unterminated"),
        ('"""' * 300_000, "Expected"),
    ],
    ids=[
        "a key",
        "a table's",
        "an inline one's",
        "one too many",
        "deep",
        "deeper",
        "hexadecimal",
        "65 bits",
        "decimal",
        "NUL",
        "NUL in a key",
        "no end",
        "quotes",
    ],
)
def test_what_nobody_means_is_refused_at_once(text: str, why: str) -> None:
    """Each would take minutes, or break whoever uses the value; one ValueError says what is wrong."""
    with pytest.raises(ValueError, match=why):
        parse_toml(text)


@given(st.text(max_size=200) | st.text(st.sampled_from("a.\"'\\#=[]{}\n "), max_size=200))
def test_any_text_is_read_as_the_standard_library_does_or_refused(text: str) -> None:
    """No text is read as something else than the standard library reads."""
    try:
        found = parse_toml(text)
    except ValueError:
        return
    assert found == tomllib.loads(text)
