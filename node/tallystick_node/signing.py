"""Signing a ledger's checkpoints: noted first, then signed and published; and what may be shown before the first is.

What is published is under a signature of this ledger's key, and nothing else is ever shown of it. Before a node may
sign it publishes what it signed last, as that was kept: no signature is made for that, not even the same one again,
since what was noted need not have been signed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tallystick.core.charter import Bureau
from tallystick.core.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from tallystick.core.errors import VerificationFailed
from tallystick.core.keys import Signer
from tallystick_node.ledger import Ledger
from tallystick_node.ledger_state import State
from tallystick_node.signed_size import SignedSize
from tallystick_node.starting_rule import is_prefix


@dataclass(frozen=True, slots=True)
class Published:
    """A state and the checkpoint the node signed for it."""

    state: State
    note: bytes


class Signing:
    """The signatures of one ledger's key. `note` may be called from a thread, the rest within one event loop."""

    def __init__(self, origin: str, signed_size: SignedSize, key: Signer) -> None:
        self._origin = origin
        self.signed_size = signed_size
        self._key = key
        self._published: Published | None = None

    @property
    def published(self) -> Published | None:
        """The newest signed checkpoint and the state under it; None where there is none to be shown."""
        return self._published

    def note(self, state: State) -> None:
        """Remember that a state is to be signed. Raises StorageFailed."""
        self.signed_size.note(state.size, state.root)

    def publish(self, state: State) -> Published:
        """Sign a state that was noted."""
        note = sign_checkpoint(Checkpoint(self._origin, state.size, state.root), self._key)
        self.signed_size.keep(note)
        self._published = Published(state, note)
        return self._published

    def publish_last(self, ledger: Ledger, own: Bureau, others: Iterable[bytes]) -> None:
        """Publish the largest checkpoint the ledger has, of the one kept last and what `others` hold; maybe none."""
        state = ledger.state
        for note in (self.signed_size.last, *others):
            try:
                signed = open_checkpoint(note, own.ledger_verifier, own.ends)
            except VerificationFailed:
                continue
            known = -1 if self._published is None else self._published.state.size
            if signed.size > known and is_prefix(signed, state.size, ledger.root_at):
                # Its tree and its index hold what came after, too, if anything did: all that is before is in them.
                self._published = Published(replace(state, size=signed.size, root=signed.root), note)
