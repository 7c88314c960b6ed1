"""Evidence on ledgers: it proves itself, whoever recorded it, and what proves nothing accuses nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.audit.covered import covered
from tallystick.audit.finding import Standing
from tallystick.audit.words import Words
from tests.harness.district import District
from tests.harness.forks import FORKED_AT, evidence, note, reports
from tests.harness.stories import declared, only

BUREAUS = ("market", "tax", "planning")
DAY = "2027-03-02"


@given(sizes=st.lists(st.tuples(st.integers(FORKED_AT + 1, 11), st.integers(0, 3)), min_size=1, max_size=3))
def test_a_key_is_found_once_whatever_is_recorded_against_it(sizes: list[tuple[int, int]]) -> None:
    """Files of any sizes, by any bureaus, itself among them, said twice: one finding, by the smallest."""
    where = District(*BUREAUS)
    for number, (smaller, more) in enumerate(sizes):
        file = evidence(where.charter, "market", smaller, min(smaller + more, 12))
        for _ in range(2):
            reports(where, BUREAUS[number % 3], file)
    (finding,) = where.audit(DAY, ["equivocation"])
    assert (finding.bureau, finding.standing, finding.times) == ("market", Standing.PROVEN, 1)
    carried = sorted(f"{bureau}#0" for bureau in BUREAUS[: len(sizes)])
    assert finding.references == (f"market#{min(sizes)[0] - 1}", *carried)


def test_the_ledger_is_not_believed_and_all_others_are() -> None:
    """What it lacks accuses nobody, the coverage says why, and whoever else owes is found as ever."""
    where = District(*BUREAUS)
    for asked in ("market", "planning"):
        where["tax"].request(f"{asked}-1", provider=asked, purpose="tax-registration")
    where.on("2027-03-31")
    declared(where, "R-1", "planning")
    assert {finding.bureau for finding in where.audit("2027-03-31", ["request-overdue"])} == {"market", "planning"}
    reports(where, "tax", evidence(where.charter, "market", 3, 4))
    found, _, coverage = where.look("2027-03-31", ["request-overdue", "equivocation"])
    assert {(finding.rule, finding.bureau) for finding in found} == {
        ("equivocation", "market"),
        ("request-overdue", "planning"),
    }
    market = next(ledger for ledger in coverage.ledgers if ledger.bureau == "market")
    assert (market.forked, market.complete, market.exit_code) == (True, False, 5)
    assert {ledger.bureau for ledger in coverage.ledgers if ledger.complete} == {"tax", "planning"}
    said = "Not to be believed: market, whose key signed two histories; what it lacks accuses nobody."
    assert said in list(covered(Words(where.charter, "en"), coverage))


def damaged(where: District) -> bytes:
    return evidence(where.charter, "market").replace(b"5\n", b"6\n", 1)


def of_one_history(where: District) -> bytes:
    one = note(where.charter, "market", "this", 5)
    return b"tallystick/equivocation/v1\n\n" + one + b"\n" + one


def by_no_key_of_the_charter(where: District) -> bytes:
    stranger = District("market", "stranger")
    return evidence(stranger.charter, "stranger")


def under_another_name(where: District) -> bytes:
    return evidence(where.charter, "tax").replace(b"pudong.example/tax", b"pudong.example/market")


@pytest.mark.parametrize(
    "false", [damaged, of_one_history, by_no_key_of_the_charter, under_another_name, lambda _: b"junk"]
)
def test_what_proves_nothing_accuses_nobody(false: object) -> None:
    """Neither whom it names, nor who recorded it; and what is true besides is found all the same."""
    where = District(*BUREAUS)
    assert callable(false)
    reports(where, "planning", false(where))
    found, _, coverage = where.look(DAY)
    assert (found, [ledger.forked for ledger in coverage.ledgers]) == ([], [False] * 3)
    reports(where, "planning", evidence(where.charter, "market"))
    assert only(where, DAY).references == ("market#4", "planning#1")


def test_whom_an_entry_names_makes_no_difference() -> None:
    """The evidence says whose key it is about."""
    where = District(*BUREAUS)
    reports(where, "planning", evidence(where.charter, "market"), accused="tax")
    assert only(where, DAY).bureau == "market"
