"""What one bureau may say of others, or of itself, to have an innocent convicted or its own breach unseen: in vain.

`mallory` says whatever its own ledger admits, of anybody, with any date. The others keep to the rules.
"""

from __future__ import annotations

import pytest

from tallystick.audit.covered import covered
from tallystick.audit.finding import Finding
from tallystick.audit.words import Words
from tallystick_proto.v1.statement_pb2 import Ref
from tests.harness.district import District
from tests.harness.moving import moved, provided, said, used
from tests.harness.sharing import allowed, restricted
from tests.harness.stories import CODE, VERSION, moment

END = "2027-06-30"
INNOCENT = {"market", "tax"}


@pytest.fixture
def where() -> District:
    return District("market", "tax", "mallory")


def rules(found: list[Finding], *of: str) -> list[str]:
    """The rules by which bureaus are found, mallory unless others are named."""
    return [finding.rule for finding in found if finding.bureau in (of or ("mallory",))]


def convicted(where: District) -> list[str]:
    """What is said of the innocent, if anything."""
    return rules(where.audit(END), *INNOCENT)


# Hiding.


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("cited", [True, False])
def test_nobody_grants_itself_what_is_another_s(where: District, cited: bool, declared: bool) -> None:
    """A grant counts for a use where another gave it whose resource it is: cited or not, and though who grants it to
    itself once declared that code too."""
    restricted(where)
    mallory = where["mallory"]
    if declared:
        mallory.declare(CODE, scheme="other", title="R", sharing="unconditional")
        mallory.withdraw(CODE)
    asked = mallory.request(CODE, provider="mallory", purpose="tax-registration")
    grant = mallory.grant(asked, to="mallory", resource=CODE)
    named = {"grant": grant} if cited else {}
    used(where, "mallory", VERSION, **named)
    assert "beyond-grant" in rules(where.audit("2027-03-02"))


def test_a_question_put_to_nobody_stops_no_clock(where: District) -> None:
    """Only whom an answer is owed to can be asked about it; another would never answer, or is not there."""
    where["market"].declare(CODE, scheme="local", title="R", sharing="unconditional")
    request = said(where, "tax", "request", resource="M-1", provider="mallory", purpose="tax-registration")
    for asked in ("nobody-at-all", "market", "mallory"):
        said(where, "mallory", "raise_concern", to=asked, about=request, sort="clarification")
    assert "request-overdue" in rules(where.audit(END))


def test_a_promise_of_updates_is_owed_to_nobody_who_could_be_asked(where: District) -> None:
    """What a bureau owes everybody, no question to one of them holds up."""
    where["mallory"].declare("M-1", scheme="local", title="M", sharing="unconditional", update_cycle="R/P1M")
    version = provided(where, "mallory", "M-1@1")
    said(where, "mallory", "raise_concern", to="tax", about=version, sort="clarification")
    assert "stale-resource" in rules(where.audit(END))


def outside(index: int = 10**15, origin: str = "elsewhere.example/nobody") -> Ref:
    """A citation of what is not there."""
    return Ref(origin=origin, index=index, leaf=bytes(32))


@pytest.mark.parametrize("cited", [outside(), outside(origin="pudong.example/market")], ids=["outside", "past the end"])
def test_a_grant_that_is_not_there_is_none(where: District, cited: Ref) -> None:
    """Whatever ledger of whatever name is cited, or how far past its end: without a grant is without a grant."""
    restricted(where)
    restricted(where, "M-1", "mallory")
    said(where, "mallory", "send", exchange="x-1", to="tax", version="M-1@1", grant=cited)
    used(where, "mallory", VERSION, grant=cited)
    assert {"access-without-grant", "beyond-grant"} <= set(rules(where.audit("2027-03-02")))


def test_what_a_node_s_clock_puts_after_the_day_is_counted_beside_it(where: District) -> None:
    """It is not judged, for it may be so; and an answer does not pass for complete without it."""
    where.on("2099-01-01")
    used(where, "mallory", VERSION)
    found, _, coverage = where.look(END)
    assert not found
    assert [ledger.later for ledger in coverage.ledgers] == [0, 0, 1]
    for language, words in (
        ("en", "entries of mallory that its node's clock puts after that day: 1."),
        ("zh", "条目：1 条。"),
    ):
        assert words in "\n".join(covered(Words(where.charter, language), coverage))


def test_names_of_nobody_do_not_flood_the_coverage(where: District) -> None:
    """However many bureaus that there are none of are asked for something, one line says that it is not judged."""
    for number in range(50):
        where["mallory"].request(CODE, provider=f"nobody-{number}", purpose="tax-registration")
    _, _, coverage = where.look(END)
    assert coverage.unjudged == {("request-overdue", ""): 50}
    assert any("50 of request overdue" in line for line in covered(Words(where.charter, "en"), coverage))


# Smearing.


@pytest.mark.parametrize("squatting", [True, False])
def test_a_recall_of_another_s_version_obliges_nobody_who_had_it_from_its_maker(
    where: District, squatting: bool
) -> None:
    """Though mallory provided the version first, or declared the code in a scheme of its own, or nobody declared it."""
    if squatting:
        where["mallory"].declare(CODE, scheme="other", title="R", sharing="unconditional")
        where["market"].declare(CODE, scheme="local", title="R", sharing="unconditional")
        provided(where, "mallory", VERSION)
        provided(where, "market", VERSION)
    moved(where, "x-1", VERSION, "market", "tax")
    where["tax"].declare("T-1", scheme="local", title="T", sharing="unconditional")
    provided(where, "tax", "T-1@1", VERSION)
    said(where, "mallory", "recall", version=VERSION, reason="we do not like it")
    used(where, "tax", VERSION)
    assert set(convicted(where)) <= {"undeclared-resource"}


def test_who_declared_a_code_first_has_its_versions(where: District) -> None:
    """Though another declares the same code later and provides a version of that name before."""
    where["market"].declare(CODE, scheme="local", title="R", sharing="unconditional")
    said(where, "mallory", "declare", resource=CODE, scheme="other", title="R", sharing="unconditional")
    provided(where, "mallory", VERSION)
    provided(where, "market", VERSION)
    _, seen, _ = where.look(END)
    assert seen.catalogue.versions[VERSION].bureau == "market"


def test_a_recall_dated_into_the_past_makes_no_use_one_after_it(where: District) -> None:
    """What was used before the recall was recorded was used before anybody could know of it."""
    where["mallory"].declare("M-1", scheme="local", title="M", sharing="unconditional")
    provided(where, "mallory", "M-1@1")
    sent, _ = moved(where, "x-1", "M-1@1", "mallory", "tax")
    assert sent
    where.on("2027-03-10")
    past = moment(where, "2027-03-02")
    recall = said(where, "mallory", "recall", version="M-1@1", reason="x", happened_at=past, source="paper")
    said(where, "tax", "acknowledge", notice=recall, action="stopped")
    used(where, "tax", "M-1@1", happened_at=moment(where, "2027-03-09"))
    assert not convicted(where)


def test_what_mallory_does_to_a_grant_touches_no_other(where: District) -> None:
    """Grants, requests, recalls and duties of two bureaus are not a third's to answer, end, heed or release."""
    shared = allowed(where)
    mallory = where["mallory"]
    mallory.end(shared.grant, how="revoked")
    mallory.end(shared.request, how="withdrawn")
    mallory.deny(shared.request, reason="no")
    mallory.grant(shared.request, to="mallory", resource=CODE)
    sent = said(where, "market", "send", exchange="x-1", to="tax", version=VERSION, grant=shared.grant)
    mallory.fail("x-1", side="sending", other="tax", reason="x")
    mallory.fail("x-1", side="receiving", other="market", reason="x")
    said(where, "tax", "receive", exchange="x-1", sender="market", version=VERSION, sent=sent)
    used(where, "tax", VERSION, grant=shared.grant)
    duty = where["market"].assign_duty("tax", resource=CODE, duty="steward")
    mallory.answer_duty(duty, answer="declined")
    where["tax"].answer_duty(duty, answer="accepted")
    mallory.release_duty(duty)
    _, seen, _ = where.look("2027-03-02")
    assert convicted(where) == []
    assert seen.grants.grants


@pytest.mark.parametrize("duty", ["approver", "steward", "supervisor", "chief"])
def test_a_duty_nobody_took_on_makes_nobody_answer_for_a_matter(where: District, duty: str) -> None:
    """What mallory assigns is to be accepted or declined, and no more: it neither approves, nor supervises in another's
    stead, nor hides who lacks a supervisor."""
    mallory = where["mallory"]
    if duty != "approver":
        mallory.answer_duty(mallory.assign_duty("mallory", matter="M-1", duty="approver"), answer="accepted")
    assigned = mallory.assign_duty("market", matter=None if duty == "chief" else "M-1", duty=duty)
    found = where.audit("2027-03-02")
    assert rules(found, *INNOCENT) == []
    hidden = duty in ("approver", "supervisor")  # a supervisor that is named is one, until it declines
    assert rules(found) == ([] if hidden else ["approver-without-supervisor"])
    where["market"].answer_duty(assigned, answer="declined")
    assert rules(where.audit(END)) == ([] if duty == "approver" else ["approver-without-supervisor"])


def test_another_s_word_on_who_approves_hides_no_gap(where: District) -> None:
    """Who supervised and left still answers, though mallory names somebody who is to approve the matter."""
    market = where["market"]
    supervising = market.assign_duty("market", matter="M-1", duty="supervisor")
    market.answer_duty(supervising, answer="accepted")
    market.release_duty(supervising)
    where["mallory"].assign_duty("tax", matter="M-1", duty="approver")
    assert rules(where.audit("2027-03-02"), "market") == ["duty-gap"]


@pytest.mark.parametrize("cited", [0, 3, 10**15])
def test_a_circle_of_citations_makes_no_answer_come_before_what_it_answers(where: District, cited: int) -> None:
    """Though mallory's clock runs ahead, and its ledger begins with a citation of what the answer comes before."""
    where.on("2027-04-01")
    where["mallory"].acknowledge(outside(cited, "pudong.example/market"), action="noted")
    request = where["mallory"].request(CODE, provider="market", purpose="tax-registration")
    where.on("2027-03-01")
    where["market"].deny(request, reason="not ours to give")
    for _ in range(5):
        where["market"].say("report_system_use", system="S", since="2027-03-01", until="2027-03-01", users=1)
    assert not convicted(where)
