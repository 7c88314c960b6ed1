"""A node as its own programs use it: one statement at a time, recorded once, with a receipt that was checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import grpc
import pytest
from blake3 import blake3

from tallystick.core.commitment import salted_digest
from tallystick.core.compose import Sensitive
from tallystick.core.errors import (
    ConfigInvalid,
    InvalidStatement,
    NotAllowed,
    NotAuthentic,
    StorageFailed,
    Unreachable,
    VerificationFailed,
)
from tallystick.core.hashing import leaf_hash
from tallystick.core.keys import Signer
from tallystick.core.kinds import TERM_FIELDS
from tallystick.sdk.clock import new_id, now_us
from tallystick.sdk.node import Node
from tallystick.sdk.trust_store import TrustStore
from tallystick.sdk.wire import Wire
from tallystick_proto.v1.ledger_pb2 import Receipt as WireReceipt
from tests.harness.home import Home
from tests.harness.lying_node import LyingNode
from tests.harness.office import Office, key_of

WAIT_S = 20.0
DAY_US = 24 * 3600 * 1_000_000


class Counter:
    """A clerk at a counter: a node in this process, and a client of it."""

    def __init__(self, node: LyingNode, folder: Path) -> None:
        self.node, self.folder, self.office = node, folder, node.home.office

    def client(self, actor: str = "clerk", key: Signer | None = None) -> Node:
        return Node(
            Wire(self.node.bureau),
            TrustStore(self.folder / "trust"),
            self.office.actor(actor),
            key or self.office.keys[actor],
            self.folder / "state",
        )

    @property
    def size(self) -> int:
        return self.node.sequencer.published.state.size


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    (tmp_path / "home").mkdir()
    with LyingNode(Home(tmp_path / "home", Office(now_us=now_us()))) as node:
        yield Counter(node, tmp_path)


@pytest.fixture
def client(counter: Counter) -> Iterator[Node]:
    with counter.client() as made:
        yield made


def test_a_statement_is_recorded_and_cited(client: Node, counter: Counter) -> None:
    """A verb returns where the statement stands, in what standing, and a citation that holds."""
    declared = client.declare("A", scheme="local", title="t", sharing="unconditional")
    assert (declared.reference, declared.standing, declared.again) == ("market#3", "recorded", False)
    assert declared.ref.leaf == leaf_hash(counter.node.sequencer.ledger.entry(3))
    requested = client.request("A", provider="planning", purpose="p")
    granted = client.grant(requested, to="taxation", resource="A")
    assert client.entry(granted.index).read.statement.head.about == requested.ref
    assert client.record("DataUsed", purpose="p", subject=Sensitive("310115")).index == 6
    assert client.trusted.size == 7


def test_what_may_not_be_said_is_refused(counter: Counter) -> None:
    """A bad value fails before anything is sent, a bad bound or role at the node; nothing is recorded."""
    with counter.client() as clerk, counter.client("gateway") as gateway:
        attempts: list[tuple[type[Exception], Callable[[], object]]] = [
            (InvalidStatement, lambda: clerk.declare("A", scheme="s", title="t", sharing="secret")),
            (InvalidStatement, lambda: clerk.record("Nonsense")),
            (InvalidStatement, lambda: clerk.withdraw("A", happened_at=now_us() + DAY_US)),
            (InvalidStatement, lambda: clerk.declare("A", scheme="s", title="t" * 401, sharing="withheld")),
            (NotAllowed, lambda: gateway.assign_duty(holder="market", duty="steward")),
        ]
        for error, attempt in attempts:
            with pytest.raises(error):
                attempt()
    with counter.client(key=key_of("nobody")) as nobody, pytest.raises(NotAuthentic):
        nobody.withdraw("A")
    assert counter.size == 3


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_failed_write_is_tried_again_under_the_same_id(
    client: Node, counter: Counter, when: Literal["before", "after"]
) -> None:
    """One failure of the disk is ridden out, and the statement stands once, whether or not the first try did it."""
    counter.node.home.fail_write(when)
    receipt = client.withdraw("A")
    assert (receipt.index, receipt.again) == (3, when == "after")
    assert counter.size == 4


def test_a_disk_that_keeps_failing_is_told(client: Node, counter: Counter) -> None:
    """After some tries the caller learns that the disk fails, and must not move the data."""
    for step in range(3):
        counter.node.home.fail_write("before", after=step)
    home = counter.node.home
    reopened = home.open_store

    def failing() -> object:
        store = reopened()
        home.fail_write("before")
        return store

    counter.node.sequencer._reopen = failing  # type: ignore[assignment]
    with pytest.raises(StorageFailed):
        client.withdraw("A")
    assert counter.node.calls.count("Submit") == 3
    assert home.ledger().state.size == 3


def test_a_node_that_is_away_is_named(client: Node, counter: Counter) -> None:
    """Nobody there: Unreachable with the bureau and its address; back again, it is used again."""
    client.withdraw("A")
    counter.node.stop()
    for ask in (lambda: client.withdraw("B"), client.refresh, lambda: list(client.find()), lambda: client.show(0)):
        with pytest.raises(Unreachable, match=f"market at 127.0.0.1:{counter.node.port}"):
            ask()
    counter.node.start()
    grpc.channel_ready_future(client.wire._connection.channel).result(WAIT_S)
    assert client.withdraw("B").index == 4


def bent() -> dict[str, Callable[[WireReceipt], object]]:
    return {
        "another id": lambda r: setattr(r, "submission_id", new_id()),
        "another index": lambda r: setattr(r, "first", 2),
        "another count": lambda r: setattr(r, "count", 4),
        "no standing": lambda r: r.ClearField("standing"),
        "an altered entry": lambda r: setattr(r, "entry", r.entry[:-1] + bytes([r.entry[-1] ^ 1])),
        "no path": lambda r: r.ClearField("inclusion"),
        "garbage in the path": lambda r: r.inclusion.__setitem__(0, b"\xff"),
        "garbage for a note": lambda r: setattr(r, "checkpoint", b"\xff"),
        "no note": lambda r: r.ClearField("checkpoint"),
        "no proof": lambda r: r.ClearField("consistency"),
        "garbage in the proof": lambda r: r.consistency.append(b"x"),
        "nothing": lambda r: r.Clear(),
    }


@pytest.mark.parametrize("name", bent())
def test_a_receipt_that_is_bent_is_not_taken(client: Node, counter: Counter, name: str) -> None:
    """One field of a receipt wrong: the bureau is named, and nothing of it is trusted but what a note proves."""
    client.withdraw("A")
    trusted = client.trusted.size
    counter.node.lies["Submit"] = lambda receipt: bent()[name](receipt) and None
    with pytest.raises(VerificationFailed, match="market") as raised:
        client.withdraw("B")
    assert "\n" not in str(raised.value)
    assert client.trusted.size in (trusted, trusted + 1)
    counter.node.lies.clear()
    assert client.withdraw("C").index == trusted + 1


def test_an_open_version_shows_its_digest(client: Node, tmp_path: Path) -> None:
    """Of an unconditional resource the file's own digest and size are recorded, and name the version."""
    data = b"licence\n" * 1000
    (tmp_path / "data").write_bytes(data)
    client.declare("A", scheme="local", title="t", sharing="unconditional")
    told: list[int] = []
    receipt = client.provide("A", file=tmp_path / "data", rows=1000, progress=lambda done, of: told.append(done))
    said = receipt.statement.version_provided
    assert said.digest.blake3 == blake3(data).digest()
    assert (said.size, said.rows, told) == (len(data), 1000, [len(data)])
    assert receipt.version_ref == f"A@{blake3(data).hexdigest()[:12]}"
    named = client.provide("A", file=tmp_path / "data", version="2027", derived_from=[receipt])
    assert named.version_ref == "A@2027"
    assert list(named.statement.head.derived_from) == [receipt.version_ref]


@pytest.mark.parametrize("sharing", ["conditional", "withheld", None])
def test_any_other_version_hides_its_digest_behind_a_salt(client: Node, tmp_path: Path, sharing: str | None) -> None:
    """Conditional, withheld or never declared: a salted digest, whose kept salt opens it."""
    (tmp_path / "data").write_bytes(b"few")
    if sharing is not None:
        client.declare("A", scheme="local", title="t", sharing=sharing)
    receipt = client.provide("A", file=tmp_path / "data")
    said, digest = receipt.statement.version_provided, blake3(b"few").digest()
    assert not said.digest.blake3
    salt = client.salts.salt_of("market", receipt.version_ref)
    name = receipt.version_ref.partition("@")[2]
    assert said.digest.committed == salted_digest(salt, "market", "A", name, digest)
    assert digest.hex()[:12] not in receipt.version_ref


def test_the_latest_declaration_counts(client: Node) -> None:
    """What was declared last is what a resource is; a code nobody declared is none."""
    assert client.declared("A") is None
    for sharing in ("unconditional", "withheld", "conditional"):
        client.declare("A", scheme="local", title=sharing, sharing=sharing)
        client.declare("B", scheme="local", title="other", sharing="withheld")
    found = client.declared("A")
    assert found is not None
    assert found.title == "conditional"


def test_a_file_that_cannot_be_read_records_nothing(client: Node, counter: Counter, tmp_path: Path) -> None:
    """No file, no version."""
    size = counter.size
    with pytest.raises(ConfigInvalid):
        client.provide("A", file=tmp_path / "none")
    assert counter.size == size


def test_what_could_not_be_provided_can_be_once_it_is_right(client: Node, tmp_path: Path) -> None:
    """A salt belongs to its version: one that is left from a statement that was refused serves the next."""
    (tmp_path / "data").write_bytes(b"x")
    with pytest.raises(InvalidStatement):
        client.provide("A", file=tmp_path / "data", version="v1", derived_from=["no version"])
    first, again = (client.provide("A", file=tmp_path / "data", version="v1") for _ in range(2))
    digests = {receipt.statement.version_provided.digest.committed for receipt in (first, again)}
    assert len(digests) == 1
    salt = client.salts.salt_of("market", "A@v1")
    assert digests == {salted_digest(salt, "market", "A", "v1", blake3(b"x").digest())}


def test_a_repeated_search_finds_what_was_just_recorded(client: Node) -> None:
    """A program reads its own writes."""
    for number in range(5):
        receipt = client.withdraw(f"A-{number}")
        (found,) = client.find([(TERM_FIELDS["resource"], f"A-{number}".encode())])
        assert found.entry.index == receipt.index
