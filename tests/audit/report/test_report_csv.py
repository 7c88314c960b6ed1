"""The CSV: what a spreadsheet makes of it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.audit.report.csv import cell, findings_csv
from tallystick.core.safe_text import sanitise
from tests.harness.reported import busy, report


def rows(text: str) -> list[list[str]]:
    """What a reader of CSV reads."""
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_chinese_spreadsheet_opens_it(language: str) -> None:
    """A byte order mark, CRLF after every line and nowhere else, and as many cells in each row as in the header."""
    made = report(busy())
    data = findings_csv(made, made.findings, language).encode()
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.endswith(b"\r\n")
    assert data.count(b"\n") == data.count(b"\r\n") == len(made.findings) + 1
    read = rows(data.decode("utf-8-sig"))
    assert {len(row) for row in read} == {len(read[0])}
    assert [row[0] for row in read[1:]] == [finding.id for finding in made.findings]


def test_every_reference_of_a_finding_stands_in_its_row() -> None:
    """What a page has to cut, the table has whole."""
    made = report(busy())
    for row, finding in zip(rows(findings_csv(made, made.findings, "en"))[1:], made.findings, strict=True):
        assert row[8].split() == list(finding.references)


def test_what_is_not_witnessed_of_a_finding_stands_in_its_row() -> None:
    """Each reference that no quorum has cosigned; nothing where all are, or where it is not shown how many."""
    made = report(busy())
    for witnessed, expected in ((None, lambda _: []), (0, lambda all_: all_), (10**6, lambda _: [])):
        for ledger in made.coverage.ledgers:
            ledger.witnessed = witnessed
        for row, finding in zip(rows(findings_csv(made, made.findings, "en"))[1:], made.findings, strict=True):
            assert row[-1].split() == expected(list(finding.references))


@given(st.text(st.characters(codec="utf-8"), max_size=40) | st.text(st.sampled_from("a;=+-@ '\"\t")))
def test_no_cell_is_a_formula(said: str) -> None:
    """Whatever was said is read back as text: itself, sanitised, with an apostrophe wherever it would command."""
    ((read,),) = rows(f"{cell(said)}\r\n")
    assert read.replace("'", "") == sanitise(said).replace("'", "")
    for part in read.split(";"):
        assert not part.lstrip().lstrip('"').startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("said", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "＝1+1", "\t=1", "\r=1", "\n=1"], ids=ascii)
def test_what_would_command_is_shown_as_text(said: str) -> None:
    """A cell that begins as a formula does begins with an apostrophe."""
    assert cell(said).startswith("\"'")
    assert cell(f"a;{said}").startswith("\"a;'")
