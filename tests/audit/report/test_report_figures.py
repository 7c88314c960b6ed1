"""What is counted for a report, against numbers that can be counted by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tallystick.audit.report.figures import REFERENCES_KEPT, Gathered, added, percent
from tallystick.audit.report.model import Report
from tallystick.audit.report.ratios import RATIOS
from tallystick.audit.report.watched import Fate
from tests.harness.district import RULEBOOK, District
from tests.harness.reported import ON, busy, report


def shares(made: Report, id_: str) -> dict[str, tuple[int, int]]:
    """A ratio of every bureau, as a part of a whole."""
    return {bureau: (ratio.part.count, ratio.whole) for bureau, ratio in made.ratios[id_].items()}


def test_ratios_are_those_counted_by_hand() -> None:
    """Every ratio of every bureau is the part of the whole that the district's story tells."""
    made = report(busy())
    none = (0, 0)
    assert {name.id: shares(made, name.id) for name in RATIOS} == {
        "catalogued": {"": (2, 3), "market": (1, 1), "tax": (1, 1), "planning": (0, 1)},
        "unconditional": {"": (2, 4), "market": (1, 3), "tax": (1, 1), "planning": none},
        "conditional": {"": (1, 4), "market": (1, 3), "tax": (0, 1), "planning": none},
        "answered-on-time": {"": (1, 3), "market": (1, 3), "tax": none, "planning": none},
        "concerns-settled": {"": (1, 1), "market": (1, 1), "tax": none, "planning": none},
        "updated-on-time": {"": (0, 1), "market": none, "tax": (0, 1), "planning": none},
    }


def test_what_is_not_due_yet_is_no_part_of_a_ratio_of_time() -> None:
    """Before its deadline an open request neither counts for its bureau nor against it."""
    made = report(busy(), "2027-03-12")
    assert shares(made, "answered-on-time")["market"] == (1, 1)
    (answers,) = (each for each in made.dealings if (each.bureau, each.rule) == ("market", "request-overdue"))
    assert {fate: figure.count for fate, figure in answers.fates.items() if figure.count} == {
        Fate.ON_TIME: 1,
        Fate.OPEN: 2,
    }


def test_a_ratio_without_a_basis_has_no_value() -> None:
    """Nothing of nothing is neither 0% nor 100%."""
    made = report(District("market", "tax"))
    assert {ratio.text for each in made.ratios.values() for ratio in each.values()} == {""}


def test_without_a_deadline_nothing_is_on_time() -> None:
    """Where the rulebook sets no deadline, the ratio of what was on time has no value, whatever was answered."""
    silent = {name: days for name, days in RULEBOOK["deadlines"].items() if name != "answer_request"}
    made = report(busy(rulebook=RULEBOOK | {"deadlines": silent}))
    assert made.ratios["answered-on-time"]["market"].unset
    assert made.ratios["answered-on-time"]["market"].text == ""
    assert made.ratios["concerns-settled"]["market"].text == "100.0%"


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_only_all_is_all_and_only_none_is_none(part: int, rest: int) -> None:
    """A share is written 100.0% where nothing is missing, and 0.0% where there is nothing, and never otherwise."""
    written = percent(part, part + rest)
    assert (written == "100.0%") == (part > 0 and rest == 0)
    assert (written == "0.0%") == (part == 0 and rest > 0)
    assert (written == "") == (part == rest == 0)


def test_response_times_say_what_became_of_each() -> None:
    """On time, late, open and overdue add up to what was opened; each names its opening entry and its answer."""
    made = report(busy())
    (answers,) = (each for each in made.dealings if (each.bureau, each.rule) == ("market", "request-overdue"))
    assert {fate: figure.references for fate, figure in answers.fates.items()} == {
        Fate.ON_TIME: ("tax#2 market#4",),
        Fate.OPEN: (),
        Fate.LATE: ("tax#3 market#10",),
        Fate.OVERDUE: ("planning#1",),
    }
    assert (answers.days, answers.average) == (22, "11.0")


def test_the_matrix_tells_whole_exchanges_from_halves() -> None:
    """Matched, differing, sent only and received only are counted apart, with the halves that show them."""
    (pair,) = report(busy()).pairs
    assert (pair.sender, pair.receiver) == ("market", "tax")
    assert pair.matched.references == ("market#5 tax#4", "market#6 tax#5")
    assert pair.differing.references == ("market#6 tax#5",)
    assert pair.sent_only.references == ("market#7",)
    assert pair.received_only.references == ("tax#6",)
    assert (pair.count, pair.failed.count) == (4, 0)


def test_a_half_said_again_is_still_one_exchange() -> None:
    """What is said again with another size is compared again, and is not counted as another exchange."""
    where = busy()
    where["tax"].receive("x-1", sender="market", version="R-1@1", size=12)
    (pair,) = report(where).pairs
    assert pair.matched.count == 2


def test_a_failed_exchange_is_no_half_that_lacks_the_other() -> None:
    """Where either side says that it failed, a half alone counts as failed."""
    where = busy()
    where["market"].fail("x-3", other="tax", side="sending", reason="timeout")
    (pair,) = report(where).pairs
    assert (pair.sent_only.count, pair.failed.references) == (0, ("market#7 market#11",))


def test_gave_and_took_balance() -> None:
    """All that was given, somebody took: by exchanges as by grants."""
    made = report(busy())
    assert [(each.bureau, each.gave.count, each.took.count) for each in made.gave_and_took] == [
        ("market", 4, 0),
        ("tax", 0, 4),
        ("planning", 0, 0),
    ]
    assert sum(each.granted.count for each in made.gave_and_took) == 1
    assert sum(each.obtained.count for each in made.gave_and_took) == 1


def test_idle_systems_are_those_the_rule_found() -> None:
    """A system stands in the table because a finding says so, and leads to it."""
    made = report(busy())
    (line,) = made.system_lines
    assert (line.system, line.name, line.operator) == ("OLD", "Old portal", "the data centre")
    assert line.finding in made.findings
    (stock,) = made.systems
    assert {rule: figure.count for rule, figure in stock.found.items() if figure.count} == {"zombie-system": 1}


def test_references_are_bounded_and_counts_are_not() -> None:
    """A figure keeps the first references behind it, and says how many it left out; so do figures added up."""
    gathered = Gathered()
    for number in range(REFERENCES_KEPT + 5):
        gathered.add(f"market#{number}")
    figure = gathered.figure("tally log market")
    assert (len(figure.references), figure.count, figure.cut) == (REFERENCES_KEPT, REFERENCES_KEPT + 5, 5)
    both = added([figure, figure], "")
    assert (len(both.references), both.count) == (REFERENCES_KEPT, 2 * figure.count)


def test_a_report_is_of_the_day_it_judges() -> None:
    """What was recorded later is no part of it."""
    made = report(busy(), "2027-03-01")
    assert (made.pairs, made.systems, len(made.sharing)) == ([], [], 2)
    assert report(busy(), ON).pairs
