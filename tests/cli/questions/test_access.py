"""`tally access` over real nodes: how a resource is shared, who may have it, who was not granted it, who had it."""

from __future__ import annotations

from tests.cli.conftest import Said, Tally
from tests.cli.questions.conftest import CODE, LICENCES, MARKET, PLANNING, TAX, TAXES, Told


def rows(said: Said) -> list[list[str]]:
    return [line.split("\t") for line in said.lines if "\t" in line]


def test_each_line_says_who_said_it_where_and_how_far_it_is_proven(tally: Tally, told: Told) -> None:
    """The declaration, the grant with its terms, the denial, and the last exchange with the grant it cites."""
    at = told.at
    said = tally("access", CODE, profile=told.profile)
    assert said.lines[0] == f"{CODE}, declared by {MARKET}, {at['declared']}: conditional; 联合监管; proven."
    granted, denied, moved = rows(said)
    assert granted == [
        TAX,
        f"from {MARKET}",
        "in force",
        "until 2099-12-31",
        "tax-registration; 一案一查",
        f"{at['asked']} {at['granted']}",
        "proven",
    ]
    assert [*denied[:3], *denied[4:]] == [
        PLANNING,
        f"of {MARKET}",
        "denied",
        "joint-supervision",
        f"{at['refused']} {at['denied']}",
        "proven",
    ]
    assert [*moved[:3], *moved[4:]] == [
        TAX,
        f"from {MARKET}",
        LICENCES,
        f"under {at['granted']}",
        f"{at['sent']} {at['received']}",
        "proven",
    ]


def test_in_chinese(tally: Tally, told: Told) -> None:
    """The sharing class and the states as the field calls them."""
    said = tally("access", CODE, "--lang", "zh", profile=told.profile)
    for words in (
        "有条件共享",
        "授权：",
        "有效",
        "至2099年12月31日",
        "申请未获同意：",
        "不同意",
        "最近交换：",
        "收发相符",
    ):
        assert words in said.out


def test_a_grant_is_in_force_to_the_end_of_its_last_day(tally: Tally, told: Told) -> None:
    """As of the day that was asked for."""
    for day, state in (("2099-12-31", "in-force"), ("2100-01-01", "expired")):
        (grant,) = tally("access", CODE, "--on", day, "--json", profile=told.profile).json["grants"]
        assert grant["state"] == state


def test_what_was_never_declared_or_granted_is_said_so(tally: Tally, told: Told) -> None:
    """As far as was shown; it did move."""
    said = tally("access", TAXES.partition("@")[0], profile=told.profile)
    assert said.code == 0
    assert "No declaration of SW-0031 that stands was shown." in said.lines
    assert "No grant was shown." in said.lines
    ((*_, cites, reference, standing),) = rows(said)
    assert (cites, reference, standing) == ("cites no grant", told.at["alone"], "one side's word")
