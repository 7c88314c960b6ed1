"""The page: whole without anything else, every figure leads somewhere, the same bytes again, and text never acts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest

from tallystick.audit.earlier import read_report
from tallystick.audit.report.bureau import bureau_page
from tallystick.audit.report.csv import findings_csv
from tallystick.audit.report.document import report_json
from tallystick.audit.report.findings import GROUP_SHOWN_MAX
from tallystick.audit.report.flows import MATRIX_MAX
from tallystick.audit.report.model import Report
from tallystick.audit.report.page import page
from tallystick.audit.report.worksheet import Exhibit, worksheet
from tallystick.core.note import encode_base64
from tests.harness.district import District
from tests.harness.reported import ON, Page, busy, report

Writer = Callable[[Report, str], str]


def a_worksheet(made: Report, language: str) -> str:
    finding = made.findings[0]
    exhibits = [Exhibit(reference, [("kind", "data sent")]) for reference in finding.references]
    return worksheet(made, finding, exhibits, language)


def a_bureau(made: Report, language: str) -> str:
    return bureau_page(made, "market", language)


each_page = pytest.mark.parametrize("write", [page, a_worksheet, a_bureau], ids=["report", "worksheet", "bureau"])
each_language = pytest.mark.parametrize("language", ["en", "zh"])


@each_page
@each_language
def test_every_link_leads_to_something_on_the_page(write: Writer, language: str) -> None:
    """Links lead within the page, to an id that is there once, and every element is closed."""
    read = Page(write(report(busy()), language))
    assert len(read.ids) == len(set(read.ids))
    assert {link[0] for link in read.links} <= {"#"}
    assert {link[1:] for link in read.links} <= set(read.ids)


@each_page
@each_language
def test_a_page_needs_nothing_and_runs_nothing(write: Writer, language: str) -> None:
    """No script, image, frame, font, style sheet or address of anything elsewhere; and browsers are told so."""
    written = write(report(busy()), language)
    read = Page(written)
    assert not read.tags.keys() & {
        "script",
        "img",
        "link",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
        "audio",
        "video",
    }
    assert not [name for _, name, _ in read.attributes if name.startswith("on")]
    assert not re.search(r"https?:|url\(|@import|javascript:|data:", written)
    assert any(value.startswith("default-src 'none'") for value in read.values("content"))


@each_language
def test_every_finding_stands_on_the_page_with_its_entries(language: str) -> None:
    """Each by its id, its sentence and every entry that shows it."""
    made = report(busy())
    read = Page(page(made, language))
    where = busy()
    assert made.findings
    for finding in made.findings:
        assert finding.id in read.ids
        assert where.sentence(finding, language) in read.text
        assert all(reference in read.text for reference in finding.references)


@each_page
@each_language
def test_the_same_report_is_the_same_bytes(write: Writer, language: str) -> None:
    """A second audit of the same district gives the same page; of another day, another."""
    assert write(report(busy()), language) == write(report(busy()), language)
    assert write(report(busy()), language) != write(report(busy(), "2027-07-01"), language)


def test_the_order_in_which_ledgers_are_read_changes_nothing() -> None:
    """Page, table and document of the same ledgers read in another order are the same bytes."""
    straight, turned = busy(), busy()
    turned.desks = dict(reversed(turned.desks.items()))
    assert list(straight.desks) != list(turned.desks)
    one, other = report(straight), report(turned)
    assert page(one, "zh") == page(other, "zh")
    assert findings_csv(one, one.findings, "zh") == findings_csv(other, other.findings, "zh")
    assert report_json(one) == report_json(other)


@each_page
@each_language
def test_the_foot_says_how_to_make_it_again(write: Writer, language: str) -> None:
    """Command, software, charter, day and every ledger's checkpoint stand on every page."""
    made = report(busy())
    read = Page(write(made, language))
    roots = [encode_base64(each.checkpoint.root) for each in made.coverage.ledgers if each.checkpoint is not None]
    for said in (f"tally report --on {ON} -o FILE", "tallystick 1.2.3", made.coverage.charter, *roots):
        assert said in read.text
    for ledger in made.coverage.ledgers:
        assert ledger.origin in read.text


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&\u202e\u2066\x1b[31m\u0000\r\n=1+1"


@each_page
@each_language
def test_text_from_a_ledger_never_acts(write: Writer, language: str) -> None:
    """Markup shows as its own letters, what turns the writing or moves a cursor by its escape, wherever it was said."""
    where = busy()
    hostile = "".join(c for c in HOSTILE if c.isprintable() or c == "\u202e").replace("@", "")[:60]
    market = where["market"]
    market.declare(hostile, scheme="local", title=HOSTILE.replace("\x00", ""), sharing="withheld")
    market.provide_version(f"{hostile}@1", digest="blake3:" + "5" * 64, size=1)
    where["planning"].provide_version("P-2@1", digest="blake3:" + "6" * 64, size=1, derived_from=[f"{hostile}@1"])
    where["planning"].register_system("B", name="<b>&\u202e", operator="<i>")
    where["planning"].report_system_use("B", since="2026-01-01", until="2027-03-01", users=0, operations=0)
    made = report(where, resource=hostile)
    written = write(made, language)
    read, plain = Page(written), Page(write(report(busy()), language))
    assert not read.tags.keys() - plain.tags.keys() - {"path"}
    assert {name for _, name, _ in read.attributes} <= {name for _, name, _ in Page(page(made, language)).attributes}
    assert not {name for _, name, _ in read.attributes if name in ("src", "onerror")}
    assert not [c for c in written if (ord(c) < 32 and c != "\n") or c in "\u202e\u2066\x7f"]
    if write is page:
        assert "<script>alert(1)</script>" in read.text
        assert "\\u202e" in read.text


def test_a_gap_in_the_coverage_stands_on_the_cover() -> None:
    """A ledger that nobody answers for is named before the first figure, and so is that nothing is said of it."""
    where = busy()
    where.uncovered.add("tax")
    read = Page(page(report(where), "en"))
    cover = read.text.partition("Contents")[0]
    assert "Not covered, or not to the end: tax" in cover
    assert "nobody answers" in read.text


def test_an_empty_district_has_a_page() -> None:
    """Where nothing was recorded and nothing found, every section says so."""
    read = Page(page(report(District("market")), "en"))
    for said in ("No rule found anything", "Nobody declares", "Nobody owed", "No exchange", "No system", "No version"):
        assert said in read.text


@each_language
def test_thousands_of_findings_are_bounded_and_counted(language: str) -> None:
    """Of a group too long to print the first are listed, the count is whole, and a command gives the rest."""
    where = District("market")
    for number in range(GROUP_SHOWN_MAX + 7):
        where["market"].declare(f"R-{number}", scheme="local", title="R", sharing="withheld")
    read = Page(page(report(where), language))
    assert read.tags["article"] == GROUP_SHOWN_MAX
    assert f"({GROUP_SHOWN_MAX + 7})" in read.text
    assert f"tally audit --rule withheld-without-basis --bureau market --on {ON}" in read.text
    assert "tally log market --kind ResourceDeclared -n 0" in read.text


def test_a_large_district_has_a_matrix_that_fits_on_paper() -> None:
    """Of many bureaus those that exchanged most stand in the matrix, and all of them in the pairs."""
    bureaus = [f"b-{number:02d}" for number in range(MATRIX_MAX + 4)]
    where = District(*bureaus)
    for number, bureau in enumerate(bureaus[1:]):
        for each in range(number + 1):
            where[bureaus[0]].send(f"x-{bureau}-{each}", to=bureau, resource="R-1")
    written = page(report(where), "en")
    matrix = written.partition('class="matrix"')[2].partition("</table>")[0]
    assert matrix.count("<tr>") == MATRIX_MAX + 1
    assert all(f"b-00 → {bureau}" in written for bureau in bureaus[1:])


@each_language
def test_what_became_of_the_findings_before_is_said(language: str) -> None:
    """New, still open, answered and closed findings are told apart, and those that are gone are listed."""
    where = busy()
    old = report(where, "2027-03-12")
    before = read_report(_document(old), "before")
    where["market"].answer(finding=old.findings[0].id, outcome="corrected")
    made = report(where, before=before)
    read = Page(page(made, language))
    assert made.lives is not None
    for finding in made.findings:
        assert made.lives.of(finding).label(language) in read.text
    for gone in made.lives.closed:
        assert gone.id in read.text


def _document(made: Report) -> bytes:
    import json

    return json.dumps(report_json(made)).encode()


def test_an_earlier_report_compared_with_itself_has_nothing_new() -> None:
    """The document of a report is one that the next report is compared with."""
    made = report(busy())
    before = read_report(_document(made), "before")
    assert before.coverage.day == date.fromisoformat(ON)
    again = report(busy(), before=before)
    assert again.lives is not None
    assert {again.lives.of(finding).name for finding in again.findings} <= {"OPEN", "ANSWERED"}
    assert not again.lives.closed


@pytest.mark.parametrize(("language", "words"), [("en", "not shown now"), ("zh", "此刻未示")])
def test_what_is_not_shown_of_witnesses_is_no_dash(language: str, words: str) -> None:
    """In the table of the coverage and in the foot; a dash says that the charter gives the ledger no quorum."""
    for where, times in ((busy(), 2 * 3), (District("market", "tax"), 0)):
        assert len(re.findall(f"<td[^>]*>{words}</td>", page(report(where), language))) == times
