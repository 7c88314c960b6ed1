"""What a compromised key signed is suspect: marked wherever it shows something, and held against nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tallystick.audit.finding import Finding, Found, Standing
from tallystick.audit.rulebook import Severity
from tallystick.audit.views.suspects import Signed, Suspects
from tests.harness.district import District

MARKET = "market"
KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
SINCE_US = 1_000


def told(since_us: int = SINCE_US) -> tuple[District, Suspects]:
    """The market's registrar revokes a key at #2, compromised since then."""
    district = District(MARKET, "tax")
    market = district[MARKET]
    for _ in range(2):
        market.use("M-1@1", purpose="tax")
    market.say("revoke_actor", revoked="market:clerk", key=KEY, compromised_since=since_us, by="registrar")
    _, seen, _ = district.look("2027-06-01", rules=())
    return district, seen.suspects


@pytest.mark.parametrize(
    ("bureau", "index", "key", "at_us", "suspect"),
    [
        (MARKET, 1, KEY, SINCE_US, True),
        (MARKET, 0, KEY, SINCE_US + 1, True),
        (MARKET, 1, KEY, SINCE_US - 1, False),
        (MARKET, 2, KEY, SINCE_US, False),
        (MARKET, 3, KEY, SINCE_US, False),
        (MARKET, 1, OTHER, SINCE_US, False),
        ("tax", 1, KEY, SINCE_US, False),
    ],
    ids=["since", "later", "before", "itself", "after", "other-key", "other-ledger"],
)
def test_it_is_the_key_the_place_and_the_date(bureau: str, index: int, key: bytes, at_us: int, suspect: bool) -> None:
    """Signed by that key, below its revocation, dated since it was compromised, on that ledger."""
    _, suspects = told()
    assert suspects.is_suspect(bureau, index, Signed(key, at_us)) is suspect


def test_who_signed_need_be_asked_only_below_a_revocation_of_that_actor() -> None:
    """Whatever the key."""
    _, suspects = told()
    assert suspects.may_be(MARKET, 1)
    assert suspects.may_be(MARKET, 1, "market:clerk")
    assert not suspects.may_be(MARKET, 1, "market:gateway")
    assert not suspects.may_be(MARKET, 2)
    assert not suspects.may_be("tax", 1)


def test_a_revocation_that_names_no_moment_casts_no_doubt() -> None:
    """As when somebody leaves."""
    _, suspects = told(0)
    assert not suspects.may_be(MARKET, 0)
    assert not suspects.is_suspect(MARKET, 0, Signed(KEY, SINCE_US))


def test_a_finding_is_marked_and_stays_what_it_is() -> None:
    """Its standing, its bureau and its id; the sentence names what is suspect, in both languages."""
    district, suspects = told()
    found = Found(MARKET, (f"{MARKET}#0", "tax#1", f"{MARKET}#1", MARKET), 5, {"error": "x"})
    finding = Finding.of("chain-broken", Severity.SERIOUS, Standing.PROVEN, found)
    asked: list[str] = []

    def signed(bureau: str, index: int) -> Signed | None:
        asked.append(f"{bureau}#{index}")
        return Signed(KEY, SINCE_US) if index == 0 else None

    before = replace(finding)
    suspects.mark([finding], signed)
    assert asked == [f"{MARKET}#0", f"{MARKET}#1"]
    assert finding.suspect == (f"{MARKET}#0",)
    assert replace(finding, suspect=()) == before
    for language, words in (("en", "suspect, signed by a key"), ("zh", "存疑")):
        said = district.sentence(finding, language)
        assert words in said
        assert said.startswith(district.sentence(before, language))
