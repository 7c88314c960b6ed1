"""`beyond-grant`: another bureau's restricted resource, used outside what that bureau granted."""

from __future__ import annotations

import pytest

from tallystick.audit.finding import Finding, Standing
from tallystick.audit.rulebook import Severity
from tests.harness.district import District
from tests.harness.sharing import PURPOSE, Allowed, allowed, declared_as, delivered, restricted, spoken, used
from tests.harness.stories import CODE, at_midnight, declared, district, just_before_midnight, moment, only, unjudged

DAY = "2027-03-01"


def received(where: District, **terms: object) -> Allowed:
    """What was granted on some terms was sent and received."""
    shared = allowed(where, **terms)  # type: ignore[arg-type]
    delivered(where, shared.grant)
    return shared


def beyond(where: District, on: str = DAY) -> Finding:
    finding = only(where, on)
    assert (finding.rule, finding.bureau, finding.severity) == ("beyond-grant", "tax", Severity.WARNING)
    return finding


@pytest.mark.parametrize("cites", [True, False])
def test_it_trips_alone_and_says_so(cites: bool) -> None:
    """Held against the grant it names it is proven, against all there are an absence; whoever used it answers."""
    where = district()
    shared = received(where, asked=["name", "street"])
    more = {"grant": shared.grant} if cites else {}
    use = used(where, fields=["name", "phone", "income"], **more)
    finding = beyond(where)
    assert finding.references == (use.reference, shared.grant.reference)
    assert finding.standing is (Standing.PROVEN if cites else Standing.ABSENT)
    standing = ("proven", "已证明") if cites else (Standing.ABSENT.label("en"), Standing.ABSENT.label("zh"))
    assert spoken(where, finding) == (
        f"tax used R-1 beyond what market granted: fields income, phone ({standing[0]})",
        f"tax局 使用 R-1 超出 market局 同意的范围：信息项 income、phone（{standing[1]}）",
    )
    used(where, fields=["phone", "income"], **more)
    assert beyond(where).times == 2


@pytest.mark.parametrize(
    ("said", "en", "zh"),
    [
        pytest.param({"purpose": "joint-supervision"}, "purpose joint-supervision", "用途 joint-supervision", id="why"),
        pytest.param({"system": "S-2"}, "system S-2", "系统 S-2", id="system"),
        pytest.param({"fields": ["phone"]}, "fields phone", "信息项 phone", id="fields"),
    ],
)
def test_each_term_of_a_grant_binds(said: dict[str, object], en: str, zh: str) -> None:
    """Purpose, system and fields as asked for and granted; inside them nothing trips, nor what says nothing of them."""
    where = district()
    received(where, system="S-1", asked=["name"])
    used(where, system="S-1", fields=["name"])
    used(where)
    assert not where.audit(DAY)
    used(where, **{"system": "S-1", "fields": ["name"], **said})
    assert spoken(where, beyond(where)) == (
        f"tax used R-1 beyond what market granted: {en} (absent within the coverage, beyond it not covered)",
        f"tax局 使用 R-1 超出 market局 同意的范围：{zh}（核查范围内无记录，范围外未覆盖）",
    )


def test_without_any_grant_every_use_is_beyond_it() -> None:
    """An absence on the provider's ledger, once, however often it was used."""
    where = district()
    owner = restricted(where)
    where.on("2027-03-02")
    use = used(where)
    used(where)
    finding = beyond(where, "2027-03-02")
    assert (finding.references, finding.times) == ((use.reference, owner.reference), 2)
    assert finding.standing is Standing.ABSENT
    assert spoken(where, finding) == (
        "tax used R-1 beyond what market granted: there is no grant, 2 times"
        " (absent within the coverage, beyond it not covered)",
        "tax局 使用 R-1 超出 market局 同意的范围：没有同意共享，共 2 次（核查范围内无记录，范围外未覆盖）",
    )


def test_what_is_cited_must_be_a_grant_and_this_one() -> None:
    """A request is none, and a grant to another bureau is not one's own."""
    where = district("planning")
    shared = received(where)
    request = where["planning"].request(CODE, provider="market", purpose=PURPOSE)
    where.after(1)
    other = where["market"].grant(request, to="planning", resource=CODE)
    where["planning"].end(other, how="given_back")
    used(where, grant=shared.request)
    assert spoken(where, beyond(where, "2027-03-02")) == (
        "tax used R-1 beyond what market granted: what it cites is no grant (proven)",
        "tax局 使用 R-1 超出 market局 同意的范围：所引用的条目不是同意共享（已证明）",
    )
    used(where, grant=other)
    found = {spoken(where, finding) for finding in where.audit("2027-03-02")}
    assert (
        "tax used R-1 beyond what market granted: the grant it cites does not hold for it (proven)",
        "tax局 使用 R-1 超出 market局 同意的范围：所引用的同意共享不适用（已证明）",
    ) in found


@pytest.mark.parametrize(
    ("sharing", "by"),
    [pytest.param("unconditional", "market", id="open"), pytest.param("conditional", "tax", id="own")],
)
def test_what_needs_no_grant_does_not_trip(sharing: str, by: str) -> None:
    """What is shared unconditionally, and what is the user's own."""
    where = district()
    declared_as(where, sharing, CODE, by, condition="a law of the place")
    used(where)
    assert not where.audit(DAY)


def test_a_code_nobody_declares_is_nobody_s_to_grant() -> None:
    """Without a declaration in the coverage nothing says that it is restricted."""
    where = district()
    used(where)
    assert not where.audit(DAY)


def test_one_grant_that_covers_a_use_is_enough() -> None:
    """Among several, whichever order they were given in."""
    where = district()
    received(where, asked=["name"])
    request = where["tax"].request(CODE, provider="market", purpose="joint-supervision", fields=["phone"])
    where.after(1)
    where["market"].grant(request, to="tax", resource=CODE)
    for purpose, field in (("joint-supervision", "phone"), (PURPOSE, "name")):
        used(where, purpose=purpose, fields=[field])
    assert not where.audit("2027-03-02")
    used(where, purpose=PURPOSE, fields=["phone"])
    assert beyond(where, "2027-03-02")


def test_a_use_counts_when_it_happened_within_the_days_of_the_grant() -> None:
    """Up to 24:00 of its last day, from the day it was given on; recorded later or not. Once a resource, not daily."""
    for moment_of, trips in ((just_before_midnight, False), (at_midnight, True)):
        where = district()
        received(where, until="2027-03-02")
        moment_of(where, "2027-03-02")
        used(where)
        assert bool(where.audit("2027-03-02" if not trips else "2027-03-03")) is trips
    where.on("2027-03-04")
    used(where, happened_at=moment(where, "2027-03-02"))
    used(where)
    finding = beyond(where, "2027-03-04")
    assert finding.times == 2
    assert spoken(where, finding)[0].startswith(
        "tax used R-1 beyond what market granted: outside its term, on 2027-03-03, 2 times ("
    )
    assert spoken(where, finding)[1].startswith(
        "tax局 使用 R-1 超出 market局 同意的范围：在期限之外，2027年3月3日，共 2 次（"
    )


def test_a_use_before_the_grant_is_none_under_it_but_clocks_may_differ() -> None:
    """On the day before it is beyond the grant; a minute before it, by two ledgers' clocks, is not."""
    where = district()
    where.on("2027-03-02")
    shared = received(where)
    used(where, grant=shared.grant, happened_at=moment(where, "2027-03-02") - 60 * 1_000_000)
    assert not where.audit("2027-03-02")
    used(where, grant=shared.grant, happened_at=moment(where, "2027-03-01"))
    assert beyond(where, "2027-03-02")


def test_after_the_grant_ended_a_use_is_beyond_it() -> None:
    """Revoked or given back; what was used before stays lawful."""
    where = district()
    shared = received(where)
    used(where)
    where.on("2027-03-02")
    where["market"].end(shared.grant, how="revoked")
    where.on("2027-03-03")
    late = used(where)
    assert beyond(where, "2027-03-03").references == (late.reference, shared.grant.reference)


def test_what_was_brought_in_need_name_no_grant() -> None:
    """But the one it names binds it."""
    where = district()
    restricted(where)
    used(where, source="archive")
    assert not where.audit(DAY)
    named = district()
    shared = received(named)
    used(named, source="archive", grant=shared.grant, purpose="joint-supervision")
    assert beyond(named).standing is Standing.PROVEN


def test_a_grant_of_another_resource_is_none_of_this() -> None:
    """Though it is one's own, and the use lies within its terms."""
    where = district()
    received(where)
    restricted(where, "R-2")
    request = where["tax"].request("R-2", provider="market", purpose=PURPOSE)
    where.now_us += 1
    other = where["market"].grant(request, to="tax", resource="R-2")
    use = used(where, grant=other)
    assert beyond(where).references == (use.reference, other.reference)


def test_a_grant_that_states_no_terms_binds_to_none() -> None:
    """Given without a request that was read, it names neither purpose nor system nor fields."""
    where = district()
    grant = where["market"].grant(restricted(where), to="tax", resource=CODE)
    delivered(where, grant)
    used(where, grant=grant, purpose="joint-supervision", system="S-9", fields=["phone"])
    assert not where.audit(DAY)


@pytest.mark.parametrize("cites", [True, False])
def test_where_the_provider_s_ledger_was_not_read_whole_nothing_is_judged(cites: bool) -> None:
    """A grant that covers the use may stand beyond what was read; one that was read binds what names it."""
    where = district()
    shared = received(where)
    used(where, **({"grant": shared.grant} if cites else {}))
    where.read_up_to["market"] = 1
    assert unjudged(where, DAY)["beyond-grant", "market"] == 1
    where.read_up_to["market"] = 2
    used(where, purpose="joint-supervision", grant=shared.grant)
    assert [each.rule for each in where.audit(DAY)] == ["beyond-grant"]


def test_opening_a_resource_frees_its_use() -> None:
    """What is shared unconditionally when it is used needs no grant any more."""
    where = district()
    shared = received(where)
    declared(where)
    where.on("2027-03-02")
    used(where, grant=shared.grant, purpose="joint-supervision")
    assert not where.audit("2027-03-02")
