"""A backup of a home, and a home of a backup: whole or not at all, and nothing that was there is lost."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.core.compose import compose
from tallystick.core.errors import BehindSigned, ConfigInvalid, DirectoryHeld, StoreDamaged
from tallystick.core.note import decode_base64
from tallystick.core.submission import prepare, seal
from tallystick.sdk.clock import new_id, now_us
from tallystick.sdk.profile import Profile
from tallystick.sdk.toml_edit import with_values
from tallystick_node import doctor
from tallystick_node.backup import RECORD, Taken, make_backup
from tallystick_node.home import SETTINGS
from tallystick_node.ledger import Ledger
from tallystick_node.restoring import restore
from tallystick_node.server import Node
from tallystick_node.signed_size import SignedSize
from tallystick_node.store.leveldb import LevelDbStore
from tests.harness import loop
from tests.harness.processes import refused, tallyd
from tests.harness.small_home import checked_home, loaded, new_home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A founded home of three entries; its ledger is sound when the test is over."""
    with checked_home(tmp_path / "home") as home:
        yield home


def taken(home: Path, target: Path, *, with_keys: bool = False) -> Taken:
    return make_backup(loaded(home), target, now_us(), lambda written: None, with_keys=with_keys)


def started(home: Path) -> int:
    """The size of the ledger of a home whose node starts."""
    node = Node.open(loaded(home))
    try:
        loop.run(node.start())
        loop.run(node.stop())
        return node.sequencer.ledger.state.size
    finally:
        node.close()


def noted(home: Path) -> tuple[int, bytes]:
    signed = SignedSize.open(loaded(home).signed_size, "pudong.example/market")
    signed.close()
    return signed.value


def with_one_more(home: Path) -> None:
    """Another entry in the database of a stopped home, and noted as signed."""
    origin, profile = "pudong.example/market", Profile.load(home / "profile.toml")
    said = compose("use", profile.actor, {"version": "R-1@1", "purpose": "tax-registration"}).encode()
    store, signed = LevelDbStore.open(loaded(home).database), SignedSize.open(loaded(home).signed_size, origin)
    ledger = Ledger.open(store, origin)
    submission = seal(origin, profile.actor, profile.signing_key(), new_id(), [said])
    commit = ledger.build([prepare(submission, origin)], now_us())
    store.write(commit.batch)
    signed.note(commit.state.size, commit.state.root)
    store.close()
    signed.close()


def test_a_backup_has_a_homes_form_and_no_keys(home: Path, tmp_path: Path) -> None:
    """It is checked as a home is; keys are in it only where that was asked for, for their owner's eyes alone."""
    backup = taken(home, tmp_path / "backup")
    assert doctor.run(loaded(tmp_path / "backup")).clean
    assert noted(tmp_path / "backup") == (3, decode_base64(backup.root, ValueError, "")) == noted(home)  # type: ignore[arg-type]
    assert not [name for name in ("keys", "tls") if (tmp_path / "backup" / name).exists()]
    taken(home, tmp_path / "with", with_keys=True)
    keys = sorted((tmp_path / "with" / "keys").iterdir())
    assert {"ledger.key", "witness.key", "registrar.key"} <= {key.name for key in keys}
    certified = sorted((tmp_path / "with" / "tls").iterdir())
    assert {path.name for path in certified} == {path.name for path in (home / "tls").iterdir()}
    secrets = [*keys, *(path for path in certified if path.suffix == ".key")]
    assert {path.stat().st_mode & 0o777 for path in secrets} == {0o600}


def test_a_home_made_of_a_backup_starts(home: Path, tmp_path: Path) -> None:
    """With its keys at once, else when they are put back; a home with other things in it is left alone."""
    taken(home, tmp_path / "with", with_keys=True)
    done = restore(tmp_path / "with", tmp_path / "again")
    assert (done.missing_keys, done.aside) == ([], None)
    assert started(tmp_path / "again") == 3
    taken(home, tmp_path / "without")
    done = restore(tmp_path / "without", tmp_path / "third")
    assert [key.name for key in done.missing_keys] == [
        "ledger.key",
        "witness.key",
        "disclosure.key",
        "node.crt",
        "node.key",
    ]
    for name in ("keys", "tls"):
        shutil.copytree(home / name, tmp_path / "third" / name)
    assert started(tmp_path / "third") == 3
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter").write_text("mine")
    with pytest.raises(ConfigInvalid, match="something is there"):
        restore(tmp_path / "without", tmp_path / "full")
    assert [each.name for each in (tmp_path / "full").iterdir()] == ["letter"]


@pytest.mark.parametrize("umask", [0o000, 0o002], ids=oct)
def test_a_home_is_its_owners_alone_whatever_the_umask(home: Path, tmp_path: Path, umask: int) -> None:
    """In no folder of a backup, or of a home made of it, may others write: its node would refuse it."""
    before = os.umask(umask)
    try:
        taken(home, tmp_path / "with", with_keys=True)
        restore(tmp_path / "with", tmp_path / "again")
    finally:
        os.umask(before)
    for made in (tmp_path / "with", tmp_path / "again"):
        folders = [made, *(path for path in made.rglob("*") if path.is_dir())]
        assert [folder for folder in folders if folder.stat().st_mode & 0o022] == []
    assert started(tmp_path / "again") == 3


def test_a_lost_database_is_put_back(home: Path, tmp_path: Path) -> None:
    """What is left of the old one stays beside it, and the node starts on the one put back."""
    taken(home, tmp_path / "backup")
    for path in loaded(home).database.glob("*.log"):
        path.unlink()
    done = restore(tmp_path / "backup", home)
    assert done.aside == home / "data"
    assert (home / "data" / "ledger" / "CURRENT").exists()
    assert loaded(home).config.data == "data-restored-1"
    assert started(home) == 3
    assert restore(tmp_path / "backup", home).aside == home / "data-restored-1"
    assert loaded(home).config.data == "data-restored-2"


def test_a_home_does_not_forget_that_it_signed_more(home: Path, tmp_path: Path) -> None:
    """Where more was signed than a backup has, the node does not start on it; the other database is still there."""
    taken(home, tmp_path / "backup")
    signed = SignedSize.open(loaded(home).signed_size, "pudong.example/market")
    signed.note(9, bytes(32))
    signed.close()
    with pytest.raises(BehindSigned):
        taken(home, tmp_path / "behind")
    assert not (tmp_path / "behind").exists()
    assert restore(tmp_path / "backup", home).signed_size == 9
    with pytest.raises(BehindSigned, match="9 were signed"):
        Node.open(loaded(home))
    before = noted(tmp_path / "backup")
    text = loaded(home).path.read_text()
    loaded(home).path.write_text(text.replace("data-restored-1", "data"))
    shutil.copy(loaded(tmp_path / "backup").signed_size, loaded(home).signed_size)
    assert noted(home) == before


def test_a_home_that_has_all_it_signed_is_not_put_back_to_less(home: Path, tmp_path: Path) -> None:
    """It is left as it is, and starts; by force it is put aside, for whoever knows that it is damaged within."""
    taken(home, tmp_path / "backup")
    with_one_more(home)
    said = refused(2, "restore", tmp_path / "backup", home)
    assert f"its 3 entries are fewer than the 4 that were signed, which {loaded(home).database} has" in said
    assert loaded(home).config.data == "data"
    assert started(home) == 4
    assert "4 entries had been signed" in tallyd("restore", tmp_path / "backup", home, "--force").stdout
    text = loaded(home).path.read_text()
    assert 'data = "data-restored-1"' in text
    loaded(home).path.write_text(text.replace("data-restored-1", "data"))


def test_a_damaged_backup_is_not_restored(home: Path, tmp_path: Path) -> None:
    """A missing or an altered file, or a record of another state: nothing is made of it."""
    taken(home, tmp_path / "backup")
    for name in ("log", "record"):
        broken = tmp_path / name
        shutil.copytree(tmp_path / "backup", broken)
        if name == "log":
            for path in (broken / "data" / "ledger").glob("*.log"):
                path.write_bytes(path.read_bytes()[:-9])
            for path in (broken / "data" / "ledger").glob("*.ldb"):
                path.unlink()
        else:
            (broken / RECORD).write_text((broken / RECORD).read_text().replace("size = 3", "size = 4"))
        with pytest.raises(StoreDamaged) as error:
            restore(broken, tmp_path / "again")
        assert error.value.where == str(broken / "data" / "ledger")
        assert ".making" not in str(error.value)
        with pytest.raises(StoreDamaged):
            restore(broken, home)
        assert not (tmp_path / "again").exists()
        assert loaded(home).config.data == "data"
        assert not list(home.glob("data-*"))


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("", "data", "../../elsewhere"),
        ("", "data", "/tmp/elsewhere"),
        ("", "charter", "../charter.note"),
        ("keys", "ledger", "keys/../../ledger.key"),
    ],
)
def test_a_backup_reaches_no_other_folder(home: Path, tmp_path: Path, table: str, key: str, value: str) -> None:
    """Settings in a backup that name a place outside of it are refused, and nothing is written anywhere."""
    taken(home, tmp_path / "backup")
    settings = tmp_path / "backup" / SETTINGS
    settings.write_text(with_values(settings.read_text(), {(table, key): value}, "settings"))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigInvalid, match="what is in the backup"):
        restore(tmp_path / "backup", tmp_path / "new" / "home")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_backup_shows_nobody_another_file(home: Path, tmp_path: Path) -> None:
    """A link in a backup is not followed: it might lead to what its maker cannot read."""
    taken(home, tmp_path / "backup")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "backup" / "bureau.toml").unlink(missing_ok=True)
    (tmp_path / "backup" / "bureau.toml").symlink_to(tmp_path / "secret")
    with pytest.raises(ConfigInvalid, match="it is a link"):
        restore(tmp_path / "backup", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_another_ledgers_backup_is_not_put_back(home: Path, tmp_path: Path) -> None:
    """A backup goes into the home it was taken of."""
    new_home(tmp_path / "other", "tax")
    taken(tmp_path / "other", tmp_path / "backup")
    with pytest.raises(ConfigInvalid, match="it is a backup of tax"):
        restore(tmp_path / "backup", home)


def test_a_running_home_is_backed_up_and_not_restored(home: Path, tmp_path: Path) -> None:
    """Its node gives its database to who has its token; nothing is put under it."""
    taken(home, tmp_path / "stopped")
    node = Node.open(loaded(home))
    try:
        loop.run(node.start())
        assert taken(home, tmp_path / "backup").size == 3
        with pytest.raises(DirectoryHeld):
            restore(tmp_path / "stopped", home)
        loop.run(node.stop())
    finally:
        node.close()
    assert doctor.run(loaded(tmp_path / "backup")).clean


def test_the_commands_say_what_they_did(home: Path, tmp_path: Path) -> None:
    """`backup` and `restore` end with a sentence, or with one line that says what is in the way."""
    done = tallyd("backup", home, tmp_path / "backup")
    assert done.stdout == f"{tmp_path / 'backup'}: 3 entries of pudong.example/market, without keys\n", done.stderr
    assert "there already" in refused(2, "backup", home, tmp_path / "backup")
    assert tallyd("fsck", tmp_path / "backup").returncode == 0
    said = tallyd("restore", tmp_path / "backup", home).stdout
    assert f"the database before it stays in {home / 'data'}" in said
    assert "backup.toml" in refused(2, "restore", home, tmp_path / "again")


def test_a_restored_lone_ledger_is_promised_no_check(home: Path, tmp_path: Path) -> None:
    """Nobody but the home's own note can say what it signed later: without one it is told so, and to change its key."""
    taken(home, tmp_path / "backup", with_keys=True)
    into_home = tallyd("restore", tmp_path / "backup", home).stdout
    assert "by this home's note, nothing was signed after the backup" in into_home
    new = tallyd("restore", tmp_path / "backup", tmp_path / "again").stdout
    loaded(home).signed_size.unlink()
    without_note = tallyd("restore", tmp_path / "backup", home).stdout
    for said, where in ((new, tmp_path / "again"), (without_note, home)):
        assert "was signed after the backup, this home does not know" in said
        assert f"first: tallyd charter renew {where} ledger" in said
    for said in (into_home, new, without_note):
        assert "asks nobody" in said
        assert "witnesses must" not in said
        assert "other ledgers" not in said
    assert "charter renew" not in into_home


def test_neither_backup_nor_restore_opens_a_key_of_a_stopped_home(tmp_path: Path) -> None:
    """So no passphrase is needed: keys that nothing could open are copied as they are."""
    new_home(tmp_path / "home")
    keys = [*(tmp_path / "home" / "keys").glob("*.key"), *(tmp_path / "home" / "tls").glob("*.key")]
    for key in keys:
        key.write_text(f"sealed {key.name}")
    taken(tmp_path / "home", tmp_path / "backup", with_keys=True)
    assert restore(tmp_path / "backup", tmp_path / "again").missing_keys == []
    for key in keys:
        copied = tmp_path / "again" / key.relative_to(tmp_path / "home")
        assert copied.read_text() == f"sealed {key.name}"
