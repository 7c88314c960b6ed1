"""Paths of tlog-tiles: which name a tile or a bundle of entries has.

    tile/<level>/<number>[.p/<width>]     tile/0/x001/x234/067     tile/15/x455/667.p/41
    tile/entries/<number>[.p/<width>]     tile/entries/000.p/255

The number is written in groups of three digits, each but the last behind an `x`; a width below 256 marks a partial one.
"""

from __future__ import annotations

from tallystick.core.limits import TILE_WIDTH


def tile_path(level: int, number: int, width: int = TILE_WIDTH) -> str:
    """The path of a tile of hashes; `width` is how many it holds, 1 to 256."""
    return f"tile/{level}/{_numbered(number, width)}"


def entries_path(number: int, width: int = TILE_WIDTH) -> str:
    """The path of a bundle of entries; `width` is how many it holds, 1 to 256."""
    return f"tile/entries/{_numbered(number, width)}"


def _numbered(number: int, width: int) -> str:
    path = f"{number % 1000:03}"
    while number := number // 1000:
        path = f"x{number % 1000:03}/{path}"
    return path if width == TILE_WIDTH else f"{path}.p/{width}"
