"""What the questions that name something have in common: unknown names, rubbish, gaps, liars, and how they end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Tally
from tests.cli.questions.conftest import CASE, CODE, LICENCES, MATTER, PLANNING, TAX, Told
from tests.harness.lying_district import LyingDistrict

NAMED = {"who": MATTER, "trace": LICENCES, "access": CODE, "impact": LICENCES, "case": CASE}
UNKNOWN = {"who": "X-1", "trace": "X-1@1", "access": "X-1", "impact": "X-1@1", "case": "X-1"}
each_question = pytest.mark.parametrize("question", NAMED)


@each_question
def test_an_answer_ends_with_what_it_does_not_cover(tally: Tally, told: Told, question: str) -> None:
    """In either language, below the answer."""
    for language, words in (
        ("en", ("3 ledgers", "as answered", "that none was left out is not")),
        ("zh", ("核查范围", "以节点所答为限", "是否有遗漏未予证明")),
    ):
        said = tally(question, NAMED[question], "--lang", language, profile=told.profile)
        assert (said.code, said.err) == (0, "")
        blank = said.lines.index("")
        assert blank > 0
        for each in words:
            assert each in "\n".join(said.lines[blank:])


@each_question
def test_the_same_question_gets_the_same_bytes(tally: Tally, told: Told, question: str) -> None:
    """As text and as JSON, which holds the coverage."""
    for options in ((), ("--json",)):
        first, again = (tally(question, NAMED[question], *options, profile=told.profile) for _ in range(2))
        assert first.out == again.out
    coverage = first.json["coverage"]
    assert (coverage["full"], [ledger["gap"] for ledger in coverage["ledgers"]]) == (False, ["", "", ""])


@each_question
def test_a_name_nobody_knows_is_not_found(tally: Tally, told: Told, question: str) -> None:
    """Exit code 4, and the answer says that nothing was shown, not that nothing is there."""
    said = tally(question, UNKNOWN[question], profile=told.profile)
    assert said.code == 4
    assert said.lines[0].startswith("Nothing was shown ")
    assert tally(question, UNKNOWN[question], "--lang", "zh", profile=told.profile).lines[0].startswith("未见")
    assert tally(question, UNKNOWN[question], "--json", profile=told.profile).code == 4


@each_question
def test_before_it_was_said_nothing_was(tally: Tally, told: Told, question: str) -> None:
    """As of the end of a day of the past."""
    said = tally(question, NAMED[question], "--on", "2001-01-01", profile=told.profile)
    assert said.code == 4
    assert "as of 2001-01-01" in said.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["case", ""], 2),
        (["reconcile", "--exchange", ""], 2),
        (["who", ""], 2),
        (["who", "A@"], 2),
        (["who", "A#1"], 2),
        (["trace", CODE], 2),
        (["trace", "A@1@2"], 2),
        (["trace", LICENCES, "--format", "png"], 2),
        (["access", "A\x00"], 2),
        (["access", LICENCES], 2),
        (["impact", CODE], 2),
        (["impact", "x" * 400], 2),
        (["who", MATTER, "--on", "someday"], 2),
        (["case", CASE, "--on", "2027-13-01"], 2),
        (["who"], 2),
        (["case", CASE, "more"], 2),
    ],
    ids=repr,
)
def test_rubbish_gets_one_line(tally: Tally, told: Told, arguments: list[str], code: int) -> None:
    """What was wrong and what was expected, before any ledger is read."""
    said = tally(*arguments, profile=told.profile)
    assert (said.code, said.out, len(said.err.splitlines())) == (code, "", 1)


@each_question
@pytest.mark.usefixtures("copies_away")
def test_a_node_that_is_down_is_a_gap(tally: Tally, told: Told, question: str) -> None:
    """Exit code 3, also where nothing was found; the others are shown."""
    with told.cluster[TAX].stopped():
        said = tally(question, NAMED[question], profile=told.profile)
        nothing = tally(question, UNKNOWN[question], profile=told.profile)
        document = tally(question, NAMED[question], "--json", profile=told.profile)
    assert (said.code, nothing.code, document.code) == (3, 3, 3)
    assert "Not covered: taxation, but for what is shown: " in said.out
    assert not said.lines[0].startswith("Nothing")
    assert [bool(ledger["gap"]) for ledger in document.json["coverage"]["ledgers"]] == [False, True, False]


@pytest.mark.usefixtures("copies_away")
def test_a_half_of_a_ledger_that_is_not_covered_is_not_said_to_be_missing(tally: Tally, told: Told) -> None:
    """Nor not shown: nobody looked."""
    with told.cluster[TAX].stopped():
        for question in ("trace", "access", "impact", "case"):
            said = tally(question, NAMED[question], profile=told.profile)
            assert "the other half is not covered: the ledger of taxation" in said.out
            assert "by taxation was shown" not in said.out
    alone = tally("trace", "SW-0031@1", profile=told.profile)
    assert f"no receipt by {PLANNING} was shown" in alone.out


@pytest.fixture
def lying(tmp_path: Path) -> Iterator[LyingDistrict]:
    """A district in which one node can lie: a version of the market's for a case, received by the tax office."""
    with LyingDistrict(tmp_path, "market", "tax") as made:
        half: dict[str, Any] = {"exchange": bytes(16), "version": LICENCES, "case": b"c" * 16}
        made.say("market", "assign_duty", holder="tax", duty="steward", matter=MATTER)
        sent = made.say("market", "send", to="tax", **half)
        made.say("tax", "receive", sender="market", sent=sent, **half)
        yield made
        made.node("tax").lies.clear()


@each_question
def test_a_node_that_alters_what_it_shows_is_named(tally: Tally, lying: LyingDistrict, question: str) -> None:
    """Exit code 5; the others are shown."""

    def alter(bundle: Any) -> None:
        bundle.entry[0] = bundle.entry[0][:-1] + bytes([bundle.entry[0][-1] ^ 1])

    name = "63636363-6363-6363-6363-636363636363" if question == "case" else NAMED[question]
    assert tally(question, name, profile=lying.profile).code == 0
    lying.node("tax").lies |= {"Find": alter, "ReadEntries": alter}
    if question == "who":  # nothing of this is on that ledger but its checkpoint
        lying.node("tax").lies["GetCheckpoint"] = lambda answer: setattr(answer, "checkpoint", b"nonsense")
    said = tally(question, name, profile=lying.profile)
    assert said.code == 5
    assert "Not covered: tax, but for what is shown: " in said.out
    assert not said.lines[0].startswith("Nothing")
