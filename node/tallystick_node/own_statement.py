"""What a node says itself: one statement of its bureau's `node`, signed with the ledger's key, ready for the writer."""

from __future__ import annotations

from tallystick.core.charter import Bureau
from tallystick.core.compose import compose
from tallystick.core.keys import SigningKey
from tallystick.core.submission import Prepared, prepare, seal


def own_statement(
    bureau: Bureau, key: SigningKey, submission_id: bytes, kind: str, values: dict[str, object]
) -> Prepared:
    """A statement of a kind, by name, with these values."""
    actor = f"{bureau.id}:node"
    said = compose(kind, actor, values).statement.SerializeToString()
    return prepare(seal(bureau.origin, actor, key, submission_id, [said]), bureau.origin)
