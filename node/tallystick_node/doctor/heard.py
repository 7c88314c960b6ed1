"""What a node was told of other ledgers: checkpoints that gossip brought, and evidence against a key."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from google.protobuf.message import DecodeError

from tallystick.core.charter import Bureau
from tallystick.core.checkpoint import open_of_any_size
from tallystick.core.equivocation import accused_key, forked
from tallystick.core.errors import TallystickError
from tallystick_node import keyspace
from tallystick_node.doctor.report import Report
from tallystick_node.store.store import Store, after
from tallystick_proto.v1.storage_pb2 import Gossiped


def check_heard(store: Store, bureaus: Sequence[Bureau], report: Report) -> None:
    """Each record is of a ledger of `bureaus`, by its key, and reads."""
    for prefix, key_of, check in (
        (keyspace.GOSSIP, keyspace.gossip, _check_gossiped),
        (keyspace.PROVEN, keyspace.proven, _check_evidence),
    ):
        _check_each(store, prefix, {key_of(bureau.origin): bureau for bureau in bureaus}, check, report)


def _check_each(
    store: Store,
    prefix: bytes,
    bureaus: dict[bytes, Bureau],
    check: Callable[[bytes, Bureau], None],
    report: Report,
) -> None:
    for key, value in store.range(prefix, after(prefix)):
        bureau = bureaus.get(key)
        if bureau is None:
            report.add(f"key {key.hex()}", "no such key", "one")
            continue
        try:
            check(value, bureau)
        except (TallystickError, DecodeError) as error:
            report.add(f"what was heard of {bureau.origin}", "what its key signed", str(error))


def _check_gossiped(value: bytes, bureau: Bureau) -> None:
    for note in Gossiped.FromString(value).note:
        open_of_any_size(note, bureau.ledger_verifier, bureau.ends)


def _check_evidence(value: bytes, bureau: Bureau) -> None:
    forked(bureau.id, value, accused_key(value, bureau))
