"""Cosignatures: bound to text, time and key."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.cosignature import check_cosignature, make_cosignature
from tallystick.core.errors import MalformedNote, SignatureInvalid
from tallystick.core.keys import SigningKey
from tallystick.core.note import COSIGNATURE_V1, NoteSignature, VerifierKey, sign_note

NAME = "pudong.example/taxation/witness"
KEY = SigningKey(sha256(b"witness").digest())
VERIFIER = VerifierKey.of(NAME, KEY.public, COSIGNATURE_V1)
TEXT = "pudong.example/market-regulation\n300\nhOE+weA3FVrmGXV1mbLNIa2lpWXg/ZsxOcDDxsG4rak=\n"


@given(st.integers(0, 2**63 - 1))
def test_the_time_cosigned_is_the_time_read(timestamp_s: int) -> None:
    """Checking a cosignature gives the second it was made for, also after its line was written and read."""
    cosignature = make_cosignature(TEXT, timestamp_s, KEY, NAME)
    assert check_cosignature(TEXT, cosignature, VERIFIER) == timestamp_s
    assert NoteSignature.parse(cosignature.format()) == cosignature


def test_every_altered_cosignature_is_refused() -> None:
    """No bit of time or signature can be altered, no byte dropped or added, no other text or key put in."""
    made = make_cosignature(TEXT, 1_700_000_000, KEY, NAME)
    raw = made.signature
    others = [raw[:cut] for cut in range(len(raw))] + [raw + b"\0"]
    others += [raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :] for at in range(len(raw)) for bit in range(8)]
    for other in others:
        with pytest.raises(SignatureInvalid):
            check_cosignature(TEXT, NoteSignature(NAME, made.key_id, other), VERIFIER)
    with pytest.raises(SignatureInvalid):
        check_cosignature(TEXT.replace("300", "301"), made, VERIFIER)
    with pytest.raises(SignatureInvalid):
        check_cosignature(TEXT, NoteSignature("someone/else", made.key_id, raw), VERIFIER)


def test_only_a_witness_key_cosigns() -> None:
    """A key of the plain algorithm checks no cosignature, and its signature is none."""
    plain = VerifierKey.of(NAME, KEY.public)
    with pytest.raises(SignatureInvalid, match="not a witness key"):
        check_cosignature(TEXT, make_cosignature(TEXT, 1, KEY, NAME), plain)
    assert sign_note(TEXT, (NAME, KEY))


@pytest.mark.parametrize("timestamp_s", [-1, 2**63, 2**64])
def test_a_time_out_of_bounds_is_not_cosigned(timestamp_s: int) -> None:
    """Seconds are from 0 to 2^63 - 1, whether made or checked."""
    with pytest.raises(SignatureInvalid):
        make_cosignature(TEXT, timestamp_s, KEY, NAME)
    raw = (timestamp_s % 2**64).to_bytes(8, "big") + bytes(64)
    with pytest.raises(SignatureInvalid):
        check_cosignature(TEXT, NoteSignature(NAME, VERIFIER.key_id, raw), VERIFIER)


def test_a_text_that_is_not_utf8_is_not_cosigned() -> None:
    """A lone surrogate cannot be signed."""
    with pytest.raises(MalformedNote):
        make_cosignature("\ud800\n", 1, KEY, NAME)
