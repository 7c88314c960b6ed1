"""A node and the versions of its charter: going by the next one, and what a ledger must be to go by it.

Going by a version takes two steps. The settings of the stopped node name it, with the keys it names, from one moment to
the next; and at its start a node records `CharterAdopted` for the version it goes by, if its ledger does not say so
yet. A suspended or closed bureau records nothing, this neither.

The ledger must extend the floor that the version pins. Where the version retires a key, nothing that key signed may
stand beyond the floor: it would no longer be believed. That is how far a node must be stopped before its key changes.
An observer has no ledger to look at, and records nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from tallystick.core.charter import Bureau, Charter
from tallystick.core.charter_chain import Version
from tallystick.core.entry import decode_entry
from tallystick.core.errors import ConfigInvalid, StoreDamaged, VerificationFailed
from tallystick.core.evidence import actors_of
from tallystick.core.hashing import format_digest, parse_digest
from tallystick.core.identifiers import uuid7
from tallystick.core.keys import Signer
from tallystick.core.kinds import BY_NAME, TERM_FIELDS
from tallystick.core.note import VerifierKey
from tallystick.core.statement import read
from tallystick.core.submission import Prepared
from tallystick.sdk.charter_files import adopt, next_version
from tallystick.sdk.key_file import load_key
from tallystick_node.admission import load_actors
from tallystick_node.config import Settings
from tallystick_node.identity import load_certificate
from tallystick_node.ledger import Ledger, check_against_signed
from tallystick_node.ledger_state import check_no_entries
from tallystick_node.own_statement import own_statement
from tallystick_node.signed_size import SignedSize
from tallystick_node.store.leveldb import LevelDbStore
from tallystick_node.store.store import Store

_ADOPTED: Final = BY_NAME["CharterAdopted"]


def new_id(now_us: int) -> bytes:
    """The id of a submission of the node's own."""
    return uuid7(now_us, secrets.token_bytes(10))


def adoption(bureau: Bureau, key: Signer, version: int, digest: bytes, now_us: int) -> Prepared:
    """The node's statement that its ledger goes by a version of the charter."""
    return own_statement(bureau, key, new_id(now_us), _ADOPTED.name, {"version": version, "digest": digest})


def check_floor(ledger: Ledger, bureau: Bureau, where: str) -> None:
    """A ledger extends the floor that its charter pins. Raises ConfigInvalid."""
    floor, size = bureau.pinned, ledger.state.size
    if floor is not None and (size < floor.size or ledger.root_at(floor.size) != floor.root):
        raise ConfigInvalid(
            f"the ledger has {size} entries and does not extend the {floor.size} that the charter pins",
            where=where,
            expected="the ledger whose floor that is; this node must not go on",
        )


def _check_ended(ledger: Ledger, bureau: Bureau, where: str) -> None:
    """Keys that a version ends signed nothing beyond its floor. Raises ConfigInvalid, StoreDamaged."""
    ended = {key.public for key in bureau.ends}
    size = ledger.state.size
    first = size if bureau.floor is None or not ended else bureau.floor.size
    for index, raw in enumerate(ledger.entries(first, size), first):
        signed = decode_entry(raw).signed
        if signed is not None and signed.key in ended:
            raise ConfigInvalid(
                f"#{index} is signed by a key that the charter ends at {first}",
                where=where,
                expected=f"a version that pins the ledger at {size}, where this node was stopped",
            )


def _check_names(ledger: Ledger, bureau: Bureau, where: str) -> None:
    """No key that a version names stands under an actor's name on the ledger. Raises ConfigInvalid."""
    try:
        load_actors(ledger, actors_of(bureau))
    except StoreDamaged as error:
        raise ConfigInvalid(
            f"its keys do not fit what the ledger registered: {error.what}",
            where=where,
            expected="keys that stand under no other name",
        ) from None


def adoption_due(
    ledger: Ledger, key: Signer, charter: Charter, digest: str, bureau: Bureau
) -> Callable[[int], Prepared] | None:
    """What a ledger has yet to record of the version its node goes by, told when that is, which may be long after this;
    None where it says so already, or may not.

    Raises ConfigInvalid where it adopted a later one.
    """
    last = last_adopted(ledger)
    if last is not None and last[0] > charter.version:
        raise ConfigInvalid(
            f"the ledger adopted version {last[0]} of the charter",
            where=bureau.origin,
            expected=f"settings that name it, not version {charter.version}",
        )
    if last == (charter.version, digest) or bureau.state != "active":
        return None
    return partial(adoption, bureau, key, charter.version, parse_digest(digest))


def last_adopted(ledger: Ledger) -> tuple[int, str] | None:
    """Version and digest of the charter that a ledger adopted last. Raises StoreDamaged."""
    term = (TERM_FIELDS["kind"], str(_ADOPTED.number).encode())
    for index in ledger.candidates([term], 0, ledger.state.size, newest_first=True):
        entry = ledger.decoded(index)
        try:
            said = read(entry.statement)
        except VerificationFailed as error:
            raise ledger.damaged(index, error) from None
        if said.kind == _ADOPTED:
            adopted = said.statement.charter_adopted
            return adopted.version, format_digest(adopted.digest)
    return None


def adopt_version(settings: Settings, file: Path, now_us: int) -> Version:
    """Have a stopped node go by the version in `file`; once it is started, it records that.

    Raises what keeps a version from following, ConfigInvalid where keys or ledger do not fit it, DirectoryHeld where
    the node runs; then nothing was changed.
    """
    config = settings.config
    known, version = next_version(settings.place(config.charter), config.charter_digest, file)
    bureau = version.charter.by_id(config.bureau)
    if version.charter.expired(now_us):
        raise ConfigInvalid(
            f"it expired on {version.charter.expires.isoformat()}", where=str(file), expected="a later version"
        )
    keys = {("keys", "witness"): key_file(settings, config.keys.witness, bureau.witness_key, version.number)}
    if not bureau.is_observer:
        keys["keys", "ledger"] = key_file(settings, config.keys.ledger, bureau.ledger_key, version.number)
    load_certificate(settings, bureau, now_us)
    store = LevelDbStore.open(settings.database)
    try:
        if bureau.is_observer:
            check_no_entries(store, bureau.origin)
        else:
            _check_ledger(settings, store, bureau, str(file))
        if version.digest != config.charter_digest:
            adopt(settings.path, config.charter, known, version, keys)
        return version
    finally:
        store.close()


def stopped_ledger(settings: Settings, store: Store, bureau: Bureau) -> Ledger:
    """The ledger of a stopped node, which holds all that it signed. Raises StorageFailed."""
    ledger = Ledger.open(store, bureau.origin)
    signed = SignedSize.open(settings.signed_size, bureau.origin)
    try:
        check_against_signed(ledger, signed)
    finally:
        signed.close()
    return ledger


def _check_ledger(settings: Settings, store: Store, bureau: Bureau, where: str) -> None:
    """The ledger of a stopped node is as a version pins and ends it. Raises ConfigInvalid, StorageFailed."""
    ledger = stopped_ledger(settings, store, bureau)
    check_floor(ledger, bureau, where)
    _check_ended(ledger, bureau, where)
    _check_names(ledger, bureau, where)


def next_key_file(named: str, version: int) -> str:
    """Where a key that a version brings is kept: beside the one before, under the version's number."""
    path = Path(named)
    office = path.stem.partition("-")[0]
    return str(path.with_name(f"{office}-{version}{path.suffix}"))


def key_file(settings: Settings, named: str, verifier: str, version: int) -> str:
    """The file of the key that a version names: the one there is, or the one that was made for it."""
    wanted = VerifierKey.parse(verifier).public
    for candidate in (named, next_key_file(named, version)):
        path = settings.place(candidate)
        if path.exists() and load_key(path, settings.passphrase).public == wanted:
            return candidate
    raise ConfigInvalid(
        f"no key here is {verifier}",
        where=str(settings.place(named)),
        expected=f"its private half, there or in {next_key_file(named, version)}",
    )
