"""Halves that are said again, long after both stood: a pass forgets what was settled, and not that it was."""

from __future__ import annotations

import pytest

from tallystick.audit.inquiry import Find, Inquiry
from tallystick_proto.v1.statement_pb2 import DataReceived, DataSent
from tests.harness.district import District, Said
from tests.harness.stories import CODE, then


def sent(where: District, number: int) -> Said:
    return where["market"].send(f"exchange {number}", to="tax", resource=CODE, size=number + 1)


def received(where: District, number: int, cited: Said | None) -> Said:
    return where["tax"].receive(f"exchange {number}", sender="market", resource=CODE, size=number + 1, sent=cited)


@pytest.fixture
def district() -> District:
    """Ten exchanges of an open resource, both halves each, of which a pass keeps two."""
    where = District("market", "tax")
    where.exchanges_kept = 2
    where["market"].declare(CODE, scheme="local", title="a resource", sharing="unconditional")
    for number in range(10):
        half = sent(then(where), number)
        received(then(where), number, half)
    return where


def test_a_pass_keeps_a_few_whole_and_counts_all(district: District) -> None:
    """Of ten exchanges that match two are kept whole; all are counted."""
    found, seen, _ = district.look("2027-12-01")
    assert not found
    assert len(seen.exchanges.recent) == 2
    assert seen.exchanges.matched == {("market", "tax"): 10}


@pytest.mark.parametrize("number", [0, 9])
def test_a_half_said_again_opens_nothing(district: District, number: int) -> None:
    """Whether the exchange is still kept or not, saying a half of it again makes no half that stands alone."""
    half = sent(then(district), number)
    found, seen, _ = district.look("2027-12-01")
    assert not found
    assert not seen.exchanges.open
    assert seen.exchanges.matched == {("market", "tax"): 10}
    received(then(district), number, half)
    assert not district.audit("2027-12-01")


def test_a_failure_of_what_was_forgotten_opens_nothing(district: District) -> None:
    """That an exchange failed, said long after both halves stood, takes nothing back and accuses nobody."""
    then(district)["tax"].fail("exchange 0", side="receiving", other="market", reason="checksum")
    assert not district.audit("2027-12-01")


def test_a_failure_said_before_its_sending_is_remembered(district: District) -> None:
    """However many exchanges lie between, a sending that was said to have failed before needs no receipt."""
    then(district)["tax"].fail("exchange 99", side="receiving", other="market", reason="checksum")
    for number in range(20, 30):
        received(then(district), number, sent(then(district), number))
    sent(then(district), 99)
    assert not district.audit("2027-12-01")


def test_what_indexes_answer_is_kept_whole(district: District) -> None:
    """An answer from indexes forgets no exchange, however few a full pass keeps."""

    def everything() -> Inquiry:
        yield Find.of(DataSent, DataReceived, resource=CODE)

    seen, _ = district.ask(everything(), "2027-12-01")
    assert len(seen.exchanges.recent) == 10
