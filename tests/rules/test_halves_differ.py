"""`halves-differ`: both sides of an exchange say a thing, and not the same."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.audit.finding import Finding, Standing
from tallystick.audit.rulebook import Severity
from tallystick.core.identifiers import exchange_short_form
from tests.harness.district import District
from tests.harness.stories import (
    VERSION,
    digest_of,
    district,
    exchange_id,
    exchanged,
    granted,
    only,
    sent,
    then,
)

NAME = exchange_short_form(exchange_id("x-1"))
AS_SENT: dict[str, Any] = {"version": VERSION, "digest": digest_of(), "service": "files", "size": 10}


def received(where: District, **said: object) -> None:
    """An exchange whose receipt says these things; a version, digest, service and size were sent."""
    half = sent(where, granted(where))
    then(where)["tax"].say("receive", exchange="x-1", sender="market", sent=half, **said)


def test_it_trips_alone_and_says_so() -> None:
    """That two signed claims differ is proven; neither is convicted, and the receiver is who must dispute."""
    where = district()
    received(where, **AS_SENT | {"size": 11, "service": "records"})
    finding = only(where, "2027-03-31")
    assert (finding.rule, finding.bureau) == ("halves-differ", "tax")
    assert finding.references == ("market#3", "tax#1")
    assert (finding.standing, finding.severity) == (Standing.PROVEN, Severity.WARNING)
    assert where.sentence(finding, "en") == (
        f"market says it sent exchange {NAME} with service files, size 10;"
        " tax says it received service records, size 11; tax must dispute it (proven)"
    )
    assert where.sentence(finding, "zh") == (
        f"交换 {NAME}：market局 称发送的是服务 files、字节数 10，tax局 称接收的是服务 records、字节数 11，"
        "应由 tax局 提出校核（已证明）"
    )


@pytest.mark.parametrize(
    ("other", "name"),
    [
        ({"version": "R-1@2"}, "version"),
        ({"version": None, "resource": "R-2"}, "resource"),
        ({"digest": digest_of(8)}, "digest"),
        ({"digest": f"committed:{7:064x}"}, "digest"),
        ({"service": "records"}, "service"),
        ({"size": 11}, "size"),
    ],
    ids=["version", "resource", "digest", "kind of digest", "service", "size"],
)
def test_each_thing_both_say_must_agree(other: dict[str, object], name: str) -> None:
    """One finding names just the fields on which they differ, with both values."""
    where = district()
    received(where, **AS_SENT | other)
    finding = only(where, "2027-03-31")
    sent_fields, received_fields = dict(fields(finding, "sent")), dict(fields(finding, "received"))
    assert list(sent_fields) == list(received_fields) == [name]
    assert sent_fields[name] != received_fields[name]


def fields(finding: Finding, side: str) -> tuple[tuple[str, str], ...]:
    fact = finding.facts[side]
    assert isinstance(fact, tuple)
    return fact


@pytest.mark.parametrize(
    "unsaid", [{name} for name in AS_SENT] + [set(AS_SENT)], ids=lambda names: "+".join(sorted(names))
)
def test_what_one_side_does_not_say_is_no_difference(unsaid: set[str]) -> None:
    """A receipt that leaves something out agrees with every sending; so does one that says all alike."""
    where = district()
    received(where, **{name: said for name, said in AS_SENT.items() if name not in unsaid})
    assert not where.audit("2027-03-31")
    alike = district()
    exchanged(alike)
    assert not alike.audit("2027-03-31")


def test_a_size_is_not_the_other_size() -> None:
    """What was asked for and what was answered are two sizes, each held against its own."""
    where = district()
    granted(where)
    where["market"].send("x-1", to="tax", resource="R-1", request_size=5, size=6, source="x-road")
    where["tax"].receive("x-1", sender="market", resource="R-1", request_size=6, size=5, source="x-road")
    finding = only(where, "2027-03-01")
    assert fields(finding, "sent") == (("request_size", "5"), ("size", "6"))
    assert "with request size 5, size 6; tax says it received request size 6, size 5" in where.sentence(finding, "en")


def test_said_again_alike_is_one_finding_and_otherwise_another() -> None:
    """A half repeated is nothing new; one that differs anew is a claim of its own."""
    where = district()
    received(where, **AS_SENT | {"size": 11})
    first = only(where, "2027-03-31")
    then(where)["tax"].receive("x-1", sender="market", **AS_SENT | {"size": 11})
    assert only(where, "2027-03-31").id == first.id
    then(where)["tax"].receive("x-1", sender="market", **AS_SENT | {"size": 12})
    assert {finding.references for finding in where.audit("2027-03-31") if finding.rule == "halves-differ"} == {
        ("market#3", "tax#1"),
        ("market#3", "tax#3"),
    }


def test_who_says_otherwise_what_was_received_as_it_was_sent_must_dispute_it() -> None:
    """A sender that changes its word after the receipt, or before it and behind the receiver's back, answers for that;
    a receiver that changes its own, or agrees with neither, does."""
    agreed = district()
    exchanged(agreed)
    then(agreed)["market"].say("send", exchange="x-1", to="tax", **AS_SENT | {"size": 11})
    before = district()
    half = sent(before, granted(before))
    then(before)["market"].say("send", exchange="x-1", to="tax", **AS_SENT | {"size": 11})
    then(before)["tax"].say("receive", exchange="x-1", sender="market", sent=half, **AS_SENT)
    for where, receipt in ((agreed, "tax#1"), (before, "tax#1")):
        finding = only(where, "2027-03-31")
        assert (finding.bureau, finding.references) == ("market", ("market#4", receipt))
        assert "market says it sent" in where.sentence(finding, "en")
        then(where)["tax"].say("receive", exchange="x-1", sender="market", **AS_SENT | {"size": 12})
        last = [
            each for each in where.audit("2027-03-31") if "tax#2" in each.references and each.rule == "halves-differ"
        ]
        assert [each.bureau for each in last] == ["tax"]


def test_whichever_half_came_first_the_finding_is_the_same() -> None:
    """Halves brought in in either order differ alike."""
    for first in ("market", "tax"):
        where = district()
        granted(where)
        for bureau in (first, {"market": "tax", "tax": "market"}[first]):
            if bureau == "market":
                then(where)["market"].send("x-1", to="tax", resource="R-1", size=1, source="x-road")
            else:
                then(where)["tax"].receive("x-1", sender="market", resource="R-1", size=2, source="x-road")
        assert only(where, "2027-03-01").references == ("market#3", "tax#1")


def test_without_the_other_ledger_there_is_nothing_to_compare() -> None:
    """One half is no difference."""
    where = district()
    received(where, **AS_SENT | {"size": 11})
    where.uncovered.add("market")
    assert "halves-differ" not in {finding.rule for finding in where.audit("2027-03-31")}
