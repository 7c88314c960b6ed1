"""A node's own keys, and whether they are the ones the charter names."""

from __future__ import annotations

from tallystick.core.charter import Bureau
from tallystick.core.errors import ConfigInvalid
from tallystick.core.keys import SigningKey
from tallystick.sdk.key_file import load_key
from tallystick_node.config import Settings


def load_ledger_key(settings: Settings, bureau: Bureau) -> SigningKey:
    """The key that signs this ledger's checkpoints. Raises ConfigInvalid where the charter names another."""
    path = settings.place(settings.config.keys.ledger)
    key = load_key(path)
    if key.public != bureau.ledger_verifier.public:
        raise ConfigInvalid(
            f"this is not the ledger key of {bureau.id}",
            where=str(path),
            expected=f"the private half of {bureau.ledger_key}",
        )
    return key
