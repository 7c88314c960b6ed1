"""report against real nodes: what is written where, the same bytes again, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from tallystick_node.cluster.local import LocalCluster
from tests.cli.conftest import Said, Tally
from tests.harness.reported import Page

ON = (date.today() + timedelta(days=60)).isoformat()
PLANNING = "planning"
WAIT_S = 30.0

Report = Callable[..., Said]


@pytest.fixture(scope="module")
def told(shared_cluster: LocalCluster) -> None:
    """A restriction without a ground, and a request that is never answered; all of it witnessed, which pages tell."""
    withheld = {"resource": "GH-0900", "scheme": "local", "title": "<b>规划</b>", "sharing": "withheld"}
    shared_cluster[PLANNING].sdk.record_witnessed("declare", WAIT_S, **withheld)
    asked = {"resource": "GH-0900", "provider": PLANNING, "purpose": "tax-registration"}
    shared_cluster["taxation"].sdk.record_witnessed("request", WAIT_S, **asked)


@pytest.fixture
def report(tally: Tally, shared_cluster: LocalCluster, told: None) -> Report:
    """Runs `tally report` as the auditor, as of a day when what was asked for is overdue."""

    def run(*arguments: object) -> Said:
        return tally("report", "--on", ON, *arguments, profile=shared_cluster.auditor_profile)

    return run


@pytest.fixture
def finding(report: Report) -> str:
    """The finding about GH-0900."""
    found = json.loads(report("--format", "json").out)["findings"]
    return next(
        str(each["id"])
        for each in found
        if each["rule"] == "withheld-without-basis" and "GH-0900" in each["sentence"]["en"]
    )


def test_a_page_is_written_whatever_was_found(report: Report, tmp_path: Path, finding: str) -> None:
    """Exit code 0 and one line; the page has the finding and names its entry."""
    target = tmp_path / "audit.html"
    said = report("-o", target)
    assert (said.code, len(said.lines)) == (0, 1)
    assert said.out.startswith(f"{target}  ")
    assert finding in Page(target.read_text(encoding="utf-8")).ids


@pytest.mark.parametrize(
    "arguments", [(), ("--lang", "zh"), ("--form", "bureau", PLANNING), ("--format", "csv")], ids=str
)
def test_the_same_charter_coverage_and_day_give_the_same_bytes(
    report: Report, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """Two runs into files of other names, one of them replaced, are the same; so is what goes to standard output."""
    one, other = tmp_path / "one", tmp_path / "other"
    other.write_text("what was there before")
    assert report("-o", one, *arguments).code == report("-o", other, "--force", *arguments).code == 0
    assert one.read_bytes() == other.read_bytes()
    assert report("-o", "-", *arguments).out.encode() == one.read_bytes()


def test_the_foot_names_the_command_that_makes_the_page_again(report: Report) -> None:
    """With the day and the language written out, even where they were not given."""
    written = Page(report("-o", "-", "--form", "bureau", PLANNING).out).text
    assert f"tally report --on {ON} --lang en --form bureau {PLANNING} -o FILE" in written


def test_a_worksheet_shows_the_entries_word_for_word(report: Report, finding: str) -> None:
    """What the entry says, who signed it, and how to prove it."""
    read = Page(report("-o", "-", "--form", "worksheet", finding).out)
    assert finding in read.text
    assert "<b>规划</b>" in read.text
    assert "planning:clerk" in read.text
    assert "tally prove planning#" in read.text


def test_the_page_of_a_bureau_holds_its_own_findings_alone(report: Report) -> None:
    """What it answers for, all of it, and nothing of others."""
    everything = json.loads(report("--format", "json").out)["findings"]
    own = {each["id"] for each in everything if each["bureau"] == PLANNING}
    others = {each["id"] for each in everything} - own
    written = Page(report("-o", "-", "--form", "bureau", PLANNING).out).text
    assert own
    assert all(each in written for each in own)
    assert not any(each in written for each in others)


def test_a_report_is_what_a_later_one_is_compared_with(report: Report, tmp_path: Path) -> None:
    """The JSON of a report read by the next: what stood in it is still open, and its file is named by digest."""
    before = tmp_path / "before.json"
    assert report("--format", "json", "-o", before).code == 0
    again = json.loads(report("--format", "json", "--since-report", before).out)
    assert {each["life"] for each in again["findings"]} <= {"open", "answered"}
    assert again["closed"] == again["not_judged"] == []
    page = Page(report("-o", "-", "--since-report", before).out).text
    assert "blake3:" in page.partition("earlier audit")[2]


def test_with_json_the_command_says_what_it_wrote(report: Report, tmp_path: Path) -> None:
    """File, bytes and findings, as other commands that write a file do."""
    target = tmp_path / "audit.html"
    said = report("-o", target, "--json").json
    assert (said["file"], said["bytes"]) == (str(target), target.stat().st_size)
    assert said["findings"] > 0


def test_a_file_that_is_there_is_replaced_when_told_to(report: Report, tmp_path: Path) -> None:
    """With --force alone; folders on the way are made."""
    target = tmp_path / "new" / "audit.csv"
    assert report("--format", "csv", "-o", target).code == 0
    target.write_text("mine")
    said = report("--format", "csv", "-o", target)
    assert (said.code, target.read_text()) == (2, "mine")
    assert "there is a file already; expected another name, or --force" in said.err
    assert report("--format", "csv", "-o", target, "--force").code == 0
    assert target.read_text() != "mine"


@pytest.mark.usefixtures("copies_away")
def test_a_report_of_what_was_not_read_whole_says_so(
    tally: Tally, shared_cluster: LocalCluster, tmp_path: Path
) -> None:
    """Beside the count, which would else be taken for good news."""
    with shared_cluster[PLANNING].stopped():
        said = tally("report", "-o", tmp_path / "audit.html", profile=shared_cluster.auditor_profile)
        again = ("report", "-o", tmp_path / "audit.html", "--force", "--json")
        as_json = tally(*again, profile=shared_cluster.auditor_profile)
    assert (said.code, as_json.code) == (0, 0)
    assert "Not every ledger was read whole" in said.err
    assert as_json.json["complete"] is False


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "-o FILE"),
        (("-o", "DIRECTORY"), 2, "is no file"),
        (("-o", "DIRECTORY", "--force"), 2, "is no file"),
        (("-o", "DIRECTORY/file"), 2, "there is a file already"),
        (("-o", "DIRECTORY/file/below"), 2, "cannot be written"),
        (("-o", "-", "--on", "yesterday"), 2, "is no day"),
        (("-o", "-", "--form", "bureau", "nobody"), 4, "no bureau 'nobody'"),
        (("-o", "-", "--form", "worksheet", "42"), 2, "not a finding"),
        (("-o", "-", "--form", "worksheet", "F-000000000000"), 4, "no finding F-000000000000"),
        (("--form", "bureau", PLANNING, "--format", "json"), 2, "not written as json"),
        (("--form", "worksheet", "F-000000000000", "--format", "csv"), 2, "not written as csv"),
        (("-o", "-", "--resource", "NOPE"), 4, "no resource 'NOPE'"),
        (("-o", "-", "--since-report", "nowhere.json"), 2, "nowhere.json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_cannot_be_written_is_refused_in_one_line(
    report: Report, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """Nothing on standard output, nothing left behind, one sentence that says what was expected."""
    (tmp_path / "file").write_text("a file")
    answered = report(*(argument.replace("DIRECTORY", str(tmp_path)) for argument in arguments))
    assert answered.code == code
    assert answered.out == ""
    assert said in answered.err.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
