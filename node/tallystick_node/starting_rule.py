"""When a node may sign after a start: told what its witnesses hold of its ledger, the rule decides. It asks nobody.

A database that was put back from an older copy looks like any other. What it lacks, witnesses hold, signed by its own
key. So before its first signature after any start:

  1. whatever an answer shows that the ledger's key signed must be a *prefix* of the ledger: the same root at that size
     (else the node never signs again: `Behind`)
  2. the witnesses that answered, those that hold none included, must be as many as a quorum takes (else `Waiting`)

Any checkpoint that was witnessed was cosigned by a quorum, and of two quorums one witness at least is in both: so a
node that passes has everything that was ever witnessed. What fewer than a quorum hold it may still lack, where none of
those answers; a later answer ends its writing (`own_word`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tallystick.core.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness holds that this ledger's key signed; nothing, where it says that it holds none."""

    witness: str
    credit_code: str
    signed: tuple[Checkpoint, ...]


@dataclass(frozen=True, slots=True)
class MaySign:
    """A quorum answered, and the ledger has all they hold."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """So many have answered of those that are needed; of one credit code, one counts."""

    answered: int
    needed: int


@dataclass(frozen=True, slots=True)
class Behind:
    """A witness holds what the ledger lacks: the largest such checkpoint."""

    witness: str
    signed: Checkpoint


Verdict = MaySign | Waiting | Behind
RootAt = Callable[[int], bytes]
"""The root a ledger had at a size, which is not above its own."""


def is_prefix(signed: Checkpoint, size: int, root_at: RootAt) -> bool:
    """Whether a ledger of `size` entries went through a checkpoint."""
    return signed.size <= size and root_at(signed.size) == signed.root


def decide(answers: Iterable[Answer], needed: int, size: int, root_at: RootAt) -> Verdict:
    """What the answers so far allow a ledger of `size` entries, whose quorum is `needed`."""
    answers = list(answers)
    lacking = [
        Behind(answer.witness, signed)
        for answer in answers
        for signed in answer.signed
        if not is_prefix(signed, size, root_at)  # 1
    ]
    if lacking:
        return max(lacking, key=lambda behind: (behind.signed.size, behind.witness))
    answered = len({answer.credit_code for answer in answers})
    return MaySign() if answered >= needed else Waiting(answered, needed)  # 2
