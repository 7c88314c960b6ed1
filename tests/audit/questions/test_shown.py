"""Who was shown what, as the ledgers have it: of a ledger, of an entry, of a subject, to a reader."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.audit.questions.shown import FOUND, Showings, shown_json
from tallystick.core.compose import Sensitive
from tests.harness.district import District

MARKET, TAX = "market", "tax"
SUBJECT = "data_used.subject"
ON = "2027-06-01"
AT_US = 1_800_000_000_000_000


def told() -> District:
    """The tax office looks two citizens up (#0 to #3), and its node shows of that, one statement each: to the auditors
    #0 to #3 and of the market's #7 (#4); to a clerk what opens #1 (#5); a search of #0 to #3 (#6) that finds two (#7,
    #8); to the auditors what opens somebody's name (#9).
    """
    district = District(MARKET, TAX)
    tax = district[TAX]
    for citizen in "abab":
        tax.use("M-1@1", purpose="tax", subject=Sensitive(citizen))
    search = {"to": "market:clerk", "what": SUBJECT, "count": 4, "searched": True, "at_us": AT_US + 3}
    note(
        tax,
        {"to": "audit-office", "what": "entries", "count": 4, "at_us": AT_US + 1},
        {"to": "audit-office", "what": "entries", "ledger": MARKET, "first": 7, "count": 2, "at_us": AT_US},
    )
    note(tax, {"to": "tax:clerk", "what": SUBJECT, "first": 1, "count": 1, "at_us": AT_US + 2})
    note(tax, search)
    note(tax, search, found=Sensitive("0"))
    note(tax, search, found=Sensitive("2"))
    note(tax, {"to": "audit-office", "what": "actor_registered.name", "first": 1, "count": 1})
    return district


def note(bureau: Any, *shown: dict[str, object], **found: object) -> None:
    bureau.say("note_shown", shown=list(shown), by="node", **found)


def asked(district: District, **wanted: Any) -> Showings:
    showings = Showings(**wanted)
    district.look(ON, rules=(), watching=showings)
    return showings


def brief(showings: Showings) -> list[str]:
    """The statements that say it."""
    return [each.reference.partition("#")[2] for each in showings.found]


@pytest.mark.parametrize(
    ("wanted", "statements"),
    [
        ({}, ["4", "4", "5", "6", "7", "8", "9"]),
        ({"ledger": TAX}, ["4", "5", "6", "7", "8", "9"]),
        ({"ledger": MARKET}, ["4"]),
        ({"ledger": TAX, "index": 1}, ["4", "5", "6", "7", "8", "9"]),
        ({"ledger": TAX, "index": 3}, ["4", "6", "7", "8"]),
        ({"ledger": TAX, "index": 4}, []),
        ({"ledger": MARKET, "index": 8}, ["4"]),
        ({"ledger": MARKET, "index": 6}, []),
        ({"to": "audit-office"}, ["4", "4", "9"]),
        ({"to": "tax"}, ["5"]),
        ({"to": "tax:clerk"}, ["5"]),
        ({"to": "tax:cler"}, []),
        ({"subject": True}, ["5", "7", "8"]),
    ],
    ids=str,
)
def test_each_question_is_answered_with_what_may_be_meant(wanted: dict[str, Any], statements: list[str]) -> None:
    """In the order in which it was shown; a moment that is not given is that of the record."""
    assert brief(asked(told(), **wanted)) == statements


def test_what_was_found_is_of_an_entry_only_once_it_was_opened() -> None:
    """What is proven to be of it has its reference; the rest of that node's is of others."""
    showings = asked(told(), ledger=TAX, index=0)
    assert [each.reference for each in showings.candidates] == ["tax#7", "tax#8"]
    assert showings.may_be(TAX, 3)
    assert not showings.may_be(TAX, 4)
    assert not showings.may_be(MARKET, 3)
    showings.open({"tax#7"}, 0)
    assert [each.reference for each in showings.candidates] == ["tax#8"]
    showings.drop(MARKET)
    assert len(showings.candidates) == 1
    showings.drop(TAX)
    assert [(each.how, each.entry) for each in showings.found] == [
        ("read", None),
        ("searched", None),
        ("found", "tax#0"),
    ]


def test_of_a_subject_only_its_own_entries_are_kept() -> None:
    """Which they are, the nodes open."""
    showings = asked(told(), subject=True)
    showings.only({(TAX, 0), (TAX, 2), (MARKET, 1)})
    assert brief(showings) == ["7", "8"]
    showings.only({(TAX, 1)})
    assert showings.kept == []
    showings = asked(told(), subject=True)
    showings.only({(TAX, 1), (TAX, 3)})
    assert brief(showings) == ["5", "7", "8"]


def test_commitments_are_counted_by_bureau_up_to_where_it_was_read() -> None:
    """So that a node's word can be held against them."""
    showings = asked(told(), ledger=MARKET)
    assert showings.committed == {FOUND: {TAX: 2}, SUBJECT: {TAX: 4}}
    assert showings.ends == {TAX: 10}


def test_json_says_how_and_of_what() -> None:
    """Which entry only where it is one; never what is committed."""
    document = shown_json(asked(told(), ledger=TAX).found)
    assert [(each["how"], each["entry"], each["first"], each["count"]) for each in document] == [
        ("read", None, 0, 4),
        ("opened", "tax#1", 1, 1),
        ("searched", None, 0, 4),
        ("found", None, 0, 4),
        ("found", None, 0, 4),
        ("opened", "tax#1", 1, 1),
    ]
    assert {each["ledger"] for each in document} == {TAX}
    assert document[0]["at"] == "2027-01-15T08:00:00.000001Z"
