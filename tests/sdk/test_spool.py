"""The spool: what is not answered yet is there for the next program, whole, and nothing else is."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tallystick import Node as Client
from tallystick.core.errors import ConfigInvalid
from tallystick.sdk.spool import Spool
from tallystick_node import doctor
from tallystick_node.server import Node
from tests.harness import loop
from tests.harness.office import NOW_US, Office
from tests.harness.small_home import new_home

OFFICE = Office()


def test_what_is_put_is_left_over_until_removed(tmp_path: Path) -> None:
    """Submissions come back whole and oldest first, in any later spool on the folder, until they are answered."""
    spool = Spool(tmp_path / "spool", OFFICE.origin)
    ids = [OFFICE.new_id(NOW_US + 1_000 * number) for number in (5, 1, 9, 3)]
    submissions = {id: OFFICE.submission(OFFICE.declares(2), id=id) for id in ids}
    for submission in submissions.values():
        spool.put(submission)
    again = Spool(tmp_path / "spool", OFFICE.origin)
    assert list(again.left_over()) == [submissions[id] for id in sorted(ids)]
    for id in ids[:2]:
        again.remove(id)
        again.remove(id)
    assert list(spool.left_over()) == [submissions[id] for id in sorted(ids[2:])]


def test_ledgers_do_not_mix(tmp_path: Path) -> None:
    """A folder may hold the unsent submissions of several ledgers, each its own."""
    other = Office("taxation")
    for office in (OFFICE, other):
        Spool(tmp_path, office.origin).put(office.submission(office.declares(1)))
    for office in (OFFICE, other):
        (left,) = Spool(tmp_path, office.origin).left_over()
        assert left.origin == office.origin


def test_without_a_folder_nothing_is_kept() -> None:
    """A recorder may do without files."""
    spool = Spool(None, OFFICE.origin)
    spool.put(OFFICE.submission(OFFICE.declares(1)))
    spool.remove(OFFICE.new_id())
    assert list(spool.left_over()) == []


def test_files_are_private_and_whole(tmp_path: Path) -> None:
    """A submission may carry what its commitments hide: only its owner reads it, and there is never half a file."""
    spool = Spool(tmp_path, OFFICE.origin)
    assert list(spool.left_over()) == []
    spool.put(OFFICE.submission(OFFICE.declares(1)))
    (path,) = tmp_path.rglob("*.submission")
    assert path.stat().st_mode & 0o777 == 0o600
    path.with_name(f".{path.name}.torn").write_bytes(b"half a submis")
    assert len(list(spool.left_over())) == 1


def test_what_does_not_read_is_named(tmp_path: Path) -> None:
    """A file that is no submission, or a folder in its place, is ConfigInvalid with its path."""
    spool = Spool(tmp_path, OFFICE.origin)
    spool.put(OFFICE.submission(OFFICE.declares(1)))
    (path,) = tmp_path.rglob("*.submission")
    path.write_bytes(b"\xff\xff")
    with pytest.raises(ConfigInvalid, match=path.name):
        list(spool.left_over())
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigInvalid, match=path.name):
        list(spool.left_over())


PROGRAM = """
import sys, time
from pathlib import Path
from tallystick import Node
with Node.open(sys.argv[1]) as node:
    recorder = node.recorder(batch_max=2)
    for number in range(6):
        recorder.declare(f"K-{number}", scheme="local", title="t", sharing="unconditional")
    while len(list(Path(sys.argv[2]).rglob("*.submission"))) < 3:
        time.sleep(0.01)
    print("kept", flush=True)
    time.sleep(60)
"""


def test_files_survive_a_killed_program(tmp_path: Path) -> None:
    """Recorded while no node answered, by a program then killed: the next recorder sends it all, once and in order."""
    settings = new_home(tmp_path / "market")
    home = settings.path.parent
    program = [sys.executable, "-c", PROGRAM, str(home / "profile.toml"), str(home / "state")]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "kept\n"
        process.send_signal(signal.SIGKILL)
    node = Node.open(settings)
    loop.run(node.start())
    with Client.open(home / "profile.toml") as client, client.recorder() as recorder:
        recorder.flush()
        found = [shown.read.statement.head.resource for shown in client.entries(3)]
    assert found == [f"K-{number}" for number in range(6)]
    assert not list((home / "state").rglob("*.submission"))
    loop.run(node.stop())
    node.close()
    assert doctor.run(settings).clean
