"""A home from a backup, or a backup's database put back into a home. Nothing that was there is removed or overwritten.

Into a home, the database goes beside the one that is there, and then the settings name it: at one moment, so that the
home has the old database until it has the new one. The old one stays where it was. Of the two notes of what was signed
the one that says more goes with it: a home does not forget that it signed more than the backup has.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import msgspec

from tallystick.core.charter import Bureau
from tallystick.core.errors import ConfigInvalid, DirectoryHeld, StorageFailed, StoreDamaged
from tallystick.core.note import encode_base64
from tallystick.core.toml_text import parse_toml
from tallystick.sdk.files import write_whole
from tallystick.sdk.toml_edit import with_values
from tallystick_node.authority import TLS
from tallystick_node.backup import RECORD, Taken, copy_file, copy_tls
from tallystick_node.config import Config, Settings
from tallystick_node.founding import KEYS, made_whole
from tallystick_node.home import SETTINGS
from tallystick_node.ledger import Ledger
from tallystick_node.pieces import check_seal
from tallystick_node.signed_size import SignedSize
from tallystick_node.store.leveldb import LevelDbStore

Signed = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Restored:
    """What is there now: the backup, the size that is noted as signed and whether the home had a note of that, as large
    as the backup at least, the keys that are missing, and the folder of the database that was there before.
    """

    taken: Taken
    signed_size: int
    noted: bool
    missing_keys: list[Path]
    aside: Path | None


def restore(backup: Path, home: Path, *, whole_too: bool = False) -> Restored:
    """Make a home of a backup, or put its database back into the stopped home it was taken of.

    Raises ConfigInvalid where they do not belong together, or, unless `whole_too`, the home's own database has all that
    was signed and the backup has not; DirectoryHeld where the node runs, StoreDamaged where the backup is not what was
    made.
    """
    taken, source = _read(backup)
    _check_within(backup, source.config)
    _, bureau = source.open_charter()
    if not (home / SETTINGS).exists():
        with made_whole(home) as making:
            for path in sorted(each for each in backup.iterdir() if each.is_file() and each.name != RECORD):
                copy_file(path, making / path.name)
            for key in sorted((backup / KEYS).glob("*.key")):
                copy_file(key, making / KEYS / key.name, 0o600)
            for file in sorted(each for each in (backup / TLS).glob("*") if each.is_file()):
                copy_tls(file, making)
            signed = _put_database(source, making / source.config.data, taken, None)
        return Restored(taken, signed, False, _missing_keys(Settings.load(home / SETTINGS)), None)
    settings = Settings.load(home / SETTINGS)
    if settings.config.bureau != taken.bureau or settings.open_charter()[1].origin != taken.origin:
        raise ConfigInvalid(
            f"it is a backup of {taken.bureau}, {taken.origin}", where=str(backup), expected=f"one of {home}"
        )
    held, noted = _held(settings, bureau), _noted(settings, bureau)
    if not whole_too and noted is not None and taken.size < noted[0] <= held:
        raise ConfigInvalid(
            f"its {taken.size} entries are fewer than the {noted[0]} that were signed, which {settings.database} has",
            where=str(backup),
            expected="a home that lost what was signed; where `tallyd fsck` says this one did: --force",
        )
    name = next(name for n in count(1) if not settings.place(name := settings.beside_data(f"restored-{n}")).exists())
    with made_whole(settings.place(name)) as making:
        signed = _put_database(source, making, taken, noted)
    name_database(settings, name)
    knows = noted is not None and noted[0] >= taken.size
    return Restored(taken, signed, knows, _missing_keys(settings), settings.database.parent)


def _check_within(backup: Path, config: Config) -> None:
    """A backup is files and folders, and names no others: what is copied comes from it, and goes into the home.

    Raises ConfigInvalid.
    """
    named = (config.charter, config.data, config.tls.certificate, config.tls.key)
    for name in (*named, *msgspec.structs.astuple(config.keys)):
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ConfigInvalid(f"they name {name!r}", where=str(backup / SETTINGS), expected="what is in the backup")
    for path in sorted(backup.rglob("*")):
        if path.is_symlink():
            raise ConfigInvalid("it is a link", where=str(path), expected="the file that `tallyd backup` made")


def name_database(settings: Settings, name: str) -> None:
    """Have the settings name another folder as the database's, from one moment to the next. Raises ConfigInvalid."""
    text = with_values(settings.path.read_text(encoding="utf-8"), {("", "data"): name}, str(settings.path))
    write_whole(settings.path, text.encode(), stat.S_IMODE(settings.path.stat().st_mode))


def _read(backup: Path) -> tuple[Taken, Settings]:
    path = backup / RECORD
    try:
        taken = msgspec.convert(parse_toml(path.read_text(encoding="utf-8")), Taken)
        taken.seal  # noqa: B018, for what it raises
    except OSError as error:
        raise ConfigInvalid(
            f"cannot be read: {error.strerror}", where=str(path), expected="what `tallyd backup` made"
        ) from None
    except (ValueError, msgspec.ValidationError) as error:
        raise ConfigInvalid(str(error), where=str(path), expected="what `tallyd backup` wrote") from None
    return taken, Settings.load(backup / SETTINGS)


def _held(settings: Settings, bureau: Bureau) -> int:
    """How many entries a stopped home's database has, as its state record says, 0 where that does not read. Raises
    DirectoryHeld.
    """
    try:
        store = LevelDbStore.open(settings.database)
        try:
            return Ledger.open(store, bureau.origin).state.size
        finally:
            store.close()
    except DirectoryHeld:
        raise
    except StorageFailed:
        return 0  # whatever became of it, it stays where it is


def _noted(settings: Settings, bureau: Bureau) -> Signed | None:
    """What a stopped home noted as signed, where that still reads."""
    try:
        signed = SignedSize.open(settings.signed_size, bureau.origin)
    except StorageFailed:
        return None
    signed.close()
    return signed.value


def _put_database(source: Settings, folder: Path, taken: Taken, noted: Signed | None) -> int:
    """Copy a backup's database into a folder and read all of it; returns the size that is noted as signed there."""
    database = folder / source.database.name
    for path in sorted(source.database.iterdir()):
        copy_file(path, database / path.name, 0o600)
    try:
        store = LevelDbStore.open(database)
        try:
            check_seal(store, taken.seal, str(source.database))
            state = Ledger.open(store, taken.origin).state
        finally:
            store.close()
    except StoreDamaged as error:  # it names the copy, which goes again
        what = error.what.replace(str(database), str(source.database))
        expected = "the files as `tallyd backup` wrote them"
        raise StoreDamaged(what, where=str(source.database), expected=expected) from None
    if (state.size, encode_base64(state.root)) != (taken.size, taken.root):
        raise StoreDamaged(
            f"it holds {state.size} entries", where=str(source.database), expected=f"the {taken.size} of {RECORD}"
        )
    most = max(noted or (0, b""), (state.size, state.root))
    signed = SignedSize.create(folder / source.signed_size.name, taken.origin)
    try:
        signed.note(*most)
    finally:
        signed.close()
    return most[0]


def _missing_keys(settings: Settings) -> list[Path]:
    needed = [*settings.key_files(settings.open_charter()[1]), *settings.tls_files]
    return [path for path in needed if not path.exists()]
