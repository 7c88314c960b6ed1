"""What one bureau may put on its own ledger to crash an audit, to slow it, or to have it forget: none of it does.

`mallory` has its keys, its actors and its node's disk; whatever it signs is on its ledger.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tallystick.audit.strand import fault_of
from tallystick.core.errors import SignatureInvalid
from tallystick.core.kinds import BY_VERB, KINDS
from tallystick_proto.v1.statement_pb2 import Head, Statement
from tests.harness.district import District
from tests.harness.encodings import field
from tests.harness.moving import moved, provided, said
from tests.harness.stories import digest_of

UNKNOWN = field(1_000, 1)
YEAR_9990_US = int(datetime(9990, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
END = "2027-12-01"


@pytest.fixture
def where() -> District:
    return District("market", "tax", "mallory")


def rubbish(kind: str) -> bytes:
    """A statement whose every text and number is out of bounds, and that says something nobody knows besides."""
    known = BY_VERB[kind]
    statement = Statement(head=Head(kind=known.number, actor="mallory:clerk"))
    statement.head.happened_at_us = -(2**63)
    for use in known.uses:
        into = statement.head if use.in_head else getattr(statement, known.field)
        if use.field.is_repeated or use.field.message_type is not None:
            continue
        if use.field.name not in ("kind", "actor", "happened_at_us"):
            text = "not a day\n" if use.field.type == use.field.TYPE_STRING else b"\xff"
            setattr(into, use.field.name, text if use.field.cpp_type == use.field.CPPTYPE_STRING else 99)
    return statement.SerializeToString() + UNKNOWN


@pytest.mark.parametrize("kind", [kind.verb for kind in KINDS.values()])
def test_what_says_more_than_is_known_is_folded_only_where_what_is_known_is_in_order(
    where: District, kind: str
) -> None:
    """No reader checks the fields of a statement that a later version wrote: the audit leaves it aside if they are
    not what it can read, and takes it as it is if they are."""
    where["mallory"].put(rubbish(kind))
    assert not where.audit(END)
    statement = Statement(head=Head(kind=60, actor="mallory:clerk", system="S-1"))
    statement.system_registered.name = "S"
    where["mallory"].put(statement.SerializeToString() + UNKNOWN)
    assert [finding.rule for finding in where.audit(END)] == ["zombie-system"]


def test_nothing_happened_after_it_was_recorded(where: District) -> None:
    """A day to come, by a bureau's own word, breaks no calendar, and keeps nothing in use or in force till then."""
    mallory = where["mallory"]
    then = {"happened_at": YEAR_9990_US, "source": "paper"}
    mallory.declare("M-1", scheme="local", title="M", sharing="unconditional", update_cycle="R/P1000Y")
    mallory.say("provide_version", version="M-1@1", digest=digest_of(), **then)
    mallory.register_system("S-1", name="S", accepted_on="2027-01-01")
    mallory.say("use", version="M-1@1", purpose="p", case="c-1", system="S-1", **then)
    assert [finding.rule for finding in where.audit(END)] == ["zombie-system"]


def test_recalls_along_a_line_of_versions_owe_each_correction_once(where: District) -> None:
    """Versions made of each other and recalled one by one do not add up to the square of their number."""
    count = 60
    provided(where, "mallory", "M-0@1")
    for number in range(1, count):
        provided(where, "mallory", f"M-{number}@1", f"M-{number - 1}@1")
    for number in range(count // 2):
        said(where, "mallory", "recall", version=f"M-{number}@1", reason="x")
        said(where, "mallory", "recall", version=f"M-{number}@1", reason="again")
    _, seen, _ = where.look(END)
    owed = sum(each.rule == "derived-not-corrected" for each in seen.obligations.open())
    assert owed < count


def test_what_is_derived_in_a_circle_ends(where: District) -> None:
    """Two versions that are each said to be made of the other are each owed once, and found at once."""
    for made, source in (("M-1@1", "M-2@1"), ("M-2@1", "M-1@1"), ("M-3@1", "M-3@1")):
        where["mallory"].declare(made[:3], scheme="local", title="M", sharing="unconditional")
        provided(where, "mallory", made, source)
    said(where, "mallory", "recall", version="M-1@1", reason="x")
    said(where, "mallory", "recall", version="M-3@1", reason="x")
    assert [finding.facts["derived"] for finding in where.audit(END)] == ["M-2@1"]


def test_questions_about_one_notice_are_kept_once(where: District) -> None:
    """However many versions are to be corrected for a recall, and however often a bureau asks back about it."""
    where["market"].declare("R-1", scheme="local", title="R", sharing="unconditional")
    provided(where, "market", "R-1@1")
    moved(where, "x-1", "R-1@1", "market", "mallory")
    for number in range(20):
        provided(where, "mallory", f"M-{number}@1", "R-1@1")
    recall = said(where, "market", "recall", version="R-1@1", reason="x")
    for _ in range(20):
        said(where, "mallory", "raise_concern", to="market", about=recall, sort="clarification")
    _, seen, _ = where.look(END)
    paused = [owed for owed in seen.obligations.open() if owed.bureau == "mallory"]
    assert len(paused) == 21
    assert len({id(owed.pauses) for owed in paused}) == 1
    assert {len(owed.pauses.spans) for owed in paused} == {1}


def test_a_fault_quotes_no_more_than_can_be_read() -> None:
    """However long a name is that nobody checked, what is said of it stays a sentence."""
    error = SignatureInvalid("x" * 60_000, expected="y" * 60_000)
    assert len(fault_of(error, "mallory", 7).error) < 1_100
