"""Bureaus that there are none of: anybody can name as many as he likes, and pushes nobody off the page with them."""

from __future__ import annotations

from tallystick.audit.report.flows import BALANCES_MAX, MATRIX_MAX, PAIRS_MAX
from tallystick.audit.report.page import page
from tests.harness.district import District
from tests.harness.reported import ON, Page, report

COUNT = PAIRS_MAX + 20


def test_made_up_bureaus_push_no_other_off_the_page() -> None:
    """What a bureau of the charter sent to another stands in the matrix, among the pairs and in the balance, however
    many others were named, and however busy they are said to be."""
    where = District("mallory", "market", "tax")
    for number in range(COUNT):
        for exchange in ("a", "b"):
            where["mallory"].send(f"{exchange}-{number}", to=f"aa-{number}", resource="M-1", source="paper")
    where["market"].send("x-1", to="tax", resource="R-1", source="paper")
    made = report(where, ON)
    assert [(pair.sender, pair.receiver) for pair in made.pairs][:2] == [("market", "tax"), ("mallory", "aa-0")]
    shown = Page(page(made, "en"))
    assert shown.links.count("#p-market--tax") == 1
    assert "p-market--tax" in shown.ids
    assert f"The {MATRIX_MAX} bureaus that exchanged most, those of the charter first, of {COUNT + 3}" in shown.text
    assert f"The first {PAIRS_MAX} pairs; 21 more by " in shown.text
    assert f"The first {BALANCES_MAX} bureaus; {COUNT + 3 - BALANCES_MAX} more by " in shown.text
