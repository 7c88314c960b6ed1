"""`silent-ledger`: too few witnesses are seen to have cosigned a ledger of late."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tallystick.core.identifiers import NOBODY
from tests.harness.cosigned import SECOND_US, asking, note_of
from tests.harness.district import District
from tests.harness.stories import declared, only

BUREAUS = ("market", "tax", "planning", "human-resources", "data-office")
DAY = "2027-03-01"


def cosigned(*minutes_ago: int) -> District:
    """The market's ledger, an hour old, cosigned whole by its first witnesses so long before the audit asks."""
    where = District(*BUREAUS)
    declared(where)
    where.now_us += 3_600 * SECOND_US
    now_s = where.now_us // SECOND_US
    at_s = {by: now_s - 60 * minutes for by, minutes in zip(BUREAUS[1:], minutes_ago, strict=False)}
    asking(where, 0, market=note_of(where, "market", at_s))
    return where


def test_it_trips_alone_and_says_so() -> None:
    """An observation: how many cosigned within the charter's freshness, and how many are needed."""
    where = cosigned(30, 5, 30, 30)
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau, finding.references) == ("silent-ledger", NOBODY, ("market#0",))
    assert (finding.standing, finding.severity) == (Standing.OBSERVED, Severity.WARNING)
    assert where.sentence(finding, "en") == (
        "witnesses of market that are seen to have cosigned its ledger within the 10 minutes before this audit asked:"
        " 1 of 4, and 3 are needed (an observation, not proven)"
    )
    assert where.sentence(finding, "zh") == (
        "在本次核查询问前 10 分钟内，market局 的台账仅见 1 家见证单位副署，应有 4 家中的 3 家（观察所得，未证明）"
    )


@pytest.mark.parametrize(
    ("minutes_ago", "found"),
    [
        ((10, 10, 10, 60), False),
        ((10, 10, 11, 60), True),
        ((0, 0, 0), False),
        ((0, 0), True),
        ((), True),
    ],
)
def test_it_goes_by_the_third_newest_of_four(minutes_ago: tuple[int, ...], found: bool) -> None:
    """Three cosignatures that are ten minutes old at most are enough, and it does not matter how old the fourth is."""
    assert bool(cosigned(*minutes_ago).audit(DAY, ["silent-ledger"])) is found


def test_a_ledger_that_has_just_begun_is_not_silent() -> None:
    """Witnesses are given the charter's freshness to begin; and of an empty ledger there is nothing to say."""
    where = District(*BUREAUS)
    asking(where, 60, market=note_of(where, "market", {}))
    assert not where.audit(DAY)
    declared(where)
    asking(where, 9, market=note_of(where, "market", {}))
    assert not where.audit(DAY)


def test_where_nobody_answered_the_coverage_says_so_and_no_rule() -> None:
    """A node that is away shows nothing of its witnesses."""
    where = cosigned()
    where.cosigned = {}
    assert not where.audit(DAY)


def test_a_suspended_ledger_is_not_called_silent() -> None:
    """Nobody cosigns what the charter suspended, and nobody has to."""
    where = cosigned()
    where.charter = replace(
        where.charter,
        bureau=tuple(
            replace(each, state="suspended") if each.id == "market" else each for each in where.charter.bureau
        ),
    )
    assert not where.audit(DAY)
