"""What a charter makes of a checkpoint that was shown before it: vouched for, lost, or denied against a quorum."""

from __future__ import annotations

import msgspec
import pytest

from tallystick.core.acknowledged import Verdict, judge_acknowledged
from tallystick.core.bureau import Floor, Retired
from tallystick.core.charter import Bureau, Charter
from tallystick.core.checkpoint import Checkpoint, sign_checkpoint
from tallystick.core.cosignature import make_cosignature
from tallystick.core.errors import SignatureInvalid
from tallystick.core.note import VerifierKey, add_signatures, encode_base64, parse_note
from tests.harness.ledger_maker import charter_of, key_of
from tests.harness.rosters import roster_of

OLD, *WITNESSES = roster_of(5)
FLOOR, ROOT, OTHER = 300, b"\x05" * 32, b"\x06" * 32
NEW = msgspec.structs.replace(
    OLD,
    ledger_key=VerifierKey.of(OLD.origin, key_of(OLD.id, "new").public).format(),
    floor=Floor(FLOOR, encode_base64(bytes(32))),
    retired=(Retired(OLD.ledger_key, FLOOR),),
)
CLOSED = msgspec.structs.replace(OLD, floor=NEW.floor, state="closed")


def shown(size: int, *by: Bureau, key: str = "node") -> bytes:
    """A checkpoint that a key of the ledger signed, with cosignatures."""
    note = sign_checkpoint(Checkpoint(OLD.origin, size, ROOT), key_of(OLD.id, key))
    text = parse_note(note).text
    return add_signatures(
        note, *(make_cosignature(text, 1, key_of(each.id, "witness"), f"{each.origin}/witness") for each in by)
    )


@pytest.mark.parametrize("bureau", [NEW, CLOSED], ids=["retired", "closed"])
@pytest.mark.parametrize("count", range(5))
def test_beyond_a_floor_a_quorum_tells_denied_from_lost(bureau: Bureau, count: int) -> None:
    """At the floor and below everything is vouched for, whoever cosigned; above, three of four make it equivocation."""
    charter: Charter = charter_of(bureau, *WITNESSES)
    for size in (1, FLOOR):
        assert judge_acknowledged(shown(size, *WITNESSES[:count]), charter, bureau).verdict is Verdict.VOUCHED
    found = judge_acknowledged(shown(FLOOR + 1, *WITNESSES[:count]), charter, bureau, OTHER)
    assert (found.checkpoint.size, found.vouches, found.cosigned, found.needed) == (FLOOR + 1, FLOOR, count, 3)
    assert found.verdict is (Verdict.EQUIVOCATION if count >= 3 else Verdict.LOST)


@pytest.mark.parametrize("count", range(5))
def test_without_a_second_history_nobody_is_convicted(count: int) -> None:
    """Until it is shown what the ledger holds there it is open, and where it holds the same, nothing was lost."""
    charter = charter_of(NEW, *WITNESSES)
    note = shown(FLOOR + 1, *WITNESSES[:count])
    assert judge_acknowledged(note, charter, NEW).verdict is Verdict.OPEN
    assert judge_acknowledged(note, charter, NEW, ROOT).verdict is Verdict.HELD


def test_the_present_key_vouches_for_whatever_it_signs() -> None:
    """There is no floor above which it ends."""
    charter = charter_of(NEW, *WITNESSES)
    assert judge_acknowledged(shown(10_000, key="new"), charter, NEW).verdict is Verdict.VOUCHED


def test_neither_one_organisation_twice_nor_a_key_given_up_counts_to_a_quorum() -> None:
    """Two of one credit code are one; and who has a witness's old key can date a signature as it likes."""
    twin = msgspec.structs.replace(WITNESSES[1], credit_code=WITNESSES[0].credit_code)
    found = judge_acknowledged(
        shown(301, *WITNESSES[:2]), charter_of(NEW, WITNESSES[0], twin, *WITNESSES[2:]), NEW, OTHER
    )
    assert (found.cosigned, found.needed, found.verdict) == (1, 2, Verdict.LOST)
    renewed = msgspec.structs.replace(
        WITNESSES[0],
        witness_key=VerifierKey.of(f"{WITNESSES[0].origin}/witness", key_of("b1", "w2").public, 4).format(),
        retired=(Retired(WITNESSES[0].witness_key),),
    )
    found = judge_acknowledged(shown(301, *WITNESSES[:3]), charter_of(NEW, renewed, *WITNESSES[1:]), NEW, OTHER)
    assert (found.cosigned, found.verdict) == (2, Verdict.LOST)


def test_without_a_quorum_nothing_is_denied() -> None:
    """A ledger that nobody witnesses loses what it alone held."""
    charter = charter_of(NEW, WITNESSES[0])
    assert judge_acknowledged(shown(301, WITNESSES[0]), charter, NEW, OTHER).verdict is Verdict.LOST


def test_what_no_key_of_the_ledger_signed_is_not_judged() -> None:
    """A stranger's note was never the ledger's word."""
    with pytest.raises(SignatureInvalid):
        judge_acknowledged(shown(301, *WITNESSES, key="stranger"), charter_of(NEW, *WITNESSES), NEW)
