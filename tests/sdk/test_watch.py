"""Checkpoints as they are signed, each checked against the one before."""

from __future__ import annotations

from contextlib import closing

from tallystick_node.cluster.local import LocalCluster


def test_watching_gives_the_checkpoint_now_and_each_later_one(cluster: LocalCluster) -> None:
    """What is recorded while somebody watches shows as a larger checkpoint, and the trust goes with it."""
    tax = cluster["taxation"].sdk
    reader = cluster.auditor["taxation"]
    with closing(reader.watch()) as watching:
        now = next(watching)
        receipt = tax.use("SCJG-0012@2026-10", purpose="tax-registration")
        later = next(watching)
    assert later.size == receipt.index + 1 == now.size + 1
    assert reader.trusted.checkpoint == later
