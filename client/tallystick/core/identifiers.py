"""The names things go by. Everything here raises InvalidIdentifier, and a `check_` hands its text back.

    bureau             market-regulation                    [a-z0-9-]{1,64}
    actor, officer     taxation:o-7f3a                      <bureau>:[a-z0-9-]{1,31}
    origin             pudong.example/market-regulation     printable ASCII without space or +, a dot and a slash in it
    resource code      SCJG-0012                            1 to 256 characters, no @, # or control character
    scheme             gb.21063-4                           [a-z0-9][a-z0-9.-]{0,63}
    label              2027-03                              a version, system, matter or purpose: 1 to 64 characters,
                                                            no @, # or control character
    version reference  SCJG-0012@2027-03                    <resource code>@<version>
    entry reference    taxation#1088                        <bureau>#<index>
    credit code        11310115000000019X                   unified social credit code, GB 32100
    exchange           7QK2M9                               shown: first 6 Crockford base32 digits of BLAKE3 of its id
    finding            F-3KQ0ZV8M1T5R                       F- and 12 Crockford base32 digits

Control characters are Unicode's Cc; a lone surrogate, which no UTF-8 can carry, is refused with them. Submissions and
exchanges have UUIDv7 ids of 16 bytes (RFC 9562): 48 bits of milliseconds, version, 12 random bits, variant, 62 more.

The check digit of a credit code: each of the first 17 characters, its value in the 31-character alphabet, times 3^i mod
31 for position i from 0; their sum and the check digit's value add up to a multiple of 31.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from blake3 import blake3

from tallystick.core.errors import InvalidIdentifier
from tallystick.core.limits import (
    ACTOR_NAME_CHARS_MAX,
    BUREAU_ID_CHARS_MAX,
    LABEL_CHARS_MAX,
    LEDGER_ENTRIES_MAX,
    ORIGIN_CHARS_MAX,
    RESOURCE_CODE_CHARS_MAX,
)

HOLDERS: Final = "charter-holders"
"""Who answers for a finding, in a bureau's place, where it is those who hold the charter's keys."""

NOBODY: Final = "nobody-yet"
"""Who answers where what was observed may be a node's doing, others' or the network's."""

UUID_BYTES: Final = 16
UUID_RANDOM_BYTES: Final = 10
SCHEME_CHARS_MAX: Final = 64

_BUREAU: Final = re.compile(rf"[a-z0-9-]{{1,{BUREAU_ID_CHARS_MAX}}}")
_ACTOR_NAME: Final = re.compile(rf"[a-z0-9-]{{1,{ACTOR_NAME_CHARS_MAX}}}")
_ORIGIN: Final = re.compile(r"[!-*,-~]+")
_SCHEME: Final = re.compile(rf"[a-z0-9][a-z0-9.-]{{0,{SCHEME_CHARS_MAX - 1}}}")
_FORBIDDEN: Final = re.compile(r"[@#\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}")

_CREDIT_DIGITS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_CODE: Final = re.compile(rf"[{_CREDIT_DIGITS}]{{2}}[0-9]{{6}}[{_CREDIT_DIGITS}]{{10}}")
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_EXCHANGE_DIGITS: Final = 6
FINDING_DIGITS: Final = 12
_SHORT_FORM: Final = re.compile(rf"[{_CROCKFORD}]{{{_EXCHANGE_DIGITS}}}", re.ASCII | re.IGNORECASE)
_FINDING: Final = re.compile(rf"F-[{_CROCKFORD}]{{{FINDING_DIGITS}}}")


class ActorName(NamedTuple):
    """An actor `<bureau>:<name>` in its two parts."""

    bureau: str
    name: str


class VersionRef(NamedTuple):
    """One version of a resource, `<code>@<version>`."""

    code: str
    version: str


@dataclass(frozen=True, slots=True, order=True)
class EntryRef:
    """An entry of a bureau's ledger, `<bureau>#<index>`."""

    bureau: str
    index: int


def check_bureau_id(text: str) -> str:
    """A bureau's id."""
    return _matching(_BUREAU, text, "a bureau id", f"1 to {BUREAU_ID_CHARS_MAX} of a-z, 0-9 and -")


def check_actor(text: str) -> str:
    """An actor or officer, `<bureau>:<name>`."""
    split_actor(text)
    return text


def split_actor(text: str) -> ActorName:
    """An actor's bureau and its name there."""
    bureau, colon, name = text.partition(":")
    if not (colon and _BUREAU.fullmatch(bureau) and _ACTOR_NAME.fullmatch(name)):
        raise _invalid(text, "an actor", f"<bureau>:<1 to {ACTOR_NAME_CHARS_MAX} of a-z, 0-9 and ->")
    return ActorName(bureau, name)


def check_origin(text: str) -> str:
    """The name of a ledger."""
    expected = f"printable ASCII without space or +, a dot and a slash in it, at most {ORIGIN_CHARS_MAX} characters"
    if len(text) > ORIGIN_CHARS_MAX or "." not in text or "/" not in text:
        raise _invalid(text, "an origin", expected)
    return _matching(_ORIGIN, text, "an origin", expected)


def check_resource_code(text: str) -> str:
    """A resource's code, whatever its scheme; codes of other systems come as they are."""
    return _free_text(text, "a resource code", RESOURCE_CODE_CHARS_MAX)


def check_scheme(text: str) -> str:
    """The scheme a resource's code belongs to."""
    return _matching(_SCHEME, text, "a scheme", f"1 to {SCHEME_CHARS_MAX} of a-z, 0-9, . and -, not . or - first")


def check_label(text: str, what: str = "label") -> str:
    """A version, system, matter or purpose; `what` names it in the error."""
    return _free_text(text, f"a {what}", LABEL_CHARS_MAX)


def parse_version_ref(text: str) -> VersionRef:
    """Reads `<code>@<version>`."""
    code, _, version = text.partition("@")
    try:
        return VersionRef(check_resource_code(code), check_label(version, "version"))
    except InvalidIdentifier:
        most = f"at most {RESOURCE_CODE_CHARS_MAX} and {LABEL_CHARS_MAX} characters"
        expected = f"<resource code>@<version> of {most}, as in SCJG-0012@2027-03"
        raise _invalid(text, "a version reference", expected) from None


def format_version_ref(code: str, version: str) -> str:
    """Writes `<code>@<version>`."""
    return f"{check_resource_code(code)}@{check_label(version, 'version')}"


def parse_entry_ref(text: str) -> EntryRef:
    """Reads `<bureau>#<index>`."""
    bureau, _, index = text.partition("#")
    if not (_BUREAU.fullmatch(bureau) and _DECIMAL.fullmatch(index) and int(index) < LEDGER_ENTRIES_MAX):
        raise _invalid(text, "an entry reference", "<bureau>#<index>, as in taxation#1088")
    return EntryRef(bureau, int(index))


def format_entry_ref(bureau: str, index: int) -> str:
    """Writes `<bureau>#<index>`."""
    if not 0 <= index < LEDGER_ENTRIES_MAX:
        raise InvalidIdentifier(f"{index} is not an index", expected=f"0 to {LEDGER_ENTRIES_MAX - 1}")
    return f"{check_bureau_id(bureau)}#{index}"


def parse_decimal(text: str, most: int) -> int:
    """A number from 0 to `most` in ASCII digits, without sign or leading zeros."""
    if not _DECIMAL.fullmatch(text) or (number := int(text)) > most:
        raise _invalid(text, "a number", f"0 to {most} in digits, without leading zeros")
    return number


def check_credit_code(text: str) -> str:
    """A unified social credit code, its check digit included."""
    _matching(_CREDIT_CODE, text, "a unified social credit code", "18 characters of GB 32100")
    weighted = sum(_CREDIT_DIGITS.index(digit) * pow(3, place, 31) for place, digit in enumerate(text[:17]))
    check = _CREDIT_DIGITS[-weighted % 31]
    if text[17] != check:
        raise InvalidIdentifier(f"the check digit of credit code {text} is {text[17]}", expected=check)
    return text


def exchange_short_form(exchange: bytes) -> str:
    """What a person is shown for an exchange id, which any 6 of 2^30 others may share."""
    return _crockford(int.from_bytes(blake3(exchange).digest()[:4], "big") >> 2, _EXCHANGE_DIGITS)


def short_form_in(text: str) -> str | None:
    """The short form of an exchange that a text may be meant for, in whatever case; None where it cannot be one."""
    return text.upper() if _SHORT_FORM.fullmatch(text) else None


def finding_id(rule: str, bureau: str, references: Iterable[str]) -> str:
    """The id of a finding, the same in every audit that finds it: `F-` and 60 bits of BLAKE3 of what identifies it."""
    named = "\n".join(("tallystick/finding/v1", rule, bureau, *references)) + "\n"
    number = int.from_bytes(blake3(named.encode()).digest()[:8], "big") >> 4
    return "F-" + _crockford(number, FINDING_DIGITS)


def check_finding_id(text: str) -> str:
    """The id of a finding, as `finding_id` makes them."""
    return _matching(_FINDING, text, "a finding", f"F- and {FINDING_DIGITS} of 0-9 and A-Z without I, L, O, U")


def uuid7(at_us: int, random: bytes) -> bytes:
    """A UUIDv7 of that moment, in microseconds since 1970, from 10 random bytes; microseconds below 1,000 are lost."""
    milliseconds = at_us // 1000
    if not 0 <= milliseconds < 1 << 48 or len(random) != UUID_RANDOM_BYTES:
        raise InvalidIdentifier("no UUIDv7 can be made of this", expected=f"48 bits of ms, {UUID_RANDOM_BYTES} bytes")
    drawn = int.from_bytes(random, "big")
    number = milliseconds << 80 | 0x7 << 76 | (drawn >> 62 & 0xFFF) << 64 | 0b10 << 62 | drawn & (1 << 62) - 1
    return number.to_bytes(UUID_BYTES, "big")


def uuid7_time_us(id_: bytes) -> int:
    """The moment a UUIDv7 names, in microseconds since 1970."""
    if len(id_) != UUID_BYTES or id_[6] >> 4 != 0x7 or id_[8] >> 6 != 0b10:
        raise InvalidIdentifier(f"{id_[:32].hex()} is not an id", expected="the 16 bytes of a UUIDv7")
    return int.from_bytes(id_[:6], "big") * 1000


def _crockford(number: int, digits: int) -> str:
    return "".join(_CROCKFORD[number >> 5 * place & 31] for place in reversed(range(digits)))


def _matching(pattern: re.Pattern[str], text: str, what: str, expected: str) -> str:
    if not pattern.fullmatch(text):
        raise _invalid(text, what, expected)
    return text


def _free_text(text: str, what: str, most: int) -> str:
    if not 1 <= len(text) <= most or _FORBIDDEN.search(text):
        raise _invalid(text, what, f"1 to {most} characters, no @, # or control character")
    return text


def _invalid(text: str, what: str, expected: str) -> InvalidIdentifier:
    return InvalidIdentifier(f"{text[:80]!r} is not {what}", expected=expected)
