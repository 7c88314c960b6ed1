"""`equivocation`: one key signed two histories, of one size or of two."""

from __future__ import annotations

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.ledger_maker import LedgerMaker
from tests.harness.shown import Shown, judged, ledger


def other_history() -> LedgerMaker:
    """The same bureau's ledger up to #6, and other entries after."""
    maker = ledger()
    del maker.made[7:]
    maker.record([maker.declare(f"other-{number}") for number in range(3)])
    return maker


def test_it_trips_alone_and_says_so() -> None:
    """Two signatures on two roots prove that the key signed both, whoever held it; neither history is believed."""
    maker, other = ledger(), other_history()
    forked = Shown(other, known=maker.note())
    audit = judged(forked, ledger("tax"))
    assert (audit.only.rule, audit.only.bureau) == ("equivocation", "market")
    assert audit.only.references == ("market#9",)
    assert (audit.only.standing, audit.only.severity) == (Standing.PROVEN, Severity.WARNING)
    said = "the key of market signed two different histories of 10 entries; expected one history"
    assert (
        audit.sentence("en")
        == f"there are two histories of market, by one writer or by two under one key: {said} (proven)"
    )
    assert (
        audit.sentence("zh")
        == f"市场监管局 的密钥签署了两套账（一处所为，或两处以同一密钥写入），核验信息：“{said}”（已证明）"
    )
    assert (audit.covers("market").checked, audit.covers("tax").complete) == (0, True)
    assert judged(forked).only.id == audit.only.id


def test_one_history_trips_nothing() -> None:
    """The same root signed again is no second history, and neither is a larger ledger that extends the first."""
    maker = ledger()
    assert not judged(Shown(maker, known=maker.note(), note=maker.note())).found
    assert not judged(Shown(maker, known=maker.note(3), proof=maker.consistency(3))).found


def test_two_histories_of_two_sizes_are_proven_by_the_later_ones_own_proof() -> None:
    """A node that shows how its ledger grew proves by that that it is not the one its key signed before."""
    maker, other = ledger(), other_history()
    audit = judged(Shown(other, known=maker.note(9), proof=other.consistency(9)), ledger("tax"))
    assert (audit.only.rule, audit.only.bureau, audit.only.standing) == ("equivocation", "market", Standing.PROVEN)
    assert audit.only.references == ("market#8",)
    assert "the key of market signed two different histories of 9 and 10 entries" in audit.sentence("en")


def test_two_histories_of_two_sizes_are_not_proven_by_a_missing_proof() -> None:
    """Where the sizes differ a proof that fails is a suspicion; where another key signed, it is the server's alone."""
    maker, other = ledger(), other_history()
    for proof in (maker.consistency(3, 7), (), other.consistency(6), maker.consistency(9)):
        assert judged(Shown(other, known=maker.note(9), proof=proof)).only.rule == "unreconciled"
    stranger = ledger("tax")
    assert judged(Shown(maker, known=maker.note(), note=stranger.note())).only.rule == "tree-mismatch"
