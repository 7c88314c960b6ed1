"""Whom a version reached and what they did about its recall, over the indexes of a district in memory."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.audit.inquiry import collect
from tallystick.audit.questions.impact import impact, impact_json, inquire
from tallystick.audit.questions.trace import DEPTH_MAX
from tests.harness.district import District, Said
from tests.harness.moving import moved, provided, said, used

LICENCES, TAXES, PENSIONS = "SCJG-0012@2027-03", "SW-0031@1", "RS-0102@1"


@pytest.fixture
def district() -> District:
    return District("market", "people", "tax")


def asked(district: District, version: str, on: str = "2027-03-31") -> list[dict[str, Any]]:
    """What the indexes answer, which is what a full pass shows."""
    seen, _ = district.ask(inquire(version, district.charter), on)
    answer = impact_json(version, impact(version, seen), seen)
    whole = district.look(on)[1]
    assert impact_json(version, impact(version, whole), whole) == answer
    versions: list[dict[str, Any]] = answer["versions"]
    return versions


def spread(district: District) -> None:
    """Licences go to the tax office and to the people's; taxes are made of them there, pensions of taxes."""
    provided(district, "market", LICENCES)
    moved(district, "x-1", LICENCES, "market", "tax")
    moved(district, "x-2", LICENCES, "market", "people", received=False)
    provided(district, "tax", TAXES, LICENCES)
    moved(district, "x-3", TAXES, "tax", "people")
    provided(district, "people", PENSIONS, TAXES)


def recalled(district: District, version: str = LICENCES, bureau: str = "market", **more: object) -> Said:
    return said(district, bureau, "recall", version=version, reason="a column was shifted", **more)


def test_everybody_who_holds_it_or_anything_made_of_it_is_named(district: District) -> None:
    """The version first, then what was made from it, the nearest first; who was only sent it is one of them."""
    spread(district)
    versions = asked(district, LICENCES)
    assert [(each["version"], each["derived"], each["bureau"]) for each in versions] == [
        (LICENCES, False, "market"),
        (TAXES, True, "tax"),
        (PENSIONS, True, "people"),
    ]
    assert [[holder["bureau"] for holder in each["holders"]] for each in versions] == [
        ["people", "tax"],
        ["people"],
        [],
    ]
    sent_alone = versions[0]["holders"][0]["exchanges"][0]
    assert (sent_alone["received"], sent_alone["standing"]) == (None, "one-side")


def test_what_a_holder_did_about_the_recall_is_its_own_word(district: District) -> None:
    """The last it said; another bureau's acknowledgement is that one's."""
    spread(district)
    recall = recalled(district)
    assert [holder["acknowledged"] for holder in asked(district, LICENCES)[0]["holders"]] == [None, None]
    said(district, "tax", "acknowledge", notice=recall, action="noted")
    stopped = said(district, "tax", "acknowledge", notice=recall, action="stopped")
    first = asked(district, LICENCES)[0]
    assert (first["recalled"], first["reason"]) == (recall.reference, "a column was shifted")
    assert [(holder["acknowledged"], holder["action"]) for holder in first["holders"]] == [
        (None, None),
        (stopped.reference, "stopped"),
    ]


def test_uses_after_the_recall_are_counted_however_many_came_before(district: District) -> None:
    """On each ledger; the first of them is named, and the last use of all."""
    spread(district)
    for _ in range(5):
        used(district, "tax", LICENCES)
    before = asked(district, LICENCES)[0]["holders"][1]
    assert (before["uses_after"], before["first_after"]) == (0, None)
    recalled(district)
    uses = [used(district, "tax", LICENCES) for _ in range(3)]
    after = asked(district, LICENCES)[0]["holders"][1]
    assert (after["uses_after"], after["first_after"]) == (3, uses[0].reference)
    assert after["last_use"] == uses[-1].reference


def test_what_was_used_before_and_noted_after_is_no_use_after(district: District) -> None:
    """Both when it happened and when it was recorded must lie after the recall."""
    spread(district)
    happened = district.now_us
    recalled(district)
    late = used(district, "tax", LICENCES, happened_at=happened)
    holder = asked(district, LICENCES)[0]["holders"][1]
    assert (holder["uses_after"], holder["last_use"]) == (0, late.reference)
    used(district, "tax", LICENCES)
    assert asked(district, LICENCES)[0]["holders"][1]["uses_after"] == 1


def test_only_uses_after_a_recall_are_read_and_otherwise_the_last(district: District) -> None:
    """However popular a version is, the question does not read all that was done with it."""
    provided(district, "market", LICENCES)
    for number in range(20):
        moved(district, f"x-{number}", LICENCES, "market", "tax")
        used(district, "tax", LICENCES)

    def read() -> int:
        end_us = district.rulebook.calendar.end_us(district.rulebook.calendar.day_of(district.now_us))
        return len(collect(inquire(LICENCES, district.charter), lambda wanted: district.find(wanted, end_us)))

    assert read() == 1 + 2 + 1
    recalled(district)
    for _ in range(3):
        used(district, "tax", LICENCES)
    assert read() == 1 + 1 + 2 + 3


def test_who_derived_corrects_by_recalling_or_by_saying_so(district: District) -> None:
    """The recall of what was made stands at that version, and its holders are served in turn."""
    spread(district)
    recalled(district)
    made = recalled(district, TAXES, "tax")
    destroyed = said(district, "people", "acknowledge", notice=made, action="destroyed")
    taxes = asked(district, LICENCES)[1]
    assert (taxes["version"], taxes["recalled"]) == (TAXES, made.reference)
    assert [(holder["acknowledged"], holder["action"]) for holder in taxes["holders"]] == [
        (destroyed.reference, "destroyed")
    ]


def test_another_bureaus_recall_is_none(district: District) -> None:
    """A version is recalled by whose it is."""
    spread(district)
    recalled(district, bureau="people")
    assert asked(district, LICENCES)[0]["recalled"] is None


def test_a_long_line_is_cut(district: District) -> None:
    """Where a trace would be, and the answer says so."""
    provided(district, "market", "L@0")
    for number in range(1, DEPTH_MAX + 2):
        provided(district, "market", f"L@{number}", f"L@{number - 1}")
    seen, _ = district.ask(inquire("L@0", district.charter), "2027-03-31")
    answer = impact("L@0", seen)
    assert (len(answer.versions), answer.cut) == (DEPTH_MAX + 1, True)
    seen, _ = district.ask(inquire("L@1", district.charter), "2027-03-31")
    assert not impact("L@1", seen).cut


def test_what_nobody_knows_is_not_known(district: District) -> None:
    """Nor is a version that was only derived from unknown to those who made something of it."""
    seen, _ = district.ask(inquire(LICENCES, district.charter), "2027-03-31")
    assert not impact(LICENCES, seen).is_known
    provided(district, "tax", TAXES, LICENCES)
    assert [each["version"] for each in asked(district, LICENCES)] == [LICENCES, TAXES]


def test_the_day_decides(district: District) -> None:
    """A recall of later is none on that day."""
    spread(district)
    district.on("2027-04-10")
    recalled(district)
    assert asked(district, LICENCES)[0]["recalled"] is None
    assert asked(district, LICENCES, "2027-04-10")[0]["recalled"] is not None


def test_a_ledger_that_does_not_answer_leaves_what_it_did_unsaid(district: District) -> None:
    """Its acknowledgement stands there."""
    spread(district)
    said(district, "tax", "acknowledge", notice=recalled(district), action="stopped")
    district.uncovered.add("tax")
    seen, coverage = district.ask(inquire(LICENCES, district.charter), "2027-03-31")
    first = impact(LICENCES, seen).versions[0]
    assert [(holder.bureau, holder.holding) for holder in first.holders] == [("people", None), ("tax", None)]
    assert [ledger.bureau for ledger in coverage.ledgers if ledger.gap] == ["tax"]
