"""`broken-reference`: an entry cites another by a leaf that does not stand there."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tallystick_proto.v1.statement_pb2 import Ref
from tests.harness.ledger_maker import LedgerMaker
from tests.harness.shown import DAY, Shown, judged, ledger


def wrong(maker: LedgerMaker, index: int = 3) -> Ref:
    """A citation of an entry by another leaf than stands there."""
    return Ref(origin=maker.origin, index=index, leaf=bytes(32))


def citing(ref: Ref, **values: str) -> LedgerMaker:
    """The tax office's ledger, which takes note of what is cited, at #10."""
    tax = ledger("tax")
    tax.record([tax.say("acknowledge", notice=ref, action="noted", **values)])
    return tax


def test_it_trips_alone_and_says_so() -> None:
    """Two claims differ and neither bureau is convicted: it is the word of who cites."""
    market = ledger()
    tax = citing(wrong(market))
    audit = judged(market, tax)
    assert (audit.only.rule, audit.only.bureau) == ("broken-reference", "tax")
    assert audit.only.references == ("tax#10", "market#3")
    assert (audit.only.standing, audit.only.severity) == (Standing.ONE_SIDE, Severity.WARNING)
    assert audit.sentence("en") == "tax cites market#3, and another entry stands there (one side's word)"
    assert audit.sentence("zh") == "税务局 引用的 market#3 处是另一条目（一方之言）"
    assert audit.covers("tax").complete
    assert audit.covers("market").complete
    assert judged(tax, market).only.id == audit.only.id


def test_what_stands_there_may_be_cited() -> None:
    """By its own leaf, in whatever order the ledgers are given."""
    market = ledger()
    tax = citing(market.ref(3))
    assert not judged(market, tax).found
    assert not judged(tax, market).found


def test_what_is_not_covered_is_not_judged() -> None:
    """A citation of a ledger nobody read, of one outside the charter, or of an entry that is not there yet."""
    market = ledger()
    assert not judged(citing(wrong(market)), uncovered=[market]).found
    assert not judged(citing(wrong(LedgerMaker(bureau="elsewhere")))).found
    assert not judged(market, citing(wrong(market, 10))).found


def test_an_import_cites_what_stands_there_too() -> None:
    """Rules on missing citations do not apply to what was brought in; this one is about those that are there."""
    market = ledger()
    assert judged(market, citing(wrong(market), source="paper")).only.rule == "broken-reference"


def test_two_citations_of_one_entry_are_one_finding() -> None:
    """An entry that cites the same wrongly in two places is found once, and counted."""
    market, tax = ledger(), ledger("tax")
    tax.record(
        [
            tax.say(
                "receive",
                exchange="x-1",
                sender="market",
                resource="market-3-0",
                sent=wrong(market),
                grant=wrong(market),
                source="x-road",
            )
        ]
    )
    found = [finding for finding in judged(market, tax).found if finding.rule == "broken-reference"]
    assert [(finding.references, finding.times) for finding in found] == [(("tax#10", "market#3"), 2)]


@pytest.mark.parametrize("days", [0, 1])
def test_it_is_found_from_the_day_it_was_recorded(days: int) -> None:
    """An audit as of a day before knows nothing of it."""
    market, tax = ledger(), ledger("tax")
    tax.now_us += 24 * 3600 * 1_000_000
    tax.record([tax.say("acknowledge", notice=wrong(market), action="noted")])
    assert len(judged(market, tax, day=DAY + timedelta(days)).found) == days


def test_a_bad_ledger_is_cited_up_to_where_it_was_read() -> None:
    """What stands before a fault is compared; what stands after it is not."""
    market = ledger()
    broken = Shown(market, [*market.entries[:8], market.entries[9]])
    for index, rules in ((4, ["chain-broken", "broken-reference"]), (7, ["chain-broken"])):
        assert [finding.rule for finding in judged(broken, citing(wrong(market, index))).found] == rules
