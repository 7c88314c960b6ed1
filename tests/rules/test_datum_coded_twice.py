"""`datum-coded-twice`: one open digest under two codes."""

from __future__ import annotations

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.district import District, Said
from tests.harness.sharing import spoken
from tests.harness.stories import VERSION, declared, digest_of, district, only

DAY = "2027-03-02"
OTHER = "T-1@1"
# BLAKE3 of nothing: every empty file has it.
EMPTY = "blake3:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"


def provided(where: District, digest: str = digest_of()) -> Said:
    """The market provides the first version of its resource; the tax office declares another, to go on with."""
    declared(where)
    declared(where, code="T-1", by="tax")
    first = where["market"].provide_version(VERSION, digest=digest)
    where.on(DAY)
    return first


def test_it_trips_alone_and_says_so() -> None:
    """Whoever provided it under another code answers, by both signed versions."""
    where = district()
    first = provided(where)
    again = where["tax"].provide_version(OTHER, digest=digest_of())
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau) == ("datum-coded-twice", "tax")
    assert finding.references == (again.reference, first.reference)
    assert (finding.standing, finding.severity) == (Standing.PROVEN, Severity.WARNING)
    assert spoken(where, finding) == (
        "tax provided as T-1@1 the very data that market provided as R-1@1 (proven)",
        "tax局 以 T-1@1 提供的数据，与 market局 以 R-1@1 提供的数据完全相同（已证明）",
    )
    where["tax"].provide_version(OTHER, digest=digest_of())
    assert only(where, DAY).times == 1, "said again in the same words is nothing new"


@pytest.mark.parametrize("by", ["market", "tax"])
def test_two_codes_are_two_whoever_has_them(by: str) -> None:
    """One bureau that codes its datum twice trips too, and so does a copy said to be derived."""
    where = district()
    provided(where)
    declared(where, code="X-1", by=by)
    where[by].provide_version("X-1@1", digest=digest_of(), derived_from=[VERSION])
    assert only(where, DAY).bureau == by


@pytest.mark.parametrize(
    ("first", "again", "version"),
    [
        pytest.param(digest_of(), digest_of(8), OTHER, id="other data"),
        pytest.param(EMPTY, EMPTY, OTHER, id="no data at all"),
        pytest.param(digest_of(), f"committed:{digest_of()[7:]}", OTHER, id="a salted digest of the same value"),
        pytest.param(f"committed:{digest_of()[7:]}", f"committed:{digest_of()[7:]}", OTHER, id="salted twice"),
    ],
)
def test_what_is_not_one_open_digest_does_not_trip(first: str, again: str, version: str) -> None:
    """Other data, none, or digests that cannot be compared."""
    where = district()
    provided(where, first)
    where["tax"].provide_version(version, digest=again)
    assert not where.audit(DAY)


def test_data_that_did_not_change_is_a_version_all_the_same() -> None:
    """Two versions of one code may be alike."""
    where = district()
    provided(where)
    where["market"].provide_version("R-1@2", digest=digest_of())
    assert not where.audit(DAY)


def test_a_mistake_that_was_corrected_is_no_second_code() -> None:
    """What was recalled, or whose code was withdrawn, before it came under the right one."""
    recalled = district()
    provided(recalled)
    recalled["market"].recall(VERSION, reason="under the wrong code")
    recalled.on("2027-03-03")
    recalled["tax"].provide_version(OTHER, digest=digest_of())
    assert not recalled.audit("2027-03-03")
    withdrawn = district()
    provided(withdrawn)
    withdrawn["market"].withdraw("R-1")
    withdrawn.on("2027-03-03")
    again = withdrawn["tax"].provide_version(OTHER, digest=digest_of())
    assert not withdrawn.audit("2027-03-03")
    withdrawn.on("2027-03-04")
    declared(withdrawn)
    third = withdrawn["market"].provide_version("R-1@2", digest=digest_of())
    assert only(withdrawn, "2027-03-04").references == (third.reference, again.reference)
