"""`recalled-version-in-use`: a version used after whoever provided it recalled it."""

from __future__ import annotations

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.district import District, Said
from tests.harness.sharing import spoken, used
from tests.harness.stories import VERSION, digest_of, district, exchanged, moment, only, unjudged

RECALLED, DAY = "2027-03-02", "2027-03-03"


def recalled(**said: object) -> tuple[District, Said]:
    """A version is exchanged and used, then recalled, which the tax office acknowledges; it is the day after."""
    where = district()
    exchanged(where)
    used(where)
    where.on(RECALLED)
    recall = where["market"].say("recall", version=VERSION, reason="a column was shifted", **said)
    where["tax"].acknowledge(recall, action="noted")
    where.on(DAY)
    return where, recall


def test_it_trips_alone_and_says_so() -> None:
    """Who went on using it answers, by the recall and its own signed uses."""
    where, recall = recalled()
    assert not where.audit(DAY)
    use = used(where)
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau) == ("recalled-version-in-use", "tax")
    assert finding.references == (use.reference, recall.reference)
    assert (finding.standing, finding.severity) == (Standing.PROVEN, Severity.WARNING)
    assert finding.at_us == moment(where, DAY)
    assert spoken(where, finding) == (
        "tax used R-1@1 once after market recalled it on 2027-03-02 (proven)",
        "market局 于 2027年3月2日 撤回 R-1@1 后，tax局 仍使用 1 次（已证明）",
    )
    used(where)
    again = only(where, DAY)
    assert (again.id, again.references) == (finding.id, finding.references)
    assert spoken(where, again) == (
        "tax used R-1@1 2 times after market recalled it on 2027-03-02 (proven)",
        "market局 于 2027年3月2日 撤回 R-1@1 后，tax局 仍使用 2 次（已证明）",
    )


def test_both_when_it_happened_and_when_it_was_recorded_must_lie_after() -> None:
    """What was used before and noted after is lawful, and so is what is dated after but was recorded before."""
    where, _ = recalled()
    used(where, happened_at=moment(where, RECALLED))
    assert not where.audit(DAY)
    used(where, happened_at=moment(where, RECALLED) + 1)
    assert only(where, DAY).rule == "recalled-version-in-use"
    early = district()
    exchanged(early)
    early.on(RECALLED)
    recall = early["market"].recall(VERSION, reason="wrong")
    after_us = early.now_us + 1
    early.now_us -= 60 * 1_000_000  # the other ledger's clock runs behind
    early["tax"].acknowledge(recall, action="stopped")
    used(early, happened_at=after_us)
    assert not early.audit(DAY)


@pytest.mark.parametrize("version", ["R-1@2", "R-1@11"])
def test_another_version_does_not_trip(version: str) -> None:
    """Only the one that was recalled."""
    where, _ = recalled()
    used(where, version=version)
    assert not where.audit(DAY)


@pytest.mark.parametrize(
    ("fields", "trips"), [(["street"], False), (["street", "name"], True), (["name"], True), ([], True)]
)
def test_a_recall_of_some_fields_is_one_of_those(fields: list[str], trips: bool) -> None:
    """A use that names other fields only is lawful; one that names none is of all."""
    where, _ = recalled(fields=["name", "phone"])
    used(where, fields=fields)
    assert bool(where.audit(DAY)) is trips


def test_a_version_provided_anew_may_be_used_again() -> None:
    """What happened in between stays; a second recall begins again."""
    where, _ = recalled()
    where["market"].provide_version(VERSION, digest=digest_of(8))
    where.on("2027-03-04")
    used(where)
    assert not where.audit("2027-03-04")
    second = where["market"].recall(VERSION, reason="still shifted")
    where.on("2027-03-05")
    where["tax"].acknowledge(second, action="noted")
    use = used(where)
    assert only(where, "2027-03-05").references == (use.reference, second.reference)


def test_acknowledging_is_no_permission() -> None:
    """Whatever the holder said it did."""
    where, recall = recalled()
    where["tax"].acknowledge(recall, action="destroyed")
    used(where)
    assert only(where, DAY).rule == "recalled-version-in-use"


@pytest.mark.parametrize("bureau", ["market", "tax"])
def test_a_recall_or_use_that_was_not_read_is_not_known(bureau: str) -> None:
    """Neither is an absence: what was not read says nothing, and nothing is counted for it by this rule."""
    where, _ = recalled()
    used(where)
    where.uncovered.add(bureau)
    assert ("recalled-version-in-use", bureau) not in unjudged(where, DAY)
