"""A charter's rulebook on this machine: its zone is looked up, and the first charter's own rulebook reads."""

from __future__ import annotations

from datetime import UTC, date, time

import msgspec
import pytest

from tallystick.audit.rulebook import Severity
from tallystick.core.charter import Charter
from tallystick.core.charter_note import format_charter, parse_charter
from tallystick.core.errors import MalformedCharter
from tallystick.sdk.rulebook import rulebook_of, zone_of
from tallystick_node.first_charter import rulebook
from tests.harness.ledger_maker import LedgerMaker, charter_of

CHARTER = charter_of(LedgerMaker().bureau)


def with_rulebook(**parts: object) -> Charter:
    """A charter with this rulebook, as its text reads back."""
    return parse_charter(format_charter(msgspec.structs.replace(CHARTER, rulebook=parts)))


def test_the_zone_is_that_of_the_rulebook() -> None:
    """A zone the database knows is found by its name; a rulebook that names none counts in UTC."""
    found = rulebook_of(with_rulebook(time_zone="Europe/Tallinn", holidays=[date(2027, 2, 24)]))
    assert str(found.calendar.zone) == found.time_zone == "Europe/Tallinn"
    assert found.calendar.start_us(date(1970, 1, 2)) == 21 * 3600 * 1_000_000
    assert zone_of(with_rulebook()) is zone_of(with_rulebook(time_zone="UTC")) is UTC


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "Europe", "../../etc/passwd", "/etc/localtime", "x" * 5_000])
def test_a_zone_nobody_knows_is_refused(name: str) -> None:
    """A name that is no zone, whatever it looks like, is a malformed charter."""
    charter = with_rulebook(time_zone=name)
    for read in (zone_of, rulebook_of):
        with pytest.raises(MalformedCharter, match=r"^charter: rulebook\.time_zone: .* is not known here"):
            read(charter)


def test_the_first_rulebook_reads_whole() -> None:
    """What a first charter lays down survives its text, sets every deadline and threshold, and covers its years."""
    found = rulebook_of(with_rulebook(**rulebook(2027)))
    assert found.unset() == ()
    assert (found.thresholds.night_from, found.thresholds.night_until) == (time(22), time(6))
    assert [found.calendar.covers(year) for year in (2026, 2027, 2028, 2029)] == [False, True, True, False]
    severities = [found.severity(rule) for rule in ("halves-differ", "request-overdue", "zombie-system", "night-use")]
    assert severities == [Severity.SERIOUS, Severity.WARNING, Severity.WARNING, Severity.NOTE]
    assert found.citation("request-overdue", "zh").startswith("政务信息资源共享管理暂行办法")
