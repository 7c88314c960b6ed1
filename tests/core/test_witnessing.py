"""Cosigned checkpoints: only witnesses of the charter count, each once, and none that did not sign."""

from __future__ import annotations

import msgspec
import pytest

from tallystick.core.bureau import Retired
from tallystick.core.charter import Bureau, Charter, Witnessing
from tallystick.core.checkpoint import Checkpoint, sign_checkpoint
from tallystick.core.compose import compose
from tallystick.core.cosignature import make_cosignature
from tallystick.core.errors import MalformedNote, SignatureInvalid, VerificationFailed
from tallystick.core.limits import LEDGER_ENTRIES_MAX, NOTED_COSIGNATURES_MAX, ORIGIN_CHARS_MAX
from tallystick.core.note import (
    COSIGNATURE_V1,
    Note,
    NoteSignature,
    VerifierKey,
    add_signatures,
    format_note,
    parse_note,
)
from tallystick.core.statement import admit, encode
from tallystick.core.witnessing import TimeBounds, Witnessed, open_cosigned, others_of
from tests.harness.ledger_maker import charter_of, key_of
from tests.harness.rosters import roster_of

LEDGER, *WITNESSES = roster_of(5)
CHARTER = charter_of(LEDGER, *WITNESSES)
CHECKPOINT = Checkpoint(LEDGER.origin, 300, b"\x05" * 32)
NOTE = sign_checkpoint(CHECKPOINT, key_of(LEDGER.id, "node"))
AT_S = 1_800_000_000


def cosigned(note: bytes, *by: Bureau, at_s: int = AT_S) -> bytes:
    """A note with the cosignatures of some bureaus."""
    text = parse_note(note).text
    lines = [make_cosignature(text, at_s, key_of(each.id, "witness"), f"{each.origin}/witness") for each in by]
    return add_signatures(note, *lines)


@pytest.mark.parametrize("count", range(5))
def test_a_checkpoint_is_witnessed_from_the_quorum_on(count: int) -> None:
    """Three of four are enough, two are not; each is named, with its time."""
    found = open_cosigned(cosigned(NOTE, *WITNESSES[:count]), CHARTER, LEDGER)
    assert found.checkpoint == CHECKPOINT
    assert [(each.witness, each.at_s) for each in found.cosigners] == [(each, AT_S) for each in WITNESSES[:count]]
    assert found.enough(CHARTER) == (count >= 3)


def test_one_organisation_counts_once() -> None:
    """Three witnesses of which two share a credit code count as two."""
    twin = msgspec.structs.replace(WITNESSES[1], credit_code=WITNESSES[0].credit_code)
    charter = charter_of(LEDGER, WITNESSES[0], twin, *WITNESSES[2:])
    found = open_cosigned(cosigned(NOTE, *WITNESSES[:3]), charter, LEDGER)
    assert (len(found.cosigners), found.count) == (3, 2)


def test_who_is_no_witness_of_the_ledger_does_not_count() -> None:
    """Strangers, the ledger itself, and bureaus that are not on its list are passed over."""
    listed = msgspec.structs.replace(LEDGER, witnesses=tuple(each.id for each in WITNESSES[:3]))
    charter: Charter = charter_of(listed, *WITNESSES)
    (stranger,) = roster_of(7)[6:]
    found = open_cosigned(cosigned(NOTE, stranger, LEDGER, WITNESSES[3], WITNESSES[0]), charter, listed)
    assert [each.witness for each in found.cosigners] == [WITNESSES[0]]
    assert not found.enough(charter)


def test_others_are_told_apart_from_witnesses_and_only_those_asked_about() -> None:
    """Of bureaus that are asked about, who cosigned and is no witness of the ledger, with his time; no one twice."""
    listed = msgspec.structs.replace(LEDGER, witnesses=tuple(each.id for each in WITNESSES[:2]))
    charter = charter_of(listed, *WITNESSES)
    note = cosigned(cosigned(NOTE, *WITNESSES[:3]), WITNESSES[3], at_s=AT_S + 5)
    assert {each.witness for each in open_cosigned(note, charter, listed).cosigners} == set(WITNESSES[:2])
    found = others_of(note, charter, listed, charter.bureau)
    assert [(each.witness, each.at_s) for each in found] == [(WITNESSES[2], AT_S), (WITNESSES[3], AT_S + 5)]
    assert [each.witness for each in others_of(note, charter, listed, WITNESSES[1:3])] == [WITNESSES[2]]
    assert others_of(cosigned(NOTE, WITNESSES[0]), charter, listed, charter.bureau) == ()
    assert others_of(NOTE, charter, listed, ()) == ()


def test_a_bad_cosignature_beside_the_witnesses_does_not_make_theirs_less() -> None:
    """Whoever asks about the others is refused the note; whoever counts the witnesses is not."""
    listed = msgspec.structs.replace(LEDGER, witnesses=tuple(each.id for each in WITNESSES[:2]))
    charter = charter_of(listed, *WITNESSES)
    (line,) = parse_note(cosigned(NOTE, WITNESSES[2])).signatures[1:]
    bent = NoteSignature(line.name, line.key_id, line.signature[:-1] + bytes([line.signature[-1] ^ 1]))
    note = add_signatures(cosigned(NOTE, *WITNESSES[:2]), bent)
    assert open_cosigned(note, charter, listed).enough(charter)
    with pytest.raises(SignatureInvalid):
        others_of(note, charter, listed, charter.bureau)


def test_what_a_note_is_recorded_with_fits_its_statement() -> None:
    """The longest names, the largest ledger, and as many cosignatures as are recorded."""
    origin = f"a.example/{'x' * ORIGIN_CHARS_MAX}"[:ORIGIN_CHARS_MAX]
    whole = sign_checkpoint(Checkpoint(origin, LEDGER_ENTRIES_MAX, b"\5" * 32), key_of("b0", "node"))
    text = parse_note(whole).text
    lines = [
        make_cosignature(text, AT_S, key_of("b1", "witness"), f"{origin[:-3]}{number:03}/witness")
        for number in range(NOTED_COSIGNATURES_MAX)
    ]
    note = add_signatures(whole, *lines).decode()
    assert len(note) > 26_000
    said = compose("CheckpointWitnessed", "b0:node", {"note": note}).statement.SerializeToString()
    assert admit(encode([said]), "b0:node")[0] == [said]


def test_a_ledger_without_witnesses_is_never_witnessed() -> None:
    """Whatever stands on the note, one bureau beside the ledger's is not enough."""
    charter = charter_of(LEDGER, WITNESSES[0])
    assert not open_cosigned(cosigned(NOTE, WITNESSES[0]), charter, LEDGER).enough(charter)


@pytest.mark.parametrize(
    ("note", "error"),
    [
        (b"", MalformedNote),
        (cosigned(NOTE, WITNESSES[0], WITNESSES[0]), MalformedNote),
        (cosigned(sign_checkpoint(CHECKPOINT, key_of("other", "node")), *WITNESSES), SignatureInvalid),
        (cosigned(NOTE, *WITNESSES).replace(b"\n300\n", b"\n301\n"), SignatureInvalid),
    ],
)
def test_a_note_that_is_not_what_it_says_is_refused(note: bytes, error: type[Exception]) -> None:
    """Nothing, the same witness twice, another signer, and another size than was signed."""
    with pytest.raises(error):
        open_cosigned(note, CHARTER, LEDGER)


def test_cosignatures_without_the_ledgers_own_signature_are_refused() -> None:
    """A quorum cannot speak for a ledger that did not sign."""
    whole = parse_note(cosigned(NOTE, *WITNESSES))
    with pytest.raises(SignatureInvalid, match="no known key signed"):
        open_cosigned(format_note(Note(whole.text, whole.signatures[1:])), CHARTER, LEDGER)


def test_no_byte_of_a_cosigned_note_can_be_changed() -> None:
    """Every altered byte is refused, or leaves fewer cosigners of the same checkpoint."""
    note = cosigned(NOTE, *WITNESSES[:2])
    for at in range(len(note)):
        bent = note[:at] + bytes([note[at] ^ 1]) + note[at + 1 :]
        try:
            found = open_cosigned(bent, CHARTER, LEDGER)
        except VerificationFailed:
            continue
        assert found.checkpoint == CHECKPOINT
        assert found.count < 2


def at(*times: int, charter: Charter = CHARTER) -> Witnessed:
    """The checkpoint cosigned by the first witnesses at these seconds."""
    note = NOTE
    for witness, at_s in zip(WITNESSES, times, strict=False):
        note = cosigned(note, witness, at_s=at_s)
    return open_cosigned(note, charter, LEDGER)


@pytest.mark.parametrize("lie", [0, AT_S, 2**63 - 1])
@pytest.mark.parametrize("liar", range(4))
@pytest.mark.parametrize("count", [3, 4])
def test_one_of_four_witnesses_moves_no_bound_beyond_what_others_said(count: int, liar: int, lie: int) -> None:
    """Whatever one says, the bounds lie between what the others say: between the first and the last of them."""
    times = [AT_S + 10 * number for number in range(count)]
    honest = [at_s for number, at_s in enumerate(times) if number != liar]
    bounds = at(*(lie if number == liar else at_s for number, at_s in enumerate(times))).bounds(CHARTER)
    assert bounds is not None
    assert min(honest) <= bounds.there_by_us // 1_000_000 - 1 <= max(honest)
    assert min(honest) <= bounds.not_before_us // 1_000_000 <= max(honest)


def test_where_nobody_may_collude_one_clock_may_still_be_wrong() -> None:
    """Two witnesses' times bound by the wider of the two ways."""
    charter = charter_of(LEDGER, *WITNESSES[:2])
    bounds = at(AT_S, AT_S + 86_400, charter=charter).bounds(charter)
    assert bounds == TimeBounds((AT_S + 86_401) * 1_000_000, AT_S * 1_000_000)


def test_fewer_than_a_quorum_bound_nothing() -> None:
    """Two of four, or three of which two are one organisation."""
    assert at(AT_S, AT_S).bounds(CHARTER) is None
    twin = msgspec.structs.replace(WITNESSES[1], credit_code=WITNESSES[0].credit_code)
    charter = charter_of(LEDGER, WITNESSES[0], twin, *WITNESSES[2:])
    assert at(AT_S, AT_S, AT_S, charter=charter).bounds(charter) is not None  # two of three
    charter = msgspec.structs.replace(charter, witnessing=Witnessing(quorum=3))
    assert at(AT_S, AT_S, AT_S, charter=charter).bounds(charter) is None


def test_a_key_that_was_given_up_counts_in_notes_of_the_past_alone() -> None:
    """What a witness cosigned stays so when its key changes; what it would cosign with the old one now is nothing."""
    key = key_of("b1", "another").public
    renewed = VerifierKey.of(f"{WITNESSES[0].origin}/witness", key, COSIGNATURE_V1).format()
    changed = msgspec.structs.replace(WITNESSES[0], witness_key=renewed, retired=(Retired(WITNESSES[0].witness_key),))
    charter = charter_of(LEDGER, changed, *WITNESSES[1:])
    note = cosigned(NOTE, *WITNESSES[:3])
    assert open_cosigned(note, charter, LEDGER).count == 2
    assert open_cosigned(note, charter, LEDGER, past=True).count == 3
