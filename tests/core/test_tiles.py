"""Names of tiles and entry bundles."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.tiles import entries_path, tile_path


@given(st.integers(0, 2**48), st.integers(1, 256))
def test_a_path_says_its_number_and_width(number: int, width: int) -> None:
    """Number and width can be read back from the path, so no two tiles share one."""
    path = tile_path(3, number, width)
    match = re.fullmatch(r"tile/3/((?:x\d{3}/)*\d{3})(?:\.p/(\d+))?", path)
    assert match is not None
    assert int(match[1].replace("x", "").replace("/", "")) == number
    assert int(match[2] or 256) == width
    assert not match[1].startswith("x000")
    assert entries_path(number, width) == path.replace("tile/3/", "tile/entries/")
