"""`tally audit`: what its options leave in, what they refuse, and that the same audit prints the same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tallystick.audit.rule import RULES
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tests.cli.conftest import Said, Tally
from tests.harness.clusters import all_witnessed, checked_cluster

MARKET, TAX = "market-regulation", "taxation"
WITHHELD, HOLLOW, OVERDUE = "withheld-without-basis", "hollow-basis", "request-overdue"
TOMORROW = str(date.today() + timedelta(days=2))
LATER = str(date.today() + timedelta(days=60))


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[LocalCluster]:
    """Three nodes: market withholds a resource for nothing and one for a hollow word, and leaves a request open."""
    with checked_cluster(tmp_path_factory.mktemp("judged"), 3, nursery) as made:
        market, tax = made[MARKET].sdk, made[TAX].sdk
        market.declare("A-1", scheme="s", title="t", sharing="withheld")
        market.declare("A-2", scheme="s", title="t", sharing="withheld", basis="private")
        tax.declare("B-1", scheme="s", title="t", sharing="unconditional")
        tax.request("A-1", provider=MARKET, purpose="tax-registration")
        all_witnessed(made)
        yield made


@pytest.fixture
def audit(tally: Tally, judged: LocalCluster) -> Any:
    """Runs an audit as the auditor, as of a day on which every deadline has passed unless told."""

    def run(*options: object, on: str = LATER) -> Said:
        return tally("audit", "--on", on, *options, profile=judged.auditor_profile)

    return run


def rules(said: Said) -> list[str]:
    return [each["rule"] for each in said.json["findings"]]


def test_without_options_everything_is_judged(audit: Any) -> None:
    """The worst first, then by bureau and rule; exit code 1; the coverage stands below."""
    said = audit("--json")
    assert (said.code, rules(said)) == (1, [OVERDUE, WITHHELD, HOLLOW])
    assert said.json["coverage"]["full"] is True
    text = audit()
    assert text.code == 1
    assert "3 findings." in text.lines
    assert "Coverage: 3 ledgers, 13 entries verified" in text.out


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["--rule", WITHHELD], [WITHHELD]),
        (["--rule", WITHHELD, "--rule", HOLLOW], [WITHHELD, HOLLOW]),
        (["--rule", "zombie-system"], []),
        (["--bureau", MARKET], [OVERDUE, WITHHELD, HOLLOW]),
        (["--bureau", TAX], []),
        (["--bureau", TAX, "--bureau", MARKET], [OVERDUE, WITHHELD, HOLLOW]),
        (["--at-least", "note"], [OVERDUE, WITHHELD, HOLLOW]),
        (["--at-least", "warning"], [OVERDUE, WITHHELD]),
        (["--at-least", "serious"], []),
        (["--since", "2000-01-01"], [OVERDUE, WITHHELD, HOLLOW]),
        (["--since", TOMORROW], []),
        (["--rule", HOLLOW, "--at-least", "warning"], []),
    ],
)
def test_each_option_leaves_in_what_it_says(audit: Any, options: list[str], left: list[str]) -> None:
    """And the exit code is that of what is left."""
    said = audit("--json", *options)
    assert (rules(said), said.code) == (left, 1 if left else 0)
    assert f"{len(left)} finding{'' if len(left) == 1 else 's'}." in audit(*options).lines


def test_a_day_judges_as_of_its_end(audit: Any) -> None:
    """Before anything was recorded nothing is found; before the deadline nobody is late; without a day it is today."""
    assert rules(audit("--json", on="2020-01-01")) == []
    assert rules(audit("--json", on=TOMORROW)) == [WITHHELD, HOLLOW]


def test_without_a_day_it_is_today(tally: Tally, judged: LocalCluster) -> None:
    """By the charter's zone."""
    said = tally("audit", "--json", profile=judged.auditor_profile)
    assert abs((date.fromisoformat(said.json["coverage"]["day"]) - date.today()).days) <= 1


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--rule", "withheld-without-bases"], 2, "a rule such as withheld-without-basis"),
        (["--rule", ""], 2, "--rule"),
        (["--rule", "x" * 5_000], 2, "there is no rule"),
        (["--bureau", "nobody"], 4, "nobody"),
        (["--bureau", "税务局"], 2, "税务局"),
        (["--since", "yesterday"], 2, "--since: 'yesterday' is no day"),
        (["--since", "2027-02-30"], 2, "--since: '2027-02-30' is no day"),
        (["--since", ""], 2, "--since"),
        (["--on", "tomorrow"], 2, "--on: 'tomorrow' is no day"),
        (["--on", "0000-01-01"], 2, "--on"),
        (["--at-least", "grave"], 2, "'grave'"),
        (["--lang", "de"], 2, "'de'"),
        (["--since-report", "nowhere.json"], 2, "nowhere.json"),
        (["extra"], 2, "extra"),
    ],
)
def test_rubbish_is_refused_in_one_sentence(audit: Any, options: list[str], code: int, says: str) -> None:
    """What was wrong and what was expected, on standard error, and nothing on standard output."""
    said = audit(*options)
    assert (said.code, said.out) == (code, "")
    assert says in said.err


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        b"not json",
        b"[]",
        b'{"findings": []}',
        b'{"coverage": {"charter": "pudong", "day": "someday"}, "findings": []}',
        b'{"coverage": {"charter": "pudong", "day": "2027-01-01"}, "findings": [{"id": "F-1"}]}',
        b"[" * 100_000,
    ],
    ids=range(8),
)
def test_an_earlier_report_that_is_none_is_refused(audit: Any, tmp_path: Path, data: bytes) -> None:
    """By its name, before any node is asked."""
    file = tmp_path / "last.json"
    file.write_bytes(data)
    said = audit("--since-report", file)
    assert (said.code, said.out) == (4, "")
    assert str(file) in said.err
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("bend", "says"),
    [
        (lambda earlier: earlier["coverage"].update(charter="elsewhere"), "charter 'elsewhere'"),
        (lambda earlier: earlier["coverage"].update(day="2999-01-01"), "2999-01-01"),
    ],
)
def test_an_earlier_report_of_another_charter_or_a_later_day_is_refused(
    audit: Any, tmp_path: Path, bend: Any, says: str
) -> None:
    """There is nothing to compare it with: exit code 2."""
    earlier = audit("--json").json
    bend(earlier)
    file = tmp_path / "last.json"
    file.write_text(json.dumps(earlier))
    said = audit("--since-report", file)
    assert (said.code, said.out) == (2, "")
    assert says in said.err


def test_what_became_of_earlier_findings_is_said(audit: Any, tmp_path: Path) -> None:
    """Still open, new, closed, or not judged this time, in both languages and as JSON."""
    file = tmp_path / "last.json"
    earlier = audit("--json").json
    overdue, withheld, hollow = earlier["findings"]
    gone = {**withheld, "id": "F-000000000000", "references": [f"{MARKET}#3"]}
    file.write_text(json.dumps({**earlier, "findings": [withheld, gone]}))
    said = audit("--json", "--since-report", file).json
    assert {each["id"]: each["life"] for each in said["findings"]} == {
        overdue["id"]: "new",
        withheld["id"]: "open",
        hollow["id"]: "new",
    }
    assert (said["closed"], said["not_judged"]) == ([gone["id"]], [])
    said = audit("--json", "--since-report", file, "--rule", HOLLOW).json
    assert (said["closed"], set(said["not_judged"])) == ([], {withheld["id"], gone["id"]})
    for language, words in (("en", ("new", "still open", "closed:")), ("zh", ("新增", "未整改", "已销号："))):
        text = audit("--since-report", file, "--lang", language).out
        assert all(word in text for word in words)


def test_only_the_bureaus_asked_for_close_anything(audit: Any, tmp_path: Path) -> None:
    """What another bureau has put right is not listed under the one that was asked for."""
    file = tmp_path / "last.json"
    earlier = audit("--json").json
    gone = {**earlier["findings"][0], "id": "F-000000000000", "bureau": MARKET, "references": [f"{MARKET}#3"]}
    file.write_text(json.dumps({**earlier, "findings": [gone]}))
    for bureau, closed in ((MARKET, [gone["id"]]), (TAX, [])):
        assert audit("--json", "--since-report", file, "--bureau", bureau).json["closed"] == closed


def test_a_day_that_has_not_come_is_called_that(audit: Any) -> None:
    """Beside the answer, which is the same whenever it is given; of a day that has come nothing is said."""
    assert "has not come" in audit("--on", TOMORROW).err
    assert "尚未到来" in audit("--on", TOMORROW, "--lang", "zh").err
    assert "has not come" not in audit("--on", "2026-01-01").err


def test_what_an_earlier_audit_was_not_asked_for_is_not_called_new(audit: Any, tmp_path: Path) -> None:
    """Its JSON says by which options it shows only some findings, and is compared with by the same alone."""
    file = tmp_path / "last.json"
    file.write_text(audit("--json", "--bureau", MARKET).out)
    said = audit("--since-report", file)
    assert (said.code, said.out) == (2, "")
    assert f"--bureau {MARKET}" in said.err
    assert audit("--json", "--since-report", file, "--bureau", MARKET).json["findings"] == [
        {**each, "life": "open"} for each in json.loads(file.read_text())["findings"]
    ]


def test_what_is_left_out_by_an_option_is_not_called_closed(audit: Any, tmp_path: Path) -> None:
    """Options say what is shown, not what was found."""
    file = tmp_path / "last.json"
    file.write_text(audit("--json").out)
    for options in (["--bureau", TAX], ["--at-least", "serious"], ["--since", TOMORROW]):
        said = audit("--json", "--since-report", file, *options).json
        assert (said["findings"], said["closed"], said["not_judged"]) == ([], [], [])


def test_both_languages_say_the_same_findings(audit: Any) -> None:
    """The same references and ids, each rule by its name; the sentences of both stand in the JSON."""
    english, chinese = audit("--lang", "en"), audit("--lang", "zh")
    for each in audit("--json").json["findings"]:
        for said, language in ((english, "en"), (chinese, "zh")):
            assert each["sentence"][language] in said.out
            assert each["id"] in said.out
            assert RULES[each["rule"]].label(language) in said.out
    assert "3 个问题。" in chinese.lines
    assert audit("--json", "--lang", "zh").out == audit("--json", "--lang", "en").out


@pytest.mark.parametrize("options", [[], ["--json"], ["--lang", "zh"]])
def test_the_same_coverage_and_day_give_the_same_bytes(audit: Any, options: list[str]) -> None:
    """However often it is asked."""
    assert audit(*options).out == audit(*options).out


def test_progress_is_for_terminals_alone(audit: Any, judged: LocalCluster) -> None:
    """Where nobody looks nothing is written beside the answer; on a terminal there is, and the answer is the same."""
    silent = audit("--json")
    assert silent.err.splitlines() == [line for line in silent.err.splitlines() if "has not come" in line]
    terminal, end = os.openpty()
    command = [sys.executable, "-m", "tallystick.cli.main", "--profile", str(judged.auditor_profile)]
    try:
        done = subprocess.run(
            [*command, "audit", "--json", "--on", LATER], stdout=subprocess.PIPE, stderr=end, check=False
        )
        assert "audit" in os.read(terminal, 65_536).decode()
    finally:
        os.close(end)
        os.close(terminal)
    assert (done.returncode, done.stdout.decode()) == (silent.code, silent.out)
