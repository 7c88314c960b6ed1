"""Both halves held together: each exchange has one fate, and what a half alone proves is never overstated."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.audit.questions.reconcile import (
    Named,
    inquire,
    reconcile,
    reconcile_some,
    reconciled_json,
)
from tallystick.core.identifiers import exchange_short_form
from tallystick.sdk.importers.xroad_input import COLUMNS
from tests.harness.district import District
from tests.harness.xroad import DATA, needs_data, told

MARKET, TAXATION, PLANNING = BUREAUS = ("market", "taxation", "planning")
ON = "2027-06-01"
RESPONSE_SIZE = COLUMNS.index("responseSoapSize")
IDS = {name: name.encode().ljust(16, b".") for name in ("same", "sizes", "alone", "unsent", "failed")}


def told_all() -> District:
    """One exchange of each fate from market to taxation, and one that matches from planning to taxation."""
    district = District(*BUREAUS)
    market, taxation, planning = (district[bureau] for bureau in BUREAUS)
    digest = f"blake3:{'5a' * 32}"
    for name, size in (("same", 7), ("sizes", 8)):
        sent = market.send(IDS[name], to=TAXATION, version="M-1@1", digest=digest, size=7)
        taxation.receive(IDS[name], sender=MARKET, version="M-1@1", sent=sent, digest=digest, size=size)
    market.send(IDS["alone"], to=TAXATION, version="M-1@1", size=7)
    taxation.receive(IDS["unsent"], sender=MARKET, version="M-1@1", size=7)
    market.send(IDS["failed"], to=TAXATION, version="M-1@1", size=7)
    taxation.fail(IDS["failed"], other=MARKET, side="receiving", reason="checksum")
    planning.send(IDS["same"], to=TAXATION, resource="P-1", service="s", size=7)
    taxation.receive(IDS["same"], sender=PLANNING, resource="P-1", service="s", size=7)
    return district


def asked_of(district: District, *bureaus: str, on: str = ON) -> dict[str, Any]:
    _, seen, _ = district.look(on, rules=())
    return reconciled_json(reconcile(seen, bureaus), seen)


def shown(document: dict[str, Any], fate: str) -> list[tuple[str | None, str | None]]:
    return [(each["sent"], each["received"]) for each in document[fate]]


def test_each_exchange_has_one_fate() -> None:
    """What matches is counted by what both say alike; all else is listed, with the half that is not there."""
    found = asked_of(told_all())
    assert found["matched"] == [
        {
            "from": MARKET,
            "to": TAXATION,
            "count": 1,
            "by": ["version", "resource", "digest", "size"],
            "digests": 2,
            "imported": False,
        },
        {
            "from": PLANNING,
            "to": TAXATION,
            "count": 1,
            "by": ["resource", "service", "size"],
            "digests": 0,
            "imported": False,
        },
    ]
    assert shown(found, "differing") == [("market#1", "taxation#1")]
    assert found["differing"][0]["differences"] == [{"name": "size", "sent": "7", "received": "8"}]
    assert shown(found, "unmatched") == [("market#2", None), (None, "taxation#2")]
    assert [(each["missing"], each["up_to"]) for each in found["unmatched"]] == [(TAXATION, 4), (MARKET, 3)]
    assert shown(found, "failed") == [("market#3", None)]
    assert found["not_judged"] == []


def test_two_bureaus_are_a_part_of_all() -> None:
    """In whichever order they are named; one alone is all of its exchanges."""
    district = told_all()
    every = asked_of(district)
    assert asked_of(district, MARKET, TAXATION) == asked_of(district, TAXATION, MARKET)
    assert asked_of(district, MARKET, TAXATION) == {**every, "matched": every["matched"][:1]}
    assert asked_of(district, TAXATION) == every
    assert not any(asked_of(district, MARKET, PLANNING).values())


def test_a_half_said_again_otherwise_is_judged_as_it_was_said_last() -> None:
    """What differed and was put right matches, and is counted once."""
    district = told_all()
    district.after(1)
    district[TAXATION].receive(IDS["sizes"], sender=MARKET, version="M-1@1", digest=f"blake3:{'5a' * 32}", size=7)
    found = asked_of(district, MARKET, TAXATION)
    assert (found["differing"], [each["count"] for each in found["matched"]]) == ([], [2])


def test_a_half_that_an_uncovered_ledger_should_hold_is_not_judged() -> None:
    """It is listed, and called neither unmatched nor matched."""
    district = told_all()
    district.uncovered = {TAXATION}
    found = asked_of(district)
    assert found["unmatched"] == found["matched"] == []
    assert {each["sent"] for each in found["not_judged"]} >= {"market#0", "market#2"}


@pytest.mark.parametrize("name", ["same", "sizes", "alone", "unsent", "failed"])
def test_one_exchange_is_the_same_by_index_by_short_form_and_among_all(name: str) -> None:
    """Only what a missing half proves is less by index: nothing."""
    district = told_all()
    every = asked_of(district)
    by_index_seen, _ = district.ask(inquire(IDS[name]), ON)
    by_index = reconciled_json(
        reconcile_some(by_index_seen.exchanges.of(IDS[name]), by_index_seen, full=False), by_index_seen
    )
    named = Named(exchange_short_form(IDS[name]), IDS[name])
    _, seen, _ = district.look(ON, rules=(), watching=named)
    by_name = reconciled_json(reconcile_some(named.exchanges(seen), seen, full=True), seen)
    for fate in ("differing", "unmatched", "failed"):
        assert by_name[fate] == [each for each in every[fate] if each["id"] == IDS[name].hex()]
        assert by_index[fate] == [each | ({"up_to": None} if "up_to" in each else {}) for each in by_name[fate]]
    assert by_index["matched"] == by_name["matched"] == (every["matched"] if name == "same" else [])


def test_an_exchange_nobody_knows_is_nothing() -> None:
    """Not even one that was only said to have failed has a half."""
    district = District(*BUREAUS)
    district[TAXATION].fail(IDS["failed"], other=MARKET, side="receiving", reason="checksum")
    seen, _ = district.ask(inquire(IDS["failed"]), ON)
    answer = reconcile_some(seen.exchanges.of(IDS["failed"]), seen, full=False)
    assert (answer.matched, answer.others, answer.all_match) == ((), (), True)


@needs_data
def test_the_open_data_of_x_road_matches_by_id_service_and_sizes() -> None:
    """Fifty exchanges, no digests on either side, both halves brought in; nothing else."""
    found = asked_of(told(dict.fromkeys(("market-regulation", "taxation"), DATA.read_bytes())))
    (matched,) = found.pop("matched")
    assert (matched["count"], matched["by"]) == (50, ["service", "request_size", "size"])
    assert (matched["digests"], matched["imported"]) == (0, True)
    assert not any(found.values())


@needs_data
@pytest.mark.parametrize("number", [0, 1, 50, 99])
def test_a_real_record_that_is_gone_or_changed_is_the_one_that_does_not_match(number: int) -> None:
    """The half of the line is missing, or both sizes are shown; the other 49 match."""
    lines = DATA.read_bytes().splitlines(keepends=True)
    producers = b"\tProducer\t" in lines[number]
    gone = asked_of(
        told(dict.fromkeys(("market-regulation", "taxation"), b"".join(lines[:number] + lines[number + 1 :])))
    )
    (alone,) = gone["unmatched"]
    assert alone["missing"] == ("market-regulation" if producers else "taxation")
    assert (gone["matched"][0]["count"], gone["differing"]) == (49, [])
    cells = lines[number].split(b"\t")
    size = cells[RESPONSE_SIZE]
    cells[RESPONSE_SIZE] = b"77777"
    lines[number] = b"\t".join(cells)
    changed = asked_of(told(dict.fromkeys(("market-regulation", "taxation"), b"".join(lines))))
    (differing,) = changed["differing"]
    said = ("77777", size.decode()) if producers else (size.decode(), "77777")
    assert differing["differences"] == [{"name": "size", "sent": said[0], "received": said[1]}]
    assert (changed["matched"][0]["count"], changed["unmatched"]) == (49, [])
