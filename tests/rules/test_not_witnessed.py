"""`not-witnessed`: entries that no quorum is seen to have cosigned, though there was time enough."""

from __future__ import annotations

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tallystick.core.identifiers import NOBODY
from tests.harness.cosigned import SECOND_US, asking, note_of, witnessed
from tests.harness.district import District
from tests.harness.stories import declared, only

BUREAUS = ("market", "tax", "planning", "human-resources", "data-office")
DAY = "2027-03-01"
ALL, TWO = BUREAUS[1:], BUREAUS[1:3]


def grown(count: int = 3) -> District:
    """Entries of the market's, all of one moment."""
    where = District(*BUREAUS)
    for number in range(count):
        declared(where, f"R-{number}")
    return where


def note(where: District, by: tuple[str, ...], size: int | None = None) -> bytes:
    """What the market's node shows: cosigned now, by some."""
    return note_of(where, "market", dict.fromkeys(by, where.now_us // SECOND_US), size)


def test_it_trips_alone_and_says_so() -> None:
    """An observation about nobody: so many entries, from the first that no quorum is seen to have."""
    where = grown()
    where.now_us += 20 * 60 * SECOND_US  # all have cosigned since, yet one entry only
    asking(where, 0, market=note(where, ALL, 1))
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau, finding.references) == ("not-witnessed", NOBODY, ("market#1",))
    assert (finding.standing, finding.severity) == (Standing.OBSERVED, Severity.WARNING)
    assert where.sentence(finding, "en") == (
        "entries of market from #1 on that no quorum of witnesses is seen to have cosigned,"
        " 10 minutes and more after they were recorded: 2 (an observation, not proven)"
    )
    assert where.sentence(finding, "zh") == (
        "market局 自 #1 起 2 条在本次核查询问前逾 10 分钟入账，未见达到门限的见证副署（观察所得，未证明）"
    )


@pytest.mark.parametrize(("minutes", "found"), [(9, False), (10, False), (11, True)])
def test_what_is_young_may_be_on_its_way(minutes: int, found: bool) -> None:
    """Only what is older than the charter's freshness ought to be cosigned by now."""
    where = grown()
    asking(where, minutes, market=note(where, ALL, 1))
    assert bool(where.audit(DAY, ["not-witnessed"])) is found


@pytest.mark.parametrize(("by", "found"), [(TWO, True), (ALL, False), (ALL[:3], False)])
def test_a_quorum_is_enough_and_fewer_are_not(by: tuple[str, ...], found: bool) -> None:
    """Three of four have it, and so it is witnessed."""
    where = grown()
    asking(where, 60, market=note(where, by))
    assert bool(where.audit(DAY, ["not-witnessed"])) is found


def test_who_has_more_has_less() -> None:
    """Three witnesses that cosigned checkpoints of three sizes have what the smallest of them covers."""
    where = grown()
    asking(where, 60, market=[note(where, (by,), size) for by, size in zip(ALL, (1, 2, 3), strict=False)])
    (finding,) = where.audit(DAY, ["not-witnessed"])
    assert (finding.references, finding.facts["count"]) == (("market#1",), 2)


def test_a_note_on_the_ledger_shows_it_as_well() -> None:
    """What a recorded note covers is witnessed, whatever its node shows now; what follows it is not."""
    where = grown()
    witnessed(where, "market")
    asking(where, 60, market=note(where, TWO, 1))
    (finding,) = where.audit(DAY, ["not-witnessed"])
    assert (finding.references, finding.facts["count"]) == (("market#3",), 1)


def test_where_nobody_was_asked_nothing_is_said() -> None:
    """No answer, no asking, and no quorum: each leaves nothing to be seen."""
    where = grown()
    assert not where.audit(DAY)
    asking(where, 60)
    assert not where.audit(DAY)
    pair = District("market", "tax")
    declared(pair)
    asking(pair, 60, market=note_of(pair, "market", {"tax": pair.now_us // SECOND_US}))
    assert not pair.audit(DAY)
