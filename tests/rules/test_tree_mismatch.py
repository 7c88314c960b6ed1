"""`tree-mismatch`: a node shows what is not under a checkpoint that the ledger's key signed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tallystick.core.checkpoint import Checkpoint, sign_checkpoint
from tests.harness.ledger_maker import LedgerMaker, key_of
from tests.harness.shown import Shown, judged, ledger


def altered(maker: LedgerMaker) -> Shown:
    """One byte of one entry is shown otherwise than its node signed for."""
    entries = maker.entries
    entries[4] = entries[4][:-1] + bytes([entries[4][-1] ^ 1])
    return Shown(maker, entries, signed=maker.entries)


def test_it_trips_alone_and_says_so() -> None:
    """It is an observation about the server that answered, and proves nothing against the ledger's bureau."""
    audit = judged(altered(ledger()), ledger("tax"))
    assert (audit.only.rule, audit.only.bureau) == ("tree-mismatch", "market")
    assert audit.only.references == ("market#0",)
    assert (audit.only.standing, audit.only.severity) == (Standing.OBSERVED, Severity.WARNING)
    said = str(audit.only.facts["error"])
    assert said.startswith("what was shown as market#0 to #9 is not in the ledger its node signed")
    assert audit.sentence("en") == (
        f"the node of market shows what is not in the ledger it signed: {said} (an observation, not proven)"
    )
    assert audit.sentence("zh") == (
        f"市场监管局 的节点所示内容不在其签署的台账之中，核验信息：“{said}”（观察所得，未证明）"
    )


def test_nothing_of_it_is_believed_and_the_others_are_judged() -> None:
    """No entry of what was shown is folded, the gap is said, and the other ledger is covered whole."""
    audit = judged(altered(ledger()), ledger("tax"))
    market = audit.covers("market")
    assert (market.checked, market.complete, audit.covers("tax").complete) == (0, False, True)
    assert "not in the ledger its node signed" in market.gap


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(lambda m, t: Shown(m, m.entries[:9], signed=m.entries), id="too few"),
        pytest.param(lambda m, t: Shown(m, m.entries, signed=m.entries[:7]), id="too many"),
        pytest.param(lambda m, t: Shown(m, [*m.entries[:8], m.entries[9], m.entries[8]], m.entries), id="swapped"),
        pytest.param(lambda m, t: Shown(m, t.entries, signed=m.entries), id="another ledger's"),
        pytest.param(lambda m, t: Shown(m, note=t.note()), id="another ledger's checkpoint"),
        pytest.param(lambda m, t: Shown(m, note=m.note()[:-8] + b"AAAAAA==\n"), id="a checkpoint its key did not sign"),
        pytest.param(lambda m, t: Shown(m, note=b"no checkpoint\n"), id="no checkpoint at all"),
    ],
)
def test_whatever_its_key_did_not_sign_for_is_only_observed(shown: Callable[[LedgerMaker, LedgerMaker], Shown]) -> None:
    """Entries and checkpoints alike: without the key's own signature on it nobody is convicted."""
    audit = judged(shown(ledger(), ledger("tax")))
    assert (audit.only.rule, audit.only.standing, audit.only.bureau) == ("tree-mismatch", Standing.OBSERVED, "market")
    assert not audit.covers("market").complete


def test_a_checkpoint_by_a_key_that_a_later_charter_may_name_is_a_gap() -> None:
    """The ledger may go by a later version than this audit: nothing of it is covered, and nobody is accused."""
    maker = ledger()
    checkpoint = Checkpoint(maker.origin, maker.size, maker.root(maker.size))
    audit = judged(Shown(maker, note=sign_checkpoint(checkpoint, key_of("the next"))))
    assert not audit.found
    assert "a later version of the charter may name its key" in audit.covers("market").gap


def test_what_is_under_its_checkpoint_trips_nothing() -> None:
    """A ledger as it is, and one shown only up to an older checkpoint that its key signed as well."""
    maker = ledger()
    assert not judged(maker).found
    assert not judged(Shown(maker, maker.entries[:7])).found
