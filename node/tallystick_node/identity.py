"""A node's own keys, and whether they are the ones the charter names. It names no disclosure key: nobody else needs to
know it.
"""

from __future__ import annotations

from random import SystemRandom

from tallystick.core.charter import Bureau
from tallystick.core.errors import ConfigInvalid
from tallystick.core.keys import Signer
from tallystick.core.note import VerifierKey
from tallystick.sdk.key_file import load_key
from tallystick_node.config import Settings
from tallystick_node.disclosures import Disclosures


def load_ledger_key(settings: Settings, bureau: Bureau) -> Signer:
    """The key that signs this ledger's checkpoints. Raises ConfigInvalid where the charter names another."""
    return _load(settings, settings.config.keys.ledger, "ledger", bureau, bureau.ledger_verifier)


def load_witness_key(settings: Settings, bureau: Bureau) -> Signer:
    """The key that cosigns other ledgers' checkpoints. Raises ConfigInvalid where the charter names another."""
    return _load(settings, settings.config.keys.witness, "witness", bureau, bureau.witness_verifier)


def load_disclosures(settings: Settings, bureau: Bureau) -> Disclosures:
    """What seals and opens this ledger's disclosures. Raises ConfigInvalid where its key does not read."""
    key = load_key(settings.place(settings.config.keys.disclosure), settings.passphrase)
    return Disclosures(bureau.origin, key, SystemRandom())


def _load(settings: Settings, file: str, name: str, bureau: Bureau, named: VerifierKey) -> Signer:
    path = settings.place(file)
    key = load_key(path, settings.passphrase)
    if key.public != named.public:
        raise ConfigInvalid(
            f"this is not the {name} key of {bureau.id}",
            where=str(path),
            expected=f"the private half of {named.format()}",
        )
    return key
