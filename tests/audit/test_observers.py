"""An audit under a charter with observers: bureaus of which there is no ledger to read."""

from __future__ import annotations

from dataclasses import asdict

from tallystick.audit.covered import covered
from tallystick.audit.words import Words
from tests.harness.district import District
from tests.harness.reported import report
from tests.harness.stories import CODE, granted, sent


def late(*, observers: tuple[str, ...] = ()) -> District:
    """A grant that was served late."""
    where = District("market", "tax", observers=observers)
    shared = granted(where)
    where.on("2027-03-09")
    half = sent(where, shared)
    where["tax"].receive("x-1", sender="market", version="R-1@1", sent=half)
    return where


def test_an_observer_is_no_gap() -> None:
    """Where every ledger was read, what is found and how far it is proven is the same with observers as without."""
    without, with_one = late(), late(observers=("watch",))
    findings, _, coverage = with_one.look("2027-06-30")
    assert findings
    assert [asdict(each) for each in findings] == [asdict(each) for each in without.audit("2027-06-30")]
    assert [ledger.bureau for ledger in coverage.ledgers] == ["market", "tax"]


def test_what_an_observer_is_asked_for_is_owed_by_nobody() -> None:
    """A request that names an observer is counted, and judged against nobody, for it has no ledger to answer on."""
    where = District("market", "tax", observers=("watch",))
    where["tax"].request(CODE, provider="watch", purpose="tax-registration")
    findings, _, coverage = where.look("2027-06-30", ["request-overdue"])
    assert not findings
    assert coverage.unjudged == {("request-overdue", ""): 1}
    assert any("the charter knows no such ledger" in each for each in covered(Words(where.charter, "en"), coverage))


def test_a_report_has_no_row_for_an_observer() -> None:
    """Ratios, and what each gave and took, are of bureaus that have a ledger."""
    made = report(late(observers=("watch",)))
    assert [each.bureau for each in made.gave_and_took] == ["market", "tax"]
    assert made.bureaus == ["market", "tax"]
