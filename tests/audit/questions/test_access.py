"""Who may have a resource and who had it, over the indexes of a district in memory."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.audit.inquiry import collect
from tallystick.audit.questions.access import access, access_json, inquire
from tests.harness.district import District, Said
from tests.harness.moving import moved, said, used

CODE, VERSION = "SCJG-0012", "SCJG-0012@1"


@pytest.fixture
def district() -> District:
    return District("market", "planning", "tax")


def asked(district: District, code: str = CODE, on: str = "2027-03-31") -> dict[str, Any]:
    """What the indexes answer, which is what a full pass shows."""
    seen, _ = district.ask(inquire(code, district.charter), on)
    answer = access_json(access(code, seen), seen)
    whole = district.look(on)[1]
    assert access_json(access(code, whole), whole) == answer
    return answer


def declared(district: District, bureau: str = "market", **more: object) -> Said:
    shared = {"sharing": "conditional", "condition": "joint supervision", **more}
    return said(district, bureau, "declare", resource=CODE, scheme="local", title="企业登记", **shared)


def requested(district: District, by: str = "tax", **more: object) -> Said:
    return said(district, by, "request", resource=CODE, provider="market", purpose="tax-registration", **more)


def granted(district: District, request: Said, to: str = "tax", **more: object) -> Said:
    return said(district, "market", "grant", request=request, to=to, resource=CODE, **more)


def states(answer: dict[str, Any], part: str) -> list[tuple[str, str, str]]:
    """Who, how it stands, and how far that is proven."""
    who = "to" if part == "grants" else "by"
    return [(each[who], each["state"], each["standing"]) for each in answer[part]]


@pytest.mark.parametrize(
    ("said_of_it", "ground"),
    [
        ({}, "joint supervision"),
        ({"sharing": "withheld", "condition": None, "basis": "测绘成果管理条例 第十六条"}, "测绘成果管理条例 第十六条"),
        ({"sharing": "unconditional", "condition": None}, ""),
    ],
)
def test_how_it_is_shared_is_its_declarers_word(district: District, said_of_it: dict[str, Any], ground: str) -> None:
    """With the condition, or the basis on which it is withheld."""
    first = declared(district, **said_of_it)
    (each,) = asked(district)["declared"]
    assert (each["bureau"], each["reference"], each["ground"]) == ("market", first.reference, ground)
    assert each["sharing"] == said_of_it.get("sharing", "conditional")


def test_what_stands_declared_is_told_of_every_declarer(district: District) -> None:
    """The last that each said, and nothing that was withdrawn."""
    declared(district)
    again = declared(district, sharing="withheld", condition=None, basis="a law")
    other = declared(district, "tax")
    assert [each["reference"] for each in asked(district)["declared"]] == [again.reference, other.reference]
    said(district, "market", "withdraw", resource=CODE)
    assert [each["reference"] for each in asked(district)["declared"]] == [other.reference]


def test_a_grant_carries_its_terms_and_its_request(district: District) -> None:
    """What the grant leaves open, the request says."""
    request = requested(district, system="TAX-REG", fields=["name", "address"])
    grant = granted(district, request, conditions=["no copies"], until="2027-12-31", fields=["name"])
    (each,) = asked(district)["grants"]
    assert each == {
        "provider": "market",
        "to": "tax",
        "state": "in-force",
        "standing": "proven",
        "grant": grant.reference,
        "request": request.reference,
        "purpose": "tax-registration",
        "system": "TAX-REG",
        "fields": ["name"],
        "conditions": ["no copies"],
        "until": "2027-12-31",
        "ended": None,
    }


@pytest.mark.parametrize("by", ["market", "tax"])
def test_either_side_ends_a_grant(district: District, by: str) -> None:
    """Also where the end does not name the resource; a third bureau does not."""
    grant = granted(district, requested(district))
    said(district, "planning", "end", grant=grant, how="revoked")
    assert states(asked(district), "grants") == [("tax", "in-force", "proven")]
    ended = said(district, by, "end", grant=grant, how="revoked")
    answer = asked(district)
    assert states(answer, "grants") == [("tax", "ended", "proven")]
    assert answer["grants"][0]["ended"] == ended.reference


def test_a_grant_holds_to_the_end_of_its_last_day(district: District) -> None:
    """As of the day that was asked for."""
    granted(district, requested(district), until="2027-03-10")
    assert states(asked(district, on="2027-03-10"), "grants") == [("tax", "in-force", "proven")]
    assert states(asked(district, on="2027-03-11"), "grants") == [("tax", "expired", "proven")]
    district.on("2027-03-09")
    said(district, "market", "end", grant=granted(district, requested(district)), how="revoked")
    assert states(asked(district, on="2027-03-08"), "grants") == [("tax", "in-force", "proven")]


def test_what_was_not_granted_is_denied_ended_or_unanswered(district: District) -> None:
    """An answer need not name the resource; that none was shown is not covered."""
    for by in ("tax", "planning", "planning"):
        request = requested(district, by)
    denied = said(district, "market", "deny", request=request, reason="no ground")
    withdrawn = requested(district)
    said(district, "tax", "end", grant=withdrawn, how="withdrawn")
    answer = asked(district)
    assert states(answer, "requests") == [
        ("tax", "unanswered", "not-covered"),
        ("planning", "unanswered", "not-covered"),
        ("planning", "denied", "proven"),
        ("tax", "ended", "proven"),
    ]
    assert answer["requests"][2]["answer"] == denied.reference
    assert answer["grants"] == []


def test_a_request_that_was_granted_is_told_as_the_grant(district: District) -> None:
    """Once, however often it was granted."""
    request = requested(district)
    granted(district, request)
    answer = asked(district)
    assert (len(answer["grants"]), answer["requests"]) == (1, [])


def test_who_had_it_is_told_with_the_grant_that_was_cited(district: District) -> None:
    """By either half; of each two bureaus the last, by any version or none."""
    grant = granted(district, requested(district))
    moved(district, "x-1", VERSION, "market", "tax", grant=grant)
    moved(district, "x-2", "SCJG-0012@2", "market", "tax", grant=grant)
    said(district, "market", "send", exchange="x-3", to="planning", resource=CODE, service="query")
    exchanges = asked(district)["exchanges"]
    assert [(each["to"], each["version"], each["standing"], each["grant"]) for each in exchanges] == [
        ("planning", None, "one-side", None),
        ("tax", "SCJG-0012@2", "proven", grant.reference),
    ]


def test_a_popular_resource_is_not_read_whole(district: District) -> None:
    """Nor what was used under its grants."""
    grant = granted(district, requested(district))
    for number in range(20):
        moved(district, f"x-{number}", VERSION, "market", "tax", grant=grant)
        used(district, "tax", VERSION, grant=grant)
    found = collect(inquire(CODE, district.charter), lambda wanted: district.find(wanted, district.now_us + 1))
    assert len(found) == 4


def test_another_resource_is_another_question(district: District) -> None:
    """Also where its code begins alike, and where nothing is known."""
    declared(district)
    granted(district, requested(district))
    for code in (f"{CODE}0", "SCJG-001", "X"):
        seen, _ = district.ask(inquire(code, district.charter), "2027-03-31")
        assert not access(code, seen).is_known


def test_a_ledger_that_does_not_answer_leaves_its_part_unsaid(district: District) -> None:
    """The request is the asker's; without the provider's ledger no answer was shown."""
    granted(district, requested(district))
    district.uncovered.add("market")
    seen, coverage = district.ask(inquire(CODE, district.charter), "2027-03-31")
    answer = access_json(access(CODE, seen), seen)
    assert (answer["grants"], states(answer, "requests")) == ([], [("tax", "unanswered", "not-covered")])
    assert [ledger.bureau for ledger in coverage.ledgers if ledger.gap] == ["market"]
