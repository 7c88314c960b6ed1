"""`rollback`: a node shows a smaller ledger than the one this client saw before."""

from __future__ import annotations

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.shown import Shown, judged, ledger


def test_it_trips_alone_and_says_so() -> None:
    """It is an observation: an older state may be a backup or a lie. What was lost is named by its last entry."""
    maker = ledger()
    older = Shown(maker, maker.entries[:7], known=maker.note())
    audit = judged(older, ledger("tax"))
    assert (audit.only.rule, audit.only.bureau) == ("rollback", "market")
    assert audit.only.references == ("market#9",)
    assert (audit.only.standing, audit.only.severity) == (Standing.OBSERVED, Severity.WARNING)
    said = "market answers with 7 entries, and has shown this client 10 before; expected a ledger that only grows"
    assert audit.sentence("en") == (
        f"the node of market shows less than it has shown before: {said} (an observation, not proven)"
    )
    assert audit.sentence("zh") == f"市场监管局 的节点所示少于先前所示，核验信息：“{said}”（观察所得，未证明）"
    assert (audit.covers("market").complete, audit.covers("tax").complete) == (False, True)
    assert judged(older).only.id == audit.only.id


def test_as_much_as_before_or_more_trips_nothing() -> None:
    """The same checkpoint again, a larger one with its proof, and whatever a client sees that has seen nothing."""
    maker = ledger()
    assert not judged(Shown(maker, known=maker.note())).found
    assert not judged(Shown(maker, known=maker.note(7), proof=maker.consistency(7))).found
    assert not judged(Shown(maker, maker.entries[:7])).found
