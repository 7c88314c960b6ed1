"""The founding of a ledger: a node's keys, its stanza for the charter, and the first statements.

A founded home has a folder `data` with the database and the note of what was signed. The first submissions on the
ledger are

    CharterAdopted             by <bureau>:node, the ledger key: version and digest of the charter
    ActorRegistered, …         by <bureau>:registrar, one statement for each first actor, with its proof of possession

They take the way of every submission (`prepare`, admission, `Ledger.build`) and become durable in the writer's
order: the batch, then the note. An observer's are those of an empty ledger, so that they are known for its own, and
nothing is ever recorded there.

A folder is made beside its place under a name ending in `.making` and renamed when it is whole, so that it is there
whole or not at all; what an interruption left is named and refused. Nothing is ever overwritten.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tallystick.core.actors import prove_possession
from tallystick.core.charter import Bureau, Charter, Name
from tallystick.core.compose import compose
from tallystick.core.errors import ConfigInvalid
from tallystick.core.evidence import actors_of
from tallystick.core.hashing import parse_digest
from tallystick.core.identifiers import check_bureau_id, check_credit_code, check_origin
from tallystick.core.keys import Signer
from tallystick.core.note import COSIGNATURE_V1, ED25519, VerifierKey
from tallystick.core.submission import Prepared, prepare, seal
from tallystick.sdk.files import sync_folder
from tallystick.sdk.key_file import generate_key
from tallystick_node.admission import admit
from tallystick_node.adoption import adoption, new_id
from tallystick_node.config import Settings
from tallystick_node.identity import load_ledger_key, load_witness_key
from tallystick_node.ledger import Ledger
from tallystick_node.ledger_state import State
from tallystick_node.signed_size import SignedSize
from tallystick_node.store.leveldb import LevelDbStore

KEYS = "keys"


@dataclass(frozen=True, slots=True)
class HomeKeys:
    """A node's signing keys, an observer's being the witness's alone. The registrar's may be taken elsewhere."""

    witness: Signer
    ledger: Signer | None = None
    registrar: Signer | None = None


@dataclass(frozen=True, slots=True)
class FirstActor:
    """An actor to register when a ledger is founded: `name` without its bureau, a role of `Role`."""

    name: str
    role: int
    key: Signer


def make_keys(home: Path, *, observer: bool = False, passphrase: bytes = b"") -> HomeKeys:
    """New keys under `home`/keys, encrypted where there is a passphrase. Raises ConfigInvalid where one is there."""

    def make(name: str) -> Signer:
        return generate_key(key_path(home, name), passphrase)

    witness = make("witness")
    if observer:
        return HomeKeys(witness)
    make("disclosure")
    return HomeKeys(witness, make("ledger"), make("registrar"))


def key_path(home: Path, name: str) -> Path:
    """Where a key of a home is kept."""
    return home / KEYS / f"{name}.key"


def bureau_stanza(
    keys: HomeKeys,
    *,
    bureau: str,
    name: Name,
    credit_code: str,
    origin: str,
    endpoint: str,
    certificate_authority: str,
) -> Bureau:
    """What the charter says of a bureau with these keys and this authority, "" where its node listens in the clear.

    Raises InvalidIdentifier.
    """
    check_roster_entry(bureau, credit_code, origin)

    def named(office: str, key: Signer | None, algorithm: int = ED25519) -> str:
        return "" if key is None else VerifierKey.of(f"{origin}{office}", key.public, algorithm).format()

    return Bureau(
        id=bureau,
        name=name,
        credit_code=credit_code,
        origin=origin,
        ledger_key=named("", keys.ledger),
        witness_key=named("/witness", keys.witness, COSIGNATURE_V1),
        registrar_key=named("/registrar", keys.registrar),
        endpoint=endpoint,
        certificate_authority=certificate_authority,
    )


def check_roster_entry(bureau: str, credit_code: str, origin: str) -> None:
    """Raises InvalidIdentifier where one of them is not well formed."""
    check_bureau_id(bureau)
    check_credit_code(credit_code)
    check_origin(origin)


def found(
    settings: Settings,
    registrar: Signer | None,
    actors: Sequence[FirstActor],
    now_us: int,
    opened: tuple[Charter, Bureau] | None = None,
) -> State:
    """Create a home's database with the first statements. Without the registrar's key there are no first actors.

    `opened` is the settings' charter and bureau, for a caller that has opened them: a large roster takes a while.
    Raises ConfigInvalid where the home, its keys and its charter do not fit, or where it was founded before;
    StorageFailed.
    """
    charter, bureau = opened or settings.open_charter()
    key = load_ledger_key(settings, bureau)
    if registrar is not None and registrar.public != bureau.registrar_public:
        raise ConfigInvalid(
            f"this is not the registrar key of {bureau.id}",
            where=str(settings.path),
            expected=f"the private half of {bureau.registrar_key}",
        )
    digest = parse_digest(settings.config.charter_digest)
    submissions = [adoption(bureau, key, charter.version, digest, now_us)]
    if registrar is not None and actors:
        submissions.append(_registrations(bureau, registrar, actors, now_us))
    data = settings.database.parent
    with made_whole(data) as folder:
        return _record(folder / settings.database.name, folder / settings.signed_size.name, bureau, submissions, now_us)


def found_observer(settings: Settings, bureau: Bureau) -> None:
    """Create an observer's database. Raises ConfigInvalid where it has one, or another key; StorageFailed."""
    load_witness_key(settings, bureau)
    with made_whole(settings.database.parent) as folder:
        store = LevelDbStore.create(folder / settings.database.name)
        try:
            Ledger.create(store, bureau.origin)
        finally:
            store.close()
        SignedSize.create(folder / settings.signed_size.name, bureau.origin).close()


def _registrations(bureau: Bureau, registrar: Signer, actors: Sequence[FirstActor], now_us: int) -> Prepared:
    signer = f"{bureau.id}:registrar"
    said = []
    for first in actors:
        actor = f"{bureau.id}:{first.name}"
        values = {
            "registered": actor,
            "key": first.key.public,
            "role": first.role,
            "possession": prove_possession(bureau.origin, actor, first.role, first.key),
        }
        said.append(compose("ActorRegistered", signer, values).statement.SerializeToString())
    return prepare(seal(bureau.origin, signer, registrar, new_id(now_us), said), bureau.origin)


def _record(database: Path, noted: Path, bureau: Bureau, submissions: Sequence[Prepared], now_us: int) -> State:
    store = LevelDbStore.create(database)
    try:
        ledger = Ledger.create(store, bureau.origin)
        actors = actors_of(bureau)
        first = 0
        for submission in submissions:
            admit(submission, first, actors, now_us)
            first += submission.count
        commit = ledger.build(submissions, now_us)
        signed = SignedSize.create(noted, bureau.origin)
        try:
            store.write(commit.batch)
            signed.note(commit.state.size, commit.state.root)
        finally:
            signed.close()
        return commit.state
    finally:
        store.close()


@contextmanager
def made_whole(folder: Path) -> Iterator[Path]:
    """A folder to fill, which takes its place when the block ends, or is gone when it fails. Raises ConfigInvalid."""
    making = folder.with_name(f"{folder.name}.making")
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise ConfigInvalid(
            "something is there already", where=str(folder), expected="a new or an empty folder; nothing is overwritten"
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        making.mkdir(mode=0o700)
    except FileExistsError:
        raise ConfigInvalid(
            "it was left by something that was interrupted, or is still under way",
            where=str(making),
            expected="no such folder; remove it if nothing is being made here, and try again",
        ) from None
    except OSError as error:
        raise ConfigInvalid(f"cannot be made: {error.strerror}", where=str(making)) from None
    try:
        yield making
        _take_place(making, folder)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise


def _take_place(making: Path, folder: Path) -> None:
    try:
        os.rename(making, folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise ConfigInvalid(f"cannot be made: {error.strerror}", where=str(folder)) from None
