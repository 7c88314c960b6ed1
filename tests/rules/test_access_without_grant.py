"""`access-without-grant`: data that may not be had without a grant, sent under none that holds."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tallystick_proto.v1.statement_pb2 import Ref
from tests.harness.district import District, Said
from tests.harness.sharing import PURPOSE, Allowed, allowed, declared_as, delivered, restricted, spoken
from tests.harness.stories import CODE, VERSION, at_midnight, declared, digest_of, district, just_before_midnight, only
from tests.harness.stories import unjudged as not_judged

DAY = "2027-03-01"
Cite = Callable[[District, Allowed], Said]


def test_it_trips_alone_and_says_so() -> None:
    """Who sends what is conditional and cites no grant answers, by its own signed entry."""
    where = district()
    restricted(where)
    sent = delivered(where, None)
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau, finding.references) == ("access-without-grant", "market", (sent.reference,))
    assert (finding.standing, finding.severity) == (Standing.PROVEN, Severity.WARNING)
    assert spoken(where, finding) == (
        "market sent R-1 to tax and cites no grant (proven)",
        "market局 向 tax局 发送 R-1，未引用同意共享（已证明）",
    )
    delivered(where, None, exchange="x-2")
    assert spoken(where, only(where, DAY)) == (
        "market sent R-1 to tax and cites no grant, 2 times (proven)",
        "market局 向 tax局 发送 R-1，未引用同意共享，共 2 次（已证明）",
    )


def test_withheld_data_needs_a_grant_too() -> None:
    """What is withheld is shared no more freely than what is conditional, and a grant of it is one."""
    where = district()
    declared_as(where, "withheld", basis="State Secrets Law, article 9")
    delivered(where, None)
    assert only(where, DAY).rule == "access-without-grant"
    granted = district()
    shared = allowed(granted)
    declared_as(granted, "withheld", basis="State Secrets Law, article 9")
    delivered(granted, shared.grant)
    assert not granted.audit(DAY)


@pytest.mark.parametrize("source", ["", "x-road"])
def test_what_needs_no_grant_does_not_trip(source: str) -> None:
    """What is shared unconditionally; and what was brought in may lack its citation."""
    where = district()
    if source:
        restricted(where)
    else:
        declared(where)
    said = {"version": VERSION, "digest": digest_of(), "source": source}
    sent = where["market"].say("send", exchange="x-1", to="tax", **said)
    where["tax"].say("receive", exchange="x-1", sender="market", sent=sent, **said)
    assert not where.audit(DAY)


def test_what_was_open_when_it_was_sent_was_open() -> None:
    """A declaration is read as it stood at the sending, and later restriction reaches back to nothing."""
    where = district()
    declared(where)
    delivered(where, None)
    restricted(where)
    assert not where.audit(DAY)
    later = delivered(where, None, exchange="x-2")
    assert only(where, DAY).references == (later.reference,)


def test_a_grant_that_holds_is_one() -> None:
    """Cited, for whom and what it was given; as often as need be."""
    where = district()
    shared = allowed(where)
    delivered(where, shared.grant)
    delivered(where, shared.grant, exchange="x-2")
    assert not where.audit(DAY)


def other_grant(where: District, resource: str = CODE, to: str = "tax", by: str = "market") -> Said:
    """A grant of another thing, to another, or by another, given in the same way."""
    if resource != CODE:
        restricted(where, resource)
    request = where[to].request(resource, provider=by, purpose=PURPOSE)
    where.after(1)
    grant = where[by].grant(request, to=to, resource=resource)
    where[to].end(grant, how="given_back")  # so that nobody owes anything under it
    return grant


@pytest.mark.parametrize(
    "cite",
    [
        pytest.param(lambda d, _: other_grant(d, resource="R-2"), id="of another resource"),
        pytest.param(lambda d, _: other_grant(d, to="planning"), id="to another"),
        pytest.param(lambda d, _: other_grant(d, by="planning"), id="by who does not declare it"),
    ],
)
def test_a_grant_of_something_else_does_not_hold(cite: Cite) -> None:
    """It must be for this resource, to this bureau, and from whose data it is."""
    where = district("planning")
    shared = allowed(where)
    where["tax"].end(shared.grant, how="given_back")
    cited = cite(where, shared)
    sent = delivered(where, cited)
    finding = only(where, "2027-03-02")
    assert (finding.rule, finding.references) == ("access-without-grant", (sent.reference, cited.reference))
    assert spoken(where, finding) == (
        "market sent R-1 to tax and the grant it cites does not hold for it (proven)",
        "market局 向 tax局 发送 R-1，所引用的同意共享不适用（已证明）",
    )


@pytest.mark.parametrize(
    "cite",
    [
        pytest.param(lambda _, shared: shared.request, id="the request"),
        pytest.param(lambda _, shared: shared.resource, id="the declaration"),
        pytest.param(lambda d, s: d["market"].deny(s.request, reason="no"), id="a denial"),
    ],
)
def test_what_is_no_grant_does_not_stand_for_one(cite: Cite) -> None:
    """Citing something is not citing a grant."""
    where = district()
    shared = allowed(where)
    where["tax"].end(shared.grant, how="given_back")
    delivered(where, cite(where, shared))
    finding = only(where, DAY)
    assert (finding.rule, finding.standing) == ("access-without-grant", Standing.PROVEN)
    assert spoken(where, finding) == (
        "market sent R-1 to tax and what it cites is no grant (proven)",
        "market局 向 tax局 发送 R-1，所引用的条目不是同意共享（已证明）",
    )


@pytest.mark.parametrize("by", ["market", "tax"])
def test_a_grant_that_ended_holds_no_more(by: str) -> None:
    """Whichever side ended it, the sending before was lawful and the one after is not."""
    where = district()
    shared = allowed(where)
    delivered(where, shared.grant)
    where.on("2027-03-02")
    where[by].end(shared.grant, how="revoked" if by == "market" else "given_back")
    where.on("2027-03-03")
    later = delivered(where, shared.grant, exchange="x-2")
    finding = only(where, "2027-03-03")
    assert (finding.references, finding.times) == ((later.reference, shared.grant.reference), 1)


def test_a_third_bureau_ends_nobody_s_grant() -> None:
    """What it says about it changes nothing."""
    where = district("planning")
    shared = allowed(where)
    where["planning"].end(shared.grant, how="revoked")
    where.on("2027-03-02")
    delivered(where, shared.grant)
    assert not where.audit("2027-03-02")


def test_a_grant_holds_up_to_the_midnight_of_its_last_day() -> None:
    """Sent in the last microsecond of the day it is in time, and at 24:00 it is not."""
    for moment_of, trips in ((just_before_midnight, False), (at_midnight, True)):
        where = district()
        shared = allowed(where, until="2027-03-02")
        delivered(where, shared.grant)
        moment_of(where, "2027-03-02")
        delivered(where, shared.grant, exchange="x-2")
        assert [each.rule for each in where.audit("2027-03-03")] == ["access-without-grant"] * trips


def test_a_custodian_is_held_to_the_producer_s_grant() -> None:
    """From a shared store under that grant it may, though its clock runs behind the producer's."""
    where = district("planning")
    shared = allowed(where)
    where.now_us -= 60 * 1_000_000
    delivered(where, shared.grant, by="planning", via="city store")
    assert not where.audit(DAY)
    where["market"].end(shared.grant, how="revoked")
    where.on("2027-03-02")
    delivered(where, shared.grant, by="planning", via="city store", exchange="x-2")
    finding = only(where, "2027-03-02")
    assert (finding.rule, finding.bureau) == ("access-without-grant", "planning")


def test_a_grant_that_was_not_read_is_not_judged() -> None:
    """It may stand beyond what was read of the producer's ledger; counted, and no finding."""
    where = district("planning")
    shared = allowed(where)
    delivered(where, shared.grant, by="planning", via="city store")
    where.read_up_to["market"] = 1  # the declaration, and not the grant
    assert not_judged(where, DAY) == {
        ("access-without-grant", "market"): 1,
        ("foreign-code", "market"): 1,
    }


def cites(where: District, by: str, origin: str) -> None:
    """A sending under what would stand at #99 of a bureau's ledger, which is not that long."""
    ref = Ref(origin=where[origin].bureau.origin, index=99, leaf=bytes(32))
    where[by].send("x-1", to="tax", version=VERSION, grant=ref, via="city store", digest=digest_of())
    where["tax"].receive("x-1", sender=by, version=VERSION, digest=digest_of(), source="by post")


def test_a_ledger_may_have_grown_since_it_was_read_but_nothing_cites_its_own_future() -> None:
    """What was recorded after another ledger was read may cite what stands past its end, and is not judged; what was
    there before cites nothing within the coverage. Past its own end a sending cites nothing, whoever reads on."""
    where = district("planning")
    restricted(where)
    cites(where, "planning", "market")
    assert {finding.rule: finding.standing for finding in where.audit(DAY)} == {
        "access-without-grant": Standing.ABSENT,
        "foreign-code": Standing.ABSENT,
    }
    where.settled_up_to["planning"] = 0
    assert not_judged(where, DAY) == {
        ("access-without-grant", "market"): 1,
        ("foreign-code", "market"): 1,
    }
    own = district()
    restricted(own)
    cites(own, "market", "market")
    assert "what it cites is no grant" in own.sentence(only(own, DAY), "en")
