"""An earlier audit read back: what does not read is refused by its file's name, whatever it is."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.audit.earlier import read_report
from tallystick.core.errors import Refused, Usage

FINDING: dict[str, Any] = {
    "id": "F-000000000000",
    "rule": "withheld-without-basis",
    "bureau": "market",
    "references": ["market#0"],
    "checkpoints": [{"size": 1, "root": "00" * 32}],
}
CARRIED: dict[str, Any] = {
    **FINDING,
    "id": "F-000000000001",
    "found": "2027-02-28",
    "ledgers": [{"bureau": "market", "size": 1, "root": "00" * 32}],
}
GOOD: dict[str, Any] = {
    "coverage": {"charter": "pudong", "day": "2027-03-31", "ledgers": CARRIED["ledgers"]},
    "findings": [FINDING],
    "carried": [CARRIED],
    "selected": [],
}
PATHS: list[str] = [
    *(key for key in GOOD if key != "selected"),
    *(f"coverage.{key}" for key in GOOD["coverage"]),
    *(f"findings.0.{key}" for key in FINDING),
    *(f"carried.0.{key}" for key in CARRIED),
    *(f"carried.0.{place}" for place in ("checkpoints.0.size", "checkpoints.0.root", "ledgers.0.size")),
]
OPTIONAL = (
    "carried",
    "coverage.ledgers",
    *(f"{at}.0.checkpoints" for at in ("findings", "carried")),
    "carried.0.ledgers",
)
NOTHING: tuple[object, ...] = ([], ...)
HARMLESS: list[tuple[str, object]] = [
    ("findings", []),
    *((f"{at}.0.references", []) for at in ("findings", "carried")),
    *((f"{at}.0.bureau", "x") for at in ("findings", "carried")),
    *((each, value) for each in OPTIONAL for value in NOTHING),
    ("carried.0.found", None),
    ("carried.0.found", ...),
    ("carried.0.ledgers.0.size", 7),
    ("carried.0.ledgers.0.size", ...),
    ("carried.0.checkpoints.0.size", 7),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("value", [None, 7, "", "x", [], {}, ["x"], [[]], ...], ids=repr)
def test_what_does_not_read_is_refused_by_its_name(path: str, value: object) -> None:
    """One field of another type, form or not there at all: the one domain error, which names the file."""
    report = json.loads(json.dumps(GOOD))
    *outer, last = path.split(".")
    place: Any = report
    for key in outer:
        place = place[int(key) if key.isdigit() else key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    if (path, value) in HARMLESS or (path == "coverage.charter" and isinstance(value, str)):
        read_report(json.dumps(report).encode(), "last.json")
        return
    with pytest.raises(Refused) as caught:
        read_report(json.dumps(report).encode(), "last.json")
    assert caught.value.where == "last.json"


def test_a_finding_that_stands_twice_is_refused() -> None:
    """Which of them was meant nobody can say."""
    with pytest.raises(Refused, match="twice"):
        read_report(json.dumps({**GOOD, "findings": GOOD["findings"] * 2}).encode(), "last.json")
    with pytest.raises(Refused, match="twice"):
        read_report(json.dumps({**GOOD, "carried": GOOD["findings"]}).encode(), "last.json")


def test_an_audit_that_shows_some_is_compared_with_by_the_same_options_alone() -> None:
    """What it left out would pass for new."""
    options = ("--bureau", "market")
    some, whole = (json.dumps({**GOOD, "selected": each}).encode() for each in (options, ()))
    for allowed in ((some, options), (whole, options), (whole, ())):
        read_report(allowed[0], "last.json", allowed[1])
    for selected in ((), ("--bureau", "tax"), ("--rule", "night-use")):
        with pytest.raises(Usage, match="--bureau market"):
            read_report(some, "last.json", selected)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*GOOD, "id", "day"]), inner, max_size=3)
    ),
    max_leaves=9,
)


@given(data=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_garbage_never_leaks_another_error(data: bytes) -> None:
    """Whatever bytes: a report, or one of the two."""
    with suppress(Refused, Usage):
        assert read_report(data, "last.json").coverage.charter is not None
