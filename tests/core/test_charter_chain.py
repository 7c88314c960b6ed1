"""A charter's versions: what follows what, who must have signed it, and what two of one number prove."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from tallystick.core.bureau import Retired
from tallystick.core.charter import Auditor, Charter, Floor
from tallystick.core.charter_chain import Version, follow, signers
from tallystick.core.charter_note import format_charter, parse_charter, sign_charter
from tallystick.core.errors import CharterForked, CharterMismatch, MalformedCharter, VerificationFailed
from tallystick.core.note import COSIGNATURE_V1, VerifierKey, encode_base64
from tests.harness.charter_versions import (
    FIRST,
    FLOOR,
    MARKET,
    RENEWED,
    SECOND,
    TAXATION,
    after,
    closing,
    key_text,
    next_of,
    with_market,
)
from tests.harness.ledger_maker import CHARTER_KEYS, LedgerMaker, key_of, signed

OTHER_CODE = "123101154250123459"
NEW_KEYS = ("pudong.example/key-3", "pudong.example/key-4", "pudong.example/key-5")


def keys_of(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(VerifierKey.of(name, key_of(name).public).format() for name in names)


def refusal(charter: Charter, *known: Version) -> str:
    """The sentence with which a well-signed version is refused."""
    with pytest.raises(CharterMismatch) as caught:
        next_of(*(known or (FIRST,)), charter=charter)
    assert not isinstance(caught.value, CharterForked)
    return str(caught.value)


def test_a_version_follows_the_one_it_names() -> None:
    """Signed by enough holders and nothing going back, the next version is trusted, and so is the one after it."""
    assert (SECOND.number, SECOND.charter) == (2, RENEWED)
    assert follow([FIRST, SECOND], SECOND.note) == SECOND
    third = next_of(FIRST, SECOND, charter=after(SECOND, auditor=(Auditor("audit", key_text("a.example/x", "a")),)))
    assert third.number == 3
    assert parse_charter(format_charter(third.charter)) == third.charter


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_of_the_old_or_of_the_new_keys_are_not_enough(count: int) -> None:
    """The threshold of the old keys signs and that of the new; a key of both counts for both."""
    new = after(FIRST, charter_keys=keys_of(NEW_KEYS))
    for by in (CHARTER_KEYS[:count] + NEW_KEYS[1:], CHARTER_KEYS[:2] + NEW_KEYS[2 - count : 2][:count]):
        old_count, new_count = len(set(by) & set(CHARTER_KEYS)), len(set(by) & set(NEW_KEYS))
        if old_count >= 2 and new_count >= 2:
            assert next_of(FIRST, charter=new, by=by).number == 2
        else:
            with pytest.raises(VerificationFailed):
                next_of(FIRST, charter=new, by=by)
    assert next_of(FIRST, charter=new, by=("pudong.example/key-1", *NEW_KEYS[:2])).number == 2


def test_every_one_byte_change_is_refused() -> None:
    """Where every signature is needed, no other byte anywhere in a version's note is let pass, and no shorter note."""
    by = ("pudong.example/key-1", "pudong.example/key-3", "pudong.example/key-4")
    note = signed(msgspec.structs.replace(RENEWED, charter_keys=keys_of(NEW_KEYS)), by)[0]
    assert follow([FIRST], note).number == 2
    for at in range(len(note)):
        with pytest.raises(VerificationFailed):
            follow([FIRST], note[:at] + bytes([note[at] ^ 1]) + note[at + 1 :])
    for cut in range(0, len(note), 7):
        with pytest.raises(VerificationFailed):
            follow([FIRST], note[:cut])


@pytest.mark.parametrize(
    ("charter", "what"),
    [
        (after(FIRST, name="other"), "its name is other; expected pudong"),
        (msgspec.structs.replace(RENEWED, previous=""), "its version before is none"),
        (msgspec.structs.replace(RENEWED, previous=SECOND.digest), "its version before is blake3:"),
        (msgspec.structs.replace(RENEWED, version=3), "it is version 3, and version 1 is the last one known"),
        (after(FIRST, issued=FIRST.charter.issued - timedelta(seconds=1)), "it is issued on"),
        (after(FIRST, bureau=(MARKET,)), "taxation is left out"),
        (with_market(credit_code=OTHER_CODE), "the credit code of market-regulation"),
        (with_market(ledger_key=key_text(MARKET.origin, "new")), "the retired keys of market-regulation"),
        (with_market(registrar_key=key_text(f"{MARKET.origin}/registrar", "new")), "the retired keys"),
        (with_market(witness_key=key_text(f"{MARKET.origin}/witness", "new", COSIGNATURE_V1)), "the retired keys"),
        (
            msgspec.structs.replace(
                RENEWED,
                bureau=(
                    msgspec.structs.replace(RENEWED.bureau[0], retired=(Retired(MARKET.ledger_key, 6),)),
                    TAXATION,
                ),
            ),
            "the retired keys of market-regulation differ",
        ),
        (with_market(floor=FLOOR, retired=(Retired(key_text(MARKET.origin, "x"), 7),)), "the retired keys"),
        (
            after(
                FIRST,
                auditor=(Auditor("audit", key_text("a.example/x", CHARTER_KEYS[0])),),
                charter_keys=keys_of(("pudong.example/key-2", "pudong.example/key-3", "pudong.example/key-4")),
            ),
            "the key of a.example/x was that of pudong.example/key-1",
        ),
    ],
)
def test_what_does_not_follow_is_named(charter: Charter, what: str) -> None:
    """Name, number, digest before, issue, roster, credit codes and retired keys are each held to, by a sentence."""
    assert what in refusal(charter)


def test_a_renamed_ledger_does_not_follow() -> None:
    """An id never gets another ledger."""
    other = msgspec.structs.replace(LedgerMaker(bureau="archives").bureau, id=MARKET.id)
    assert "the origin of market-regulation" in refusal(after(FIRST, bureau=(other, TAXATION)))


@pytest.mark.parametrize("floor", [None, Floor(6, FLOOR.root), Floor(7, encode_base64(bytes(32)))], ids=str)
def test_floors_never_go_back(floor: Floor | None) -> None:
    """A size that was pinned stays pinned with its root, or a larger one is; a retired key ends where it ended."""
    pinned = next_of(FIRST, charter=with_market(floor=FLOOR))
    assert "the floor of market-regulation goes back" in refusal(with_market(pinned, floor=floor), FIRST, pinned)
    larger = next_of(FIRST, pinned, charter=with_market(pinned, floor=Floor(8, encode_base64(bytes(32)))))
    assert larger.charter.by_id(MARKET.id).floor != FLOOR


def test_a_retired_key_never_returns() -> None:
    """A key that was given up is named in every later version as it was, and signs for nobody again."""
    gone = RENEWED.by_id(MARKET.id).retired
    assert "retired keys" in refusal(with_market(SECOND, retired=()), FIRST, SECOND)
    for back in (
        {"ledger_key": MARKET.ledger_key, "retired": gone},
        {"retired": (*gone, *gone)},
    ):
        with pytest.raises(MalformedCharter, match="one key stands twice"):
            next_of(FIRST, SECOND, charter=with_market(SECOND, **back))


def test_a_closed_ledger_stays_closed_and_is_succeeded_by_another_id_of_its_credit_code() -> None:
    """It ends at its floor for ever; a successor is a new bureau of the same organisation."""
    closed = next_of(FIRST, charter=closing(FIRST, successor="market-supervision"))
    for changes in ({"state": "active", "successor": ""}, {"floor": Floor(9, FLOOR.root)}):
        assert "closed" in refusal(with_market(closed, **changes), FIRST, closed)
    assert next_of(FIRST, closed, charter=after(closed)).charter.bureau == closed.charter.bureau


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"state": "closed"}, "closed without a floor"),
        ({"successor": "taxation"}, "active, succeeded by taxation"),
        ({"state": "closed", "floor": FLOOR, "successor": "market-regulation"}, "succeeded by market-regulation"),
        ({"state": "closed", "floor": FLOOR, "successor": "nobody"}, "succeeded by nobody, which is no bureau here"),
        ({"retired": (Retired(MARKET.ledger_key, 7),)}, "no floor stands beside it"),
        ({"floor": FLOOR, "retired": (Retired(MARKET.ledger_key, 8),)}, "at most 7"),
        ({"floor": FLOOR, "retired": (Retired(MARKET.ledger_key, -1),)}, "it vouches for -1"),
        ({"floor": FLOOR, "retired": (Retired(TAXATION.ledger_key, 1),)}, "expected a key of pudong.example/market"),
        ({"floor": FLOOR, "retired": (Retired(MARKET.witness_key, 1),)}, "at most 0"),
        ({"floor": FLOOR, "retired": (Retired("x", 1),)}, "is not a verifier key"),
        ({"floor": FLOOR, "retired": (Retired(MARKET.registrar_key, 1),)}, "one key stands twice"),
    ],
)
def test_what_no_version_may_say_of_an_end_is_named(changes: dict[str, Any], what: str) -> None:
    """Closing needs a floor, a successor the same credit code, a retired key a size within the floor."""
    with pytest.raises(MalformedCharter) as caught:
        parse_charter(format_charter(with_market(**changes)))
    assert what in str(caught.value)


def test_a_successor_has_the_same_credit_code() -> None:
    """Another organisation does not succeed a bureau."""
    other = msgspec.structs.replace(TAXATION, credit_code=OTHER_CODE)
    market = msgspec.structs.replace(MARKET, state="closed", floor=FLOOR, successor="taxation")
    for heir, good in ((TAXATION, True), (other, False)):
        text = format_charter(after(FIRST, bureau=(market, heir)))
        if good:
            assert parse_charter(text).by_id("taxation") == heir
        else:
            with pytest.raises(MalformedCharter, match="succeeded by taxation"):
                parse_charter(text)


@pytest.mark.parametrize("number", [1, 2])
def test_two_versions_of_one_number_by_the_same_holders_are_a_fork(number: int) -> None:
    """Another digest of a known version proves a fork where enough of its holders signed it, and else nothing."""
    known = (FIRST, SECOND)
    twin = msgspec.structs.replace(known[number - 1].charter, rulebook={"time_zone": "UTC"})
    with pytest.raises(CharterForked, match=f"signed two versions {number}: blake3:.* and blake3:") as caught:
        next_of(*known, charter=twin)
    assert caught.value.known == number
    strangers = msgspec.structs.replace(twin, charter_keys=keys_of(NEW_KEYS))
    with pytest.raises(CharterMismatch, match="its holders did not sign it") as refused:
        next_of(*known, charter=strangers, by=NEW_KEYS)
    assert not isinstance(refused.value, CharterForked)


def test_an_old_version_shown_again_is_told_so() -> None:
    """What was gone by before is neither adopted again nor an accusation."""
    for known in ((FIRST, SECOND), (SECOND,)):
        with pytest.raises(CharterMismatch, match="it is version 1, and version 2 is known") as caught:
            follow(known, FIRST.note)
        assert not isinstance(caught.value, CharterForked)


def test_whose_signatures_a_version_carries() -> None:
    """Each key of the charters asked about that signed, in the note's order; none on a text; a false one is refused."""
    note = signed(RENEWED, ("pudong.example/key-3", "pudong.example/key-1", "pudong.example/stranger"))[0]
    assert [key.name[-5:] for key in signers(note, FIRST.charter, RENEWED)] == ["key-3", "key-1"]
    assert signers(format_charter(RENEWED).encode(), RENEWED) == []
    text = format_charter(RENEWED)
    false = sign_charter(text, [("pudong.example/key-1", key_of("pudong.example/key-1"))])
    line = base64.b64encode(base64.b64decode(false.split()[-1])[:-1] + b"\0")
    with pytest.raises(VerificationFailed):
        signers(b" ".join([*false.rstrip().split(b" ")[:-1], line]) + b"\n", RENEWED)
