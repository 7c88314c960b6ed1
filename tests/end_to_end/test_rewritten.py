"""Real processes gossip: a rewritten ledger, properly signed, is proven by all others, who go on."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tallystick.core.checkpoint import Checkpoint, open_checkpoint
from tallystick.core.equivocation import verify_equivocation
from tallystick.sdk.clock import new_id
from tallystick.sdk.ledgers import Ledgers
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.member import Member
from tallystick_node.cluster.nursery import Nursery
from tallystick_node.config import Settings
from tallystick_node.engine import Engine
from tallystick_node.identity import load_ledger_key
from tallystick_node.own_statement import own_statement
from tallystick_node.server import Node
from tests.cli.conftest import Tally
from tests.harness import loop
from tests.harness.clusters import checked_cluster

WAIT_S = 60.0
MARKET, TAXATION, PLANNING = "market-regulation", "taxation", "planning"


@pytest.fixture
def four(tmp_path: Path, nursery: Nursery) -> Iterator[LocalCluster]:
    """Four nodes, of which one may be away."""
    with checked_cluster(tmp_path / "four", 4, nursery) as cluster:
        yield cluster


class Forger:
    """A bureau's node on an older copy of its home, with its own keys; it asks nobody, and heeds nothing."""

    def __init__(self, home: Path) -> None:
        self.node = Node.open(Settings.load(home / "tallyd.toml"))
        engine, own = self.node.engine, self.node.bureau
        assert isinstance(engine, Engine)

        def unmoved(note: bytes, by: str) -> Checkpoint:
            return open_checkpoint(note, own.ledger_verifier)

        self.key = load_ledger_key(self.node.settings, own)
        engine.asking.needed = 0
        setattr(engine.own_word, "check", unmoved)  # noqa: B010

    def __enter__(self) -> Forger:
        loop.run(self.node.start())
        return self

    def __exit__(self, *_: object) -> None:
        loop.run(self.node.stop())
        self.node.close()

    def rewrite(self, count: int) -> None:
        """Record so many entries that the ledger its witnesses hold does not have."""
        own = self.node.bureau
        for _ in range(count):
            said = {"version": 1, "digest": bytes(32)}
            statement = own_statement(own, self.key, new_id(), "CharterAdopted", said)
            loop.run(self.node.sequencer.record(statement))


def declare(member: Member, *codes: str) -> str:
    """Declarations on a member's ledger, each witnessed if it may be; how the last one stands."""
    standing = ""
    for code in codes:
        standing = member.sdk.record_witnessed(
            "declare", 20.0, resource=code, scheme="pudong", title=code, sharing="unconditional"
        ).standing
    return standing


def found(cluster: LocalCluster, member: str, accused: str) -> list[bytes]:
    """The evidence against a bureau that stands on a member's ledger."""
    with Ledgers.open(cluster.auditor_profile) as ledgers:
        statements = [shown.read.statement for shown in ledgers[member].entries()]
    return [
        each.equivocation_found.evidence.encode()
        for each in statements
        if each.HasField("equivocation_found") and each.head.counterparty == accused
    ]


def until(done: Callable[[], bool]) -> None:
    """Wait for what is bound to happen."""
    for _ in range(int(WAIT_S / 0.2)):
        if done():
            return
        threading.Event().wait(0.2)
    pytest.fail(f"not within {WAIT_S} s")


def test_a_rewritten_ledger_is_proven_by_all_others(four: LocalCluster, tmp_path: Path, tally: Tally) -> None:
    """A node put back and rewritten with its own valid signature: each other records the proof within a few rounds,
    `tally status` shows it, and the others are witnessed as before.
    """
    market = four[MARKET]
    declare(market, "SCJG-0001")
    market.stop()
    older = tmp_path / "older" / market.home.name
    shutil.copytree(market.home, older)
    shutil.copy(market.home.parent / "charter.note", older.parent)
    market.start()
    assert declare(market, "SCJG-0002", "SCJG-0003") == "witnessed"
    market.stop()
    others = [member for member in four if member.bureau.id != MARKET]
    with capture_logs(), Forger(older) as forger:
        forger.rewrite(4)
        until(lambda: all(found(four, member.bureau.id, MARKET) for member in others))
        for member in others:
            (file,) = found(four, member.bureau.id, MARKET)
            assert verify_equivocation(file, four.charter)[0].id == MARKET
        said = tally("status", "--json", profile=four.auditor_profile)
        assert said.code == 5
        alarms = said.json["alarms"]
        assert {"equivocation"} == {each["kind"] for each in alarms if each["bureau"] == MARKET and each["file"]}
        assert [each for each in alarms if each["kind"] == "not-cosigned"]
        assert declare(four[TAXATION], "TAX-0001") == "witnessed"
