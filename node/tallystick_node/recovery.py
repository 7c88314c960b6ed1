"""A ledger rebuilt from its witnesses' copies, up to the floor that a version of the charter pins for it.

The version gives the node a new ledger key, a new witness key and that floor. The new database grows in a folder of its
own, `<data>-<version>`, which the settings do not name:

  1. every witness says again what it holds, so that nothing above the floor is denied
  2. the entries below the floor come from those that hold them, one after another; each is checked as a full pass
     checks it, and of who answers otherwise no more is taken
  3. disclosures of the old database that open what is there now are kept
  4. `RecoveryPerformed` and `CharterAdopted`, by the new key, in one batch: the first entries after the floor
  5. size and root are noted as what will be signed next
  6. the settings name database, keys and version, from one moment to the next

Until 6 the home is what it was, and run again it goes on from what is there. The old database stays where it is; what
it had of other ledgers is left behind with the witness key under which it was kept.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tallystick.core.charter import Bureau, Charter
from tallystick.core.charter_chain import Version
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.errors import ConfigInvalid, DirectoryHeld, StorageFailed, TallystickError, Unreachable
from tallystick.core.hashing import parse_digest
from tallystick.core.history import History, Recorded
from tallystick.core.keys import Signer
from tallystick.core.kinds import BY_NAME
from tallystick.sdk.charter_files import adopt, next_version
from tallystick.sdk.key_file import generate_key_like, load_key
from tallystick_node import keyspace
from tallystick_node.adoption import adoption, key_file, new_id
from tallystick_node.config import Settings
from tallystick_node.disclosures import Disclosures
from tallystick_node.growing import Growing, fetch
from tallystick_node.identity import load_disclosures
from tallystick_node.ledger import Ledger
from tallystick_node.openings import keep_disclosures
from tallystick_node.own_statement import own_statement
from tallystick_node.peers import Reach
from tallystick_node.signed_size import SignedSize
from tallystick_node.store.leveldb import LevelDbStore
from tallystick_node.store.store import Store, after
from tallystick_node.survey import Survey, survey

_PERFORMED: Final = BY_NAME["RecoveryPerformed"]

Progress = Callable[[int, int], None]
"""Told how many entries there are, of how many."""


@dataclass(slots=True)
class Rebuilt:
    """What a recovery has come to: `lost` entries that were signed above the floor, None where that is not known."""

    version: Version
    floor: Checkpoint
    old: Path
    lost: int | None = None
    kept: int = 0
    committed: int = 0
    refused: list[TallystickError] = field(default_factory=list)


async def recover(settings: Settings, file: Path, reach: Reach, now_us: int, progress: Progress) -> Rebuilt | None:
    """Rebuild the ledger of a stopped home as the version in `file` says; None where that is done already.

    Raises what keeps the version from following, ConfigInvalid where it does not fit, DirectoryHeld where the node
    runs, Unreachable where a witness does not answer or nobody gives what is missing, StorageFailed.
    """
    config = settings.config
    known, version = next_version(settings.place(config.charter), config.charter_digest, file)
    bureau = version.charter.by_id(config.bureau)
    data = settings.beside_data(str(version.number))
    if config.data == data and config.charter_digest == version.digest:
        return None
    before = known[-1].charter.by_id(config.bureau)
    floor = _check(version, before, bureau, now_us, str(file))
    ledger_file, witness_file = (
        key_file(settings, named, verifier, version.number)
        for named, verifier in (
            (config.keys.ledger, bureau.ledger_key),
            (config.keys.witness, bureau.witness_key),
        )
    )
    old = _open_old(settings)
    try:
        disclosures = _disclosures(settings, version.charter, bureau, old)
        done = Rebuilt(version, floor, settings.database.parent, _lost(settings, bureau, floor))
        found = await _all_hold_no_more(version, before, floor, reach)  # 1
        folder = settings.place(data)
        store = _open_new(folder / settings.database.name, bureau.origin)
        try:
            ledger = Ledger.open(store, bureau.origin)
            done.refused = await fill(ledger, bureau, floor, found, reach, progress)  # 2
            done.kept, done.committed = keep_disclosures(old, ledger, disclosures)  # 3
            if ledger.state.size == floor.size:
                key = load_key(settings.place(ledger_file), settings.passphrase)
                _record(ledger, bureau, key, done, found, now_us)  # 4
            _note(folder / settings.signed_size.name, ledger)  # 5
        finally:
            store.close()
    finally:
        if old is not None:
            old.close()
    more = {("", "data"): data, ("keys", "ledger"): ledger_file, ("keys", "witness"): witness_file}
    adopt(settings.path, config.charter, known, version, more)  # 6
    return done


async def fill(
    ledger: Ledger, bureau: Bureau, floor: Checkpoint, found: Survey, reach: Reach, progress: Progress
) -> list[TallystickError]:
    """Fetch what a ledger lacks of the floor from whoever holds it; what was refused on the way is given back.

    Raises Unreachable where nobody gives the rest.
    """
    growing = Growing(ledger, bureau)
    if growing.size >= floor.size:
        growing.check_root(floor, ledger.root_at(floor.size))
        return []

    async def write(history: History, checked: list[Recorded]) -> None:
        commit = growing.build(checked)
        ledger.store.write(commit.batch)
        growing.adopt(commit, history)
        progress(growing.size, floor.size)

    refused: list[TallystickError] = []
    for witness in found.holders(floor.size):
        try:
            async with reach(witness) as peer:
                history, checked = await fetch(growing, peer, floor, write)
                growing.check_whole(history, floor)
        except StorageFailed:
            raise
        except TallystickError as error:
            refused.append(error.at(f"copy of {witness.id}"))
            continue
        await write(history, checked)
        return refused
    raise Unreachable(
        f"nobody gives the entries from #{growing.size} on ({'; '.join(map(str, refused))})",
        where=bureau.origin,
        expected=f"a witness's copy of all {floor.size}",
    )


def _check(version: Version, before: Bureau, bureau: Bureau, now_us: int, where: str) -> Checkpoint:
    """The floor of a version that a recovery may go by. Raises ConfigInvalid."""
    if version.charter.expired(now_us):
        raise ConfigInvalid(f"it expired on {version.charter.expires.isoformat()}", where=where, expected="a later one")
    floor = bureau.pinned
    wanted = {
        "a new ledger key": bureau.ledger_key != before.ledger_key,
        "a new witness key": bureau.witness_key != before.witness_key,
        "a floor": floor is not None,
        "an active bureau": bureau.state == "active",
    }
    missing = [what for what, there in wanted.items() if not there]
    if missing or floor is None:
        raise ConfigInvalid(
            f"for {bureau.id} it does not name {', '.join(missing)}",
            where=where,
            expected="what `tallyd recover survey` wrote; nothing else changes a ledger's past",
        )
    return floor


async def _all_hold_no_more(version: Version, before: Bureau, floor: Checkpoint, reach: Reach) -> Survey:
    """What the version's witnesses hold under the keys from before it, none of it above the floor.

    Raises Unreachable, ConfigInvalid.
    """
    found = await survey(version.charter, before, reach)
    if found.floor != floor or found.exists_nowhere:
        size = 0 if found.largest is None else found.largest.size
        raise ConfigInvalid(
            f"the version pins {floor.size} entries, and witnesses hold {size}",
            where=before.origin,
            expected="a floor that is what they hold",
        )
    return found


def _record(ledger: Ledger, bureau: Bureau, key: Signer, done: Rebuilt, found: Survey, now_us: int) -> None:
    """The first entries after the floor: how the ledger came back, and the version it goes by from here on."""
    above = "what was signed above is not known" if done.lost is None else f"{done.lost} signed above are lost"
    kept = f"{done.kept} of {done.committed} disclosures were kept"
    values: dict[str, Any] = {
        "copies": [
            {"bureau": each.witness.id, "size": each.checkpoint.size}
            for each in found.holdings
            if each.checkpoint is not None
        ],
        "size": done.floor.size,
        "root": done.floor.root,
        "lost_above": done.floor.size if done.lost != 0 else 0,
        "words": f"{done.floor.size} entries from witnesses' copies; {above}; {kept}",
    }
    digest = parse_digest(done.version.digest)
    said = [
        own_statement(bureau, key, new_id(now_us), _PERFORMED.name, values),
        adoption(bureau, key, done.version.number, digest, now_us),
    ]
    commit = ledger.build(said, now_us)
    ledger.store.write(commit.batch)
    ledger.adopt(commit)


def _note(path: Path, ledger: Ledger) -> None:
    """Note what is there as what is signed next. A note that a crash left half-made is made again: nothing names it."""
    path.unlink(missing_ok=True)
    signed = SignedSize.create(path, ledger.origin)
    try:
        signed.note(ledger.state.size, ledger.state.root)
    finally:
        signed.close()


def _disclosures(settings: Settings, charter: Charter, bureau: Bureau, old: Store | None) -> Disclosures:
    """What opens the old database's disclosures; under a new key where the home has none and nothing is to be opened.

    Raises ConfigInvalid.
    """
    path = settings.place(settings.config.keys.disclosure)
    if not path.exists():
        with suppress(StorageFailed):  # what does not read cannot be kept either
            if old is not None and any(True for _ in old.range(keyspace.DATA_KEY, after(keyspace.DATA_KEY))):
                raise ConfigInvalid(
                    "the key is missing that opens the disclosures of the database before it",
                    where=str(path),
                    expected=f"that key; where it is lost, so are they: then move {settings.database} away, and they "
                    "are counted as lost",
                )
        generate_key_like(path, settings.place(settings.config.keys.ledger), settings.passphrase)
    disclosures = load_disclosures(settings, charter, bureau)
    with suppress(StorageFailed):
        if old is not None:
            disclosures.check_key(old, str(path))
    return disclosures


def _lost(settings: Settings, bureau: Bureau, floor: Checkpoint) -> int | None:
    """How many entries this home had noted as signed, above the floor; None where the note is lost too."""
    try:
        signed = SignedSize.open(settings.signed_size, bureau.origin)
    except StorageFailed:
        return None
    signed.close()
    return max(0, signed.value[0] - floor.size)


def check_stopped(settings: Settings) -> None:
    """No node runs on a home's database, whatever became of it. Raises DirectoryHeld."""
    old = _open_old(settings)
    if old is not None:
        old.close()


def holds_all(settings: Settings, floor: Checkpoint, known: int) -> bool:
    """Whether the database of a stopped home extends the floor and holds as many entries as anybody knows of, so that
    there is nothing to recover. Raises DirectoryHeld.
    """
    old = _open_old(settings)
    if old is None:
        return False
    try:
        ledger = Ledger.open(old, floor.origin)
        return ledger.state.size >= max(known, floor.size) and ledger.root_at(floor.size) == floor.root
    except StorageFailed:
        return False
    finally:
        old.close()


def _open_old(settings: Settings) -> LevelDbStore | None:
    """What is left of the old database; as long as it is open no node starts on it. Raises DirectoryHeld."""
    try:
        return LevelDbStore.open(settings.database)
    except DirectoryHeld:
        raise
    except StorageFailed:
        return None


def _open_new(path: Path, origin: str) -> Store:
    """The database that is being built; an interrupted one goes on. Raises StorageFailed."""
    store = LevelDbStore.open(path) if (path / "CURRENT").exists() else LevelDbStore.create(path)
    try:
        if store.get(keyspace.STATE) is None:
            Ledger.create(store, origin)
    except BaseException:
        store.close()
        raise
    return store
