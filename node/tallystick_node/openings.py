"""Which commitments in a field hold a value that the asker knows, and what opens them.

Subjects have random salts and no index: whoever asks sends the value, and every commitment of the field is opened to
look. An asker learns of the matching entries, and of the others only how many there are. The salt of an entry opens
that entry alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from hmac import compare_digest
from itertools import groupby

from google.protobuf.message import DecodeError

from tallystick.core.commitment import Place, check_opening
from tallystick.core.entry import decode_entry
from tallystick.core.errors import InvalidIdentifier, StoreDamaged, TallystickError
from tallystick.core.kinds import SENSITIVE, TERM_FIELDS, Kind
from tallystick.core.limits import SEGMENT_ENTRIES_MAX, STATEMENT_BYTES_MAX
from tallystick.core.statement import commitment_at, read
from tallystick_node.disclosures import NOTHING, Disclosures, Sealed, put_sealed, read_sealed, sealed_within
from tallystick_node.erasing import erased
from tallystick_node.ledger import Ledger
from tallystick_node.store.store import Batch, Store
from tallystick_proto.v1.entry_pb2 import Disclosure
from tallystick_proto.v1.ledger_pb2 import Opening, Openings, OpeningsRequest

# Entries looked at for one answer: the node does nothing else meanwhile.
_ANSWER_ENTRIES = 4 * SEGMENT_ENTRIES_MAX


def openings(ledger: Ledger, disclosures: Disclosures, request: OpeningsRequest) -> Iterator[Openings]:
    """What opens to the request's value within its range, a stretch of the ledger an answer, oldest first.

    For a request that was checked. Raises StoreDamaged. The value is in no error.
    """
    answer, looked_at = Openings(), 0
    for indexes in _blocks(ledger, SENSITIVE[request.field], request.first, request.end):
        if looked_at + len(indexes) > _ANSWER_ENTRIES:
            answer.next = indexes[0]
            yield answer
            answer, looked_at = Openings(), 0
        looked_at += len(indexes)
        _look(ledger, disclosures, request, indexes, answer)
    answer.next = request.end
    yield answer


def committed_fields(ledger: Ledger, index: int) -> tuple[list[str], str]:
    """The sensitive fields of an entry that hold a commitment, and the entry's counterparty. Raises StoreDamaged."""
    statement = ledger.decoded(index).statement
    fields = [field for field in SENSITIVE if commitment_at(statement, field) is not None]
    return fields, read(statement).statement.head.counterparty


def disclosed(ledger: Ledger, disclosures: Disclosures, index: int, fields: Iterable[str]) -> list[Disclosure]:
    """What is held that opens these fields of an entry. Raises StoreDamaged."""
    entry = ledger.decoded(index)
    found = []
    for field in fields:
        opening = disclosures.open(index, field, read_sealed(ledger.store, index, field))
        if opening is not None:
            position = index - entry.first
            found.append(Disclosure(position=position, field=field, salt=opening.salt, value=opening.value))
    return found


def leave_out_erased(ledger: Ledger, field: str, answer: Openings) -> None:
    """Take out of an answer what was erased since it was made: from then on nobody is shown it. Raises StoreDamaged."""
    held = [each for each in answer.opening if read_sealed(ledger.store, each.index, field) != NOTHING]
    gone = len(answer.opening) - len(held)
    if gone:
        answer.opened -= gone
        answer.unopened += gone
        del answer.opening[:]
        answer.opening.extend(held)


def check_request(request: OpeningsRequest) -> None:
    """Raises InvalidIdentifier where the field is not sensitive, or the value none."""
    if request.field not in SENSITIVE:
        raise InvalidIdentifier(
            f"{request.field[:80]!r} holds no commitment", where="field", expected=f"one of {', '.join(SENSITIVE)}"
        )
    if not 1 <= len(request.value) <= STATEMENT_BYTES_MAX:
        raise InvalidIdentifier(
            f"a value of {len(request.value)} bytes", where="value", expected=f"1 to {STATEMENT_BYTES_MAX}"
        )


def check_disclosure(ledger: Ledger, disclosures: Disclosures | None, index: int, field: str, sealed: Sealed) -> None:
    """What is stored for a field of an entry is there whole, belongs to a commitment of the ledger, and opens it: that
    where the key is at hand. Raises a domain error, or DecodeError for a statement that does not parse.
    """
    entry = decode_entry(ledger.entry(index))
    first = entry if entry.signed is not None else decode_entry(ledger.entry(entry.first))
    commitment = commitment_at(entry.statement, field)
    if commitment is None or first.signed is None:
        raise StoreDamaged("there is no such commitment")
    if None in sealed:
        raise StoreDamaged("half of it is missing")
    opening = None if disclosures is None else disclosures.open(index, field, sealed)
    if opening is not None:
        at = Place(ledger.origin, first.signed.submission_id, index - entry.first, field)
        check_opening(commitment, at, *opening)


def keep_disclosures(old: Store | None, ledger: Ledger, disclosures: Disclosures) -> tuple[int, int]:
    """Take over what another database has that opens a ledger's commitments; how many that are, and of how many.

    What does not open, can no longer be read, or was erased after that database was put aside, is left. Raises
    StorageFailed where it cannot be written.
    """
    kept = committed = 0
    gone = erased(ledger)
    for field, kind in SENSITIVE.items():
        for indexes in _blocks(ledger, kind, 0, ledger.state.size):
            batch = Batch()
            for index, entry in zip(indexes, map(ledger.decoded, indexes), strict=True):
                if commitment_at(entry.statement, field) is None:
                    continue
                committed += 1
                if (index, field) in gone:
                    continue
                with suppress(TallystickError, DecodeError):
                    sealed = NOTHING if old is None else read_sealed(old, index, field)
                    check_disclosure(ledger, disclosures, index, field, sealed)
                    put_sealed(batch, index, field, sealed)
                    kept += 1
            ledger.store.write(batch)
    return kept, committed


def _blocks(ledger: Ledger, kind: Kind, first: int, end: int) -> Iterator[list[int]]:
    """The entries that may be of a kind, those together that a segment may hold together."""
    terms = [(TERM_FIELDS["kind"], str(kind.number).encode())]
    candidates = ledger.candidates(terms, first, end, newest_first=False)
    for _, block in groupby(candidates, key=lambda index: index // SEGMENT_ENTRIES_MAX):
        yield list(block)


def _look(
    ledger: Ledger, disclosures: Disclosures, request: OpeningsRequest, indexes: list[int], answer: Openings
) -> None:
    first, last = indexes[0], indexes[-1]
    stored = sealed_within(ledger.store, first, last + 1)
    entries = ledger.decoded_all(first, last + 1)
    for index in indexes:
        if commitment_at(entries[index - first].statement, request.field) is None:
            continue
        opening = disclosures.open(index, request.field, stored(index, request.field))
        if opening is None:
            answer.unopened += 1
            continue
        answer.opened += 1
        if compare_digest(opening.value, request.value):
            answer.opening.append(Opening(index=index, salt=opening.salt))
