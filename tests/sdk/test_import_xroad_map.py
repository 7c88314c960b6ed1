"""The map from X-Road identifiers to bureaus: the longest fits, and nothing in it is passed over."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.charter import Charter
from tallystick.core.charter_note import open_charter
from tallystick.core.errors import ConfigInvalid
from tallystick.sdk.importers.xroad_map import Identifier, load_map, parse_map
from tests.harness.office import Office


@pytest.fixture(scope="module")
def charter() -> Charter:
    """Of one bureau, market."""
    return open_charter(*Office().charter())


def test_the_longest_identifier_decides(charter: Charter) -> None:
    """A subsystem's own line before its member's; the member's for all others of it, and for the member itself."""
    bureaus = parse_map(b'"DEV/COM/1/a" = "market"\n"DEV/COM/2" = "market"', charter)
    assert bureaus.bureau_of(Identifier("DEV", "COM", "1", "a")) == "market"
    assert bureaus.bureau_of(Identifier("DEV", "COM", "1", "b")) is None
    assert bureaus.bureau_of(Identifier("DEV", "COM", "1")) is None
    assert bureaus.bureau_of(Identifier("DEV", "COM", "2", "b")) == "market"
    assert bureaus.bureau_of(Identifier("DEV", "COM", "2")) == "market"
    assert bureaus.bureau_of(Identifier("dev", "COM", "2")) is None


def test_an_identifier_reads_as_it_is_written() -> None:
    """What an unmapped identifier is called is what the map takes."""
    assert str(Identifier("DEV", "COM", "1", "a")) == "DEV/COM/1/a"
    assert str(Identifier("DEV", "COM", "1")) == "DEV/COM/1"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('"DEV/COM" = "market"', "DEV/COM"),
        ('"DEV/COM/1/a/b" = "market"', "DEV/COM/1/a/b"),
        ('"DEV//1" = "market"', "DEV//1"),
        ('"DEV/COM/1/" = "market"', "DEV/COM/1/"),
        ('"DEV/COM/1" = ["market"]', "DEV/COM/1"),
        ('"DEV/COM/1" = 7', "DEV/COM/1"),
        ('"DEV/COM/1" = "nobody"', "DEV/COM/1"),
        ('"DEV/COM/1" = ""', "DEV/COM/1"),
        ('[map]\n"DEV/COM/1" = "market"', "map"),
        ('"DEV/COM/1" = "market"\n"DEV/COM/1" = "market"', "overwrite"),
        ("DEV/COM/1 = market", "line 1"),
        ("\xff", "TOML"),
    ],
)
def test_what_is_no_line_of_a_map_refuses_it(charter: Charter, tmp_path: Path, text: str, named: str) -> None:
    """In one sentence that names the file and the place."""
    file = tmp_path / "map.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigInvalid, match=r"map\.toml") as refused:
        load_map(file, charter)
    assert named in str(refused.value)


def test_an_absent_map_is_named(charter: Charter, tmp_path: Path) -> None:
    """As any file that cannot be read."""
    with pytest.raises(ConfigInvalid, match="none"):
        load_map(tmp_path / "none", charter)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_map_or_refused(data: bytes) -> None:
    """Garbage raises one domain error."""
    try:
        parse_map(data, open_charter(*Office().charter()))
    except ConfigInvalid:
        return
