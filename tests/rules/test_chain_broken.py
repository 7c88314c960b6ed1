"""`chain-broken`: entries under a checkpoint the ledger's key signed that do not follow one from the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.ledger_maker import LedgerMaker, chain
from tests.harness.shown import Shown, judged, ledger


def dropped(maker: LedgerMaker) -> list[bytes]:
    return [*maker.entries[:4], *maker.entries[5:]]


def test_it_trips_alone_and_says_so() -> None:
    """The bureau whose key signed for it answers, by its own signature; what stood before is judged as ever."""
    maker = ledger()
    audit = judged(Shown(maker, dropped(maker)), ledger("tax"))
    assert (audit.only.rule, audit.only.bureau) == ("chain-broken", "market")
    assert audit.only.references == ("market#4",)
    assert (audit.only.standing, audit.only.severity) == (Standing.PROVEN, Severity.WARNING)
    assert audit.sentence("en") == (
        "the ledger of market does not follow from one entry to the next: it calls itself #5; expected #4 (proven)"
    )
    assert audit.sentence("zh") == (
        "市场监管局 的台账前后条目不相衔接，核验信息：“it calls itself #5; expected #4”（已证明）"
    )
    assert judged(Shown(maker, dropped(maker)), ledger("tax")).only.id == audit.only.id


def test_it_is_a_gap_from_there_on() -> None:
    """The coverage ends with the last whole submission before; the other ledger is covered whole."""
    maker = ledger()
    audit = judged(Shown(maker, dropped(maker)), ledger("tax"))
    assert (audit.covers("market").checked, audit.covers("market").complete) == (3, False)
    assert "#4: it calls itself #5" in audit.covers("market").gap
    assert audit.covers("tax").complete


def at(maker: LedgerMaker, index: int, earlier_us: int) -> list[bytes]:
    """The ledger chained anew with one entry recorded so much before the entry before it."""
    made = list(maker.made)
    made[index] = replace(made[index], at_us=made[index - 1].at_us - earlier_us)
    return chain(maker.origin, made)


@pytest.mark.parametrize(
    ("bend", "reference"),
    [
        pytest.param(dropped, "market#4", id="dropped"),
        pytest.param(lambda m: [*m.entries[:5], m.entries[4], *m.entries[5:]], "market#5", id="doubled"),
        pytest.param(lambda m: [*m.entries[:8], m.entries[9], m.entries[8]], "market#8", id="swapped"),
        pytest.param(lambda m: m.entries[1:], "market#0", id="headless"),
        pytest.param(lambda m: chain("pudong.example/tax", m.made), "market#0", id="of another origin"),
        pytest.param(lambda m: [*m.entries[:7], *at(m, 6, -5)[7:]], "market#7", id="after another past"),
        pytest.param(lambda m: at(m, 6, 1), "market#6", id="time turned back"),
    ],
)
def test_each_way_not_to_follow_is_found_where_it_is(
    bend: Callable[[LedgerMaker], list[bytes]], reference: str
) -> None:
    """Out of place, after another past, or earlier than the entry before it."""
    maker = ledger()
    audit = judged(Shown(maker, bend(maker)))
    assert (audit.only.rule, audit.only.references) == ("chain-broken", (reference,))


def test_what_follows_trips_nothing() -> None:
    """Two entries of one moment follow one another, and so does a ledger of one submission."""
    maker = ledger()
    assert not judged(Shown(maker, at(maker, 6, 0))).found
    assert not judged(Shown(maker, maker.entries[:1])).found
