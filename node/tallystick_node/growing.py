"""A ledger that grows by what is fetched: another's entries, each checked as a full pass checks it before it is stored.

  1. entries come with a path to the root of a signed checkpoint (else `ProofFailed`: who answered misled)
  2. each continues the chain, is well formed, and stands in a submission signed by who might (`core/history`)
  3. with them the ledger has the checkpoint's root (else `Forked`), at the end of a submission

What fails under 2 and 3, the ledger's own key has signed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from tallystick.core.actors import Actors
from tallystick.core.charter import Bureau
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.errors import Forked, MalformedEntry, ProofFailed
from tallystick.core.evidence import actors_of
from tallystick.core.hashing import leaf_hashes
from tallystick.core.history import History, Recorded
from tallystick.core.merkle import check_range
from tallystick_node.admission import find_submission, load_actors
from tallystick_node.ledger import Commit, Ledger
from tallystick_node.peers import Peer
from tallystick_node.store.store import Batch
from tallystick_proto.v1.ledger_pb2 import Bundle

COMMIT_ENTRIES: Final = 1_024
_SLICE_ENTRIES: Final = 64


class Growing:
    """A ledger with its actors, to be extended by one writer."""

    def __init__(self, ledger: Ledger, bureau: Bureau) -> None:
        """Raises StoreDamaged."""
        self.bureau = bureau
        self.ledger = ledger
        self._actors = load_actors(ledger, actors_of(bureau))

    @property
    def size(self) -> int:
        """How many entries are held."""
        return self.ledger.state.size

    @property
    def actors(self) -> Actors:
        """The actors as of the last entry that is held."""
        return self._actors

    def check_bundle(self, bundle: Bundle, first: int, shown: Checkpoint) -> None:
        """Adjacent entries from `first` on stand in the tree of a checkpoint. Raises ProofFailed."""
        if bundle.first != first or not 1 <= len(bundle.entry) <= shown.size - first:
            raise ProofFailed(
                f"its node answered {len(bundle.entry)} entries from #{bundle.first}",
                where=self.bureau.id,
                expected=f"#{first} onwards",
            )
        check_range(first, leaf_hashes(bundle.entry), shown.size, shown.root, bundle.path)  # 1

    def history(self) -> History:
        """Goes on where the ledger ends."""
        state = self.ledger.state
        within = range(state.size)

        def stands(actor: str, submission_id: bytes) -> bool:
            return find_submission(self.ledger, actor, submission_id, within) is not None

        return History.resumed(self._actors, state.tree, state.prev, state.recorded_at_us, stands)

    def check_whole(self, history: History, shown: Checkpoint) -> None:
        """A history that has reached a checkpoint's size is what was signed. Raises Forked, MalformedEntry."""
        self.check_root(shown, history.tree.root())  # 3
        if not history.complete:
            raise MalformedEntry(
                "a checkpoint was signed within a submission", where=f"{self.bureau.id}#{shown.size - 1}"
            )

    def check_root(self, shown: Checkpoint, found: bytes) -> None:
        """The root found here is that of a checkpoint. Raises Forked."""
        if found != shown.root:
            raise Forked(
                f"{self.bureau.id} signed another history of {shown.size} entries than the one held here",
                expected=f"root {found.hex()}, not {shown.root.hex()}",
                known=shown.size,
            )

    def build(self, checked: Sequence[Recorded]) -> Commit:
        """A commit of the next entries, checked and ending with a submission; none is fine too."""
        if checked:
            return self.ledger.build_copy(checked)
        return Commit(Batch(), self.ledger.state, [], [])

    def adopt(self, commit: Commit, history: History) -> None:
        """A commit of what a history checked is durable."""
        self.ledger.adopt(commit)
        self._actors = history.actors  # it folds whole submissions only, as are committed


Write = Callable[[History, list[Recorded]], Awaitable[None]]
"""Stores checked entries, which end with a submission, and adopts them."""


async def fetch(growing: Growing, peer: Peer, shown: Checkpoint, write: Write) -> tuple[History, list[Recorded]]:
    """Check what a ledger lacks of a checkpoint, and store all but the last of it, which is given back.

    In slices, so that a node's own work goes on in between. Raises as the steps above, and what the peer raises; what
    was stored by then stays.
    """
    history = growing.history()
    checked: list[Recorded] = []
    wanted = growing.size
    if wanted == shown.size:
        return history, checked
    async for bundle in peer.read_entries(growing.bureau.origin, wanted, shown.size, shown.size):
        growing.check_bundle(bundle, wanted, shown)
        for start in range(0, len(bundle.entry), _SLICE_ENTRIES):
            checked += history.extend(bundle.entry[start : start + _SLICE_ENTRIES])  # 2
            await asyncio.sleep(0)
            if history.whole_size - growing.size >= COMMIT_ENTRIES:
                whole = history.whole_size - growing.size
                await write(history, checked[:whole])
                rest = [recorded.entry.raw for recorded in checked[whole:]]
                history = growing.history()
                checked = history.extend(rest)
        wanted += len(bundle.entry)
    if wanted != shown.size:
        raise ProofFailed(
            f"its node answered entries up to #{wanted}", where=growing.bureau.id, expected=f"up to #{shown.size}"
        )
    return history, checked
