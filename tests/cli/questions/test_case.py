"""`tally case` over real nodes: the steps of one thread of work, in causal order, and its exchanges."""

from __future__ import annotations

from tallystick.core.values import exchange_id
from tests.cli.conftest import Tally
from tests.cli.questions.conftest import CASE, MARKET, PLANNING, TAX, Told

NAMED = ("sent", "used")
STEPS = ("asked", "granted", "sent", "received", "used")


def test_the_steps_are_told_in_the_order_in_which_one_answers_another(tally: Tally, told: Told) -> None:
    """Those that do not name the case are marked; the exchange is proven by both its halves."""
    said = tally("case", CASE, profile=told.profile)
    rows = [line.split("\t") for line in said.lines if "\t" in line]
    steps = [row for row in rows if row[1] in told.at.values()]
    assert [row[1] for row in steps] == [told.at[name] for name in STEPS]
    unnamed = [row[1] for row in steps if row[5] == "does not name the case"]
    assert unnamed == [told.at[name] for name in STEPS if name not in NAMED]
    assert steps[0][2:4] == [f"{TAX}:clerk", "access requested"]
    ((_, *exchange),) = [row for row in rows if row not in steps]
    halves = f"{told.at['sent']} {told.at['received']}"
    assert exchange == [MARKET, TAX, halves, "sent and received alike", "proven"]


def test_the_case_is_found_by_its_text_and_by_its_id(tally: Tally, told: Told) -> None:
    """And told the same."""
    by_text = tally("case", CASE, "--json", profile=told.profile)
    assert by_text.out == tally("case", exchange_id(CASE).hex(), "--json", profile=told.profile).out
    document = by_text.json
    assert document["case"] == exchange_id(CASE).hex()
    assert [step["reference"] for step in document["steps"]] == [told.at[name] for name in STEPS]
    assert document["steps"][1]["answers"] == told.at["asked"]
    assert [step["names_case"] for step in document["steps"]] == [name in NAMED for name in STEPS]
    assert document["steps"][4]["said"]["officer"] == "taxation:o-7f3a"


def test_in_chinese(tally: Tally, told: Told) -> None:
    """Kinds, bureaus and what is not named."""
    said = tally("case", CASE, "--lang", "zh", profile=told.profile)
    for words in ("共享申请", "同意共享", "数据发送", "数据接收", "数据使用", "未载明该办件", "收发相符", "税务局"):
        assert words in said.out


def test_a_citation_of_something_else_is_named(tally: Tally, told: Told) -> None:
    """Neither side is convicted: what is cited is not what stands there."""
    planning = told.cluster[PLANNING].sdk
    market = told.cluster[MARKET].sdk
    wrong = planning.request("X-2", provider=MARKET, purpose="p").ref
    wrong.leaf = bytes(32)
    market.deny(wrong, reason="none", case="a broken one")
    reference = f"{PLANNING}#{wrong.index}"
    said = tally("case", "a broken one", profile=told.profile)
    assert f"what it cites is not what stands at {reference}" in said.out
    document = tally("case", "a broken one", "--json", profile=told.profile).json
    assert [step["broken"] for step in document["steps"]] == [[], [reference]]
    assert f"所引条目与 {reference} 处不符" in tally("case", "a broken one", "--lang", "zh", profile=told.profile).out
