"""One thread of work across all ledgers, over the indexes of a district in memory."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.audit.entry import On
from tallystick.audit.inquiry import ASKED_ONE_BY_ONE_MAX, Cited, Find, collect
from tallystick.audit.questions.case import Case, Thread, case_json
from tallystick.core.values import exchange_id
from tallystick_proto.v1.statement_pb2 import Ref
from tests.harness.district import District, Said
from tests.harness.moving import moved, said, used

CASE, OTHER, CODE, VERSION = "办件 2026-11-0042", "c-2", "SCJG-0012", "SCJG-0012@1"


@pytest.fixture
def district() -> District:
    return District("market", "planning", "tax")


def asked(district: District, on: str = "2027-03-31") -> Case:
    """What the indexes answer of the case."""
    thread, records = Thread(exchange_id(CASE)), list[object]()
    seen, coverage = district.ask(thread.inquire(), on, records.append)
    assert not coverage.full
    return thread.told(records, seen)


def references(answer: Case) -> list[str]:
    return [step.entry.reference for step in answer.steps]


def granted(district: District, **named: str) -> tuple[Said, Said]:
    """A request and its answer; only the request names what `named` says."""
    asked = said(district, "tax", "request", resource=CODE, provider="market", purpose="tax-registration", **named)
    return asked, said(district, "market", "grant", request=asked, to="tax", resource=CODE)


def test_what_names_it_is_told_in_the_order_in_which_one_thing_answers_another(district: District) -> None:
    """Across ledgers, whatever their clocks say."""
    request = said(district, "tax", "request", resource=CODE, provider="market", purpose="p", case=CASE)
    district.now_us -= 60_000_000  # the market's clock is behind
    grant = said(district, "market", "grant", request=request, to="tax", resource=CODE, case=CASE)
    sent, received = moved(district, "x-1", VERSION, "market", "tax", grant=grant, case=CASE)
    use = used(district, "tax", VERSION, case=CASE)
    answer = asked(district)
    assert references(answer) == [each.reference for each in (request, grant, sent, received, use)]
    assert [step.names_case for step in answer.steps] == [True, True, True, False, True]


def test_an_answer_need_not_name_the_case(district: District) -> None:
    """At any remove: request, grant, both halves, a concern about one of them and its answer."""
    request, grant = granted(district, case=CASE)
    sent, received = moved(district, "x-1", VERSION, "market", "tax", grant=grant)
    concern = said(district, "tax", "raise_concern", to="market", about=received, sort="quality")
    answered = said(district, "market", "answer", concern=concern, outcome="explained")
    assert references(asked(district)) == [
        each.reference for each in (request, grant, sent, received, concern, answered)
    ]


def test_what_it_rests_on_need_not_name_the_case(district: District) -> None:
    """A request and a grant of before are told, and none of what else was done under them."""
    request, grant = granted(district)
    moved(district, "x-1", VERSION, "market", "tax", grant=grant, case=OTHER)
    used(district, "tax", VERSION, case=OTHER, grant=grant)
    used(district, "tax", VERSION, case=None, grant=grant)
    use = used(district, "tax", VERSION, case=CASE, grant=grant)
    answer = asked(district)
    assert references(answer) == [request.reference, grant.reference, use.reference]
    assert [step.names_case for step in answer.steps] == [False, False, True]


def test_what_names_another_case_is_that_ones(district: District) -> None:
    """Also where it answers an entry of this."""
    request, grant = granted(district, case=CASE)
    moved(district, "x-1", VERSION, "market", "tax", grant=grant, case=OTHER)
    assert references(asked(district)) == [request.reference, grant.reference]


def test_uses_under_its_grant_are_not_read(district: District) -> None:
    """They may be many, and each names its own case, or none."""
    _, grant = granted(district, case=CASE)
    for number in range(20):
        used(district, "tax", VERSION, case=f"c-{number}", grant=grant)
    end_us = district.now_us + 1
    found = collect(Thread(exchange_id(CASE)).inquire(), lambda wanted: district.find(wanted, end_us))
    assert len(found) == 2


def questions(district: District) -> int:
    """How many questions the indexes are asked for the case."""
    asked = list[Find | Cited]()

    def look(wanted: Find | Cited) -> list[On[Any]]:
        asked.append(wanted)
        return list(district.find(wanted, district.now_us + 1))

    collect(Thread(exchange_id(CASE)).inquire(), look)
    return len(asked)


def test_thousands_of_uses_are_no_more_questions(district: District) -> None:
    """What answers them is asked for all of them at once."""
    counts = []
    for _ in range(2):
        for _ in range(2 * ASKED_ONE_BY_ONE_MAX):
            used(district, "tax", VERSION, case=CASE)
        counts.append(questions(district))
    assert counts[0] == counts[1] < ASKED_ONE_BY_ONE_MAX


@pytest.mark.parametrize("uses", [1, ASKED_ONE_BY_ONE_MAX, ASKED_ONE_BY_ONE_MAX + 1])
@pytest.mark.parametrize("concerns", [0, 1, 2 * ASKED_ONE_BY_ONE_MAX])
def test_what_answers_a_use_is_found_however_many_uses_and_concerns_there_are(
    district: District, uses: int, concerns: int
) -> None:
    """Also where a ledger holds more concerns than the case has uses, and the oldest of them is the case's."""
    first, *_ = (used(district, "tax", VERSION, case=CASE) for _ in range(uses))
    concern = said(district, "market", "raise_concern", to="tax", about=first, sort="quality")
    erased = said(district, "tax", "erase", entry=first, field_path="data_used.subject", reason="the subject asked")
    other = used(district, "tax", VERSION, case=OTHER)
    for _ in range(concerns):
        said(district, "market", "raise_concern", to="tax", about=other, sort="quality")
    answered = said(district, "tax", "answer", concern=concern, outcome="explained")
    told = references(asked(district))
    assert len(told) == uses + 3
    assert {concern.reference, erased.reference, answered.reference} < set(told)


def test_an_answer_is_followed_though_the_case_rests_on_it_too(district: District) -> None:
    """Whichever of the two is come upon first."""
    request, grant = granted(district, case=CASE)
    use = used(district, "tax", VERSION, case=CASE, grant=grant)
    sent, received = moved(district, "x-1", VERSION, "market", "tax", grant=grant)
    assert set(references(asked(district))) == {each.reference for each in (request, grant, use, sent, received)}


def test_a_half_that_does_not_name_it_belongs_to_it_by_its_exchange(district: District) -> None:
    """Both halves; where one was not shown, nothing is said of its absence."""
    sent = said(district, "market", "send", exchange="x-1", to="tax", version=VERSION)
    received = said(district, "tax", "receive", exchange="x-1", sender="market", version=VERSION, case=CASE)
    alone = said(district, "market", "send", exchange="x-2", to="planning", version=VERSION, case=CASE)
    answer = asked(district)
    assert references(answer) == [each.reference for each in (sent, received, alone)]
    written = case_json(answer, lambda entry: {"reference": entry.reference}, district.look("2027-03-31")[1])
    assert [(each["sent"], each["received"], each["standing"]) for each in written["exchanges"]] == [
        (sent.reference, received.reference, "proven"),
        (alone.reference, None, "one-side"),
    ]
    assert written["case"] == exchange_id(CASE).hex()
    assert written["steps"][0] == {"reference": sent.reference, "names_case": False, "broken": []}


def test_a_citation_of_something_else_is_said_to_be_that(district: District) -> None:
    """Two claims differ: what is cited, and what stands there."""
    request, _ = granted(district)
    wrong = Ref(origin=request.ref.origin, index=request.ref.index, leaf=bytes(32))
    said(district, "market", "deny", request=wrong, reason="no ground", case=CASE)
    answer = asked(district)
    assert [(step.entry.reference, step.broken) for step in answer.steps] == [
        ("tax#0", ()),
        ("market#1", ("tax#0",)),
    ]


@pytest.mark.parametrize("origin", ["pudong.example/tax", "elsewhere.example/nobody"])
def test_a_citation_of_nothing_ends_there(district: District, origin: str) -> None:
    """Past a ledger's end, and outside the charter."""
    nowhere = Ref(origin=origin, index=99, leaf=bytes(32))
    denied = said(district, "market", "deny", request=nowhere, reason="no ground", case=CASE)
    assert references(asked(district)) == [denied.reference]


def test_a_circle_of_citations_ends(district: District) -> None:
    """An entry can cite only what was there, or claim to."""
    first = Ref(origin="pudong.example/market", index=1, leaf=bytes(32))
    said(district, "market", "deny", request=first, reason="one", case=CASE)
    said(district, "market", "deny", request=Ref(origin=first.origin, leaf=bytes(32)), reason="two")
    assert sorted(references(asked(district))) == ["market#0", "market#1"]


def test_the_day_decides(district: District) -> None:
    """What was recorded later is no part of it yet."""
    request, _ = granted(district, case=CASE)
    district.on("2027-04-10")
    used(district, "tax", VERSION, case=CASE)
    assert len(references(asked(district))) == 2
    assert len(references(asked(district, "2027-04-10"))) == 3
    assert references(asked(district, "2027-02-01")) == []
    assert request.reference == "tax#0"


def test_a_ledger_that_does_not_answer_leaves_its_steps_unsaid(district: District) -> None:
    """What the others hold is told."""
    _, grant = granted(district, case=CASE)
    district.uncovered.add("tax")
    assert references(asked(district)) == []
    moved(district, "x-1", VERSION, "market", "tax", grant=grant, case=CASE)
    assert references(asked(district)) == ["market#0", "market#1"]
