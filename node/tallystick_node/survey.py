"""What a ledger's witnesses hold of it, and from where it can go on once its own database lacks what was signed.

Every witness of the charter must answer, with a checkpoint that it cosigned, or that it holds none: what the one that
is silent holds would be denied otherwise. One that can no longer answer is first removed by a version of the charter.
What they hold must be one history, as those prove who hold the most; where none of them does, it is they who gave no
answer. Its largest checkpoint is the *floor* to pin, and everything below is there to be fetched. Two that no one
ledger can have are evidence, and from there only the charter's holders can go on.
What a witness was told besides is no word of its own: another history in it is evidence too, and more than anybody
holds shows only how much is lost.

Where every witness has answered, and what was pinned before is held by none, witnessed entries exist nowhere any more:
the ledger is closed at its old floor, and a successor named. Nobody rebases.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from tallystick.core.charter import Bureau, Charter
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.equivocation import forked, make_equivocation
from tallystick.core.errors import (
    ProofFailed,
    TallystickError,
    Unreachable,
    Unreconciled,
    Usage,
    VerificationFailed,
)
from tallystick.core.merkle import EMPTY_ROOT, check_consistency, consistency_root
from tallystick.core.witnessing import open_cosigned
from tallystick_node.peers import Peer, Reach
from tallystick_proto.v1.witness_pb2 import HeldAnswer


@dataclass(frozen=True, slots=True)
class Holding:
    """What one witness holds: the checkpoint it cosigned last and the note it stands in, or none; or why that is not
    known: it gave no answer, or did not prove that what it says it holds extends what another does. `others` are
    checkpoints that it was shown besides, with their notes.
    """

    witness: Bureau
    checkpoint: Checkpoint | None = None
    note: bytes = b""
    trouble: TallystickError | None = None
    others: tuple[tuple[Checkpoint, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """What all witnesses hold, one history as far as they answered."""

    bureau: Bureau
    holdings: tuple[Holding, ...]

    @property
    def largest(self) -> Checkpoint | None:
        """The largest checkpoint that is held, or None."""
        held = [each.checkpoint for each in self.holdings if each.checkpoint is not None]
        return max(held, key=lambda checkpoint: checkpoint.size, default=None)

    @property
    def signed(self) -> int:
        """The size of the largest checkpoint of which anybody knows, whether its entries are held or not."""
        known = [each.checkpoint for each in self.holdings if each.checkpoint is not None]
        return max(
            (each.size for each in (*known, *(other for h in self.holdings for other, _ in h.others))), default=0
        )

    @property
    def floor(self) -> Checkpoint:
        """Where the ledger goes on, or ends if it `exists_nowhere`. Raises Unreachable where a witness is missing."""
        silent = [each for each in self.holdings if each.trouble is not None]
        if silent:
            holds = "holds" if len(silent) == 1 else "hold"
            raise Unreachable(
                f"not known what {', '.join(each.witness.id for each in silent)} {holds} ({silent[0].trouble})",
                where=f"witnesses of {self.bureau.id}",
                expected="an answer from each, and proof from who holds the most; a version of the charter first "
                "removes one that can give none any more",
            )
        if self.largest is None or self.exists_nowhere:
            return self.bureau.pinned or Checkpoint(self.bureau.origin, 0, EMPTY_ROOT)
        return self.largest

    @property
    def exists_nowhere(self) -> bool:
        """Whether no witness holds anything, or none what the charter pins."""
        pinned = self.bureau.pinned
        return self.largest is None or (pinned is not None and self.largest.size < pinned.size)

    def holders(self, size: int) -> list[Bureau]:
        """Who holds as many entries, or more."""
        return [each.witness for each in self.holdings if each.checkpoint is not None and each.checkpoint.size >= size]


async def survey(charter: Charter, bureau: Bureau, reach: Reach) -> Survey:
    """Ask every witness of a ledger.

    Raises Forked, with evidence, where what they hold is not one history, Unreconciled where two keys of the ledger may
    each have signed one, and Usage for an observer.
    """
    if bureau.is_observer:
        raise Usage(
            "an observer has no ledger that could be recovered",
            where=bureau.id,
            expected="a new witness key in the charter, and a home made anew: what it held, others hold",
        )
    asked = [_ask(charter, bureau, witness, reach) for witness in charter.witnesses_of(bureau)]
    found = Survey(bureau, tuple(await asyncio.gather(*asked)))
    largest = found.largest
    if largest is None:
        return found
    troubles: dict[str, TallystickError] = {}
    for each in found.holdings:
        if each.checkpoint is not None:
            troubles = await _unshown(each.checkpoint, each.note, largest, found, reach) | troubles
    told = {checkpoint: note for each in found.holdings for checkpoint, note in each.others}
    for checkpoint, note in told.items():
        if checkpoint.size <= largest.size:
            # That it is not shown to be of the same history is no witness's fault, and proves nothing.
            with suppress(Unreconciled):
                await _unshown(checkpoint, note, largest, found, reach)
    return Survey(
        bureau, tuple(replace(each, trouble=troubles.get(each.witness.id, each.trouble)) for each in found.holdings)
    )


async def _ask(charter: Charter, bureau: Bureau, witness: Bureau, reach: Reach) -> Holding:
    try:
        async with reach(witness) as peer:
            answer = await peer.held(bureau.origin)
        return _read(answer, charter, bureau, witness)
    except TallystickError as error:
        return Holding(witness, trouble=error)


def _read(answer: HeldAnswer, charter: Charter, bureau: Bureau, witness: Bureau) -> Holding:
    """What an answer shows. Raises ProofFailed where it shows nothing.

    The first note is what it holds, if it cosigned that. Whatever comes besides it was told, and is left out where the
    charter's keys do not vouch for it.
    """
    if answer.none == bool(answer.note):
        raise ProofFailed("it shows neither a checkpoint nor that it holds none", where=witness.id)
    if answer.none:
        return Holding(witness)
    first, *told = answer.note
    shown = open_cosigned(first, charter, bureau)
    others: list[tuple[Checkpoint, bytes]] = []
    for note in told:
        with suppress(VerificationFailed):
            others.append((open_cosigned(note, charter, bureau).checkpoint, note))
    if witness in [each.witness for each in shown.cosigners]:
        return Holding(witness, shown.checkpoint, first, others=tuple(others))
    return Holding(witness, others=((shown.checkpoint, first), *others))


async def _unshown(
    held: Checkpoint, note: bytes, largest: Checkpoint, found: Survey, reach: Reach
) -> dict[str, TallystickError]:
    """Why each of those who hold the largest checkpoint, by its id, does not show that it extends another one; empty
    where one of them does.

    Who holds the larger can prove that it extends the smaller or that it does not: neither is the fault of who holds
    the smaller. Raises Forked or Unreconciled where it does not.
    """
    troubles: dict[str, TallystickError] = {}
    if held == largest or not held.size:
        return troubles
    for holder in (each for each in found.holdings if each.checkpoint == largest):
        proof: Sequence[bytes] = ()
        root: bytes | None = None
        try:
            if held.size < largest.size:
                async with reach(holder.witness) as peer:
                    proof = await peer.prove_consistency(largest.origin, held.size, largest.size)
                    root = None if held.size & (held.size - 1) else await _root_shown(peer, held.size, largest)
            check_consistency(held.size, held.root, largest.size, largest.root, proof)
        except TallystickError as error:
            _check_not_shown(held, note, holder, found.bureau, proof, root)
            troubles[holder.witness.id] = error.at(holder.witness.id)
        else:
            return {}
    return troubles


async def _root_shown(peer: Peer, size: int, largest: Checkpoint) -> bytes | None:
    """The root of a size that is a power of two, which a proof from there leaves out: left of the next entry."""
    async for bundle in peer.read_entries(largest.origin, size, size + 1, largest.size):
        return bundle.path[0] if bundle.path else None
    return None


def _check_not_shown(
    held: Checkpoint, note: bytes, holder: Holding, bureau: Bureau, proof: Sequence[bytes], root: bytes | None
) -> None:
    """That a proof fails shows nothing. Raises Forked where it holds, and is of another history than the one held;
    Unreconciled where that is no evidence.
    """
    largest = holder.checkpoint
    assert largest is not None
    if held.size < largest.size:
        try:
            root = root or consistency_root(held.size, largest.size, largest.root, proof)
            check_consistency(held.size, root, largest.size, largest.root, proof)
        except ProofFailed:
            return
    try:
        data = make_equivocation(note, holder.note, bureau.ledger_verifier, proof, root)
        fork = forked(bureau.id, data, bureau.ledger_verifier)
    except VerificationFailed:
        raise Unreconciled(
            f"{held.size} entries that a witness holds are of another history than the {largest.size} of "
            f"{holder.witness.id}, by two keys of the ledger, of which each may have signed one",
            where=f"witnesses of {bureau.id}",
            expected="one history",
            known=held.size,
        ) from None
    raise fork from None
