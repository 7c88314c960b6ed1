"""Settling a checkpoint that is apart: by this node's own copy of that ledger, or by what a peer shows.

A copy needs nobody's cooperation; what a peer shows is checked as any proof is. Either finds it to be of the history
that is held, or of another, which is evidence; what shows neither leaves it as it is.
"""

from __future__ import annotations

from tallystick.core.errors import NotFound, NotVouchedFor, Unreconciled
from tallystick.core.merkle import prove_consistency
from tallystick.core.reconciling import Account, Seen
from tallystick_node.copies import check_held
from tallystick_node.peers import Peer
from tallystick_node.shelf import Shelf


def settle_by_copy(shelf: Shelf, account: Account, seen: Seen) -> bool:
    """Whether this node's own copy settles a checkpoint. Raises Forked."""
    try:
        held = shelf.at(account.bureau.origin)
    except NotFound:
        return False
    if not 0 < seen.size <= held.size:
        return False
    try:
        check_held(account.bureau, held.ledger, held.note, seen.note)
        older = account.held is not None and seen.size <= account.held.size
        if older and seen.size < held.size:
            account.clear(seen)  # of the copy's history, whose newest checkpoint is shown and settled by itself
        else:
            old, new = account.wanted(seen)
            if new > held.size:
                return False
            account.settle(seen, prove_consistency(old, new, held.ledger.reader()), held.ledger.root_at(old))
    except (Unreconciled, NotVouchedFor):  # the latter of a copy that goes beyond where its ledger was recovered
        return False
    return True


async def settle_by_peer(peer: Peer, account: Account, seen: Seen) -> None:
    """Settle what is apart by what a peer shows. Raises Forked, Unreconciled, or what the peer says."""
    old, new = account.wanted(seen)
    origin = account.bureau.origin
    proof = await peer.prove_consistency(origin, old, new) if 0 < old < new else ()
    try:
        account.settle(seen, proof)
    except Unreconciled:
        if not old or old & old - 1:
            raise
        # The root of a size that is a power of two is the one hash left of the entry that comes next.
        async for bundle in peer.read_entries(origin, old, old + 1, new):
            account.settle(seen, proof, bundle.path[0] if bundle.path else None)
            return
        raise
