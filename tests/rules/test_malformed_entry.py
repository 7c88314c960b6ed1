"""`malformed-entry`: an entry, under a checkpoint the ledger's key signed, that is not in the one form entries have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tallystick_proto.v1.statement_pb2 import Statement
from tests.harness.encodings import field
from tests.harness.ledger_maker import LedgerMaker, Made, chain
from tests.harness.shown import Shown, judged, ledger


def replayed(maker: LedgerMaker) -> list[bytes]:
    """The submission of #6 stands a second time, at the end."""
    return chain(maker.origin, [*maker.made, replace(maker.made[6], first=10, at_us=maker.now_us)])


def test_it_trips_alone_and_says_so() -> None:
    """The bureau whose key signed for it answers, by its own signature; the other ledger is judged as ever."""
    maker = ledger()
    audit = judged(Shown(maker, replayed(maker)), ledger("tax"))
    assert (audit.only.rule, audit.only.bureau) == ("malformed-entry", "market")
    assert audit.only.references == ("market#10",)
    assert (audit.only.standing, audit.only.severity) == (Standing.PROVEN, Severity.WARNING)
    assert audit.sentence("en") == (
        "the ledger of market holds an entry that is not well formed: its submission was recorded before;"
        " expected every submission once (proven)"
    )
    assert audit.sentence("zh") == (
        "市场监管局 的台账中有不规范条目，核验信息："
        "“its submission was recorded before; expected every submission once”（已证明）"
    )
    assert (audit.covers("market").checked, audit.covers("tax").complete) == (10, True)


def saying(maker: LedgerMaker, *statements: bytes) -> list[bytes]:
    """The ledger with one more submission, of these bytes, which the clerk did sign."""
    signature = maker.submission(statements).signature
    more = [Made(maker.now_us, each, signature, maker.size, position == 0) for position, each in enumerate(statements)]
    return chain(maker.origin, [*maker.made, *more])


def without_title(maker: LedgerMaker) -> bytes:
    statement = Statement.FromString(maker.declare("R-9"))
    statement.resource_declared.ClearField("title")
    return statement.SerializeToString()


Bend = Callable[[LedgerMaker], list[bytes]]


@pytest.mark.parametrize(
    ("bend", "reference"),
    [
        pytest.param(lambda m: [*m.entries, b"\xff"], "market#10", id="does not parse"),
        pytest.param(lambda m: [*m.entries[:9], m.entries[9] + field(9, 1)], "market#9", id="another field"),
        pytest.param(lambda m: saying(m, without_title(m)), "market#10", id="a statement without what it must say"),
        pytest.param(lambda m: saying(m, m.declare("R-9") * 2), "market#10", id="a statement twice in one"),
        pytest.param(lambda m: saying(m, m.declare("R-9"), m.declare("R-8", "gateway")), "market#11", id="two actors"),
        pytest.param(
            lambda m: chain(m.origin, [*m.made[:4], replace(m.made[4], is_first=True), *m.made[5:]]),
            "market#4",
            id="a submission interrupted",
        ),
        pytest.param(
            lambda m: chain(m.origin, [*m.made[:7], replace(m.made[7], is_first=False), *m.made[8:]]),
            "market#7",
            id="of a submission that is over",
        ),
    ],
)
def test_each_form_that_is_none_is_found_where_it_is(bend: Bend, reference: str) -> None:
    """Bytes, a statement or a submission that no lawful node would have recorded."""
    maker = ledger()
    audit = judged(Shown(maker, bend(maker)))
    assert (audit.only.rule, audit.only.references) == ("malformed-entry", (reference,))


@pytest.mark.parametrize(("size", "reference"), [(4, "market#3"), (5, "market#3"), (9, "market#7"), (2, "market#1")])
def test_a_checkpoint_within_a_submission_is_found_where_that_begins(size: int, reference: str) -> None:
    """Every signed checkpoint falls on a submission's end; what stands before it is judged, and the gap is said."""
    maker = ledger()
    audit = judged(Shown(maker, maker.entries[:size]))
    assert (audit.only.rule, audit.only.references) == ("malformed-entry", (reference,))
    assert audit.covers("market").checked == int(reference.partition("#")[2])
    assert f"cut at #{size}" in audit.covers("market").gap


def test_what_is_whole_or_merely_newer_trips_nothing() -> None:
    """Any submission's end is a checkpoint's; what a later version says more is counted, and no fault."""
    maker = ledger()
    for size in (1, 3, 6, 7, 10):
        assert not judged(Shown(maker, maker.entries[:size])).found
    newer = saying(maker, maker.declare("R-9") + field(1_000, 1))
    audit = judged(Shown(maker, newer))
    assert not audit.found
    assert (audit.covers("market").not_understood, audit.covers("market").complete) == (1, True)
