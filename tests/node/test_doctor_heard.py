"""What `tallyd fsck` says of checkpoints that gossip brought."""

from __future__ import annotations

from tallystick_node import keyspace
from tallystick_node.doctor.heard import check_heard
from tallystick_node.doctor.report import Report
from tallystick_node.store.memory import MemoryStore
from tallystick_node.store.store import Batch
from tallystick_proto.v1.storage_pb2 import Gossiped
from tests.harness.office import Office

ROOT = bytes(32)


def checked(office: Office, note: bytes) -> Report:
    """The report on a database in which a note of the office's ledger was kept."""
    store = MemoryStore()
    store.write(Batch([(keyspace.gossip(office.origin), Gossiped(note=[note]).SerializeToString())]))
    report = Report(office.origin)
    check_heard(store, [office.bureau], report)
    return report


def test_what_was_heard_before_a_recovery_is_no_damage() -> None:
    """A checkpoint above the floor from which the ledger goes on under a new key was its key's word; a stranger's was
    not.
    """
    office = Office()
    after = office.recovered(7, ROOT)
    assert checked(after, office.note(8, ROOT)).clean
    assert checked(after, after.note(8, ROOT)).clean
    stranger = Office("taxation")
    stranger.origin = office.origin
    assert not checked(after, stranger.note(8, ROOT)).clean
