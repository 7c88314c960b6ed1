"""What a closed bureau left open: late by its closing, or held against nobody and said to be its successor's matter."""

from __future__ import annotations

from datetime import datetime

import pytest

from tallystick.audit.covered import covered
from tallystick.audit.questions.owed import owed_json, owing
from tallystick.audit.words import Words
from tallystick.core.closing import Closing
from tests.harness.district import ZONE, District
from tests.harness.stories import district, only, requested

DUE = "2027-03-15"  # ten working days after Monday, 1 March
LONG_AFTER = "2027-06-30"


def closed_on(day: str | None) -> District:
    """The market was asked for its resource on 1 March, and closed by version 2, issued at a day's noon."""
    where = district()
    requested(where)
    issued = None if day is None else datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZONE)
    where.closings = (Closing("market", 2, issued, "tax"),)
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
        "market is closed by version 2 of the charter, issued 2027-03-15, and succeeded by tax. It can answer nothing"
        " that fell due later, which is held against nobody and would be for tax to answer: 1."
    ]
    assert said_of(where, LONG_AFTER, "zh") == [
        "market局已由章程第 2 版（2027年3月15日颁布）关闭，由tax局承继；"
        "其后到期者其已无从答复，不归责于任何单位，应由tax局答复：1 项。"
    ]
    assert said_of(where, DUE, "en")[0].endswith(": 0.")


def test_what_was_late_by_the_closing_stays_so_and_grows_no_later() -> None:
    """The finding is the one there was, and its days are those up to the closing, whenever it is judged."""
    where = closed_on("2027-03-17")
    before, after = only(where, "2027-03-16"), only(where, LONG_AFTER)
    assert before.id == after.id
    assert (before.facts["days"], after.facts["days"]) == (1, 2)
    assert "market is 1 working day late in answering" in where.sentence(before, "en")
    assert "market was, when it was closed, 2 working days late in answering" in where.sentence(after, "en")
    assert "逾期 2 个工作日（至其关闭时）未答复" in where.sentence(after, "zh")
    assert said_of(where, LONG_AFTER, "en")[0].endswith(": 0.")


def test_who_takes_back_what_he_asked_of_a_closed_bureau_makes_it_no_later() -> None:
    """Nor is an answer of its own that was late before forgiven by the closing."""
    where = closed_on(DUE)
    request = requested(where)
    where.on("2027-05-03")
    where["tax"].end(request, how="withdrawn")
    assert not where.audit(LONG_AFTER)
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
    assert "or by one before it that is not known here" in said_of(where, LONG_AFTER, "en")[0]


@pytest.mark.parametrize(("closed", "late"), [(DUE, False), ("2027-03-17", True)], ids=["due-later", "late-by-then"])
def test_what_it_left_open_is_still_listed(closed: str, late: bool) -> None:
    """Among what is owed, with the version that closed it and who succeeds it; before that it was owed as ever."""
    where = closed_on(closed)
    for on, said in (("2027-03-12", None), (LONG_AFTER, {"version": 2, "successor": "tax"})):
        seen = where.look(on)[1]
        (owed,) = [owed_json(each, seen) for each in owing(seen, "market")]
        assert (owed["closed"], owed["late"]) == (said, late and said is not None)
