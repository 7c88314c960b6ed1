"""`hollow-basis`: words stated as a ground that the charter lists as none."""

from __future__ import annotations

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.district import RULEBOOK, District
from tests.harness.sharing import declared_as, spoken
from tests.harness.stories import district, only, unjudged

DAY = "2027-03-31"


def test_it_trips_alone_and_says_so() -> None:
    """Who withholds on nothing but a listed word answers, and the sentence quotes the word as it was written."""
    where = district()
    declared = declared_as(where, "withheld", basis="Private")
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau, finding.references) == ("hollow-basis", "market", (declared.reference,))
    assert (finding.standing, finding.severity) == (Standing.PROVEN, Severity.WARNING)
    assert spoken(where, finding) == (
        "market restricts R-1 and states as its ground only “Private” (proven)",
        "market局 限制共享 R-1，所列依据仅为“Private”（已证明）",
    )


@pytest.mark.parametrize("words", ["private", " PRIVATE\t", "na", "无"])
@pytest.mark.parametrize(("sharing", "ground"), [("withheld", "basis"), ("conditional", "condition")])
def test_neither_case_nor_blanks_fill_it(words: str, sharing: str, ground: str) -> None:
    """A listed word is hollow however it is written, as a basis and as a condition."""
    where = district()
    declared_as(where, sharing, **{ground: words})
    assert only(where, DAY).rule == "hollow-basis"


@pytest.mark.parametrize(
    ("sharing", "said"),
    [
        pytest.param("withheld", {"basis": "private data of natural persons"}, id="more than the word"),
        pytest.param("withheld", {"basis": "none"}, id="a word that is not listed"),
        pytest.param("withheld", {"basis": {"code": "SSL-9", "words": "NA"}}, id="a code beside it"),
        pytest.param("withheld", {"basis": {"code": "NA"}}, id="a code is not words"),
        pytest.param("withheld", {"basis": "SSL 9", "condition": "NA"}, id="a condition of what is withheld"),
        pytest.param("conditional", {"condition": "for taxation", "basis": "NA"}, id="a basis of what is conditional"),
        pytest.param("unconditional", {"basis": "NA", "condition": "NA"}, id="what is not restricted"),
    ],
)
def test_what_has_another_ground_or_needs_none_does_not_trip(sharing: str, said: dict[str, object]) -> None:
    """Only the ground that counts is read, and only the words the charter lists are hollow."""
    where = district()
    declared_as(where, sharing, **said)
    assert not where.audit(DAY)


def test_a_charter_that_lists_no_words_finds_none_hollow() -> None:
    """Code ships no law."""
    where = District("market", rulebook={**RULEBOOK, "hollow_words": []})
    declared_as(where, "withheld", basis="NA")
    assert not where.audit(DAY)


def test_the_declaration_is_judged_as_it_stands() -> None:
    """A better ground, stated later, closes it."""
    where = district()
    declared_as(where, "withheld", basis="NA")
    where.on("2027-03-02")
    declared_as(where, "withheld", basis="State Secrets Law, article 9")
    assert only(where, "2027-03-01")
    assert not where.audit("2027-03-02")


def test_where_the_ledger_ends_unread_nothing_is_judged() -> None:
    """A better declaration may stand beyond what was read; of a ledger never seen not even this one is known."""
    where = district()
    declared_as(where, "withheld", basis="NA")
    where.read_up_to["market"] = 1
    assert unjudged(where, DAY) == {("hollow-basis", "market"): 1}
    where.uncovered.add("market")
    assert unjudged(where, DAY) == {}
