"""`acknowledged-lost`: a ledger signed for entries that it holds no longer, and too few bureaus had cosigned them."""

from __future__ import annotations

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tallystick.core.acknowledged import Acknowledged
from tallystick.core.checkpoint import Checkpoint
from tests.harness.district import District
from tests.harness.stories import declared, only

DAY = "2027-03-02"


def district(
    size: int = 9, vouches: int = 4, denied: bool | None = True, cosigned: int = 1, needed: int = 2
) -> District:
    """The market's ledger was recovered at 4 entries, and this client kept a checkpoint of 9 from before."""
    where = District("market", "tax", "planning")
    for number in range(vouches):
        declared(where, f"R-{number}")
    checkpoint = Checkpoint(where["market"].bureau.origin, size, bytes(32))
    where.acknowledged = {"market": (Acknowledged(checkpoint, vouches, denied, cosigned, needed),)}
    return where


def recovers(where: District, size: int, lost_above: int) -> None:
    where["market"].say("report_recovery", by="node", size=size, root=bytes(32), lost_above=lost_above)


def test_it_trips_alone_and_says_so() -> None:
    """That the key signed for it and the ledger lacks it is proven; it names what the recovery itself says."""
    where = district()
    recovers(where, 4, 4)
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau) == ("acknowledged-lost", "market")
    assert finding.references == ("market#8", "market#4")
    assert (finding.standing, finding.severity) == (Standing.PROVEN, Severity.WARNING)
    assert where.sentence(finding, "en") == (
        "market signed 9 entries, with 1 of the 2 cosignatures needed, and no longer holds what stood above 4,"
        " as it said when it was recovered (proven)"
    )
    assert where.sentence(finding, "zh") == (
        "market局 曾签署 9 条（所需副署 2 个，已有 1 个），现已不存 4 条之后的条目，其恢复时亦如此陈述（已证明）"
    )


def test_a_recovery_that_lies_elsewhere_is_not_its_word() -> None:
    """One of what stood above all that was signed, or below what the key vouches for, says nothing of this."""
    where = district()
    recovers(where, 9, 9)
    recovers(where, 3, 3)
    finding = only(where, DAY)
    assert finding.references == ("market#8",)
    assert "what stood above 4 (proven)" in where.sentence(finding, "en")


@pytest.mark.parametrize(
    ("size", "denied"), [(4, True), (3, True), (9, None), (9, False)], ids=["floor", "below", "open", "held"]
)
def test_what_is_vouched_for_held_or_open_trips_nothing(size: int, denied: bool | None) -> None:
    """Up to the floor the retired key's word stands; beyond it nobody is named until something else is shown there."""
    where = district(size, denied=denied)
    recovers(where, 4, 4)
    assert not where.audit(DAY)


def test_a_recovery_alone_trips_nothing() -> None:
    """That a bureau says that it lost something accuses it of nothing, if nobody holds its signature for more."""
    where = District("market", "tax")
    recovers(where, 4, 4)
    assert not where.audit(DAY)


def test_against_a_quorum_it_is_equivocation() -> None:
    """Enough bureaus held what the ledger now denies."""
    finding = only(district(cosigned=2), DAY)
    assert (finding.rule, finding.bureau, finding.references) == ("equivocation", "market", ("market#8",))
    assert finding.standing is Standing.PROVEN
