"""A question by subject, put to the nodes that hold what opens the commitments: which entries hold a value.

What a node says matches is checked: the entry is in the ledger, and the salt opens its commitment to the value. What it
says of the rest, that it holds other values or that there is nothing to open it, is its word; it must at least add up
to what its ledger holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tallystick.audit.coverage import Coverage
from tallystick.core.commitment import Place, check_opening
from tallystick.core.errors import ProofFailed, TallystickError
from tallystick.core.statement import commitment_at
from tallystick.sdk.ledgers import Ledgers
from tallystick.sdk.reader import LedgerReader, Shown


@dataclass(frozen=True, slots=True)
class Opened:
    """What a node opened of the commitments in one field: `matching` are proven, the counts are its word.

    `opened` counts what it compared with the value, those that match included; `unopened` what it holds nothing to open
    with: it was erased, or never handed over.
    """

    bureau: str
    matching: tuple[Shown, ...]
    opened: int
    unopened: int

    @property
    def committed(self) -> int:
        """How many commitments there are."""
        return self.opened + self.unopened


def account_json(opened: Opened) -> dict[str, Any]:
    """How far a node opened what it was asked about, for programs."""
    return {
        "bureau": opened.bureau,
        "committed": opened.committed,
        "matching": len(opened.matching),
        "opened": opened.opened,
        "unopened": opened.unopened,
    }


def open_all(
    ledgers: Ledgers,
    coverage: Coverage,
    field: str,
    value: bytes,
    ends: Mapping[str, int],
    committed: Mapping[str, int],
    only: str = "",
) -> list[Opened]:
    """What every node opens of what a full pass counted, by bureau: `committed`, below the sizes in `ends`. With `only`
    that bureau's alone.

    A node whose ledger holds no such commitment is not told the value. One that does not answer, or is caught, is a gap
    in the coverage from then on.
    """
    found = []
    for ledger in coverage.ledgers:
        count = committed.get(ledger.bureau, 0)
        if ledger.gap or not count or only not in ("", ledger.bureau):
            continue
        try:
            found.append(find_openings(ledgers[ledger.bureau], field, value, ends[ledger.bureau], count))
        except TallystickError as error:
            ledger.fail(error)
    return found


def find_openings(reader: LedgerReader, field: str, value: bytes, end: int, committed: int) -> Opened:
    """The entries before `end` whose `field` holds a value, of `committed` that were counted to have one.

    Raises ProofFailed where what the node shows does not open, or does not add up.
    """
    matching: list[Shown] = []
    opened = unopened = done = 0
    for answer in reader.wire.find_openings(field, value, 0, end):
        if not done <= answer.next <= end or len(answer.opening) > answer.opened:
            raise _misled(reader, f"about #{done} to #{answer.next}", f"a stretch of what comes before #{end}")
        last = done - 1
        for opening in answer.opening:
            if not last < opening.index < answer.next:
                raise _misled(reader, f"#{opening.index} after #{last}", "each entry once, in order")
            last = opening.index
            matching.append(_check(reader, field, value, opening.index, opening.salt))
        opened, unopened, done = opened + answer.opened, unopened + answer.unopened, answer.next
    if done != end or opened + unopened != committed:
        raise _misled(
            reader,
            f"of {opened + unopened} commitments before #{done}",
            f"the {committed} that its ledger holds before #{end}",
        )
    return Opened(reader.bureau.id, tuple(matching), opened, unopened)


def _check(reader: LedgerReader, field: str, value: bytes, index: int, salt: bytes) -> Shown:
    """The entry at an index, once its commitment was opened with the salt."""
    shown = reader.entry(index)
    entry = shown.entry
    signed = entry.signed or reader.entry(entry.first).entry.signed
    commitment = commitment_at(entry.statement, field)
    if commitment is None or signed is None:
        raise _misled(reader, f"that #{index} holds the value", "an entry with a commitment")
    at = Place(shown.origin, signed.submission_id, index - entry.first, field)
    try:
        check_opening(commitment, at, salt, value)
    except ProofFailed as error:
        raise ProofFailed(error.what, where=shown.reference, expected="what its node says opens it") from None
    return shown


def _misled(reader: LedgerReader, what: str, expected: str) -> ProofFailed:
    return ProofFailed(f"its node answered {what}", where=reader.bureau.id, expected=expected)
