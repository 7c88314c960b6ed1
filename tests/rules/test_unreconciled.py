"""`unreconciled`: a node signed a larger ledger and does not show that it extends the one it signed before."""

from __future__ import annotations

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.shown import Shown, judged, ledger


def test_it_trips_alone_and_says_so() -> None:
    """A proof that was not given is a suspicion and called that; it names the last entry this client trusts."""
    maker = ledger()
    unproven = Shown(maker, known=maker.note(7))
    audit = judged(unproven, ledger("tax"))
    assert (audit.only.rule, audit.only.bureau) == ("unreconciled", "market")
    assert audit.only.references == ("market#6",)
    assert (audit.only.standing, audit.only.severity) == (Standing.OBSERVED, Severity.WARNING)
    said = str(audit.only.facts["error"])
    assert said.startswith("market does not show that its 10 entries extend the 7 it signed before")
    assert said.endswith("expected one history; until a proof comes, this is a suspicion")
    assert audit.sentence("en") == (
        "the node of market does not show that what it signed extends what it signed before:"
        f" {said} (an observation, not proven)"
    )
    assert audit.sentence("zh") == (
        f"市场监管局 的节点未能证明其现有台账承接先前所签，核验信息：“{said}”（观察所得，未证明）"
    )
    assert (audit.covers("market").checked, audit.covers("tax").complete) == (0, True)
    assert judged(unproven).only.id == audit.only.id


@pytest.mark.parametrize("bend", ["short", "long", "of other sizes"])
def test_a_proof_that_does_not_lead_there_is_none(bend: str) -> None:
    """Hashes missing, hashes too many, or the proof of another pair of sizes."""
    maker = ledger()
    proof = maker.consistency(7)
    bent = {"short": proof[:-1], "long": [*proof, bytes(32)], "of other sizes": maker.consistency(6)}[bend]
    assert judged(Shown(maker, known=maker.note(7), proof=bent)).only.rule == "unreconciled"


def test_a_later_proof_clears_it() -> None:
    """With the proof there is nothing to find: from the size trusted, or from none at all."""
    maker = ledger()
    for size in (1, 3, 6, 7):
        assert not judged(Shown(maker, known=maker.note(size), proof=maker.consistency(size))).found
    assert not judged(maker).found
