"""An import compared with what stands on the ledger, and what is new or changed recorded.

What stands is got in one verified pass before anything is recorded, so a second run, or a run after one that was killed
half-way, records only what is missing. The recorder keeps no spool here for the same reason: what a killed run left
unsent would otherwise be sent beside what the next run finds missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallystick.core.errors import TallystickError
from tallystick.sdk.importers.dcat import SOURCE, Catalogue, Declaration
from tallystick.sdk.standing import Standing

if TYPE_CHECKING:
    from tallystick.sdk.node import Node
    from tallystick.sdk.recorder import Pending


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do. `gone` are the codes of earlier imports under this scheme that the file lacks."""

    new: tuple[Declaration, ...]
    changed: tuple[Declaration, ...]
    unchanged: int
    gone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many statements were recorded, their lowest and highest index, and what stopped the rest, if anything."""

    recorded: int
    first: int | None
    last: int | None
    error: TallystickError | None


def plan(catalogue: Catalogue, standing: Mapping[str, Standing]) -> Plan:
    """Compare a catalogue with what stands."""
    new, changed, unchanged = [], [], 0
    for declaration in catalogue.declarations:
        stands = standing.get(declaration.code)
        if stands is None:
            new.append(declaration)
        elif stands.declared == declaration.body:
            unchanged += 1
        else:
            changed.append(declaration)
    gone = sorted(
        code
        for code, stands in standing.items()
        if (stands.source, stands.declared.scheme) == (SOURCE, catalogue.scheme) and code not in catalogue.codes
    )
    return Plan(tuple(new), tuple(changed), unchanged, tuple(gone))


def record(node: Node, planned: Plan, progress: Callable[[int, int], None] | None = None) -> Outcome:
    """Record what is new or changed. What stopped it is in the outcome: a batch that was refused fails alone."""
    wanted = [*planned.new, *planned.changed]
    if not wanted:
        return Outcome(0, None, None, None)
    pendings: list[Pending] = []
    indexes: list[int] = []
    error: TallystickError | None = None
    try:
        with node.recorder(spool=False) as recorder:
            pendings.extend(recorder.record("ResourceDeclared", **declaration.values) for declaration in wanted)
            recorder.flush()
    except TallystickError as caught:
        error = caught
    for pending in pendings:  # each has its receipt or its error: the recorder is closed
        try:
            indexes.append(pending.result().index)
        except TallystickError as caught:
            error = error or caught
        if progress is not None:
            progress(len(indexes), len(wanted))
    return Outcome(len(indexes), min(indexes, default=None), max(indexes, default=None), error)
