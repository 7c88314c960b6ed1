"""`tallyd run` refuses to start in one clear line, whatever is wrong, and touches nothing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.sdk.clock import now_us
from tallystick.sdk.key_file import generate_key, load_key
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tallystick_node.cluster.roster import CHARTER_KEY
from tallystick_node.first_charter import sign_first_charter
from tests.harness.clusters import assert_sound, made_cluster
from tests.harness.processes import BIN, processes_of, refused, tallyd


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[LocalCluster]:
    """Two nodes that were made and not started."""
    cluster = made_cluster(tmp_path / "cluster", 2)
    settings = {member.settings.path: member.settings.path.read_text() for member in cluster}
    yield cluster
    for path, text in settings.items():
        path.write_text(text)
    assert_sound(cluster)
    assert not processes_of(tmp_path)


@pytest.fixture
def home(stopped: LocalCluster) -> Path:
    return stopped["taxation"].home


def edit(home: Path, was: str, now: str) -> None:
    settings = home / "tallyd.toml"
    text = settings.read_text()
    assert was in text
    settings.write_text(text.replace(was, now))


def test_a_home_that_is_none(tmp_path: Path) -> None:
    """A folder without settings."""
    assert "tallyd init" in refused(2, "run", tmp_path)


def test_an_unknown_setting(home: Path) -> None:
    """A key nobody knows is refused by name, not ignored."""
    edit(home, "[write]", "[write]\nlinger = 3")
    assert "linger" in refused(2, "run", home)


def test_a_setting_out_of_range(home: Path) -> None:
    """A value outside its bounds is refused with them."""
    edit(home, "linger_ms = 2.0", "linger_ms = -1.0")
    assert "0 to 1000" in refused(2, "run", home)


@pytest.mark.parametrize("listen", ["0.0.0.0:7411", "10.0.0.1:7411", "[::]:7411", "example.org:7411"])
def test_an_address_that_others_could_reach(home: Path, listen: str) -> None:
    """A node that speaks in the clear listens on loopback only."""
    port = home.joinpath("tallyd.toml").read_text().partition('listen = "')[2].partition('"')[0]
    edit(home, port, listen)
    edit(home, "in_the_clear = false", "in_the_clear = true")
    assert "is not loopback" in refused(2, "run", home)


def test_a_missing_charter(home: Path) -> None:
    """No charter, no node."""
    edit(home, "../charter.note", "../nothing.note")
    assert "the charter's note" in refused(2, "run", home)


def test_another_charter_than_the_trusted_one(home: Path, stopped: LocalCluster) -> None:
    """A charter of another digest is not believed."""
    note = stopped.folder / "charter.note"
    note.write_text(note.read_text().replace('name = "pudong"', 'name = "pudonh"'))
    assert "its digest is blake3:" in refused(5, "run", home)
    note.write_text(note.read_text().replace('name = "pudonh"', 'name = "pudong"'))


def test_an_expired_charter(home: Path, stopped: LocalCluster) -> None:
    """A charter whose term is over records nothing."""
    key = load_key(stopped.folder / "keys" / "charter.key")
    two_years_ago = now_us() - 730 * 24 * 3600 * 1_000_000
    note, digest = sign_first_charter("pudong", stopped.charter.bureau, CHARTER_KEY, key, two_years_ago)
    (stopped.folder / "old.note").write_bytes(note)
    edit(home, "../charter.note", "../old.note")
    edit(home, stopped["taxation"].settings.config.charter_digest, digest)
    assert "the charter expired on" in refused(2, "run", home)


def test_a_key_that_is_not_the_charters(home: Path) -> None:
    """A ledger is signed by the key the charter names, or not at all."""
    (home / "keys" / "ledger.key").unlink()
    generate_key(home / "keys" / "ledger.key")
    assert "this is not the ledger key of taxation" in refused(2, "run", home)


def test_a_key_that_others_may_read(home: Path) -> None:
    """A key file open to others is refused."""
    (home / "keys" / "ledger.key").chmod(0o644)
    assert "0600" in refused(2, "run", home)


def test_a_directory_held_by_another_node(cluster: LocalCluster) -> None:
    """Two processes never write one ledger, whatever port the second would take."""
    taxation = cluster["taxation"]
    copy = taxation.home / "second.toml"
    copy.write_text(taxation.settings.render().replace(taxation.bureau.endpoint, "127.0.0.1:9"))
    assert "another process holds" in refused(4, "run", "--config", copy)
    assert "another process holds" in refused(4, "fsck", taxation.home)
    assert taxation.sdk.refresh().size == 3


def test_a_port_in_use(cluster: LocalCluster) -> None:
    """A second node on a port is told so, and shares nothing."""
    taxation, planning = cluster["taxation"], cluster["planning"]
    planning.stop()
    edit(planning.home, planning.bureau.endpoint, taxation.bureau.endpoint)
    assert "the address is in use" in refused(2, "run", planning.home)
    edit(planning.home, taxation.bureau.endpoint, planning.bureau.endpoint)


def test_a_missing_database(stopped: LocalCluster, home: Path) -> None:
    """A lost database is refused, and none is made in its place."""
    stopped["taxation"].broken_on_purpose = True
    (home / "data" / "ledger").rename(home / "data" / "elsewhere")
    assert "no database here" in refused(4, "run", home)
    assert not (home / "data" / "ledger").exists()


def test_a_missing_database_file(stopped: LocalCluster, home: Path) -> None:
    """A database of which a file is gone is refused."""
    stopped["taxation"].broken_on_purpose = True
    for manifest in (home / "data" / "ledger").glob("MANIFEST-*"):
        manifest.unlink()
    refused(4, "run", home)


def test_a_database_behind_what_was_signed(stopped: LocalCluster, home: Path, nursery: Nursery) -> None:
    """An older copy of the database put back is noticed before anything is signed."""
    taxation = stopped["taxation"]
    taxation.broken_on_purpose = True
    ledger = home / "data" / "ledger"
    subprocess.run(["cp", "-r", ledger, home / "older"], check=True)
    with LocalCluster.up(stopped.folder, nursery=nursery) as cluster:
        cluster["taxation"].sdk.declare("SW-1", scheme="pudong", title="Tax rolls", sharing="conditional")
    ledger.rename(home / "newer")
    (home / "older").rename(ledger)
    assert "the database holds 3 entries, and 4 were signed" in refused(4, "run", home)
    assert tallyd("fsck", home).returncode == 5


def test_a_machine_without_leveldb(home: Path, tmp_path: Path) -> None:
    """Where the library cannot be loaded, the line says where there are wheels."""
    shadow = tmp_path / "shadow"
    shadow.mkdir()
    (shadow / "plyvel.py").write_text('raise ImportError("libleveldb.so.1: cannot open shared object file")\n')
    done = subprocess.run(
        [BIN / "tallyd", "run", home], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(shadow)}
    )
    assert done.returncode == 4
    assert "the LevelDB library cannot be loaded" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_stop_is_clean(home: Path) -> None:
    """`tallyd run` ends with 0 on SIGTERM, having said that it serves and that it stopped."""
    reading, writing = os.pipe()
    with subprocess.Popen(
        [BIN / "tallyd", "run", home, "--ready-fd", str(writing)], pass_fds=[writing], stderr=subprocess.PIPE, text=True
    ) as node:
        os.close(writing)
        assert [os.read(reading, 1), os.read(reading, 1)] == [b".", b"+"]
        os.close(reading)
        node.terminate()
        _, log = node.communicate(timeout=30)
    assert node.returncode == 0
    assert [line.split("]")[1].split()[0] for line in log.splitlines()] == ["serving", "recording", "stopped"]
