"""What an answer says of its coverage, in both languages: nothing that was not covered, set or judged goes unsaid."""

from __future__ import annotations

import re
from datetime import date

import pytest

from tallystick.audit.coverage import Coverage, LedgerCoverage
from tallystick.audit.rule import RULES
from tallystick.audit.words import Words
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.errors import Unreachable
from tests.harness.district import RULEBOOK, District
from tests.harness.stories import district as two

DAY = date(2027, 3, 31)


def said(where: District, coverage: Coverage, language: str) -> list[str]:
    return list(Words(where.charter, language).coverage(coverage))


def ledger(bureau: str, size: int) -> LedgerCoverage:
    origin = f"pudong.example/{bureau}"
    return LedgerCoverage(bureau, origin, Checkpoint(origin, size, bytes(32)), settled=size, checked=size)


def covered(*, full: bool = True) -> Coverage:
    """Two ledgers read whole."""
    return Coverage("pudong", 3, "", DAY, full, [ledger("market", 1_200), ledger("tax", 34)])


def test_what_was_covered_is_said_first() -> None:
    """How many ledgers and entries, under which charter, as of which day, and that nothing is witnessed."""
    english, chinese = said(two(), covered(), "en"), said(two(), covered(), "zh")
    assert english[0] == (
        "Coverage: 2 ledgers, 1,234 entries verified (full pass), charter pudong version 3, as of 2027-03-31."
    )
    assert chinese[0] == ("核查范围：2 本台账，共 1,234 条已核验（全范围），章程 pudong 第 3 版，截至 2027年3月31日。")
    assert len(english) == len(chinese) == 2
    assert "Clocks run from service" in english[1]


def test_one_is_not_said_as_many() -> None:
    """Neither of ledgers nor of entries."""
    coverage = Coverage("pudong", 3, "", DAY, False, [ledger("market", 1)])
    coverage.ledgers[0].not_understood = 1
    english = said(two(), coverage, "en")
    assert english[0].startswith("Coverage: 1 ledger, 1 entry verified")
    assert "1 entry of market says more than this version understands." in english


def test_what_was_not_covered_is_said_each_by_its_name() -> None:
    """Gaps, what is not understood, not set, not known of the calendar, not judged, and that an index was asked."""
    coverage = covered(full=False)
    coverage.ledgers[0].fail(Unreachable("nobody answers", where="market"))
    coverage.ledgers[1].not_understood = 5
    coverage.unset, coverage.years = ("accept_duty", "night"), (2017, 2019)
    coverage.unjudged = {("request-overdue", "market"): 3}
    english, chinese = "\n".join(said(two(), coverage, "en")), "\n".join(said(two(), coverage, "zh"))
    for words in (
        "market",
        "nobody answers",
        "5 entries of tax",
        "that none was left out is not",
        "accept_duty, night",
        "no holidays of 2017, 2019",
        "Not judged: 3 of request overdue, because the ledger of market is not covered.",
    ):
        assert words in english
    for words in (
        "market局",
        "tax局 有 5 条",
        "是否有遗漏",
        "accept_duty, night",
        "未载 2017, 2019 年",
        "申请逾期未答复 3 项",
    ):
        assert words in chinese


@pytest.mark.parametrize("rule", RULES)
def test_every_sentence_fills_the_same_places_in_both_languages(rule: str) -> None:
    """What one reader is told, the other is too; English is without Chinese, and the names are told apart."""
    there = RULES[rule]
    places = [set(re.findall(r"\{(\w+)\}", sentence)) for sentence in (there.en, there.zh)]
    assert places[0] == places[1]
    assert "bureau" in places[0]
    assert there.en.isascii() or not re.search("[\u4e00-\u9fff]", there.en)
    assert re.search("[\u4e00-\u9fff]", there.named)
    assert len({each.named for each in RULES.values()}) == len(RULES)


def test_a_deadline_of_a_year_without_holidays_is_said() -> None:
    """Of what was brought in from years ago, working days were counted in a year the charter does not know."""
    where = two()
    where["market"].send("x-1", to="tax", happened_at=1_500_000_000_000_000, source="xroad")
    where["tax"].receive("x-1", sender="market", happened_at=1_500_000_000_000_000, source="xroad")
    _, _, coverage = where.look(DAY)
    assert coverage.years == (2017,)
    assert "The charter names no holidays of 2017" in "\n".join(said(where, coverage, "en"))


def test_what_a_rulebook_does_not_set_counts_in_no_year() -> None:
    """No deadline, no days that were counted."""
    deadlines = {name: days for name, days in RULEBOOK["deadlines"].items() if name != "acknowledge_delivery"}
    where = District("market", "tax", rulebook=RULEBOOK | {"deadlines": deadlines})
    where["market"].send("x-1", to="tax", happened_at=1_500_000_000_000_000, source="xroad")
    assert where.look(DAY)[2].years == ()
