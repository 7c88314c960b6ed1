"""Who answers for something on a day, over the indexes of a district in memory."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.audit.questions.who import Named, inquire, who, who_json
from tallystick.core.errors import InvalidIdentifier
from tests.harness.district import District, Said

MATTER = "310115-GH-03"


@pytest.fixture
def district() -> District:
    return District("planning", "office", "brigade")


def asked(district: District, name: str, on: str = "2027-03-31") -> list[dict[str, Any]]:
    """What the indexes answer; the same as a full pass does, since every entry names what it is about."""
    named = Named.parse(name)
    seen, coverage = district.ask(inquire(named), on)
    answer = who_json(named, who(named, seen), seen)
    assert (answer["asked"], answer["day"]) == (name, on)
    assert coverage.entries <= sum(len(desk.entries) for desk in district.desks.values())
    whole = district.look(on)[1]
    assert who_json(named, who(named, whole), whole) == answer
    over: list[dict[str, Any]] = answer["over"]
    return over


def answers(district: District, name: str, on: str = "2027-03-31") -> list[tuple[str, str, str, str]]:
    """Duty, bureau, by what, and how far proven, of the one thing of that name."""
    (over,) = asked(district, name, on)
    return [(each["duty"], each["bureau"], each["how"], each["standing"]) for each in over["answers"]]


def assign(district: District, duty: str, holder: str = "planning", by: str = "office", **said: Any) -> Said:
    """A duty over the matter, a second later than what was said before."""
    district.now_us += 1_000_000
    return district[by].assign_duty(holder, duty=duty, **{"matter": MATTER, **said})


def accept(district: District, assigned: Said, by: str = "planning") -> Said:
    """Its holder's acceptance, a second later."""
    district.now_us += 1_000_000
    return district[by].answer_duty(assigned, answer="accepted")


def test_a_duty_is_its_holders_once_they_accepted_it(district: District) -> None:
    """Two signatures prove it; before the second, it is the word of who assigned it."""
    assigned = assign(district, "approver", unit="审批处")
    assert answers(district, MATTER)[0] == ("approver", "planning", "assigned", "one-side")
    accepted = accept(district, assigned)
    assert answers(district, MATTER)[0] == ("approver", "planning", "accepted", "proven")
    (over,) = asked(district, MATTER)
    assert over["what"] == "matter"
    assert over["answers"][0]["references"] == [assigned.reference, accepted.reference]


def test_who_assigns_a_duty_to_itself_has_said_it_of_itself(district: District) -> None:
    """No second signature is needed against one's own."""
    assign(district, "steward", by="planning")
    assert answers(district, MATTER) == [("steward", "planning", "assigned", "proven")]


def test_only_the_holder_accepts(district: District) -> None:
    """What another bureau answers in its stead counts for nothing."""
    assigned = assign(district, "approver")
    accept(district, assigned, "brigade")
    assert answers(district, MATTER)[0] == ("approver", "planning", "assigned", "one-side")


def test_a_declined_duty_is_nobodys(district: District) -> None:
    """It stays in the chain, as declined."""
    assigned = assign(district, "steward")
    declined = district["planning"].answer_duty(assigned, answer="declined")
    (over,) = asked(district, MATTER)
    assert over["answers"] == []
    assert [each["declined"] for each in over["assigned"]] == [declined.reference]


def test_nobody_is_released_before_somebody_accepted(district: District) -> None:
    """A steward who was released answers on until a successor accepts, and then no more."""
    first = assign(district, "steward", "planning")
    accept(district, first)
    released = district["office"].release_duty(first, to="brigade")
    assert answers(district, MATTER) == [("steward", "planning", "until-accepted", "not-covered")]
    assert asked(district, MATTER)[0]["answers"][0]["references"][-1] == released.reference
    second = assign(district, "steward", "brigade")
    assert answers(district, MATTER) == [("steward", "planning", "until-accepted", "not-covered")]
    accept(district, second, "brigade")
    assert answers(district, MATTER) == [("steward", "brigade", "accepted", "proven")]
    (over,) = asked(district, MATTER)
    assert [(each["holder"], each["ended"] is not None) for each in over["assigned"]] == [
        ("planning", True),
        ("brigade", False),
    ]


def test_the_day_decides(district: District) -> None:
    """A duty answers from its first day to its last, and what was recorded after the day does not count."""
    assigned = district["office"].assign_duty(
        "planning", duty="steward", matter=MATTER, since="2027-03-09", until="2027-03-20"
    )
    district.on("2027-03-10")
    accept(district, assigned)
    assert asked(district, MATTER, "2027-03-08")[0]["answers"] == []
    assert answers(district, MATTER, "2027-03-09") == [("steward", "planning", "assigned", "one-side")]
    assert answers(district, MATTER, "2027-03-20") == [("steward", "planning", "accepted", "proven")]
    assert answers(district, MATTER, "2027-03-21") == [("steward", "planning", "until-accepted", "not-covered")]


def test_where_nobody_supervises_what_is_approved_others_answer_instead(district: District) -> None:
    """The steward's bureau; without one the approver's chief's; without one the approving bureau itself."""
    for duty in ("approver", "supervisor"):
        assigned = assign(district, duty, by="planning")
        accept(district, assigned)
    assert answers(district, MATTER)[1] == ("supervisor", "planning", "accepted", "proven")
    district["planning"].release_duty(assigned)
    instead = ("supervisor", "planning", "instead", "not-covered")
    assert answers(district, MATTER)[1] == instead
    accept(district, assign(district, "steward", "office", matter=None, resource="OTHER"), "office")
    assert answers(district, MATTER)[1] == instead
    chief = assign(district, "chief", matter=None)
    accept(district, chief)
    assert answers(district, MATTER)[1] == instead
    assert chief.reference in asked(district, MATTER)[0]["answers"][1]["references"]
    stewarded = assign(district, "steward", "brigade")
    assert answers(district, MATTER)[-1] == instead  # by another's word alone nobody answers in anybody's stead
    accept(district, stewarded, "brigade")
    assert answers(district, MATTER)[-1] == ("supervisor", "brigade", "instead", "not-covered")


def test_who_declares_a_resource_answers_for_it(district: District) -> None:
    """谁产生谁负责: its own declaration says so, unless a producer was assigned; a version's is who provided it."""
    district["planning"].declare("GH-0007", scheme="pudong", title="地块", sharing="unconditional", steward="信息中心")
    district["planning"].provide_version("GH-0007@1", digest=f"blake3:{'ab' * 32}")
    assert answers(district, "GH-0007") == [("producer", "planning", "declared", "proven")]
    assert asked(district, "GH-0007")[0]["answers"][0]["unit"] == "信息中心"
    provided = ("producer", "planning", "provided", "proven")
    assert answers(district, "GH-0007@1") == [("producer", "planning", "declared", "proven"), provided]
    assigned = assign(district, "producer", "brigade", matter=None, resource="GH-0007")
    accept(district, assigned, "brigade")
    assert answers(district, "GH-0007") == [("producer", "brigade", "accepted", "proven")]


def test_a_withdrawn_resource_and_a_retired_system_are_nobodys(district: District) -> None:
    """What is over has no producer; before, it had."""
    planning = district["planning"]
    planning.declare("GH-0007", scheme="pudong", title="地块", sharing="unconditional")
    planning.register_system("GH-SYS", name="系统", operator="云数据中心")
    assert answers(district, "GH-SYS") == [("producer", "planning", "registered", "proven")]
    planning.withdraw("GH-0007")
    planning.retire_system("GH-SYS")
    assert asked(district, "GH-0007") == asked(district, "GH-SYS") == []


def test_a_bureau_answers_by_its_chief(district: District) -> None:
    """A duty that names no other thing is over its holder's bureau."""
    assert answers(district, "planning") == []
    chief = assign(district, "chief", matter=None)
    assert answers(district, "planning") == [("chief", "planning", "assigned", "one-side")]
    accept(district, chief)
    assert answers(district, "planning") == [("chief", "planning", "accepted", "proven")]


def test_a_name_may_be_several_things(district: District) -> None:
    """All of them are shown."""
    for what in ("resource", "system", "matter"):
        said: dict[str, Any] = {"matter": None, what: "X-1"}
        assign(district, "steward", **said)
    assert [over["what"] for over in asked(district, "X-1")] == ["resource", "system", "matter"]


def test_a_ledger_that_does_not_answer_leaves_what_it_holds_unsaid(district: District) -> None:
    """The acceptance stands on the holder's ledger: without it, there is the assigner's word."""
    assigned = assign(district, "steward")
    accept(district, assigned)
    district.uncovered.add("planning")
    named = Named.parse(MATTER)
    seen, coverage = district.ask(inquire(named), "2027-03-31")
    (over,) = who(named, seen)
    assert [(each.how.value, each.standing.key) for each in over.answers] == [("assigned", "one-side")]
    assert [ledger.bureau for ledger in coverage.ledgers if ledger.gap] == ["planning"]


@pytest.mark.parametrize("name", ["", "A@", "@1", "A#1", "A\n", "x" * 257, "A@b@c"])
def test_rubbish_names_are_refused(name: str) -> None:
    """With one sentence that says what was expected."""
    with pytest.raises(InvalidIdentifier, match="expected"):
        Named.parse(name)
