"""The spool: what became of a submission is not sure yet, and so it is there for the next program, whole."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tallystick import Node as Client
from tallystick.core.errors import ConfigInvalid
from tallystick.sdk.spool import Left, Spool
from tallystick_node import doctor
from tallystick_node.server import Node
from tallystick_proto.v1.entry_pb2 import Submission
from tallystick_proto.v1.ledger_pb2 import Receipt
from tallystick_proto.v1.spool_pb2 import Spooled
from tests.harness import loop
from tests.harness.office import NOW_US, Office
from tests.harness.small_home import new_home

OFFICE = Office()
KEY = OFFICE.keys["clerk"]


def put(spool: Spool, submission: Submission, receipt: Receipt | None = None) -> bytes:
    """Put a submission under its own id, which is returned."""
    name = submission.signature.submission_id
    spool.put(name, submission, receipt)
    return name


def test_what_is_put_is_left_over_until_removed(tmp_path: Path) -> None:
    """Submissions come back whole and oldest first, in any later spool on the folder, until they are removed."""
    spool = Spool(tmp_path / "spool", OFFICE.origin, KEY)
    ids = [OFFICE.new_id(NOW_US + 1_000 * number) for number in (5, 1, 9, 3)]
    submissions = {id: OFFICE.submission(OFFICE.declares(2), id=id) for id in ids}
    for submission in submissions.values():
        put(spool, submission)
    again = Spool(tmp_path / "spool", OFFICE.origin, KEY)
    assert list(again.left_over()) == [Left(id, id, None) for id in sorted(ids)]
    assert [again.get(id) for id in ids] == list(submissions.values())
    for id in ids[:2]:
        again.remove(id)
        again.remove(id)
    assert [left.name for left in spool.left_over()] == sorted(ids[2:])
    assert again.count == 2


def test_what_is_put_again_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    """With a receipt, or with other statements under the first's name: one file, and what was put last."""
    spool = Spool(tmp_path, OFFICE.origin, KEY)
    first, second = (OFFICE.submission(OFFICE.declares(2)) for _ in range(2))
    name = put(spool, first)
    receipt = Receipt(submission_id=name, first=3, count=2, checkpoint=OFFICE.note(5, bytes(32)))
    spool.put(name, first, receipt)
    assert list(Spool(tmp_path, OFFICE.origin, KEY).left_over()) == [Left(name, name, receipt)]
    spool.put(name, second)
    assert list(spool.left_over()) == [Left(name, second.signature.submission_id, None)]
    assert spool.get(name) == second
    assert spool.count == 1


def test_ledgers_do_not_mix(tmp_path: Path) -> None:
    """A folder may hold the submissions of several ledgers, each its own."""
    other = Office("taxation")
    for office in (OFFICE, other):
        put(Spool(tmp_path, office.origin, KEY), office.submission(office.declares(1)))
    for office in (OFFICE, other):
        spool = Spool(tmp_path, office.origin, KEY)
        (left,) = spool.left_over()
        assert spool.get(left.name).origin == office.origin


def test_without_a_folder_nothing_is_kept() -> None:
    """A recorder may do without files."""
    spool = Spool(None, OFFICE.origin, submissions_max=0)
    name = put(spool, OFFICE.submission(OFFICE.declares(1)))
    spool.remove(name)
    assert list(spool.left_over()) == []
    assert not spool.hold()


def test_one_program_sees_to_what_others_left(tmp_path: Path) -> None:
    """While one holds a spool another does not, and once it lets go the next does."""
    one, other = Spool(tmp_path, OFFICE.origin, KEY), Spool(tmp_path, OFFICE.origin, KEY)
    assert not one.hold()  # nothing lies there
    put(one, OFFICE.submission(OFFICE.declares(1)))
    assert one.hold()
    assert not other.hold()
    one.close()
    one.close()
    assert other.hold()
    other.close()


def test_what_its_owner_takes_away_meanwhile_is_not_left_over(tmp_path: Path) -> None:
    """Who looks through a spool that another program is at finds the rest, and nothing amiss."""
    owner, other = Spool(tmp_path, OFFICE.origin, KEY), Spool(tmp_path, OFFICE.origin, KEY)
    names = sorted(put(owner, OFFICE.submission(OFFICE.declares(1))) for _ in range(3))
    looking = other.left_over()
    found = [next(looking).name]
    owner.remove(names[1])
    assert found + [left.name for left in looking] == [names[0], names[2]]


@pytest.mark.parametrize("bound", ["submissions_max", "bytes_max"])
def test_it_is_full_by_number_and_by_bytes(tmp_path: Path, bound: str) -> None:
    """As much as was said and no more; what is put again counts once, and what is left over counts."""
    submissions = [OFFICE.submission(OFFICE.declares(1)) for _ in range(3)]
    size_bytes = Spooled(submission=submissions[0]).ByteSize()
    most = {bound: 3 if bound == "submissions_max" else 3 * size_bytes}
    spool = Spool(tmp_path, OFFICE.origin, KEY, **most)
    for submission in submissions:
        assert not spool.full
        put(spool, submission)
        name = put(spool, submission)
    assert spool.full
    again = Spool(tmp_path, OFFICE.origin, KEY, **most)
    assert len(list(again.left_over())) == 3
    assert again.full
    again.remove(name)
    assert not again.full


def test_files_are_private_and_whole(tmp_path: Path) -> None:
    """A submission may carry what its commitments hide: only its owner reads it, and there is never half a file."""
    spool = Spool(tmp_path, OFFICE.origin, KEY)
    assert list(spool.left_over()) == []
    put(spool, OFFICE.submission(OFFICE.declares(1)))
    (path,) = tmp_path.rglob("*.submission")
    assert path.stat().st_mode & 0o777 == 0o600
    path.with_name(f".{path.name}.torn").write_bytes(b"half a submis")
    assert len(list(spool.left_over())) == 1


def test_what_does_not_read_is_named(tmp_path: Path) -> None:
    """A file that is no submission, or misnamed, or a folder in its place, is ConfigInvalid with its path."""
    spool = Spool(tmp_path, OFFICE.origin, KEY)
    put(spool, OFFICE.submission(OFFICE.declares(1)))
    (path,) = tmp_path.rglob("*.submission")
    misnamed = path.with_name("zz.submission")
    path.rename(misnamed)
    with pytest.raises(ConfigInvalid, match=misnamed.name):
        list(spool.left_over())
    misnamed.unlink()
    for junk in (b"\xff\xff", b""):
        path.write_bytes(junk)
        with pytest.raises(ConfigInvalid, match=path.name):
            list(spool.left_over())
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigInvalid, match=path.name):
        list(spool.left_over())
    with pytest.raises(ConfigInvalid, match=path.name):
        spool.remove(bytes.fromhex(path.stem))


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
