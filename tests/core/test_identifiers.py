"""Identifiers: what is allowed is taken as it is, everything else is refused with one error."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import InvalidIdentifier
from tallystick.core.identifiers import (
    EntryRef,
    check_actor,
    check_bureau_id,
    check_credit_code,
    check_finding_id,
    check_label,
    check_origin,
    check_resource_code,
    check_scheme,
    exchange_short_form,
    finding_id,
    format_entry_ref,
    format_version_ref,
    parse_decimal,
    parse_entry_ref,
    parse_version_ref,
    split_actor,
    uuid7,
    uuid7_time_us,
)
from tallystick.core.limits import LEDGER_ENTRIES_MAX

Shown = TypeVar("Shown")

GOOD: dict[Callable[[str], str], list[str]] = {
    check_bureau_id: ["a", "market-regulation", "0-9", "-", "z" * 64],
    check_actor: ["taxation:o-7f3a", "a:b", "a" * 64 + ":" + "b" * 31, "taxation:node"],
    check_origin: ["pudong.example/market-regulation", "a.b/c/witness", "./", "a.b/" + "c" * 251],
    check_resource_code: [
        "SCJG-0012",
        "x",
        "市场/主体 登记",
        "a+b:c.d",
        "https://x.example/?q=1&r=2",
        "甲" * 256,
        "🙂",
    ],
    check_scheme: ["gb.21063-4", "0", "dcat", "a" * 64],
    check_label: ["2027-03", "310115-GH-03", "第三版", "v 1", "x" * 64],
    check_credit_code: ["11310115000000019X"],
    check_finding_id: ["F-3KQ0ZV8M1T5R", "F-000000000000", finding_id("zombie-system", "taxation", ["taxation#4"])],
}
BAD: dict[Callable[[str], str], list[str]] = {
    check_bureau_id: ["", "A", "a_b", "a:b", "税务", "z" * 65, "a\n", "a "],
    check_actor: ["", "taxation", ":a", "a:", "a:b:c", "a:B", "a" * 65 + ":b", "a:" + "b" * 32, "a:b\n"],
    check_origin: ["", "a.b", "a/b", "a.b/c d", "a.b/c+d", "a.b/\n", "浦.东/c", "a.b/\x7f", "a.b/" + "c" * 252],
    check_resource_code: ["", "a@b", "a#b", "a\nb", "\x7f", "\x85", "a\x00", "\ud800", "甲" * 257],
    check_scheme: ["", ".a", "-a", "A", "a_b", "a" * 65, "a\n"],
    check_label: ["", "a@b", "a#b", "a\tb", "\x9f", "\udfff", "x" * 65],
    check_credit_code: ["11310115000000019x", "11310115000000019X ", "１1310115000000019X", "I1310115000000019X"],
    check_finding_id: [
        "",
        "F-",
        "3KQ0ZV8M1T5R",
        "F-3KQ0ZV8M1T5",
        "F-3KQ0ZV8M1T5RR",
        "F-3kq0zv8m1t5r",
        "F-3KQ0ZV8M1T5I",
    ],
}


@pytest.mark.parametrize(("check", "text"), [(check, text) for check, texts in GOOD.items() for text in texts])
def test_what_is_well_formed_is_taken_as_it_is(check: Callable[[str], str], text: str) -> None:
    """A well-formed identifier comes back unchanged."""
    assert check(text) == text


@pytest.mark.parametrize(("check", "text"), [(check, text) for check, texts in BAD.items() for text in texts])
def test_what_is_not_well_formed_is_refused(check: Callable[[str], str], text: str) -> None:
    """Anything else is refused, in a sentence that says what was expected."""
    with pytest.raises(InvalidIdentifier, match="expected"):
        check(text)


@given(st.text(), st.binary(max_size=20))
def test_garbage_is_refused_as_such(text: str, raw: bytes) -> None:
    """Whatever is given, InvalidIdentifier is the only error."""
    for check in (*GOOD, parse_version_ref, parse_entry_ref, split_actor):
        refused(check, text)
    refused(lambda text: parse_decimal(text, 9), text)
    refused(uuid7_time_us, raw)
    refused(lambda raw: uuid7(0, raw), raw)


def test_resource_codes_forbid_only_what_they_say() -> None:
    """Of all characters only @, #, Unicode's controls and lone surrogates are refused in a code or label."""
    for point in range(0x110000):
        character = chr(point)
        forbidden = character in "@#" or unicodedata.category(character) in ("Cc", "Cs")
        if forbidden or point % 97 == 0:
            for check in (check_resource_code, check_label):
                assert refused(check, character) == forbidden


def test_a_label_is_named_in_its_error() -> None:
    """The error says which label was wrong."""
    with pytest.raises(InvalidIdentifier, match="is not a matter"):
        check_label("", "matter")


def test_an_actor_has_two_parts() -> None:
    """Bureau and name come apart at the colon."""
    assert split_actor("taxation:o-7f3a") == ("taxation", "o-7f3a")


FREE = st.text(st.characters(exclude_characters="@#", exclude_categories=("Cc", "Cs")), min_size=1, max_size=64)


@given(FREE, FREE)
def test_version_references_read_back(code: str, version: str) -> None:
    """A version reference says its code and version, and nothing else says the same."""
    assert parse_version_ref(format_version_ref(code, version)) == (code, version)


@pytest.mark.parametrize("text", ["", "a", "@", "a@", "@a", "a@b@c", "a#b@c", "a@" + "b" * 65])
def test_odd_version_references_are_refused(text: str) -> None:
    """A version reference has one @ between two well-formed parts."""
    with pytest.raises(InvalidIdentifier):
        parse_version_ref(text)
    with pytest.raises(InvalidIdentifier):
        format_version_ref(text, "v") if text != "a" else format_version_ref("a", "")


@given(st.from_regex(r"[a-z0-9-]{1,64}", fullmatch=True), st.integers(0, LEDGER_ENTRIES_MAX - 1))
def test_entry_references_read_back(bureau: str, index: int) -> None:
    """An entry reference says its bureau and index."""
    text = format_entry_ref(bureau, index)
    assert text == f"{bureau}#{index}"
    assert parse_entry_ref(text) == EntryRef(bureau, index)


@pytest.mark.parametrize(
    "text", ["", "a", "a#", "#1", "a#01", "a#-1", "a#1#2", "a#１", "A#1", f"a#{LEDGER_ENTRIES_MAX}"]
)
def test_odd_entry_references_are_refused(text: str) -> None:
    """An entry reference has one # between a bureau and a plain decimal below the bound."""
    with pytest.raises(InvalidIdentifier):
        parse_entry_ref(text)


def test_an_index_out_of_bounds_is_not_written() -> None:
    """Only an index a ledger can have is written."""
    for index in (-1, LEDGER_ENTRIES_MAX):
        with pytest.raises(InvalidIdentifier):
            format_entry_ref("a", index)


@pytest.mark.parametrize("code", ["91350100M000100Y43", "11310115000000019X", "113101150000001900"])
def test_every_changed_character_of_a_credit_code_is_refused(code: str) -> None:
    """The check digit finds every single wrong character."""
    for at, character in enumerate(code):
        for other in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ":
            if other != character:
                assert refused(check_credit_code, code[:at] + other + code[at + 1 :])


def test_an_exchange_is_shown_by_the_first_30_bits_of_its_hash() -> None:
    """Six Crockford digits, most significant first, of BLAKE3 of the id."""
    exchange = bytes(range(16))
    bits = "".join(f"{byte:08b}" for byte in blake3(exchange).digest())
    digits = [int(bits[at : at + 5], 2) for at in range(0, 30, 5)]
    assert exchange_short_form(exchange) == "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[digit] for digit in digits)


@given(st.integers(0, (2**48 - 1) * 1000 + 999), st.binary(min_size=10, max_size=10))
def test_a_uuid7_is_one_and_says_its_time(at_us: int, random: bytes) -> None:
    """The id is a version 7 UUID of the RFC's variant, and gives back its millisecond."""
    id_ = uuid7(at_us, random)
    assert (UUID(bytes=id_).version, UUID(bytes=id_).variant) == (7, "specified in RFC 4122")
    assert uuid7_time_us(id_) == at_us // 1000 * 1000


def test_uuid7_of_the_rfc() -> None:
    """The example of RFC 9562, appendix A.6, reads back its time, and its fields stand where it puts them."""
    id_ = bytes.fromhex("017f22e279b07cc398c4dc0c0c07398f")
    assert uuid7_time_us(id_) == 1_645_557_742_000_000
    random = (0xCC3 << 62 | 0x18C4DC0C0C07398F).to_bytes(10, "big")
    assert uuid7(1_645_557_742_000_000, random) == id_


def test_ids_of_two_milliseconds_sort_by_time() -> None:
    """A later millisecond gives a greater id, whatever was drawn."""
    assert uuid7(1_000, b"\xff" * 10) < uuid7(2_000, b"\0" * 10)


@pytest.mark.parametrize("id_", [b"", bytes(16), bytes(15), b"\xff" * 16, uuid7(0, bytes(10)) + b"\0"])
def test_other_ids_have_no_time(id_: bytes) -> None:
    """Wrong length, version or variant is no id."""
    with pytest.raises(InvalidIdentifier):
        uuid7_time_us(id_)
    for at_us, random in ((-1, bytes(10)), (2**48 * 1000, bytes(10)), (0, bytes(9))):
        with pytest.raises(InvalidIdentifier):
            uuid7(at_us, random)


def refused(check: Callable[[Shown], object], shown: Shown) -> bool:
    try:
        check(shown)
    except InvalidIdentifier:
        return True
    return False
