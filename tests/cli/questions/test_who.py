"""`tally who` over real nodes: who answers, by what, since when, and how far that is proven."""

from __future__ import annotations

from tests.cli.conftest import Said, Tally
from tests.cli.questions.conftest import CODE, LICENCES, MARKET, MATTER, PLANNING, TAX, Told


def row(said: Said, duty: str) -> list[str]:
    """The first row of a duty, its day aside."""
    cells = next(line.split("\t") for line in said.lines if line.startswith(f"{duty}\t"))
    return [*cells[:3], *cells[4:]]


def test_who_accepted_is_proven_and_who_answers_instead_is_not_covered(tally: Tally, told: Told) -> None:
    """Each row names the bureau, the unit, by what, and the entries; below them every duty that was assigned."""
    at = told.at
    said = tally("who", MATTER, profile=told.profile)
    accepted = f"{at['approver']} {at['approver accepted']}"
    assert said.lines[0].startswith(f"matter {MATTER}, on ")
    assert row(said, "approver") == ["approver", PLANNING, "审批处", "accepted", accepted, "proven"]
    supervisor = row(said, "supervisor")
    assert supervisor[3:] == [
        "approved; no supervisor was shown, so this bureau answers",
        f"{at['approver']} {at['released']}",
        "not covered",
    ]
    assert f"released {at['released']}" in said.out
    assert f"accepted {at['supervisor accepted']}" in said.out


def test_in_chinese_bureaus_duties_and_days_are_called_as_officials_call_them(tally: Tally, told: Told) -> None:
    """The matter, who approves, who supervises."""
    said = tally("who", MATTER, "--lang", "zh", profile=told.profile)
    assert said.lines[0].startswith(f"事项 {MATTER}，")
    assert row(said, "审批")[1:4] == ["规划资源局", "审批处", "已认领"]
    assert row(said, "监管")[3] == "有审批，未见监管单位，由其承担"
    assert "历次责任指定：" in said.out


def test_a_resource_is_its_declarers_and_a_version_its_providers(tally: Tally, told: Told) -> None:
    """An assignment that nobody was shown to accept is its assigner's word."""
    resource = tally("who", CODE, profile=told.profile)
    assert row(resource, "producer") == [
        "producer",
        MARKET,
        "登记注册处",
        "declared it",
        told.at["declared"],
        "proven",
    ]
    assert row(resource, "steward")[1:] == [
        TAX,
        "",
        "assigned; no acceptance was shown",
        told.at["steward"],
        "one side's word",
    ]
    version = tally("who", LICENCES, "--json", profile=told.profile).json
    (over,) = version["over"]
    assert (version["asked"], over["what"], over["value"]) == (LICENCES, "resource", CODE)
    assert [(each["how"], each["references"]) for each in over["answers"]] == [
        ("declared", [told.at["declared"]]),
        ("provided", [told.at["licences"]]),
        ("assigned", [told.at["steward"]]),
    ]


def test_a_bureau_without_a_chief_is_still_a_bureau(tally: Tally, told: Told) -> None:
    """Nobody was shown, which is not to say that there is nobody."""
    said = tally("who", PLANNING, profile=told.profile)
    assert said.code == 0
    assert said.lines[:2] == [said.lines[0], "Nobody was shown to answer for it."]
    assert said.lines[0].startswith("bureau planning, on ")
    zh = tally("who", PLANNING, "--lang", "zh", profile=told.profile)
    assert zh.lines[0].startswith("单位 规划资源局，")
    assert zh.lines[1] == "未见责任单位。"


def test_what_a_ledger_says_moves_no_cursor(tally: Tally, told: Told) -> None:
    """A control character is shown by its escape."""
    said = tally("who", "evil", profile=told.profile)
    assert "\x1b" not in said.out
    assert "evil\\x1b[2J" in said.out
