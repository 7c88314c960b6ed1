"""`denied-without-reason`: a request denied with neither words nor a basis."""

from __future__ import annotations

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.sharing import spoken
from tests.harness.stories import CODE, district, only, requested, unjudged

DAY = "2027-03-01"
SENTENCE = (
    "market denied tax access to R-1 and gave no reason (proven)",
    "market局 不同意向 tax局 共享 R-1，未说明理由（已证明）",
)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({}, id="as the request says"),
        pytest.param({"to": "tax", "resource": CODE}, id="as the denial says"),
        pytest.param({"source": "paper register"}, id="brought in"),
    ],
)
def test_it_trips_alone_and_says_so(said: dict[str, object]) -> None:
    """Who denied answers, by its own signed denial; who asked, and what for, is said by either."""
    where = district()
    denied = where["market"].say("deny", request=requested(where), **said)
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau, finding.references) == (
        "denied-without-reason",
        "market",
        (denied.reference,),
    )
    assert (finding.standing, finding.severity) == (Standing.PROVEN, Severity.WARNING)
    assert spoken(where, finding) == SENTENCE


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"reason": "not needed for the stated purpose"}, id="a reason"),
        pytest.param({"basis": "State Secrets Law, article 9"}, id="a basis in words"),
        pytest.param({"basis": {"code": "SSL-9"}}, id="a basis by its code"),
    ],
)
def test_either_words_or_a_basis_is_a_reason(said: dict[str, object]) -> None:
    """Whether it is a good one is a person's judgement."""
    where = district()
    where["market"].say("deny", request=requested(where), **said)
    assert not where.audit(DAY)


def test_to_end_a_request_instead_of_answering_it_is_to_deny_it() -> None:
    """By who was asked, while it is unanswered; who asked may withdraw it, and what was answered may end."""
    where = district()
    where["tax"].end(requested(where), how="withdrawn")
    answered = requested(where)
    where["market"].deny(answered, reason="not ours to give")
    where["market"].end(answered, how="revoked")
    reasoned = requested(where)
    where["market"].end(reasoned, how="revoked", reason="not ours to give")
    assert not where.audit(DAY)
    ended = where["market"].end(requested(where), how="revoked")
    finding = only(where, DAY)
    assert finding.references == (ended.reference,)
    assert spoken(where, finding) == SENTENCE


def test_said_twice_it_is_one_finding() -> None:
    """Of the first denial of a request; another request is another."""
    where = district()
    first = requested(where)
    denied = where["market"].deny(first)
    where["market"].deny(first)
    finding = only(where, DAY)
    assert (finding.references, finding.times) == ((denied.reference,), 2)
    second = where["tax"].request(CODE, provider="market", purpose="joint-supervision")
    where["market"].deny(second)
    assert len(where.audit(DAY)) == 2


def test_a_request_that_was_not_read_is_named_by_where_it_stands() -> None:
    """The denial is proven all the same; without the denial's own ledger nothing is."""
    where = district()
    request = requested(where)
    where["market"].deny(request)
    where.uncovered.add("tax")
    assert spoken(where, only(where, DAY)) == (
        f"market denied tax access to {request.reference} and gave no reason (proven)",
        f"market局 不同意向 tax局 共享 {request.reference}，未说明理由（已证明）",
    )
    where.uncovered.add("market")
    assert unjudged(where, DAY) == {}
