"""Witnesses in evidence: a file names those that cosigned both notes, whoever shows it, and no others."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.core.charter import Charter
from tallystick.core.equivocation import (
    COSIGNERS_KEPT_MAX,
    canonical_equivocation,
    keep_cosigners,
    make_equivocation,
    verify_equivocation,
    witness_keys,
)
from tallystick.core.errors import Forked, VerificationFailed
from tallystick.core.limits import STATEMENT_BYTES_MAX
from tallystick.core.note import parse_note
from tallystick.core.reconciling import Account
from tests.harness.forks import evidence, note
from tests.harness.ledger_maker import charter_of
from tests.harness.rosters import roster_of

LEDGER, *WITNESSES = roster_of(5)
IDS = [witness.id for witness in WITNESSES]
CHARTER = charter_of(LEDGER, *WITNESSES)
SOME = st.lists(st.sampled_from(IDS), unique=True)


def named(file: bytes, charter: Charter = CHARTER) -> set[str]:
    """Of which bureaus' witness keys a file proves that they cosigned both."""
    keys = {bureau.witness_verifier: bureau.id for bureau in charter.bureau}
    return {keys[key] for key in verify_equivocation(file, charter)[1].cosigners}


@settings(max_examples=40)
@given(one=SOME, other=SOME, order=st.booleans())
def test_who_cosigned_both_is_named_and_nobody_else(one: list[str], other: list[str], order: bool) -> None:
    """Whichever of the two notes is met first; what is made anew of the file names the same, in the same bytes."""
    pair = [note(CHARTER, LEDGER.id, name, 5, *by) for name, by in (("this", one), ("that", other))]
    account = Account(CHARTER, LEDGER)
    account.show(pair[order])
    with pytest.raises(Forked) as caught:
        account.show(pair[not order])
    file = caught.value.evidence
    assert named(file) == {*one} & {*other}
    assert canonical_equivocation(file, CHARTER) == (LEDGER, file)
    by_hand = make_equivocation(pair[0], pair[1], LEDGER.ledger_verifier)
    assert keep_cosigners(by_hand, reversed(pair), witness_keys(CHARTER)) == file


def test_of_a_witness_the_earliest_cosignature_is_kept() -> None:
    """However often it cosigned each: there is one way to write the file."""
    shown = [note(CHARTER, LEDGER.id, name, 5, IDS[0], at_s=at) for name in ("this", "that") for at in (9, 7, 8)]
    made = make_equivocation(shown[0], shown[3], LEDGER.ledger_verifier)
    kept = keep_cosigners(made, shown, witness_keys(CHARTER))
    assert kept == keep_cosigners(made, shown[::-1], witness_keys(CHARTER))
    assert kept == keep_cosigners(made, [shown[1], shown[4]], witness_keys(CHARTER))


def test_no_byte_of_a_file_goes_unchecked() -> None:
    """Whatever one byte is made, in a cosignature as anywhere else, the file proves nothing."""
    file = evidence(CHARTER, LEDGER.id, 4, 5, *IDS[:2])
    assert named(file) == {*IDS[:2]}
    for place in range(0, len(file), 7):
        bent = file[:place] + bytes([file[place] ^ 1]) + file[place + 1 :]
        with pytest.raises(VerificationFailed):
            verify_equivocation(bent, CHARTER)


def test_a_file_of_very_many_witnesses_fits_into_an_entry() -> None:
    """So many are named that the file can be recorded, and the evidence against the ledger's key is whole."""
    many = roster_of(40)
    charter = charter_of(*many)
    file = evidence(charter, many[0].id, 4, 11, *(bureau.id for bureau in many[1:]))
    assert len(named(file, charter)) == COSIGNERS_KEPT_MAX
    assert len(file) < STATEMENT_BYTES_MAX // 4
    assert len(parse_note(note(charter, many[0].id, "this", 4, *(each.id for each in many[1:]))).signatures) == 40
