"""Where the values behind commitments are kept: beside the ledger, in the same batch as the entry they belong to.

Each has been opened against its commitment by `submission.prepare`. They are stored in the clear for now.
"""

from __future__ import annotations

from tallystick.core.submission import Prepared
from tallystick_node import keyspace
from tallystick_node.store.store import Batch


def keep(submission: Prepared, first: int, batch: Batch) -> None:
    """Add a submission's disclosures to the batch that records it from index `first` on."""
    for disclosure in submission.disclosures:
        key = keyspace.disclosure(first + disclosure.position, disclosure.field)
        batch.put(key, disclosure.SerializeToString())
