"""Cosignatures for a checkpoint before its receipts go out. This node gathers none yet, and its receipts say so."""

from __future__ import annotations

from dataclasses import dataclass

from tallystick_proto.v1.ledger_pb2 import Receipt


@dataclass(frozen=True, slots=True)
class Gathered:
    """A checkpoint's note with the cosignatures that came, and what a receipt may say of it."""

    note: bytes
    standing: Receipt.Standing.ValueType


async def gather(checkpoint: bytes) -> Gathered:
    """Ask the ledger's witnesses to cosign a signed checkpoint."""
    return Gathered(checkpoint, Receipt.RECORDED)
