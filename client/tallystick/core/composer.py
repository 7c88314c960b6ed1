"""Many statements of one actor, composed and checked: what was encoded and found in order is not looked at again.

The same codes, officers and purposes recur a thousand times in what one program records. Each keyword with its value is
made a piece of the statement once, and that piece is held to the rules of its field once; from then on a statement
takes no more than looking its values up and putting the pieces together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tallystick.core.compose import Draft, Form, Slot, form_of, say
from tallystick.core.errors import InvalidStatement
from tallystick.core.statement import Checker, in_head
from tallystick.core.validation import RULES, KindRules

# Types whose equal values say the same: True equals 1 and 1.0, but only one of them may be a number of rows.
_REMEMBERED: Final = frozenset({str, bytes, int})
_VALUES_MAX: Final = 1_000
_PIECE_BYTES_MAX: Final = 256


_Known = tuple[int, bytes, int]
"""A value that was found in order: its place in a draft, its piece, and the bit of a required field, or 0."""


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What a composer knows of one kind. `blank` are the pieces every statement of it begins with; `required` has the
    bits of all that must be there.
    """

    form: Form
    rules: KindRules
    blank: list[bytes]
    required: int
    known: dict[str, dict[object, _Known]]


class Composer:
    """Composes the statements of one actor and holds them to the rules of their kinds.

    It remembers some 1,000 values a keyword, none of them long, and then begins anew. Several threads may compose at
    once: what one of them remembers or forgets meanwhile does not matter to another.
    """

    def __init__(self, actor: str) -> None:
        self._actor = actor
        self._kinds: dict[str, _Remembered] = {}

    def compose(self, name: str, values: Mapping[str, object]) -> Draft:
        """A statement of a kind, by name or verb. Raises InvalidStatement where it does not fit its kind, in whatever
        `submission.prepare` would refuse but its size.
        """
        kind = self._kinds.get(name)
        if kind is None:
            kind = self._kinds[name] = self._begin(name)
        draft = Draft(kind.form, kind.blank.copy(), {})
        pieces = draft.pieces
        present = 0
        for keyword, value in values.items():
            if value is None:
                continue
            known = kind.known.get(keyword) if type(value) in _REMEMBERED else None
            found = known.get(value) if known is not None else None
            if found is None:
                slot = say(draft, keyword, value)
                if slot is None:
                    continue
                found = _checked(kind.rules, slot, pieces[slot.at])
                if known is not None and len(found[1]) <= _PIECE_BYTES_MAX:
                    if len(known) >= _VALUES_MAX:
                        known.clear()
                    known[value] = found
            at, piece, bit = found
            pieces[at] = piece
            present |= bit
        if present != kind.required:
            Checker(self._actor).check(draft.encode())  # which says what is missing
        return draft

    def _begin(self, name: str) -> _Remembered:
        form = form_of(name)
        rules = RULES[form.kind.number]
        blank = form.blank(self._actor)
        try:
            rules.head.part(blank[0])
        except InvalidStatement as error:
            raise in_head(error) from None
        required = sum(1 << slot.at for slot in form.slots.values() if slot.use.required)
        return _Remembered(form, rules, blank, required, {keyword: {} for keyword in form.slots})


def _checked(rules: KindRules, slot: Slot, piece: bytes) -> _Known:
    """A value that is in order, from its piece. A sensitive one has none yet; its commitment will be in order."""
    try:
        (rules.head if slot.use.in_head else rules.body).part(piece)
    except InvalidStatement as error:
        raise (in_head(error) if slot.use.in_head else error) from None
    said = bool(piece) or slot.path is not None
    return slot.at, piece, (slot.use.required and said) << slot.at
