"""Edits to a charter: what is said changes, what is not stays, and what could never follow is refused at once."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.bureau import Retired
from tallystick.core.charter import Floor
from tallystick.core.charter_chain import follow
from tallystick.core.charter_draft import changes, draft
from tallystick.core.charter_note import format_charter, parse_charter
from tallystick.core.errors import MalformedCharter, NotFound, VerificationFailed
from tests.harness.charter_versions import FIRST, FLOOR, MARKET, SECOND, key_text
from tests.harness.ledger_maker import LedgerMaker, signed

LATER = FIRST.charter.issued + timedelta(days=30)
HOLDERS = ("pudong.example/key-1", "pudong.example/key-2")


def drafted(edits: dict[str, Any] | str, **more: Any) -> str:
    return draft(FIRST, edits if isinstance(edits, str) else tomli_w.dumps(edits), LATER, **more)


def test_a_draft_follows_once_it_is_signed() -> None:
    """A replaced key is retired at the floor, the number and the digest before are set, and everything else stays."""
    renewed = {
        "id": MARKET.id,
        "ledger_key": key_text(MARKET.origin, "new"),
        "floor": {"size": 7, "root": FLOOR.root},
    }
    charter = parse_charter(drafted({"bureau": [renewed]}))
    market = charter.by_id(MARKET.id)
    assert (charter.version, charter.previous, charter.issued) == (2, FIRST.digest, LATER)
    assert market.retired == (Retired(MARKET.ledger_key, 7),)
    assert (market.registrar_key, market.name) == (MARKET.registrar_key, MARKET.name)
    assert follow([FIRST], signed(charter, HOLDERS)[0]).charter == charter
    assert [change.place for change in changes(FIRST.charter, charter)] == [
        "version",
        "issued",
        "previous",
        "bureau market-regulation ledger_key",
        "bureau market-regulation floor size",
        "bureau market-regulation floor root",
        "bureau market-regulation retired 1 key",
        "bureau market-regulation retired 1 size",
    ]


def test_a_floor_that_is_given_beside_is_pinned_unless_the_edits_say_another() -> None:
    """What a client trusted last can be pinned without being written out."""
    floors = {MARKET.id: FLOOR}
    assert parse_charter(drafted("", floors=floors)).by_id(MARKET.id).floor == FLOOR
    other = {"bureau": [{"id": MARKET.id, "floor": {"size": 8}}]}
    assert parse_charter(drafted(other, floors=floors)).by_id(MARKET.id).floor == Floor(8, FLOOR.root)
    with pytest.raises(NotFound, match="no bureau 'nobody'"):
        drafted("", floors={"nobody": FLOOR})


def test_tables_are_merged_and_lists_take_the_place_of_lists() -> None:
    """One deadline changes alone; holidays are the ones given; a bureau of a new id joins."""
    joined = tomllib.loads(format_charter(FIRST.charter))["bureau"][0] | {
        "id": "archives",
        "origin": "pudong.example/archives",
    }
    for field in ("ledger_key", "witness_key", "registrar_key"):
        joined[field] = getattr(LedgerMaker(bureau="archives").bureau, field)
    first = parse_charter(drafted({"rulebook": {"deadlines": {"a": 1, "b": 2}, "holidays": [1, 2]}}))
    assert first.rulebook == {"deadlines": {"a": 1, "b": 2}, "holidays": [1, 2]}
    edits = {"rulebook": {"deadlines": {"b": 3}, "holidays": [4]}, "bureau": [joined]}
    before = follow([FIRST], signed(first, HOLDERS)[0])
    then = parse_charter(draft(before, tomli_w.dumps(edits), LATER))
    assert then.rulebook == {"deadlines": {"a": 1, "b": 3}, "holidays": [4]}
    assert [bureau.id for bureau in then.bureau] == ["market-regulation", "taxation", "archives"]


@pytest.mark.parametrize(
    ("edits", "what"),
    [
        ("version = 4", "version: not edited"),
        ('previous = "x"', "previous: not edited"),
        ('[[bureau]]\nid = "taxation"\nretired = []', "retired of taxation: not edited"),
        ('[[bureau]]\nstate = "closed"', "a bureau without an id"),
        ("[[bureau]]\nid = 3", "id is no text"),
        ("[bureau]\nid = 'x'", "a bureau without an id"),
        ("bureau = [3]", "a bureau without an id"),
        ("[[", "edits"),
        ("colour = 3", "colour"),
        ('[[bureau]]\nid = "archives"', "missing"),
        ('[[bureau]]\nid = "taxation"\nstate = "asleep"', "asleep"),
        ('[[bureau]]\nid = "taxation"\nstate = "closed"', "closed without a floor"),
        ('[[bureau]]\nid = "taxation"\ncredit_code = "123101154250123459"', "the credit code of taxation"),
        ('name = "other"', "its name is other"),
        ("threshold = 1", "threshold 1 of 3 keys"),
        ("issued = 2026-12-31T00:00:00Z", "it is issued on"),
        ("x = " + "[" * 5_000, "edits"),
    ],
)
def test_edits_that_could_never_follow_are_refused(edits: str, what: str) -> None:
    """What is not a charter's, what is not edited, and what no holder's signature could make follow is named."""
    with pytest.raises(VerificationFailed, match=what):
        drafted(edits)


@given(st.text(max_size=60))
def test_garbage_edits_raise_nothing_else(edits: str) -> None:
    """Arbitrary text is a draft or a refusal."""
    try:
        parse_charter(drafted(edits))
    except MalformedCharter:
        return


def test_a_charter_does_not_differ_from_itself() -> None:
    """No value is said to change that does not, and each that is gone has nothing after."""
    assert changes(SECOND.charter, SECOND.charter) == []
    back = changes(SECOND.charter, FIRST.charter)
    assert {change.place for change in back} == {change.place for change in changes(FIRST.charter, SECOND.charter)}
    assert [change.after for change in back if change.place == "previous"] == [""]
