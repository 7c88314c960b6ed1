"""`tally impact` over real nodes: who holds a version or what was made of it, and what each did about its recall."""

from __future__ import annotations

from tests.cli.conftest import Said, Tally
from tests.cli.questions.conftest import LICENCES, MARKET, PARCELS, PLANNING, TAX, TAXES, Told


def rows(said: Said) -> list[list[str]]:
    return [line.split("\t") for line in said.lines if "\t" in line]


def test_each_holder_is_told_with_what_it_did_and_whether_it_used_it_after(tally: Tally, told: Told) -> None:
    """The version's own holders, then those of what was made of it."""
    at = told.at
    said = tally("impact", LICENCES, profile=told.profile)
    first, second = (line for line in said.lines if line.startswith((LICENCES, "made from it: ")))
    assert f"provided by {MARKET} on " in first
    assert f"{at['recalled']} (proven): 姓名列错行" in first
    assert second.startswith(f"made from it: {TAXES}; provided by {TAX} on ")
    assert second.endswith("no recall was shown (not covered)")
    holder, of_derived = rows(said)
    assert [*holder[:3], *holder[4:]] == [
        TAX,
        MARKET,
        f"{at['sent']} {at['received']}",
        "proven",
        f"stopped {at['acknowledged']}",
        f"used once after the recall, first {at['used after']}",
    ]
    assert [*of_derived[:3], *of_derived[4:]] == [PLANNING, TAX, at["alone"], "one side's word", "", "no use was shown"]


def test_in_chinese(tally: Tally, told: Told) -> None:
    """Bureaus, actions and days as they are called there."""
    said = tally("impact", LICENCES, "--lang", "zh", profile=told.profile)
    for words in ("市场监管局", "撤回", "已停用", "撤回后使用 1 次", "衍生版本：", "未见撤回（未覆盖）", "未见使用"):
        assert words in said.out


def test_before_the_recall_there_is_nothing_to_answer(tally: Tally, told: Told) -> None:
    """The source's holders are told without a word on a recall; what was made of it is reached through two steps."""
    document = tally("impact", PARCELS, "--json", profile=told.profile).json
    assert [(each["version"], each["derived"]) for each in document["versions"]] == [
        (PARCELS, False),
        (LICENCES, True),
        (TAXES, True),
    ]
    assert document["versions"][0]["recalled"] is None
    assert document["cut"] is False
    licences = document["versions"][1]
    (holder,) = licences["holders"]
    assert (holder["bureau"], holder["action"], holder["uses_after"]) == (TAX, "stopped", 1)
    assert (licences["recalled"], licences["reason"]) == (told.at["recalled"], "姓名列错行")


def test_a_version_nobody_holds_says_that_no_holder_was_shown(tally: Tally, told: Told) -> None:
    """Which is not that there is none."""
    told.cluster[PLANNING].sdk.provide_version("LONELY-1@1", digest=f"blake3:{'00' * 32}")
    said = tally("impact", "LONELY-1@1", profile=told.profile)
    assert said.lines[1] == "No holder was shown."
    assert tally("impact", "LONELY-1@1", "--lang", "zh", profile=told.profile).lines[1] == "未见持有单位。"
