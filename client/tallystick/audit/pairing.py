"""What pairs the halves of an exchange: its id, who sent, who received. A third bureau's use of the id is another."""

from __future__ import annotations

from typing import NamedTuple

from blake3 import blake3

from tallystick.audit.entry import On
from tallystick_proto.v1.statement_pb2 import DataReceived, DataSent


class Key(NamedTuple):
    """What pairs two halves."""

    id: bytes
    sender: str
    receiver: str

    @property
    def digest(self) -> bytes:
        """16 bytes that stand for it where many have to be kept."""
        return blake3(b"\n".join((self.id, self.sender.encode(), self.receiver.encode()))).digest(16)


def sent_key(entry: On[DataSent]) -> Key:
    """The exchange a sent half belongs to."""
    return Key(entry.head.exchange, entry.bureau, entry.head.counterparty)


def received_key(entry: On[DataReceived]) -> Key:
    """The exchange a received half belongs to."""
    return Key(entry.head.exchange, entry.head.counterparty, entry.bureau)
