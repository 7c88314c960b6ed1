"""`received-not-sent`: one side recorded receiving what the other's ledger shows no sending of."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tallystick.core.identifiers import exchange_short_form
from tests.harness.district import District
from tests.harness.stories import CODE, VERSION, Granted, district, exchange_id, granted, only, sent, then, unjudged

NAME = exchange_short_form(exchange_id("x-1"))


def test_it_trips_alone_and_says_so() -> None:
    """A receipt without a sending is the receiver's word, for the sender to answer: nobody is convicted by it."""
    where = district()
    granted(where)
    receipt = where["tax"].receive("x-1", sender="market", version=VERSION)
    finding = only(where, "2027-03-01")
    assert (finding.rule, finding.bureau) == ("received-not-sent", "market")
    assert finding.references == (receipt.reference,)
    assert (finding.standing, finding.severity) == (Standing.ONE_SIDE, Severity.WARNING)
    assert where.sentence(finding, "en") == (
        f"tax recorded receiving exchange {NAME} from market, whose ledger shows no sending up to #2 (one side's word)"
    )
    assert where.sentence(finding, "zh") == (
        f"tax局 称已接收 market局 发送的交换 {NAME}，market局 的台账至 #2 无发送记录（一方之言）"
    )
    assert [found.id for found in where.audit("2027-06-30") if found.rule == finding.rule] == [finding.id]


def test_a_citation_of_another_entry_proves_nothing_either() -> None:
    """A receipt that cites, by a leaf that stands there, what is no sending is still the receiver's word."""
    where = district()
    shared = granted(where)
    where["tax"].receive("x-1", sender="market", version=VERSION, sent=shared.grant)
    finding = only(where, "2027-03-01")
    assert (finding.rule, finding.standing) == ("received-not-sent", Standing.ONE_SIDE)


Halves = Callable[[District, Granted], object]


def receives(where: District, exchange: str = "x-1", sender: str = "market") -> object:
    return where["tax"].receive(exchange, sender=sender, version=VERSION)


@pytest.mark.parametrize(
    ("say", "accused"),
    [
        pytest.param(lambda d, s: (sent(d, s), receives(d)), [], id="sent, then received"),
        pytest.param(lambda d, s: (receives(d), sent(then(d), s)), [], id="recorded as sent only later"),
        pytest.param(lambda d, s: (receives(d), receives(then(d))), ["market"], id="received twice"),
        pytest.param(lambda d, s: (sent(d, s, "x-2"), receives(d)), ["market"], id="another exchange"),
        pytest.param(lambda d, s: (sent(d, s), receives(d, sender="planning")), ["planning"], id="another sender"),
        pytest.param(
            lambda d, s: d["market"].fail("x-1", other="tax", side="sending", reason="timeout"), [], id="only failed"
        ),
    ],
)
def test_only_a_receipt_without_its_sending_trips(say: Halves, accused: list[str]) -> None:
    """Halves pair by exchange, sender and receiver, in whatever order they were recorded; said twice is found once."""
    where = district("planning")
    say(where, granted(where))
    found = [finding for finding in where.audit("2027-03-02") if finding.rule == "received-not-sent"]
    assert [finding.bureau for finding in found] == accused


def test_a_half_brought_in_is_held_to_the_same() -> None:
    """An imported receipt lacks its other half as much as a live one."""
    where = district()
    where["market"].declare(CODE, scheme="local", title="x", sharing="unconditional")
    where["tax"].receive("x-1", sender="market", resource=CODE, source="x-road")
    assert only(where, "2027-03-01").rule == "received-not-sent"


def test_it_is_closed_by_the_sending_and_judged_as_of_its_day() -> None:
    """A sending recorded two days later closes it, and leaves an audit of the day between as it was."""
    where = district()
    shared = granted(where)
    receives(where)
    where.on("2027-03-03")
    sent(where, shared)
    assert only(where, "2027-03-02").rule == "received-not-sent"
    assert not where.audit("2027-03-03")


@pytest.mark.parametrize("sender", ["market", "nobody"])
def test_without_the_sender_s_ledger_nothing_is_judged(sender: str) -> None:
    """Where the sending may stand unread, or the sender is no bureau of the charter, it is counted as not judged."""
    where = district()
    where["tax"].receive("x-1", sender=sender, resource=CODE, source="x-road")
    where.uncovered.add("market")
    assert unjudged(where, "2027-03-31") == {("received-not-sent", "" if sender == "nobody" else sender): 1}
