"""Checkpoints that a client set aside when it adopted a version of the charter, judged by what their ledger shows now.

The ledger's present key signs a root for each size it has; of one it has passed, the path of the entry that comes next
proves it.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from tallystick.core.acknowledged import Acknowledged, Verdict, judge_acknowledged
from tallystick.core.charter import Charter
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.errors import TallystickError
from tallystick.core.hashing import leaf_hashes
from tallystick.core.merkle import check_range, root_before_range
from tallystick.sdk.reader import LedgerReader
from tallystick.sdk.trust_store import TrustStore


def judged_aside(reader: LedgerReader, trust: TrustStore, charter: Charter) -> list[tuple[Path, Acknowledged]]:
    """What was set aside of a ledger, after its reader was refreshed. Raises as `judge_acknowledged`."""
    judged = []
    for path, note in trust.set_aside(reader.bureau.origin):
        found = judge_acknowledged(note, charter, reader.bureau)
        if found.verdict is Verdict.OPEN:
            root = _root_at(reader, found.checkpoint.size, reader.trusted.checkpoint)
            found = judge_acknowledged(note, charter, reader.bureau, root)
        judged.append((path, found))
    return judged


def _root_at(reader: LedgerReader, size: int, trusted: Checkpoint) -> bytes | None:
    """The root a ledger has at a size, under a trusted checkpoint; None where that is not shown."""
    if size == trusted.size:
        return trusted.root
    if size > trusted.size:
        return None
    with suppress(TallystickError):  # what it does not show proves nothing
        for bundle in reader.wire.read_entries(size, size + 1, trusted.size):
            check_range(size, leaf_hashes(bundle.entry), trusted.size, trusted.root, bundle.path)
            return root_before_range(size, bundle.path)
    return None
