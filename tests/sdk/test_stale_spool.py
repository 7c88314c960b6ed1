"""What lay in the spool for too long is signed anew; what the ledger refuses does not lie there for ever."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

import pytest
from google.protobuf.message import Message

from tallystick import TallystickError
from tallystick.core.compose import Sensitive, compose, place
from tallystick.core.identifiers import uuid7
from tallystick.core.keys import Signer, SigningKey
from tallystick.core.submission import seal
from tallystick.sdk.clock import new_id, new_salt, now_us
from tallystick.sdk.node import Node
from tallystick.sdk.profile import Profile
from tallystick.sdk.spool import Spool
from tallystick_node.cluster.local import LocalCluster

WAIT_S = 30.0
DAY_US = 24 * 3600 * 1_000_000


def leave(node: Node, key: Signer, folder: Path, submission_id: bytes) -> Message:
    """A submission in the spool, as a program that died left it."""
    values = {"version": "LATE@1", "purpose": "tax-registration", "subject": Sensitive("somebody")}
    draft = compose("use", node.actor, values)
    disclosures = place(draft, node.bureau.origin, submission_id, 0, new_salt)
    data = draft.statement.SerializeToString()
    submission = seal(node.bureau.origin, node.actor, key, submission_id, [data], disclosures)
    Spool(folder, node.bureau.origin, node._key).put(submission_id, submission)
    return submission


def settled(node: Node, spool: Path) -> bool:
    """Whether the spool is empty in the end: the witnesses of a cluster cosign in their own time."""
    end = time.monotonic() + WAIT_S
    while list(spool.rglob("*.submission")) and time.monotonic() < end:
        node.recorder().close()
    return not list(spool.rglob("*.submission"))


def test_a_submission_too_old_for_its_id_is_recorded_under_a_new_one(cluster: LocalCluster) -> None:
    """Eight days in the spool: recorded once, its commitment made anew, and gone from the spool once witnessed."""
    tax = cluster["taxation"]
    profile = Profile.load(tax.profile)
    old = uuid7(now_us() - 8 * DAY_US, secrets.token_bytes(10))
    spool = profile.state / "spool" / tax.sdk.actor.replace(":", "_")
    leave(tax.sdk, profile.signing_key(), spool, old)
    with tax.sdk.recorder() as recorder:
        recorder.use("NEW@1", purpose="tax-registration")
    found = list(tax.sdk.find([(4, b"LATE@1")]))
    assert len(found) == 1
    signed = found[0].entry.signed
    assert signed is not None
    assert signed.submission_id != old
    assert settled(tax.sdk, spool)
    with tax.sdk.recorder() as recorder:
        recorder.use("NEW@1", purpose="tax-registration")
    assert len(list(tax.sdk.find([(4, b"LATE@1")]))) == 1


def test_what_the_ledger_refuses_is_told_once_and_leaves_the_spool(cluster: LocalCluster) -> None:
    """A left-over submission under a key nobody registered is refused in the next close, and not again."""
    tax = cluster["taxation"]
    spool = Profile.load(tax.profile).state / "spool" / tax.sdk.actor.replace(":", "_")
    leave(tax.sdk, SigningKey(secrets.token_bytes(32)), spool, new_id())
    recorder = tax.sdk.recorder()
    with pytest.raises(TallystickError, match="not registered"):
        recorder.close()
    assert settled(tax.sdk, spool)
    with tax.sdk.recorder() as again:
        again.use("NEW@1", purpose="tax-registration")
