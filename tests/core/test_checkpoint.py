"""Checkpoints: three strict lines, signed under the ledger's own name."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.checkpoint import (
    Checkpoint,
    format_checkpoint,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
)
from tallystick.core.errors import MalformedNote, NotVouchedFor, SignatureInvalid, VerificationFailed
from tallystick.core.keys import SigningKey
from tallystick.core.limits import LEDGER_ENTRIES_MAX
from tallystick.core.merkle import EMPTY_ROOT
from tallystick.core.note import VerifierKey, encode_base64, sign_note

ORIGIN = "pudong.example/market-regulation"
KEY = SigningKey(sha256(b"ledger").digest())
VERIFIER = VerifierKey.of(ORIGIN, KEY.public)
ROOT = sha256(b"root").digest()
CHECKPOINT = Checkpoint(ORIGIN, 300, ROOT)
TEXT = format_checkpoint(CHECKPOINT)
ROOT_LINE = encode_base64(ROOT)


@given(st.integers(1, LEDGER_ENTRIES_MAX), st.binary(min_size=32, max_size=32))
def test_any_checkpoint_reads_back(size: int, root: bytes) -> None:
    """A formatted checkpoint parses to the very checkpoint, and a signed one opens to it."""
    checkpoint = Checkpoint(ORIGIN, size, root)
    assert parse_checkpoint(format_checkpoint(checkpoint)) == checkpoint
    assert open_checkpoint(sign_checkpoint(checkpoint, KEY), VERIFIER) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT[:-1],
        TEXT + "\n",
        TEXT + "an extension\n",
        TEXT.replace("300", "0300"),
        TEXT.replace("300", "+300"),
        TEXT.replace("300", "-1"),
        TEXT.replace("300", "3_0"),
        TEXT.replace("300", "３００"),
        TEXT.replace("300", " 300"),
        TEXT.replace("300", "0"),
        TEXT.replace("300", str(LEDGER_ENTRIES_MAX + 1)),
        TEXT.replace("300", "9" * 5000),
        TEXT.replace("300\n", "300\r\n"),
        TEXT.replace("=\n", "\n"),
        TEXT.replace("=\n", "==\n"),
        TEXT.replace(ROOT_LINE, encode_base64(ROOT + b"\0")),
        TEXT.replace(ROOT_LINE, encode_base64(ROOT[1:])),
        TEXT.replace(ROOT_LINE, ROOT_LINE[:-2] + chr(ord(ROOT_LINE[-2]) + 1) + "="),
        TEXT.replace(ORIGIN, ""),
        TEXT.replace(ORIGIN, "no-slash.example"),
        TEXT.replace(ORIGIN, "nodot/ledger"),
        TEXT.replace(ORIGIN, "a b.example/ledger"),
        TEXT.replace(ORIGIN, "a+b.example/ledger"),
        TEXT.replace(ORIGIN, "浦东.example/ledger"),
    ],
)
def test_a_text_that_is_no_checkpoint_is_malformed(text: str) -> None:
    """Extensions, other ways to write the numbers, roots of other lengths and odd origins are refused."""
    with pytest.raises(MalformedNote):
        parse_checkpoint(text)


def test_a_checkpoint_that_no_reader_would_accept_is_not_made() -> None:
    """Origin, size and root are checked when a checkpoint is made; an empty tree has the one empty root."""
    assert parse_checkpoint(format_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT))).size == 0
    for origin, size, root in (
        ("bad", 1, ROOT),
        (ORIGIN, -1, ROOT),
        (ORIGIN, LEDGER_ENTRIES_MAX + 1, ROOT),
        (ORIGIN, 1, ROOT[1:]),
        (ORIGIN, 0, ROOT),
    ):
        with pytest.raises(MalformedNote):
            Checkpoint(origin, size, root)


def test_a_checkpoint_of_another_ledger_is_refused() -> None:
    """A ledger's key vouches for its own origin only, even under a valid signature."""
    other = format_checkpoint(Checkpoint("pudong.example/taxation", 300, ROOT))
    with pytest.raises(SignatureInvalid, match="taxation"):
        open_checkpoint(sign_note(other, (ORIGIN, KEY)), VERIFIER)


def test_a_checkpoint_not_signed_by_its_ledger_is_refused() -> None:
    """Somebody else's signature, under whatever name, opens nothing."""
    stranger = SigningKey(sha256(b"stranger").digest())
    for data in (sign_checkpoint(CHECKPOINT, stranger), sign_note(TEXT, ("stranger", stranger))):
        with pytest.raises(SignatureInvalid):
            open_checkpoint(data, VERIFIER)


def test_what_another_version_of_the_charter_may_account_for_is_told_apart() -> None:
    """A key of the ledger's name that is not known, or has ended, is no stranger's: who shows it need not be lying."""
    other = SigningKey(sha256(b"the next").digest())
    with pytest.raises(NotVouchedFor, match="a later version of the charter"):
        open_checkpoint(sign_checkpoint(CHECKPOINT, other), VERIFIER)
    with pytest.raises(NotVouchedFor, match="the charter ends at 299"):
        open_checkpoint(sign_checkpoint(CHECKPOINT, KEY), VERIFIER, {VERIFIER: 299})
    with pytest.raises(SignatureInvalid) as stranger:
        open_checkpoint(sign_note(TEXT, ("stranger", other)), VERIFIER)
    assert not isinstance(stranger.value, NotVouchedFor)


@given(st.text(), st.binary())
def test_garbage_is_refused_as_such(text: str, data: bytes) -> None:
    """Arbitrary text and bytes end in a verification error."""
    for garbage in (text, TEXT + text, text + TEXT[1:]):
        try:
            parse_checkpoint(garbage)
        except MalformedNote:
            continue
        assert garbage.endswith(TEXT[1:])
    with pytest.raises(VerificationFailed):
        open_checkpoint(data, VERIFIER)
