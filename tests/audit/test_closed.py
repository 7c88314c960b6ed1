"""What a closed bureau left open, or others owed it: late by its closing, or held against nobody and counted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tallystick.audit.covered import covered
from tallystick.audit.questions.owed import owed_json, owing
from tallystick.audit.words import Words
from tests.harness.district import District
from tests.harness.stories import VERSION, closing, declared, district, exchanged, granted, only, requested, sent, then

DUE = "2027-03-15"  # ten working days after Monday, 1 March
LONG_AFTER = "2027-06-30"
HEIRS = ", which would be for tax to answer"


def closed_on(day: str | None) -> District:
    """The market was asked for its resource on 1 March, and closed by version 2, issued at a day's noon."""
    where = district()
    requested(where)
    where.closings = (closing("market", day, "tax"),)
    return where


def said_of(where: District, on: str, language: str) -> list[str]:
    """What the coverage says of closed bureaus."""
    coverage = where.look(on)[2]
    words = {"en": "closed by version", "zh": "关闭"}[language]
    return [each for each in covered(Words(where.charter, language), coverage) if words in each]


def test_what_falls_due_after_the_closing_is_held_against_nobody() -> None:
    """No finding, ever; the coverage names the version, its day, the successor, and how many."""
    where = closed_on(DUE)
    assert not where.audit(LONG_AFTER)
    assert said_of(where, LONG_AFTER, "en") == [
        "market is closed by version 2 of the charter, issued 2027-03-15, and succeeded by tax. What fell due later"
        " is held against nobody: 1 owed by it, which would be for tax to answer; 0 owed to it."
    ]
    assert said_of(where, LONG_AFTER, "zh") == [
        "market局已由章程第 2 版（2027年3月15日颁布）关闭，由tax局承继；"
        "其后到期者不归责于任何单位：其应答复他方 1 项（应由tax局答复），他方应答复其 0 项。"
    ]
    assert said_of(where, DUE, "en")[0].endswith(f": 0 owed by it{HEIRS}; 0 owed to it.")


def test_what_was_late_by_the_closing_stays_so_and_grows_no_later() -> None:
    """The finding is the one there was, and its days are those up to the closing, whenever it is judged."""
    where = closed_on("2027-03-17")
    before, after = only(where, "2027-03-16"), only(where, LONG_AFTER)
    assert before.id == after.id
    assert (before.facts["days"], after.facts["days"]) == (1, 2)
    assert "market is 1 working day late in answering" in where.sentence(before, "en")
    assert "market was, when it was closed, 2 working days late in answering" in where.sentence(after, "en")
    assert "逾期 2 个工作日（至其关闭时）未答复" in where.sentence(after, "zh")
    assert said_of(where, LONG_AFTER, "en")[0].endswith(f": 0 owed by it{HEIRS}; 0 owed to it.")


def test_who_takes_back_what_he_asked_of_a_closed_bureau_makes_it_no_later() -> None:
    """Nor is an answer of its own that was late before forgiven by the closing."""
    where = district()
    request = requested(where)
    where.closings = (closing("market", DUE),)
    where.on("2027-05-03")
    where["tax"].end(request, how="withdrawn")
    found, seen, coverage = where.look(LONG_AFTER)
    assert not found
    assert not coverage.left_open
    assert not seen.obligations.times, "nor does it answer in time by that"
    where = district()
    request = requested(where)
    where.on("2027-03-17")
    where["market"].deny(request, reason="not ours to give")
    where.closings = closed_on("2027-03-18").closings
    assert only(where, LONG_AFTER).facts["late"] == "was-late"


def test_where_the_closing_may_have_been_earlier_nothing_left_open_is_held_against_it() -> None:
    """A client that does not know the version before convicts nobody by the day of the one it knows."""
    where = closed_on(None)
    assert not where.audit(LONG_AFTER)
    assert said_of(where, LONG_AFTER, "en") == [
        "market is closed by version 2 of the charter, or by one before it that is not known here, and succeeded by"
        " tax. What was left open then is held against nobody, since when that was is not known here: 1 owed by it,"
        " which would be for tax to answer; 0 owed to it."
    ]
    assert said_of(where, LONG_AFTER, "zh") == [
        "market局已由章程第 2 版（或此前本端未知之版）关闭，由tax局承继；其何时关闭本端未知，"
        "当时未答复者均不归责于任何单位：其应答复他方 1 项（应由tax局答复），他方应答复其 0 项。"
    ]


@pytest.mark.parametrize(("closed", "late"), [(DUE, False), ("2027-03-17", True)], ids=["due-later", "late-by-then"])
def test_what_it_left_open_is_still_listed(closed: str, late: bool) -> None:
    """Among what is owed, with the version that closed it and who succeeds it; before that it was owed as ever."""
    where = closed_on(closed)
    for on, said in (("2027-03-12", None), (LONG_AFTER, {"bureau": "market", "version": 2, "successor": "tax"})):
        seen = where.look(on)[1]
        (owed,) = [owed_json(each, seen) for each in owing(seen, "market")]
        assert (owed["closed"], owed["late"]) == (said, late and said is not None)


def _concerned(where: District) -> None:
    where["tax"].raise_concern("market", about=declared(where), sort="quality")


def _assigned(where: District) -> None:
    where["tax"].assign_duty("market", system="S-1", duty="steward")


def _to_tax(opens: Callable[[District], object], closed: str | None) -> District:
    """The market owes the tax office, which is closed by version 2, issued at a day's noon, and succeeded by nobody."""
    where = district()
    opens(where)
    where.closings = (closing("tax", closed),)
    return where


LAPSING = pytest.mark.parametrize(
    "opens",
    [
        pytest.param(requested, id="request"),
        pytest.param(granted, id="grant"),
        pytest.param(_concerned, id="concern"),
        pytest.param(_assigned, id="duty"),
    ],
)


@LAPSING
@pytest.mark.parametrize("closed", ["2027-03-02", None], ids=["due-later", "unknown"])
def test_what_is_said_to_a_bureau_lapses_when_that_is_closed(
    opens: Callable[[District], object], closed: str | None
) -> None:
    """It can be answered no more: no finding, ever, and nothing owed or open; the coverage counts it as owed to it."""
    where = _to_tax(opens, closed)
    found, seen, coverage = where.look(LONG_AFTER)
    assert not [*found, *owing(seen)]
    assert not any(times.open for times in seen.obligations.times.values())
    assert coverage.left_open == {("market", "tax"): 1}
    assert said_of(where, LONG_AFTER, "en")[0].endswith(": 0 owed by it; 1 owed to it.")
    assert said_of(where, LONG_AFTER, "zh")[0].endswith("：其应答复他方 0 项，他方应答复其 1 项。")


@LAPSING
def test_what_was_late_when_whom_it_is_owed_to_was_closed_stays_so(opens: Callable[[District], object]) -> None:
    """By as much as it was then, and it says so."""
    where = _to_tax(opens, "2027-03-31")
    before, after = only(where, "2027-03-31"), only(where, LONG_AFTER)
    assert (before.id, before.facts["days"]) == (after.id, after.facts["days"])
    assert " was, when the other side was closed, " in where.sentence(after, "en")
    assert "（至对方关闭时）未" in where.sentence(after, "zh")
    (owed,) = [owed_json(each, seen) for seen in [where.look(LONG_AFTER)[1]] for each in owing(seen)]
    assert (owed["closed"], owed["late"]) == ({"bureau": "tax", "version": 2, "successor": None}, True)


def test_who_answers_a_closed_bureau_all_the_same_was_not_late() -> None:
    """It was not when that was closed; and how long it took after that counts for nobody."""
    where = district()
    request = requested(where)
    where.on("2027-05-03")
    where["market"].deny(request, reason="nobody is there")
    assert only(where, LONG_AFTER).facts["late"] == "was-late"
    where.closings = (closing("tax", "2027-03-05"),)
    found, seen, _ = where.look(LONG_AFTER)
    assert not found
    assert not seen.obligations.times


def test_what_tells_of_data_is_owed_though_its_sender_is_closed() -> None:
    """A receipt, and what was done about a recall, tell everybody; whoever has the data can still say so."""
    where = district()
    sent(where, granted(where))
    where.closings = (closing("market", "2027-03-02"),)
    assert [finding.rule for finding in where.audit(LONG_AFTER)] == ["sent-not-received"]
    where = district()
    exchanged(where)
    then(where)["market"].recall(VERSION, reason="wrong")
    where.closings = (closing("market", "2027-03-02"),)
    assert [finding.rule for finding in where.audit(LONG_AFTER)] == ["recall-unheeded"]


@pytest.mark.parametrize(
    ("used", "rule"), [("", "zombie-system"), ("2027-08-15", "island-system")], ids=["idle", "used"]
)
def test_the_systems_of_a_closed_bureau_are_judged_as_of_its_closing(used: str, rule: str) -> None:
    """It could neither use, join nor retire them since: what they became only later is no finding."""
    where = district()
    where["tax"].register_system("S-1", name="Portal", accepted_on="2020-01-01")
    if used:
        where.on(used)
        where["tax"].report_system_use("S-1", since="2027-03-01", until=used, users=12)
    for closed, found in (("2027-08-20", []), (None, []), ("2027-08-29", [rule])):
        where.closings = (closing("tax", closed),)
        assert [finding.rule for finding in where.audit("2027-09-20")] == found
