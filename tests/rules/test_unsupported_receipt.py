"""`unsupported-receipt`: a receipt that cites no sending, though the other ledger held one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tallystick.core.identifiers import exchange_short_form
from tests.harness.district import District
from tests.harness.stories import VERSION, Granted, district, exchange_id, granted, only, sent, then

NAME = exchange_short_form(exchange_id("x-1"))


def test_it_trips_alone_and_says_so() -> None:
    """Both entries are there and signed, and the receiver's cites nothing: that much is proven, and is its to mend."""
    where = district()
    half = sent(where, granted(where))
    receipt = then(where)["tax"].receive("x-1", sender="market", version=VERSION)
    finding = only(where, "2027-03-31")
    assert (finding.rule, finding.bureau) == ("unsupported-receipt", "tax")
    assert finding.references == (receipt.reference, half.reference)
    assert (finding.standing, finding.severity) == (Standing.PROVEN, Severity.WARNING)
    assert only(where, "2027-03-01").id == finding.id
    assert where.sentence(finding, "en") == (
        f"tax recorded receiving exchange {NAME} from market and cites no sending, though there was one (proven)"
    )
    assert where.sentence(finding, "zh") == (
        f"tax局 记录接收 market局 发送的交换 {NAME} 时未引用发送条目，而对方已有发送记录（已证明）"
    )


def live(where: District, shared: Granted) -> None:
    """Sent, and received without a citation."""
    sent(where, shared)
    receives(then(where))


def receives(where: District, **values: str) -> None:
    where["tax"].say("receive", exchange="x-1", sender="market", version=VERSION, **values)


def cited(where: District, shared: Granted) -> None:
    where["tax"].receive("x-1", sender="market", version=VERSION, sent=sent(where, shared))


def imported(where: District, shared: Granted) -> None:
    sent(where, shared)
    receives(then(where), source="x-road")


def sent_later(where: District, shared: Granted) -> None:
    """When it was received there was nothing to cite."""
    receives(where)
    sent(then(where), shared)


def sent_imported(where: District, shared: Granted) -> None:
    """It happened before, and was brought in after: when it was received there was nothing to cite."""
    early_us = where.now_us
    receives(then(where))
    then(where)["market"].send(
        "x-1", to="tax", version=VERSION, grant=shared.grant, happened_at=early_us, source="x-road"
    )


def nothing_sent(where: District, shared: Granted) -> None:
    receives(where)


@pytest.mark.parametrize(
    ("say", "rules"),
    [
        (live, ["unsupported-receipt"]),
        (cited, []),
        (imported, []),
        (sent_later, []),
        (sent_imported, []),
        (nothing_sent, ["received-not-sent"]),
    ],
    ids=lambda each: each.__name__ if callable(each) else "",
)
def test_only_a_live_receipt_of_what_was_there_to_cite_trips(
    say: Callable[[District, Granted], None], rules: list[str]
) -> None:
    """Not where it cites, where either half was brought in, or where the sending was recorded later or never."""
    where = district()
    say(where, granted(where))
    assert [finding.rule for finding in where.audit("2027-03-02")] == rules


def test_said_twice_is_found_once() -> None:
    """The same receipt recorded again is nothing new."""
    where = district()
    live(where, granted(where))
    receives(then(where))
    assert only(where, "2027-03-31").rule == "unsupported-receipt"
