"""Opening a node's home: refused early and clearly where anything does not fit, and nothing is held afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tallystick.core.errors import (
    BehindSigned,
    CharterMismatch,
    ConfigInvalid,
    DirectoryHeld,
    StorageFailed,
    StoreDamaged,
    TallystickError,
)
from tallystick.sdk.clock import now_us
from tallystick.sdk.key_file import generate_key
from tallystick_node import doctor, keyspace
from tallystick_node.config import Settings
from tallystick_node.server import Node
from tallystick_node.signed_size import SignedSize
from tallystick_node.store.leveldb import LevelDbStore
from tallystick_node.store.store import Batch
from tests.harness import loop
from tests.harness.office import Office
from tests.harness.small_home import new_home


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home to be copied."""
    folder = tmp_path_factory.mktemp("homes") / "market"
    new_home(folder)
    return folder


@pytest.fixture
def settings(made: Path, tmp_path: Path) -> Settings:
    """A home of its own, with its port, database and note."""
    shutil.copytree(made, tmp_path / "home")
    return Settings.load(tmp_path / "home" / "tallyd.toml")


def put(settings: Settings, key: bytes, value: bytes) -> None:
    store = LevelDbStore.open(settings.database)
    batch = Batch()
    batch.put(key, value)
    store.write(batch)
    store.close()


def other_key(settings: Settings) -> None:
    path = settings.place(settings.config.keys.ledger)
    path.unlink()
    generate_key(path)


def readable_key(settings: Settings) -> None:
    settings.place(settings.config.keys.ledger).chmod(0o644)


def no_key(settings: Settings) -> None:
    settings.place(settings.config.keys.ledger).unlink()


def other_charter(settings: Settings) -> None:
    settings.place(settings.config.charter).write_bytes(Office().charter()[0])


def no_charter(settings: Settings) -> None:
    settings.place(settings.config.charter).unlink()


def no_database(settings: Settings) -> None:
    shutil.rmtree(settings.database)


def no_note(settings: Settings) -> None:
    settings.signed_size.unlink()


def garbage_note(settings: Settings) -> None:
    settings.signed_size.write_bytes(b"\xff" * 4208)


def foreign_note(settings: Settings) -> None:
    settings.signed_size.unlink()
    SignedSize.create(settings.signed_size, "pudong.example/taxation").close()


def larger_note(settings: Settings) -> None:
    signed = SignedSize.open(settings.signed_size, "pudong.example/market")
    signed.note(90, bytes(32))
    signed.close()


def other_root(settings: Settings) -> None:
    settings.signed_size.unlink()
    signed = SignedSize.create(settings.signed_size, "pudong.example/market")
    signed.note(2, bytes(32))
    signed.close()


def no_state(settings: Settings) -> None:
    put(settings, keyspace.STATE, b"")


def cut_registration(settings: Settings) -> None:
    store = LevelDbStore.open(settings.database)
    value = store.get(keyspace.segment(0)) or b""
    store.close()
    put(settings, keyspace.segment(0), value[:-1])


def no_manifest(settings: Settings) -> None:
    for path in settings.database.glob("MANIFEST-*"):
        path.unlink()


@pytest.mark.parametrize(
    ("damage", "error", "says"),
    [
        (other_key, ConfigInvalid, "not the ledger key of market"),
        (readable_key, ConfigInvalid, "0644"),
        (no_key, ConfigInvalid, "cannot be read"),
        (other_charter, CharterMismatch, "charter.note"),
        (no_charter, ConfigInvalid, "charter.note"),
        (no_database, StoreDamaged, "tallyd init"),
        (no_note, StoreDamaged, "the note of what was signed is missing"),
        (garbage_note, StoreDamaged, "note of what was signed"),
        (foreign_note, StoreDamaged, "another ledger's"),
        (larger_note, BehindSigned, "holds 3 entries, and 90 were signed"),
        (other_root, StoreDamaged, "run tallyd fsck"),
        (no_state, StoreDamaged, "state record"),
        (cut_registration, StoreDamaged, "#0"),
        (no_manifest, StoreDamaged, "damaged"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(
    settings: Settings, made: Path, damage: Callable[[Settings], None], error: type[TallystickError], says: str
) -> None:
    """Keys, charter, database and note: each misfit has its error and a sentence, and put right, the home opens."""
    damage(settings)
    with pytest.raises(error, match=says):
        Node.open(settings)
    shutil.rmtree(settings.path.parent)
    shutil.copytree(made, settings.path.parent)
    Node.open(settings).close()


def test_a_behind_database_says_what_to_do(settings: Settings) -> None:
    """BehindSigned carries the signed size, and says to restore or recover instead of writing on."""
    larger_note(settings)
    with pytest.raises(BehindSigned) as error:
        Node.open(settings)
    assert error.value.known == 90
    assert "must not write on" in str(error.value)
    assert "witnesses" in str(error.value)


def test_an_expired_charter_opens_nothing(settings: Settings) -> None:
    """After its term a charter records nothing; before, the same home opens."""
    with pytest.raises(ConfigInvalid, match="expired"):
        Node.open(settings, clock=lambda: now_us() + 2 * 365 * 24 * 3600 * 1_000_000)
    Node.open(settings).close()


def test_a_home_is_held_by_one_node(settings: Settings) -> None:
    """A second opening is DirectoryHeld, names the directory, and does the first no harm."""
    node = Node.open(settings)
    for _ in range(2):
        with pytest.raises(DirectoryHeld, match="another process holds") as error:
            Node.open(settings)
        assert str(settings.database) in str(error.value)
    loop.run(node.start())
    loop.run(node.stop())
    node.close()
    Node.open(settings).close()


def test_opening_writes_nothing(settings: Settings) -> None:
    """Until it starts, a node has neither signed nor noted anything, and its ledger is what it was."""
    noted = settings.signed_size.read_bytes()
    node = Node.open(settings)
    assert node.sequencer.ledger.state.size == 3
    node.close()
    assert settings.signed_size.read_bytes() == noted


def test_a_home_that_cannot_be_opened_can_be_examined(settings: Settings) -> None:
    """fsck opens what a node refuses, and names what is wrong, or says that it cannot be opened at all."""
    for damage, says in ((larger_note, "90"), (no_note, "missing"), (no_state, "state record")):
        home = settings.path.parent
        kept = home.with_name("kept")
        shutil.copytree(home, kept)
        damage(settings)
        report = doctor.run(settings)
        assert not report.clean
        assert says in " ".join(map(str, report.differences))
        shutil.rmtree(home)
        kept.rename(home)
    assert doctor.run(settings).clean
    no_manifest(settings)
    with pytest.raises(StorageFailed):
        doctor.run(settings)
