"""One client for many: threads that share a node's object, and programs that share a state folder, accuse nobody."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tallystick.core.evidence import verify_presence
from tallystick.sdk.node import Node
from tallystick.sdk.profile import Profile
from tallystick.sdk.receipt import Receipt
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.member import Member
from tests.harness.waiting import WAIT_S

THREADS, EACH = 8, 30
PROGRAM = """
import sys
from tallystick import Node

with Node.open(sys.argv[1]) as node:
    for number in range(int(sys.argv[3])):
        code = f"{sys.argv[2]}-{number}"
        print(node.declare(code, scheme="local", title=code, sharing="unconditional").index)
        assert node.declared(code) is not None
"""


@pytest.fixture
def taxation(shared_cluster: LocalCluster) -> Member:
    """A real node that others record at meanwhile."""
    return shared_cluster["taxation"]


@pytest.fixture
def shared(taxation: Member) -> Iterator[Node]:
    """One client of it."""
    with Node.open(taxation.profile) as node:
        yield node


def suspected(member: Member) -> list[Path]:
    """What its officer's client keeps beside the notes it trusts."""
    folder = Profile.load(member.profile).trust_store.folder
    return [path for path in folder.iterdir() if "+" in path.name or path.suffix not in (".note", ".lock")]


def declared(code: str) -> dict[str, Any]:
    return {"resource": code, "scheme": "local", "title": code, "sharing": "unconditional"}


def test_threads_share_a_node(taxation: Member, shared: Node) -> None:
    """What each records is recorded once, read back and proven, and nobody is suspected of an answer that came late."""
    charter = Profile.load(taxation.profile).charter

    def work(thread: int) -> list[Receipt]:
        receipts = []
        for number in range(EACH):
            said = declared(f"SHARED-{thread}-{number}")
            wait_s = WAIT_S if number % 10 == 9 else 0.0
            receipts.append(shared.record_witnessed("declare", wait_s, **said))
            assert shared.declared(said["resource"]) is not None
            if number % 5 == 0:
                assert verify_presence(shared.prove(receipts[-1].index), charter).entry.raw == receipts[-1].entry
        return receipts

    with ThreadPoolExecutor(THREADS) as pool:
        receipts = [receipt for found in pool.map(work, range(THREADS)) for receipt in found]
    indexes = {receipt.index for receipt in receipts}
    assert len(indexes) == len(receipts) == THREADS * EACH
    raws = {shown.entry.index: shown.entry.raw for shown in shared.entries() if shown.entry.index in indexes}
    assert raws == {receipt.index: receipt.entry for receipt in receipts}
    assert not suspected(taxation)


def test_programs_share_a_state_folder(taxation: Member) -> None:
    """Each goes on from what the others verified, and none suspects the node of what another was shown."""
    command = [sys.executable, "-c", PROGRAM, str(taxation.profile)]
    running = [
        subprocess.Popen([*command, name, str(EACH)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for name in ("FIRST", "SECOND", "THIRD")
    ]
    told = [process.communicate() for process in running]
    assert [(process.returncode, errors) for process, (_, errors) in zip(running, told, strict=True)] == [(0, "")] * 3
    assert len({line for said, _ in told for line in said.split()}) == 3 * EACH
    assert not suspected(taxation)


@pytest.mark.parametrize("first", ["before it is taken", "after it is taken"])
def test_an_answer_that_comes_late_is_followed(
    taxation: Member, shared: Node, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """Whichever of two statements the node takes first, both stand, and the larger checkpoint is trusted."""
    submit, faster = shared.wire.submit, []

    def slow(request: Any) -> Any:
        monkeypatch.undo()
        answer = submit(request) if first == "after it is taken" else None
        faster.append(shared.record("declare", **declared(f"FASTER {first}")))
        return answer or submit(request)

    shared.refresh()
    monkeypatch.setattr(shared.wire, "submit", slow)
    late = shared.record("declare", **declared(f"LATE {first}"))
    assert (late.index < faster[0].index) == (first == "after it is taken")
    assert shared.trusted.size == max(late.checkpoint.size, faster[0].checkpoint.size)
    assert not suspected(taxation)


def test_what_is_watched_goes_on_while_something_is_recorded(taxation: Member, shared: Node) -> None:
    """The stream's next checkpoint fits, though this client was shown it by its receipt already."""
    with closing(shared.watch()) as watching:
        now = next(watching)
        receipt = shared.record("declare", **declared("WATCHED"))
        assert now.size <= receipt.index < next(watching).size
    assert not suspected(taxation)
