"""New keys for a node whose bureau gives up old ones, and what the charter's next version says of them.

The floor is what the stopped ledger holds: up to there the old keys vouch. Made again, the same keys are named. An
observer has a witness's key to give up, and no floor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tallystick.core.charter import Bureau, Charter
from tallystick.core.errors import Usage
from tallystick.core.note import COSIGNATURE_V1, ED25519, VerifierKey, encode_base64
from tallystick.sdk.key_file import generate_key_like, load_key
from tallystick_node.adoption import next_key_file, stopped_ledger
from tallystick_node.config import Settings
from tallystick_node.store.leveldb import LevelDbStore
from tallystick_node.store.store import Store

_REGISTRAR = "keys/registrar.key"


def renewed(settings: Settings, offices: Sequence[str]) -> dict[str, Any]:
    """The bureau's stanza as edits: its id, a key for each of `offices`, and the floor. If none is named it is the
    ledger's key, and the witness's of an observer.

    Raises DirectoryHeld where the node runs, what keeps its ledger from being opened, and Usage for an office that an
    observer does not have.
    """
    charter, bureau = settings.open_charter()
    offices = offices or ("witness" if bureau.is_observer else "ledger",)
    if bureau.is_observer and set(offices) != {"witness"}:
        raise Usage("an observer has no such key", where=", ".join(offices), expected="witness")
    store = LevelDbStore.open(settings.database)
    try:
        floor = None if bureau.is_observer else _floor(settings, store, bureau)
    finally:
        store.close()
    said: dict[str, Any] = dict(next_keys(settings, charter, bureau, offices))
    if floor is not None:
        said["floor"] = floor
    return said


def next_keys(settings: Settings, charter: Charter, bureau: Bureau, offices: Sequence[str]) -> dict[str, str]:
    """The bureau's id and a key for each of `offices`, as edits to the charter; made again, the same. A new key is
    encrypted as the one before is.
    """
    files = {
        "ledger": (settings.config.keys.ledger, bureau.origin, ED25519),
        "witness": (settings.config.keys.witness, f"{bureau.origin}/witness", COSIGNATURE_V1),
        "registrar": (_REGISTRAR, f"{bureau.origin}/registrar", ED25519),
    }
    said = {"id": bureau.id}
    for office in offices:
        named, name, algorithm = files[office]
        path = settings.place(next_key_file(named, charter.version + 1))
        if path.exists():
            key = load_key(path, settings.passphrase)
        else:
            key = generate_key_like(path, settings.place(named), settings.passphrase)
        said[f"{office}_key"] = VerifierKey.of(name, key.public, algorithm).format()
    return said


def _floor(settings: Settings, store: Store, bureau: Bureau) -> dict[str, Any]:
    """What a stopped node's ledger holds, which is all that it signed. Raises StorageFailed."""
    ledger = stopped_ledger(settings, store, bureau)
    return {"size": ledger.state.size, "root": encode_base64(ledger.state.root)}
