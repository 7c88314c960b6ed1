"""What is said of an exchange: alike, different, one half not shown or not covered, failed; in both languages."""

from __future__ import annotations

import pytest

from tallystick.audit.inquiry import Find, Inquiry
from tallystick.audit.words import Words
from tallystick.cli.questions.halves import Halves
from tallystick.sdk.auditing import Audited
from tests.harness.district import District
from tests.harness.moving import said

EXCHANGE, VERSION = bytes(16), "SCJG-0012@1"


@pytest.fixture
def district() -> District:
    return District("market", "tax")


def sent(district: District, **more: object) -> None:
    said(district, "market", "send", exchange=EXCHANGE, to="tax", version=VERSION, **more)


def received(district: District, **more: object) -> None:
    said(district, "tax", "receive", exchange=EXCHANGE, sender="market", version=VERSION, **more)


def told(district: District) -> list[tuple[str, str]]:
    """What is said of the one exchange and how far it is proven, in English and in Chinese."""

    def inquire() -> Inquiry:
        yield Find.of(exchange=EXCHANGE)

    seen, coverage = district.ask(inquire(), "2027-03-31")
    (exchange,) = seen.exchanges.of(EXCHANGE)
    audited = Audited([], seen, coverage)
    both = [Halves(Words(district.charter, language), audited) for language in ("en", "zh")]
    return [(halves.says(exchange), halves.standing(exchange)) for halves in both]


def test_two_halves_that_agree_prove_it(district: District) -> None:
    """Each side signed the same."""
    sent(district, size=7)
    received(district, size=7)
    assert told(district) == [("sent and received alike", "proven"), ("收发相符", "已证明")]


def test_two_halves_that_differ_are_two_words(district: District) -> None:
    """Both values are told, and neither is believed over the other."""
    sent(district, size=7, service="query")
    received(district, size=8, service="batch")
    assert told(district) == [
        (
            "the halves differ: service query sent, batch received; size 7 sent, 8 received",
            "one side's word",
        ),
        ("收发不符：服务（发送方 query，接收方 batch）；字节数（发送方 7，接收方 8）", "一方之言"),
    ]


def test_a_half_alone_is_one_sides_word(district: District) -> None:
    """Of the other it is said that it was not shown."""
    sent(district)
    assert told(district) == [("no receipt by tax was shown", "one side's word"), ("未见tax局的接收记录", "一方之言")]


def test_a_receipt_alone_is_one_sides_word_too(district: District) -> None:
    """The sender signed nothing of it."""
    received(district)
    assert told(district)[0] == ("no sending by market was shown", "one side's word")
    assert told(district)[1] == ("未见market局的发送记录", "一方之言")


def test_where_nobody_looked_nothing_is_said_of_the_other_half(district: District) -> None:
    """Its ledger is not covered."""
    sent(district)
    received(district)
    district.uncovered.add("tax")
    assert told(district) == [
        ("the other half is not covered: the ledger of tax", "one side's word"),
        ("另一方未覆盖：tax局的台账", "一方之言"),
    ]


def test_a_failure_is_told_with_who_said_so(district: District) -> None:
    """By the entry that says it."""
    sent(district)
    said(district, "tax", "fail", exchange=EXCHANGE, other="market", side="receiving", reason="timeout")
    assert told(district)[0][0] == "no receipt by tax was shown; failed, by tax#0"
    assert told(district)[1][0] == "未见tax局的接收记录；交换失败：tax#0"
