"""`witness-inconsistent`: a witness's key cosigned two checkpoints that no one ledger can have."""

from __future__ import annotations

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tallystick.core.equivocation import keep_cosigners, make_equivocation, witness_keys
from tallystick.core.note import add_signatures, parse_note
from tests.harness.cosigned import put_note, witnessed
from tests.harness.district import District
from tests.harness.forks import evidence, note, reports
from tests.harness.stories import declared

RULE = "witness-inconsistent"
BUREAUS = ("market", "tax", "planning")
DAY = "2027-03-02"


@pytest.mark.parametrize("sizes", [(5, 5), (4, 9)], ids=["one-size", "two-sizes"])
def test_it_trips_and_says_so(sizes: tuple[int, int]) -> None:
    """It convicts the witness's key, beside the ledger's; who did not cosign both is not named."""
    where = District(*BUREAUS)
    reports(where, "planning", evidence(where.charter, "market", *sizes, "tax"))
    both = {finding.rule: finding for finding in where.audit(DAY)}
    assert both.keys() == {RULE, "equivocation"}
    finding = both[RULE]
    assert (finding.bureau, finding.references) == ("tax", (f"market#{sizes[0] - 1}", "planning#0"))
    assert (finding.standing, finding.severity) == (Standing.PROVEN, Severity.WARNING)
    smaller, larger = sizes
    assert where.sentence(finding, "en") == (
        "the witness key of tax cosigned two different histories of market,"
        f" of {smaller} and of {larger} entries (proven)"
    )
    assert where.sentence(finding, "zh") == (
        f"tax局 的见证密钥副署了 market局 互相矛盾的两套账，分别为 {smaller} 条与 {larger} 条（已证明）"
    )


def test_an_observer_answers_as_any_witness() -> None:
    """It has no ledger, and a key that signs."""
    where = District("market", "tax", observers=["audit-office"])
    reports(where, "tax", evidence(where.charter, "market", 5, 5, "audit-office"))
    assert [finding.bureau for finding in where.audit(DAY, [RULE])] == ["audit-office"]


def test_who_cosigned_one_of_the_two_did_what_it_is_for() -> None:
    """Each of two halves of the witnesses was shown one history: they are named nowhere."""
    where = District(*BUREAUS)
    one, other = (
        note(where.charter, "market", name, 5, each) for name, each in (("this", "tax"), ("that", "planning"))
    )
    made = make_equivocation(one, other, where["market"].bureau.ledger_verifier)
    assert keep_cosigners(made, (one, other), witness_keys(where.charter)) == made
    reports(where, "planning", made)
    assert not where.audit(DAY, [RULE])


def test_one_history_cosigned_at_any_times_trips_nothing() -> None:
    """One note cosigned twice, and a smaller checkpoint with a later time than a larger one: a note that was sent
    again, or a clock that was put back, is no second history.
    """
    where = District(*BUREAUS)
    for number in range(4):
        declared(where, f"R-{number}")
    for size, late in ((4, 0), (4, 60), (2, 120)):
        witnessed(where, "market", late_s={"tax": late}, size=size)
    assert not where.audit(DAY, [RULE])


@pytest.mark.parametrize("bend", ["line", "stranger"])
def test_what_a_witness_did_not_sign_is_not_kept(bend: str) -> None:
    """Whoever shows the notes cannot put a name to them, nor spoil the evidence against the ledger's key by trying."""
    where = District(*BUREAUS)
    pair = [note(where.charter, "market", name, 5, "tax") for name in ("this", "that")]
    plain = [note(where.charter, "market", name, 5) for name in ("this", "that")]
    if bend == "line":
        moved = parse_note(note(where.charter, "market", "this", 6, "tax")).signatures[1]
        pair = [add_signatures(each, moved) for each in plain]
    else:
        pair = [each.replace(b"/tax/witness", b"/sun/witness") for each in pair]
    made = make_equivocation(plain[0], plain[1], where["market"].bureau.ledger_verifier)
    assert keep_cosigners(made, pair, witness_keys(where.charter)) == made
    put_note(where, "market", pair[0])
    reports(where, "planning", made)
    assert [finding.rule for finding in where.audit(DAY)] == ["equivocation"]
