"""Where a version came from and where it went, over the indexes of a district in memory."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.audit.questions.dot import trace_dot
from tallystick.audit.questions.trace import DEPTH_MAX, inquire, trace, trace_json
from tallystick.audit.words import Words
from tests.harness.district import District
from tests.harness.moving import moved, provided, said, used

PARCELS, LICENCES, TAXES = "GH-0007@1", "SCJG-0012@2027-03", "SW-0031@1"


@pytest.fixture
def district() -> District:
    return District("market", "planning", "tax")


def told(district: District) -> None:
    """Parcels go to the market, which makes licences of them; those go to the tax office, which makes taxes of them."""
    provided(district, "planning", PARCELS)
    moved(district, "x-1", PARCELS, "planning", "market")
    provided(district, "market", LICENCES, PARCELS)
    moved(district, "x-2", LICENCES, "market", "tax")
    provided(district, "tax", TAXES, LICENCES)
    moved(district, "x-3", TAXES, "tax", "planning", received=False)


def asked(district: District, version: str, on: str = "2027-03-31") -> dict[str, Any]:
    """What the indexes answer, which is what a full pass shows."""
    seen, coverage = district.ask(inquire(version, district.charter), on)
    assert not coverage.full
    answer = trace_json(trace(version, seen), seen)
    whole = district.look(on)[1]
    assert trace_json(trace(version, whole), whole) == answer
    return answer


def names(branches: list[dict[str, Any]]) -> list[str]:
    return [branch["version"] for branch in branches]


def test_a_version_is_followed_up_and_down_across_bureaus(district: District) -> None:
    """What it was made from with what brought that, who holds it, what was made of it and who was sent that."""
    told(district)
    answer = asked(district, LICENCES)
    assert (answer["bureau"], answer["provided"]) == ("market", "market#1")
    (source,) = answer["made_from"]
    assert (source["version"], source["bureau"]) == (PARCELS, "planning")
    assert [(each["to"], each["standing"]) for each in source["exchanges"]] == [("market", "proven")]
    assert [(each["to"], each["standing"]) for each in answer["exchanges"]] == [("tax", "proven")]
    (made,) = answer["made_into"]
    assert (made["version"], made["bureau"]) == (TAXES, "tax")
    (half,) = made["exchanges"]
    assert (half["to"], half["sent"], half["received"], half["standing"]) == ("planning", "tax#2", None, "one-side")


def test_from_either_end_the_whole_line_is_seen(district: District) -> None:
    """Upstream from the last, downstream from the first, at any remove."""
    told(district)
    last = asked(district, TAXES)
    assert names(last["made_from"]) == [LICENCES]
    assert names(last["made_from"][0]["made_from"]) == [PARCELS]
    assert last["made_into"] == []
    first = asked(district, PARCELS)
    assert names(first["made_into"]) == [LICENCES]
    assert names(first["made_into"][0]["made_into"]) == [TAXES]
    assert first["made_from"] == []


def test_of_a_source_only_its_way_to_who_made_the_next_is_told(district: District) -> None:
    """Who else holds it is another question."""
    told(district)
    moved(district, "x-9", PARCELS, "planning", "tax")
    (source,) = asked(district, LICENCES)["made_from"]
    assert [each["to"] for each in source["exchanges"]] == ["market"]
    assert [each["to"] for each in asked(district, PARCELS)["exchanges"]] == ["market", "tax"]


def test_between_two_bureaus_the_last_exchange_is_shown(district: District) -> None:
    """However often it moved: the last that was sent, and where that was not received, the last that was."""
    provided(district, "market", LICENCES)
    for number in range(5):
        moved(district, f"x-{number}", LICENCES, "market", "tax")
    received = moved(district, "x-5", LICENCES, "market", "tax")
    sent = moved(district, "x-6", LICENCES, "market", "tax", received=False)
    shown = {(each["sent"], each["received"]) for each in asked(district, LICENCES)["exchanges"]}
    assert shown == {(sent[0].reference, None), (received[0].reference, received[1].reference)}
    at_last = said(district, "tax", "receive", exchange="x-6", sender="market", version=LICENCES)
    assert [each["received"] for each in asked(district, LICENCES)["exchanges"]] == [at_last.reference]


def test_a_receipt_alone_is_one_sides_word(district: District) -> None:
    """Nothing is said of who shall have sent it but that."""
    provided(district, "market", LICENCES)
    said(district, "tax", "receive", exchange="x-1", sender="market", version=LICENCES)
    (half,) = asked(district, LICENCES)["exchanges"]
    assert (half["from"], half["sent"], half["standing"]) == ("market", None, "one-side")


def test_halves_that_differ_are_both_told(district: District) -> None:
    """Neither is convicted."""
    provided(district, "market", LICENCES)
    said(district, "market", "send", exchange="x-1", to="tax", version=LICENCES, size=7)
    said(district, "tax", "receive", exchange="x-1", sender="market", version=LICENCES, size=8)
    (exchange,) = asked(district, LICENCES)["exchanges"]
    assert exchange["differences"] == [{"name": "size", "sent": "7", "received": "8"}]
    assert exchange["standing"] == "one-side"


def test_a_use_says_who_holds_it_without_an_exchange(district: District) -> None:
    """The last one on each ledger."""
    provided(district, "market", LICENCES)
    for _ in range(3):
        last = used(district, "tax", LICENCES)
    answer = asked(district, LICENCES)
    assert answer["exchanges"] == []
    assert answer["used"] == [{"bureau": "tax", "last_use": last.reference}]


def test_what_is_told_twice_hangs_from_one_place(district: District) -> None:
    """A version made of two that were made of one is no endless tree, nor is a circle."""
    provided(district, "market", "A@1")
    provided(district, "market", "B@1", "A@1")
    provided(district, "market", "C@1", "A@1", "B@1")
    provided(district, "market", "A@0", "C@1")
    provided(district, "market", "C@0", "A@0", "C@0")
    first, second = asked(district, "A@1")["made_into"]
    assert (first["version"], names(first["made_into"])) == ("B@1", ["C@1"])
    assert (second["version"], second["again"], second["made_into"]) == ("C@1", True, [])
    (itself,) = asked(district, "C@0")["made_into"]
    assert (itself["version"], itself["again"]) == ("C@0", True)


def test_a_long_line_is_cut_where_it_may_go_on(district: District) -> None:
    """And says so there; asked about from there, it goes on."""
    length = DEPTH_MAX + 3
    provided(district, "market", "L@0")
    for number in range(1, length + 1):
        provided(district, "market", f"L@{number}", f"L@{number - 1}")
    for begin, way, end in (("L@0", "made_into", f"L@{DEPTH_MAX}"), (f"L@{length}", "made_from", "L@3")):
        branch, steps = asked(district, begin), 0
        while branch[way]:
            (branch,), steps = branch[way], steps + 1
        assert (branch["version"], branch["cut"], steps) == (end, True, DEPTH_MAX)
    assert len(asked(district, f"L@{DEPTH_MAX}")["made_into"]) == 1


def test_what_nobody_was_shown_to_provide_is_not_said_to_be_missing(district: District) -> None:
    """A source that is only named, and a name nobody knows."""
    provided(district, "market", LICENCES, "X-1@1")
    (source,) = asked(district, LICENCES)["made_from"]
    assert (source["version"], source["bureau"], source["provided"]) == ("X-1@1", None, None)
    seen, _ = district.ask(inquire("X-9@1", district.charter), "2027-03-31")
    assert not trace("X-9@1", seen).is_known
    seen, _ = district.ask(inquire("X-1@1", district.charter), "2027-03-31")
    assert trace("X-1@1", seen).is_known


def test_the_day_decides(district: District) -> None:
    """What was recorded later is not told, and what it would supersede is."""
    provided(district, "market", LICENCES)
    early = moved(district, "x-1", LICENCES, "market", "tax")
    district.on("2027-04-10")
    moved(district, "x-2", LICENCES, "market", "tax")
    district["market"].recall(LICENCES, reason="a column was shifted")
    then = asked(district, LICENCES)
    assert (then["recalled"], then["exchanges"][0]["received"]) == (None, early[1].reference)
    now = asked(district, LICENCES, "2027-04-10")
    assert now["recalled"] == "market#3"
    assert now["exchanges"][0]["received"] == "tax#1"


def test_a_ledger_that_does_not_answer_leaves_its_halves_unsaid(district: District) -> None:
    """What the others hold is told."""
    told(district)
    district.uncovered.add("tax")
    seen, coverage = district.ask(inquire(LICENCES, district.charter), "2027-03-31")
    answer = trace_json(trace(LICENCES, seen), seen)
    assert [(each["sent"], each["received"]) for each in answer["exchanges"]] == [("market#2", None)]
    assert answer["made_into"] == []
    assert [ledger.bureau for ledger in coverage.ledgers if ledger.gap] == ["tax"]


@pytest.mark.parametrize(("language", "recalled"), [("en", "recalled"), ("zh", "已撤回")])
def test_a_graph_has_a_box_a_version_and_an_oval_a_holder(district: District, language: str, recalled: str) -> None:
    """What one side alone recorded is dashed; the same graph each time."""
    told(district)
    district["market"].recall(LICENCES, reason="a column was shifted")
    seen, _ = district.ask(inquire(LICENCES, district.charter), "2027-03-31")
    answer, words = trace(LICENCES, seen), Words(district.charter, language)
    lines = list(trace_dot(answer, seen, words))
    assert lines == list(trace_dot(answer, seen, words))
    assert (lines[0], lines[-1]) == ("digraph trace {", "}")
    assert f'  "{PARCELS}" -> "{LICENCES}";' in lines
    assert f'  "{LICENCES}" -> "{TAXES}";' in lines
    assert sum("shape=ellipse" in line for line in lines) == 3
    assert sum("dashed" in line for line in lines) == 1
    assert recalled in next(line for line in lines if line.startswith(f'  "{LICENCES}" [label'))


def test_nothing_a_ledger_says_leaves_its_quotes(district: District) -> None:
    """Neither quotes nor backslashes nor what moves a cursor."""
    evil = 'A"]; evil [label="\\\u202e@1'
    provided(district, "market", evil)
    seen, _ = district.ask(inquire(evil, district.charter), "2027-03-31")
    (line,) = [line for line in trace_dot(trace(evil, seen), seen, Words(district.charter, "en")) if "evil" in line]
    name = 'A\\"]; evil [label=\\"\\\\\\\\u202e@1'
    assert line == f'  "{name}" [label="{name}\\nmarket\\nmarket#0"];'
