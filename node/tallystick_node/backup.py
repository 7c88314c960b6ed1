"""A backup: a home's copy at one moment between two commits, made while its node runs or while it is stopped.

    backup.toml          what it is (`Taken`)
    tallyd.toml          the settings, with every path within this folder
    charter.note, …      the charter, and the versions before it that lie beside it
    bureau.toml          the stanza, where the home has one
    data/                the database, and the note of what was signed
    keys/, tls/          only where that was asked for: who has them is the bureau's node

It has a home's form, so that `tallyd fsck` checks it whole. Making one reads everything back that was written; a folder
under its name is whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import tomli_w

from tallystick.core.charter import Bureau
from tallystick.core.errors import ConfigInvalid, DirectoryHeld
from tallystick.core.note import encode_base64
from tallystick.sdk.charter_files import notes_beside
from tallystick.sdk.files import make_folder, write_whole
from tallystick.sdk.toml_edit import with_values
from tallystick_node.authority import TLS
from tallystick_node.config import Settings
from tallystick_node.founding import KEYS, made_whole
from tallystick_node.home import SETTINGS, STANZA
from tallystick_node.ledger import Ledger, check_against_signed
from tallystick_node.operating import pieces_of_running
from tallystick_node.pieces import check_seal, put_together, take_apart
from tallystick_node.signed_size import SignedSize
from tallystick_node.store.leveldb import LevelDbStore
from tallystick_proto.v1.operate_pb2 import BackupPiece, BackupSeal

RECORD: Final = "backup.toml"

Progress = Callable[[int], None]
"""Told how many bytes are written."""


class Taken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a backup holds: the ledger's size and root (base64), and the seal over the database's keys and values."""

    bureau: str
    origin: str
    taken: datetime
    size: int
    root: str
    database_keys: int
    database_digest: str

    @property
    def seal(self) -> BackupSeal:
        """Raises ValueError."""
        return BackupSeal(keys=self.database_keys, digest=bytes.fromhex(self.database_digest))


def make_backup(settings: Settings, target: Path, now_us: int, progress: Progress, *, with_keys: bool) -> Taken:
    """Make a backup of a home in a new folder, whole or not at all.

    Raises ConfigInvalid, Unreachable or NotAuthentic where the running node does not give it, StorageFailed.
    """
    _, bureau = settings.open_charter()
    with made_whole(target) as making:
        copy = _copy_files(settings, bureau, making, with_keys=with_keys)
        store = LevelDbStore.create(copy.database)
        try:
            with _pieces(settings, bureau.origin) as pieces:
                sealed = put_together(pieces, store, progress)
        finally:
            store.close()
        store = LevelDbStore.open(copy.database)
        try:
            check_seal(store, sealed, str(copy.database))
            state = Ledger.open(store, bureau.origin).state
        finally:
            store.close()
        signed = SignedSize.create(copy.signed_size, bureau.origin)
        try:
            signed.note(state.size, state.root)
        finally:
            signed.close()
        taken = Taken(
            bureau.id,
            bureau.origin,
            datetime.fromtimestamp(now_us // 1_000_000, UTC),
            state.size,
            encode_base64(state.root),
            sealed.keys,
            sealed.digest.hex(),
        )
        write_whole(making / RECORD, tomli_w.dumps(msgspec.to_builtins(taken, builtin_types=(datetime,))).encode())
    return taken


@contextmanager
def _pieces(settings: Settings, origin: str) -> Iterator[Iterator[BackupPiece]]:
    """What the database holds: read here where no node runs, else asked of the node."""
    try:
        store = LevelDbStore.open(settings.database)
    except DirectoryHeld:
        yield pieces_of_running(settings)
        return
    try:
        signed = SignedSize.open(settings.signed_size, origin)
        try:
            check_against_signed(Ledger.open(store, origin), signed)
        finally:
            signed.close()
        yield take_apart(store)
    finally:
        store.close()


def _copy_files(settings: Settings, bureau: Bureau, making: Path, *, with_keys: bool) -> Settings:
    """Everything but the database; returns the copy's settings."""
    config = settings.config
    charter = settings.place(config.charter)
    within = {
        ("", "charter"): charter.name,
        ("", "data"): "data",
        ("tls", "certificate"): f"{TLS}/{Path(config.tls.certificate).name}",
        ("tls", "key"): f"{TLS}/{Path(config.tls.key).name}",
        **{("keys", name): f"{KEYS}/{Path(file).name}" for name, file in msgspec.structs.asdict(config.keys).items()},
    }
    text = with_values(settings.path.read_text(encoding="utf-8"), within, str(settings.path))
    write_whole(making / SETTINGS, text.encode())
    for note in (charter, *notes_beside(charter)):
        copy_file(note, making / note.name)
    if (stanza := settings.path.parent / STANZA).exists():
        copy_file(stanza, making / STANZA)
    if with_keys:
        beside = sorted((settings.path.parent / KEYS).glob("*.key"))
        for key in dict.fromkeys((*settings.key_files(bureau), *beside)):
            copy_file(key, making / KEYS / key.name, 0o600)
        beside = sorted(each for each in (settings.path.parent / TLS).glob("*") if each.is_file())
        for file in dict.fromkeys((*settings.tls_files, *beside)):
            copy_tls(file, making)
    return Settings.load(making / SETTINGS)


def copy_tls(file: Path, home: Path) -> None:
    """Copy a certificate or its key to where a home keeps them, for its owner alone. Raises ConfigInvalid."""
    make_folder(home / TLS)  # whichever comes first
    copy_file(file, home / TLS / file.name, 0o644 if file.suffix == ".crt" else 0o600)


def copy_file(path: Path, target: Path, mode: int = 0o644) -> None:
    """Copy a file, whole and durable. Raises ConfigInvalid."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigInvalid(f"cannot be read: {error.strerror}", where=str(path)) from None
    write_whole(target, data, mode)
