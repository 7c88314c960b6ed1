"""What stands declared on a ledger: of each code the latest declaration, unless it was withdrawn since.

What decides whether a declaration says anything new: two are the same when their bodies are; who recorded them, when,
and from which import is not what they declare.
"""

from __future__ import annotations

from dataclasses import dataclass

from tallystick.core.kinds import BY_NAME, TERM_FIELDS
from tallystick.core.terms import Term
from tallystick.sdk.reader import LedgerReader, Shown
from tallystick_proto.v1.statement_pb2 import ResourceDeclared


@dataclass(frozen=True, slots=True)
class Standing:
    """One declaration that stands: the index of its entry, what it declares, and the import it came from, if any."""

    index: int
    declared: ResourceDeclared
    source: str


def kind_term(kind: str) -> Term:
    """The index term that every statement of a kind has."""
    return TERM_FIELDS["kind"], str(BY_NAME[kind].number).encode()


def _standing(shown: Shown) -> Standing:
    statement = shown.read.statement
    return Standing(shown.entry.index, statement.resource_declared, statement.head.source)


def all_standing(reader: LedgerReader) -> dict[str, Standing]:
    """What stands on a ledger, by code, each entry verified; as its node answers."""
    standing = {s.read.statement.head.resource: _standing(s) for s in reader.find([kind_term("ResourceDeclared")])}
    for shown in reader.find([kind_term("ResourceWithdrawn")]):
        code = shown.read.statement.head.resource
        if code in standing and shown.entry.index > standing[code].index:
            del standing[code]
    return standing


def standing_of(reader: LedgerReader, code: str) -> Standing | None:
    """What stands for one code, verified; as its node answers."""
    resource = (TERM_FIELDS["resource"], code.encode())
    declared = next(iter(reader.find([resource, kind_term("ResourceDeclared")], newest_first=True, limit=1)), None)
    withdrawn = next(iter(reader.find([resource, kind_term("ResourceWithdrawn")], newest_first=True, limit=1)), None)
    if declared is None or (withdrawn is not None and withdrawn.entry.index > declared.entry.index):
        return None
    return _standing(declared)
