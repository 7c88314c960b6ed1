"""A charter as it is handed round: a signed note, its text TOML beginning `# tallystick/charter/v1`.

Its digest is `blake3:` of the note's *text*. Version 1 is trusted by a digest given out of band, and must carry
signatures by its own threshold of charter keys; what makes a version follow another: `charter_chain`. Fields this
version does not know are refused, because half a charter is no charter.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Final

import msgspec
import tomli_w

from tallystick.core.charter import Charter, Witnessing, check_charter
from tallystick.core.errors import CharterMismatch, MalformedCharter
from tallystick.core.hashing import chain_hash, format_digest
from tallystick.core.keys import Signer
from tallystick.core.limits import CHARTER_BYTES_MAX
from tallystick.core.note import VerifierKey, open_note, parse_note, sign_note
from tallystick.core.toml_text import parse_toml

HEADER: Final = "# tallystick/charter/v1\n"


def charter_digest(text: str) -> str:
    """`blake3:` of the note's text."""
    return format_digest(chain_hash(text.encode()))


def open_charter(data: bytes, digest: str) -> Charter:
    """The charter in a signed note, trusted by its digest.

    Raises CharterMismatch where the digest differs, MalformedCharter where the text is not a charter, and what
    `note.open_note` raises where the note or a signature is bad.
    """
    if len(data) > CHARTER_BYTES_MAX:
        raise MalformedCharter(f"{len(data)} bytes", where="charter", expected=f"at most {CHARTER_BYTES_MAX}")
    text = parse_note(data).text
    found = charter_digest(text)
    if found != digest:
        raise CharterMismatch(f"its digest is {found}", where="charter", expected=digest + _adopting(text, digest))
    charter = parse_charter(text)
    check_signed(data, charter, "its keys")
    return charter


def check_signed(data: bytes, by: Charter, whose: str) -> None:
    """A note carries signatures by the threshold of a charter's keys. Raises CharterMismatch, and as `open_note`."""
    signed = open_note(data, [VerifierKey.parse(key) for key in by.charter_keys]).verified
    if len(signed) < by.threshold:
        raise CharterMismatch(
            f"signed by {len(signed)} of {whose}", where="charter", expected=f"at least {by.threshold}"
        )


def _adopting(text: str, digest: str) -> str:
    """What to do where a later version was put in the place of the trusted one; nothing is believed of it here."""
    try:
        later = parse_charter(text)
    except MalformedCharter:
        return ""
    return (
        f"; it calls itself version {later.version}, which is adopted, not put there"
        if later.previous == digest
        else ""
    )


def parse_charter(text: str) -> Charter:
    """The charter a text says. Raises MalformedCharter."""
    if not text.startswith(HEADER):
        raise MalformedCharter("the first line is not the header", where="charter", expected=HEADER.strip())
    try:
        charter = msgspec.convert(parse_toml(text), Charter)
    except (ValueError, msgspec.ValidationError) as error:
        raise MalformedCharter(str(error), where="charter", expected="a charter as its format says") from None
    check_charter(charter)
    return charter


def format_charter(charter: Charter) -> str:
    """The text of a charter, as `parse_charter` reads it."""
    raw = {
        key: value
        for key, value in msgspec.to_builtins(charter, builtin_types=(datetime, date, time)).items()
        if value not in (None, "", [])
    }
    if charter.witnessing == Witnessing():
        del raw["witnessing"]
    for kind in ("bureau", "auditor"):
        if kind in raw:
            raw[kind] = [{k: v for k, v in each.items() if v not in (None, "", [], ())} for each in raw[kind]]
    for bureau in raw["bureau"]:
        bureau["name"] = {k: v for k, v in bureau["name"].items() if v}
    return HEADER + tomli_w.dumps(raw)


def sign_charter(text: str, keys: Sequence[tuple[str, Signer]]) -> bytes:
    """The charter's note, signed under the given key names. Raises MalformedCharter where the text is none."""
    parse_charter(text)
    return sign_note(text, *keys)
