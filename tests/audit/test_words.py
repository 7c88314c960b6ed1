"""What an answer says of its coverage, in both languages: nothing that was not covered, set or judged goes unsaid."""

from __future__ import annotations

import re
from datetime import date

import pytest
from msgspec.structs import replace

from tallystick.audit.coverage import Coverage, LedgerCoverage
from tallystick.audit.covered import covered
from tallystick.audit.rule import RULES
from tallystick.audit.words import Words
from tallystick.core.bureau import Floor
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.errors import Unreachable
from tallystick.core.note import encode_base64
from tests.harness.district import RULEBOOK, District
from tests.harness.stories import district as two

DAY = date(2027, 3, 31)


def said(where: District, coverage: Coverage, language: str) -> list[str]:
    return list(covered(Words(where.charter, language), coverage))


def ledger(bureau: str, size: int) -> LedgerCoverage:
    origin = f"pudong.example/{bureau}"
    return LedgerCoverage(bureau, origin, Checkpoint(origin, size, bytes(32)), settled=size, checked=size)


def read_whole(*, full: bool = True) -> Coverage:
    """Two ledgers read whole."""
    return Coverage("pudong", 3, "", DAY, full, [ledger("market", 1_200), ledger("tax", 34)])


def test_what_was_covered_is_said_first() -> None:
    """How many ledgers and entries, under which charter, and as of which day."""
    english, chinese = said(two(), read_whole(), "en"), said(two(), read_whole(), "zh")
    assert english[0] == (
        "Coverage: 2 ledgers, 1,234 entries verified (full pass), charter pudong version 3, as of 2027-03-31."
    )
    assert chinese[0] == ("核查范围：2 本台账，共 1,234 条已核验（全范围），章程 pudong 第 3 版，截至 2027年3月31日。")
    assert len(english) == len(chinese) == 3
    assert "Clocks run from service" in english[2]


def test_how_far_it_is_witnessed_is_said_of_every_ledger() -> None:
    """What a quorum cosigned, what it did not, and which ledgers have none under the charter."""
    coverage = read_whole()
    assert said(two(), coverage, "en")[1] == (
        "No quorum of witnesses under this charter, so that a rewrite is not covered: market, tax."
    )
    assert said(two(), coverage, "zh")[1] == "按本章程见证单位不足，其改写未覆盖：market局、tax局。"
    market, tax = coverage.ledgers
    market.witnessed, tax.witnessed = 1_200, 30
    assert said(two(), coverage, "en")[1] == (
        "Witnessed by a quorum under this charter: 1,230 of 1,234 entries; unwitnessed, its own node's word alone:"
        " tax from #30 on."
    )
    assert said(two(), coverage, "zh")[1] == (
        "已由达到本章程门限的单位见证：1,234 条中 1,230 条；未经见证、仅凭其节点：tax局自 #30 起。"
    )
    tax.witnessed, market.witnessed = 34, None
    assert said(two(), coverage, "en")[1:3] == [
        "Witnessed by a quorum under this charter: 34 of 34 entries.",
        "No quorum of witnesses under this charter, so that a rewrite is not covered: market.",
    ]
    market.checkpoint, market.witnessed = None, 0
    assert "market" not in "".join(said(two(), coverage, "en")[1:2])


def test_what_the_charter_pins_is_not_its_own_nodes_word_alone() -> None:
    """Its holders signed for it; what is above the floor is that word, and each entry below it is called pinned."""
    where, coverage = two(), read_whole()
    market, tax = coverage.ledgers
    market.witnessed, tax.witnessed, tax.pinned = 1_200, 30, 32
    assert said(where, coverage, "en")[1] == (
        "Witnessed by a quorum under this charter: 1,230 of 1,234 entries; pinned by the charter: tax from #30 to #31;"
        " unwitnessed, its own node's word alone: tax from #32 on."
    )
    assert "；由章程锁定：tax局 #30 至 #31；未经见证、仅凭其节点：tax局自 #32 起。" in said(where, coverage, "zh")[1]
    assert coverage.unwitnessed(["tax#29", "tax#31", "tax#32"]) == ["tax#32"]
    tax.pinned = 34
    assert said(where, coverage, "en")[1].endswith("; pinned by the charter: tax from #30 to #33.")
    floor = Floor(32, encode_base64(bytes(32)))
    words = Words(
        replace(where.charter, bureau=tuple(replace(each, floor=floor) for each in where.charter.bureau)), "en"
    )
    shown = [words.witnessed("tax", index, 30) for index in (29, 30, 31, 32)]
    assert [each.startswith("Pinned by the charter") for each in shown] == [False, True, True, False]


def test_a_copy_is_said_to_be_one() -> None:
    """Whose ledger, whose copy, and up to where."""
    coverage = read_whole()
    coverage.ledgers[1].keeper, coverage.ledgers[1].away = "market", True
    assert (
        "The node of tax is out of reach: its ledger as the copy of market shows it, 34 entries; what came later is not"
        " covered."
    ) in said(two(), coverage, "en")
    assert "tax局节点无法连接：其台账据market局所存副本，至第 34 条；其后入账的未覆盖。" in said(two(), coverage, "zh")


def test_what_a_copy_does_not_show_to_be_witnessed_is_its_keepers() -> None:
    """Not its own node's word alone: whoever keeps the copy cosigned it."""
    coverage = read_whole()
    for each, keeper in zip(coverage.ledgers, ("tax", ""), strict=True):
        each.witnessed, each.keeper = 0, keeper
    assert any(
        "witnessed, by the copy's keeper alone: market from #0 on" in line for line in said(two(), coverage, "en")
    )
    assert any("unwitnessed, its own node's word alone: tax from #0 on" in line for line in said(two(), coverage, "en"))
    assert any("未示已获见证、仅凭副本持有者：market局自 #0 起" in line for line in said(two(), coverage, "zh"))


def test_what_nobody_shows_of_witnesses_is_not_said_to_be_nothing() -> None:
    """Neither none witnessed nor all: it is not shown now. That a ledger has no quorum is told apart from it."""
    where = District("market", "tax", "planning")
    coverage = read_whole()
    coverage.ledgers[1].witnessed, coverage.ledgers[1].cosigned = 34, ()
    english, chinese = said(where, coverage, "en"), said(where, coverage, "zh")
    assert english[1] == "Witnessed by a quorum under this charter: 34 of 34 entries."
    assert english[2].startswith("Not shown now how far it is witnessed")
    assert english[2].endswith(": market.")
    assert chinese[2].startswith("此刻未示见证至何处")
    assert "No quorum" not in "".join(english)


def test_of_a_node_that_was_not_asked_it_is_not_said_that_it_does_not_answer() -> None:
    """Who reads copies by choice asks the witnesses alone; a node out of reach was asked."""
    where, coverage = District("market", "tax", "planning"), read_whole()
    for each, away in zip(coverage.ledgers, (False, True), strict=True):
        each.keeper, each.away = "planning", away
    english, chinese = (
        [line for line in said(where, coverage, language) if unshown in line]
        for language, unshown in (("en", "Not shown now"), ("zh", "此刻未示"))
    )
    assert english == [
        "Not shown now how far it is witnessed, since neither its node nor a quorum of its witnesses says: tax.",
        "Not shown now how far it is witnessed, since no quorum of its witnesses says, and its node was not asked:"
        " market.",
    ]
    assert chinese[1] == "此刻未示见证至何处，因达到门限的见证单位未应答，其节点未予询问：market局。"


def test_how_many_ledgers_were_read_is_said_first() -> None:
    """Of how many; and where none was there is nothing that could be called full, or witnessed."""
    coverage = read_whole()
    coverage.ledgers[0] = LedgerCoverage("market", "pudong.example/market", gap="nobody answers")
    assert said(two(), coverage, "en")[0].startswith("Coverage: 1 of 2 ledgers, 34 entries verified (full pass)")
    assert said(two(), coverage, "zh")[0].startswith("核查范围：2 本台账中 1 本，共 34 条已核验（全范围）")
    coverage.ledgers[1].checked, coverage.ledgers[1].gap = 0, "it went away"
    assert said(two(), coverage, "en") == [
        "Coverage: nothing, for none of 2 ledgers was read, charter pudong version 3, as of 2027-03-31.",
        "Not covered: market from #0 on: nobody answers.",
        "Not covered: tax from #0 on: it went away.",
    ]
    assert said(two(), coverage, "zh")[0].startswith("核查范围：无，2 本台账均未能核查，章程")


def test_one_is_not_said_as_many() -> None:
    """Neither of ledgers nor of entries."""
    coverage = Coverage("pudong", 3, "", DAY, False, [ledger("market", 1)])
    coverage.ledgers[0].not_understood = 1
    english = said(two(), coverage, "en")
    assert english[0].startswith("Coverage: 1 ledger, 1 entry verified")
    assert "1 entry of market says more than this version understands." in english


def test_what_was_not_covered_is_said_each_by_its_name() -> None:
    """Gaps, what is not understood, not set, not known of the calendar, not judged, and that an index was asked."""
    coverage = read_whole(full=False)
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
