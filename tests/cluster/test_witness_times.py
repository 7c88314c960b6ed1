"""Through real nodes: a ledger says itself what was witnessed and who was served, and an audit goes by that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from tallystick.audit.questions.owed import owing
from tallystick.audit.words import Words
from tallystick.core.entry import Entry
from tallystick.core.witnessing import open_cosigned, others_of
from tallystick.sdk.auditing import audit
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.member import Member
from tallystick_node.cluster.nursery import Nursery
from tallystick_node.config import Gossip
from tallystick_node.copies import open_copy
from tallystick_node.store.leveldb import LevelDbStore
from tests.harness.clusters import checked_cluster
from tests.harness.waiting import WAIT_S

MARKET, EIGHTH = "market-regulation", "bureau-8"
LATER = date.today() + timedelta(days=90)


@pytest.fixture
def eight(tmp_path: Path, nursery: Nursery) -> Iterator[LocalCluster]:
    """Eight bureaus: for each ledger the charter lists six witnesses, and one bureau is none of the market's."""
    with checked_cluster(tmp_path / "eight", 8, nursery) as made:
        yield made


def hurry(member: Member) -> None:
    """The node is restarted to record what was witnessed as soon as it is, and to swap often."""
    member.stop()
    settings = member.settings
    write = replace(settings.config.write, witness_times_s=0.01)
    settings.config = replace(settings.config, write=write, gossip=Gossip(0.1))
    settings.save()
    member.start()


def noted(cluster: LocalCluster, first: int, shows: Callable[[bytes], bool]) -> tuple[Entry, bytes]:
    """The first note on the market's ledger, from an entry on, that shows something, once it is there."""
    with closing(cluster.auditor[MARKET].watch()) as watching:
        for checkpoint in watching:
            for shown in cluster[MARKET].sdk.entries(first, checkpoint.size):
                said = shown.read.statement
                if said.HasField("checkpoint_witnessed") and shows(said.checkpoint_witnessed.note.encode()):
                    return shown.entry, said.checkpoint_witnessed.note.encode()
    raise AssertionError("the ledger is watched no more")


def copies_of(member: Member, cluster: LocalCluster) -> set[str]:
    """The other ledgers of which a stopped node's disk has entries."""
    store = LevelDbStore.open(member.settings.database)
    try:
        others = [other.bureau for other in cluster if other is not member]
        return {bureau.id for bureau in others if open_copy(store, bureau).state.size}
    finally:
        store.close()


def test_a_ledger_records_what_was_witnessed_and_whom_it_served(eight: LocalCluster) -> None:
    """The note covers what was declared and is a quorum's of the witnesses listed; that it is itself witnessed gives no
    rise to another. Whom something is asked of follows and cosigns without being listed, counts to no quorum, and by
    the note that shows it an audit has its days run. Nobody else keeps a copy that the charter does not list him for.
    """
    market, eighth, charter = eight[MARKET], eight[EIGHTH], eight.charter
    listed = {witness.id for witness in charter.witnesses_of(market.bureau)}
    assert len(listed) == 6
    assert EIGHTH not in listed
    for member in (market, eighth):
        hurry(member)
    receipt = market.sdk.declare("SCJG-0001", scheme="pudong", title="Licences", sharing="unconditional")

    def covers(note: bytes) -> bool:
        return open_cosigned(note, charter, market.bureau).checkpoint.size > receipt.index

    entry, note = noted(eight, receipt.index, covers)
    found = open_cosigned(note, charter, market.bureau)
    assert found.enough(charter)
    assert found.checkpoint.size <= entry.index
    asked = market.sdk.record_witnessed(
        "request", WAIT_S, resource="B8-0001", provider=EIGHTH, purpose="joint-supervision"
    )
    assert asked.index == entry.index + 1
    assert asked.standing == "witnessed"
    assert set(asked.cosigned_by) <= listed

    def serves(note: bytes) -> bool:
        return bool(others_of(note, charter, market.bureau, [eighth.bureau]))

    assert not serves(note)
    _, note = noted(eight, asked.index, serves)
    (served,) = others_of(note, charter, market.bureau, [eighth.bureau])
    audited = audit(eight.auditor, LATER)
    (late,) = [finding for finding in audited.findings if finding.rule == "request-overdue"]
    assert (late.bureau, late.references[0]) == (EIGHTH, asked.reference)
    assert "served by cosignature" in Words(charter, "en").sentence(late)
    (owed,) = owing(audited.seen, EIGHTH)
    assert owed.served_us == max(served.at_us, eight.auditor.show(asked.ref).entry.recorded_at_us)
    eight.stop()
    for member in eight:
        witnessed = {ledger.id for ledger in charter.witnessed_by(member.bureau)}
        assert copies_of(member, eight) == witnessed | ({MARKET} if member is eighth else set())
