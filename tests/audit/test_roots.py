"""Roots of what was read: of every size that is not too long ago the tree's own, of none other."""

from __future__ import annotations

import pytest

from tallystick.audit import roots
from tallystick.audit.roots import Roots
from tallystick.core.merkle import root_of


def test_roots_are_those_of_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    """At every size, of all sizes lately; what is older is not known, never wrong; what is kept stays small."""
    monkeypatch.setattr(roots, "SIZES_KEPT", 16)
    leaves = [number.to_bytes(32, "big") for number in range(200)]
    grown = Roots()
    for size in range(len(leaves) + 1):
        for asked in range(size + 1):
            root = grown.at(asked)
            assert root == root_of(leaves[:asked]) or (root is None and asked <= size - 16)
        assert grown.at(size + 1) is None
        assert all(len(row.nodes) < 2 * 16 * 32 for row in grown._rows)
        if size < len(leaves):
            grown.add(leaves[size])


def test_a_root_that_was_wanted_is_known_ever_after(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many leaves came since; of a size that was not reached nothing is known."""
    monkeypatch.setattr(roots, "SIZES_KEPT", 16)
    leaves = [number.to_bytes(32, "big") for number in range(200)]
    wanted, grown = (0, 1, 7, 8, 199, 201), Roots()
    grown.want(wanted)
    for leaf in leaves:
        grown.add(leaf)
    assert [grown.at(size) for size in wanted] == [*(root_of(leaves[:size]) for size in wanted[:-1]), None]
    assert grown.at(9) is None
