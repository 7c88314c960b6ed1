"""Commitments and salted digests: they open where and as they were made, and nowhere else."""

from __future__ import annotations

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.commitment import Place, check_opening, commit, salted_digest
from tallystick.core.errors import ProofFailed, Usage

PLACE = Place("pudong.example/taxation", bytes(range(16)), 7, "data_used.subject")
SALT = bytes(range(32))
VALUE = b"310115199001011234"
COMMITMENT = commit(PLACE, SALT, VALUE)


def test_a_commitment_is_what_its_specification_says() -> None:
    """Salt, the four sized parts of the place and the value, under the derived key."""
    origin, field = b"pudong.example/taxation", b"data_used.subject"
    written = SALT + b"\x00\x17" + origin + b"\x00\x10" + bytes(range(16)) + b"\x00\x04\x00\x00\x00\x07"
    written += b"\x00\x11" + field + VALUE
    assert blake3(written, derive_key_context="tallystick commitment v1").digest() == COMMITMENT
    check_opening(COMMITMENT, PLACE, SALT, VALUE)


@pytest.mark.parametrize(
    ("place", "salt", "value"),
    [
        (PLACE._replace(origin="pudong.example/planning"), SALT, VALUE),
        (PLACE._replace(submission_id=bytes(16)), SALT, VALUE),
        (PLACE._replace(position=8), SALT, VALUE),
        (PLACE._replace(field="data_used.purpose"), SALT, VALUE),
        (PLACE._replace(origin="pudong.example/taxatio", field="ndata_used.subject"), SALT, VALUE),
        (PLACE._replace(field="data_used.subject3"), SALT, VALUE[1:]),
        (PLACE._replace(submission_id=b""), SALT, VALUE),
        (PLACE._replace(position=-1), SALT, VALUE),
        (PLACE._replace(position=2**32), SALT, VALUE),
        (PLACE._replace(field="\ud800"), SALT, VALUE),
        (PLACE._replace(field="x" * 70_000), SALT, VALUE),
        (PLACE, bytes(32), VALUE),
        (PLACE, SALT[:31], VALUE),
        (PLACE, SALT + VALUE[:1], VALUE[1:]),
        (PLACE, SALT, VALUE + b"\0"),
        (PLACE, SALT, b""),
    ],
)
def test_nothing_else_opens_it(place: Place, salt: bytes, value: bytes) -> None:
    """Another place, salt or value does not open a commitment, nor the same bytes divided otherwise."""
    with pytest.raises(ProofFailed):
        check_opening(COMMITMENT, place, salt, value)


@given(st.binary(max_size=40))
def test_no_other_commitment_is_opened(commitment: bytes) -> None:
    """Salt and value open the one commitment only, and garbage is refused as such."""
    if commitment != COMMITMENT:
        with pytest.raises(ProofFailed):
            check_opening(commitment, PLACE, SALT, VALUE)


def test_a_salted_digest_is_what_its_specification_says() -> None:
    """Salt, the three sized names and the digest of the data, under the derived key."""
    data = blake3(b"data").digest()
    written = SALT + b"\x00\x08taxation" + b"\x00\x06SW-001" + b"\x00\x071999-12" + data
    expected = blake3(written, derive_key_context="tallystick digest v1").digest()
    assert salted_digest(SALT, "taxation", "SW-001", "1999-12", data) == expected


def test_a_salted_digest_says_which_version_it_is_of() -> None:
    """Another salt, bureau, code, version or data gives another digest, also where the names join to the same."""
    data = blake3(b"data").digest()
    digests = {
        salted_digest(SALT, "taxation", "SW-001", "1", data),
        salted_digest(bytes(32), "taxation", "SW-001", "1", data),
        salted_digest(SALT, "taxatio", "nSW-001", "1", data),
        salted_digest(SALT, "taxation", "SW-00", "11", data),
        salted_digest(SALT, "taxation", "SW-001", "2", data),
        salted_digest(SALT, "taxation", "SW-001", "1", blake3(b"other").digest()),
    }
    assert len(digests) == 6


def test_a_wrong_call_is_named() -> None:
    """A salt, digest or place of the wrong size is the caller's mistake."""
    with pytest.raises(Usage, match="salt"):
        commit(PLACE, b"", VALUE)
    with pytest.raises(Usage, match="salt"):
        salted_digest(b"", "a", "b", "c", bytes(32))
    with pytest.raises(Usage, match="digest"):
        salted_digest(SALT, "a", "b", "c", b"")
    with pytest.raises(Usage, match="place"):
        commit(PLACE._replace(position=1_000), SALT, VALUE)
