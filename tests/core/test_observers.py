"""Observers: bureaus without a ledger, of which nothing is read, and which witness like any other."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.bureau import Bureau, Retired
from tallystick.core.charter import Charter, Floor
from tallystick.core.charter_chain import Version, follow, read_version
from tallystick.core.charter_draft import draft
from tallystick.core.charter_note import format_charter, parse_charter
from tallystick.core.errors import CharterMismatch, MalformedCharter, NotFound
from tallystick.core.evidence import actors_of
from tallystick.core.note import COSIGNATURE_V1, VerifierKey, encode_base64
from tallystick.core.quorum import Quorum, default_needed
from tests.harness.ledger_maker import charter_of, key_of, signed
from tests.harness.rosters import observing, roster_of

B0, B1, B2 = roster_of(3)
WATCH = observing(B2)
FLOOR = Floor(7, encode_base64(bytes(32)))


def version_of(*bureaus: Bureau, before: Version | None = None) -> Charter:
    charter = charter_of(*bureaus)
    if before is None:
        return charter
    return msgspec.structs.replace(charter, version=before.number + 1, previous=before.digest)


FIRST = read_version(signed(version_of(B0, B1, WATCH))[0])


@given(st.lists(st.booleans(), min_size=1, max_size=9).filter(lambda each: not all(each)))
def test_every_ledger_is_that_of_a_bureau_which_has_one(observers: list[bool]) -> None:
    """A charter's ledgers are its bureaus without the observers, in its order, and its text keeps which are which."""
    roster = [observing(b) if alone else b for b, alone in zip(roster_of(len(observers)), observers, strict=True)]
    charter = parse_charter(format_charter(charter_of(*roster)))
    assert charter.bureau == tuple(roster)
    assert charter.ledgers == tuple(b for b, alone in zip(roster, observers, strict=True) if not alone)
    for bureau in charter.bureau:
        assert bureau.is_observer == (bureau not in charter.ledgers)


@given(st.integers(1, 9), st.integers(0, 8))
def test_observers_witness_as_other_bureaus_do(ledgers: int, observers: int) -> None:
    """Up to seven bureaus, observers among them, everybody else witnesses a ledger, and one witness is never enough."""
    roster = roster_of(ledgers + observers)
    charter = charter_of(*roster[:ledgers], *map(observing, roster[ledgers:]))
    others = len(roster) - 1
    few = len(roster) <= 7
    for bureau in charter.ledgers:
        assert len(charter.witnesses_of(bureau)) == (others if few else 0)
        wanted = Quorum(others, default_needed(others)) if few and others >= 2 else None
        assert charter.quorum_of(bureau) == wanted
    for bureau in charter.bureau[ledgers:]:
        assert (charter.witnesses_of(bureau), charter.quorum_of(bureau)) == ((), None)


def test_two_bureaus_are_witnessed_once_there_is_an_observer() -> None:
    """Two alone never witness, an observer makes it two of two; one of a ledger's own credit code adds nothing."""
    assert charter_of(B0, B1).quorum_of(B0) is None
    assert charter_of(B0, B1, WATCH).quorum_of(B0) == Quorum(2, 2)
    own = msgspec.structs.replace(WATCH, credit_code=B0.credit_code)
    charter = charter_of(B0, B1, own)
    assert (charter.quorum_of(B0), charter.quorum_of(B1)) == (None, None)
    assert charter.witnesses_of(B1) == (B0, own)  # two nodes, and one organisation


def test_a_listed_observer_witnesses_until_it_is_suspended() -> None:
    """A list may name observers; a suspended or closed one cosigns nothing that counts."""
    listed = msgspec.structs.replace(B0, witnesses=(B1.id, WATCH.id))
    assert charter_of(listed, B1, WATCH).witnesses_of(listed) == (B1, WATCH)
    for state in ("suspended", "closed"):
        asleep = msgspec.structs.replace(WATCH, state=state)
        charter = parse_charter(format_charter(charter_of(listed, B1, asleep)))
        assert charter.witnesses_of(listed) == (B1,)


def test_nothing_is_read_of_an_observer() -> None:
    """Its id and its origin name no ledger, it has no key that signs one and no actors, and the sentence says why."""
    charter = FIRST.charter
    assert charter.by_id(WATCH.id) == WATCH
    for asked in (
        lambda: charter.ledger_of(WATCH.id),
        lambda: charter.by_origin(WATCH.origin),
        lambda: WATCH.ledger_verifier,
        lambda: actors_of(WATCH),
    ):
        with pytest.raises(NotFound, match="b2: it is an observer and has no ledger"):
            asked()


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"registrar_key": B2.registrar_key}, "b2 has no ledger_key, but registrar_key"),
        ({"floor": FLOOR}, "b2 has no ledger_key, but floor"),
        ({"witnesses": ("b0", "b1")}, "b2 has no ledger_key, but witnesses"),
        ({"witness_key": ""}, "missing required field `witness_key`"),
        ({"ledger_key": B2.ledger_key}, "is not a verifier key"),
        ({"retired": (Retired(B2.ledger_key, 0),)}, "no floor stands beside it"),
    ],
    ids=["registrar", "floor", "witnesses", "no-witness", "no-registrar", "retired"],
)
def test_an_observer_has_nothing_that_belongs_to_a_ledger(changes: dict[str, Any], what: str) -> None:
    """A registrar, a floor, witnesses or a retired ledger key without a ledger are refused, and half a bureau is."""
    with pytest.raises(MalformedCharter, match="expected") as caught:
        parse_charter(format_charter(charter_of(B0, B1, msgspec.structs.replace(WATCH, **changes))))
    assert what in str(caught.value)


def test_somebody_has_a_ledger() -> None:
    """A charter of observers alone is none."""
    with pytest.raises(MalformedCharter, match="no bureau with a ledger"):
        parse_charter(format_charter(charter_of(WATCH)))


@pytest.mark.parametrize(("was", "becomes"), [(WATCH, B2), (B2, WATCH)], ids=["begins", "gives-up"])
def test_who_has_a_ledger_has_one_for_ever_and_an_observer_never(was: Bureau, becomes: Bureau) -> None:
    """No later version gives an observer a ledger, or takes a bureau's away; a new id may have what it likes."""
    before = read_version(signed(version_of(B0, B1, was))[0])
    with pytest.raises(CharterMismatch, match=r"b2 was .*expected what it was"):
        follow([before], signed(version_of(B0, B1, becomes, before=before))[0])


def test_an_observer_comes_changes_its_key_and_goes() -> None:
    """A version may add one, one may give it a new witness key and retire the old, one may close it for good."""
    alone = read_version(signed(version_of(B0, B1))[0])
    stanza = msgspec.toml.encode({"bureau": [{k: v for k, v in msgspec.to_builtins(WATCH).items() if v}]}).decode()
    joined = read_version(signed(parse_charter(draft(alone, stanza, alone.charter.issued)))[0])
    assert follow([alone], joined.note).charter.by_id(WATCH.id) == WATCH

    name = f"{WATCH.origin}/witness"
    key = VerifierKey.of(name, key_of("another").public, COSIGNATURE_V1).format()
    edits = f'[[bureau]]\nid = "{WATCH.id}"\nwitness_key = "{key}"\n'
    renewed = read_version(signed(parse_charter(draft(joined, edits, alone.charter.issued)))[0])
    assert follow([alone, joined], renewed.note).charter.by_id(WATCH.id).retired == (Retired(WATCH.witness_key),)

    edits = f'[[bureau]]\nid = "{WATCH.id}"\nstate = "closed"\n'
    closed = read_version(signed(parse_charter(draft(renewed, edits, alone.charter.issued)))[0])
    known = [alone, joined, renewed]
    assert follow(known, closed.note).charter.quorum_of(B0) is None
    edits = edits.replace("closed", "active")
    with pytest.raises(CharterMismatch, match="b2 is active again"):
        draft(closed, edits, alone.charter.issued)
