"""The leaves of a full pass on disk: what was put at a place stands there, and nowhere else."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.audit.entry import Place
from tallystick.sdk import leaf_file
from tallystick.sdk.leaf_file import LeafFile

ORIGINS = ("d.example/a", "d.example/b")


def leaf(number: int) -> bytes:
    return number.to_bytes(32, "big")


@given(
    skips=st.lists(st.tuples(st.sampled_from(ORIGINS), st.integers(0, 40)), max_size=60),
    asked=st.lists(st.tuples(st.sampled_from([*ORIGINS, "d.example/c"]), st.integers(0, 2_500)), max_size=60),
)
def test_it_answers_as_a_dictionary_does(skips: list[tuple[str, int]], asked: list[tuple[str, int]]) -> None:
    """Places that were passed over, of kinds not understood, and places never reached have nothing there."""
    reference: dict[Place, bytes] = {}
    reached = dict.fromkeys(ORIGINS, 0)
    with LeafFile() as leaves:
        for number, (origin, skipped) in enumerate(skips, 1):
            place = Place(origin, reached[origin] + skipped)
            reached[origin] = place.index + 1
            reference[place] = leaf(number)
            leaves.add(place, leaf(number))
        for place in [*reference, *(Place(*each) for each in asked)]:
            assert leaves.get(place) == reference.get(place)


def test_what_went_to_the_file_is_found_as_what_is_still_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever side of the buffer's end a leaf is on; memory holds no more than the buffer."""
    monkeypatch.setattr(leaf_file, "_BUFFER_BYTES", 10 * 32)
    with LeafFile() as leaves:
        for number in range(1, 1_000):
            leaves.add(Place(ORIGINS[0], number), leaf(number))
        assert [leaves.get(Place(ORIGINS[0], number)) for number in range(1, 1_000)] == [*map(leaf, range(1, 1_000))]
        assert leaves.get(Place(ORIGINS[0], 0)) is None
        assert leaves.get(Place(ORIGINS[0], 1_000)) is None


def test_it_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files have no name, and are gone with it, however it ends."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with suppress(KeyboardInterrupt), LeafFile() as leaves:
        leaves.add(Place(ORIGINS[0], 0), leaf(1))
        assert leaves.get(Place(ORIGINS[0], 0)) == leaf(1)
        assert list(tmp_path.iterdir()) == []
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
