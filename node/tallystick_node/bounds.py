"""What bounds every call to a node, in one table: a row an RPC, and a test that there is one for each.

A caller is who the connection's certificate proves; all whom it proves nobody are one; in the clear, where there is
none, a connection is a caller. Prices are the µs of the node's processor that a call takes, rounded up, so that many
small calls are dearer than few large ones. They are estimates, and have to be right to a factor only: they say who is
next, and who has to wait.

    request bytes   the longest message of a caller; longer ones than MESSAGE_BYTES_MAX the transport refuses unread
    call            the price of a call, or of each message where the caller sends many; bytes come on top
    answer          the price of each further answer; 0: paid for with the message it answers, or taken by its handler
    at once         how many of these calls a caller may have open
    silence         how long the node waits for the caller's next message, in seconds
    part            of the node's time: what records has `WEIGHTS` times as much of it as what reads, if both ask
    large           its answers are of up to a mebibyte: LARGE_MAX of these calls at once, of all callers together, and
                    LARGE_ALWAYS of each, up to PARTY_LARGE_MAX of a party's
    shared          its answers are given to several callers as they are, and made into bytes once
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tallystick.core.limits import (
    ANSWER_BYTES_MAX,
    CHARTER_BYTES_MAX,
    EVIDENCE_BYTES_MAX,
    NOTE_BYTES_MAX,
    STATEMENT_BYTES_MAX,
    SUBMISSION_BYTES_MAX,
)

# A submission with its envelope: ids, signature, disclosures.
MESSAGE_BYTES_MAX: Final = 2 * SUBMISSION_BYTES_MAX + ANSWER_BYTES_MAX
METADATA_BYTES_MAX: Final = 16 * 1024

# The calls one connection may have open; a client keeps further ones to itself until there is room.
CONNECTION_CALLS_MAX: Final = 32
# The parts of `serve.connections_max` that one caller may have, and all whom one party named.
CALLER_CONNECTIONS: Final = 0.25
PARTY_CONNECTIONS: Final = 0.5
# Calls that wait to be refused, of all callers together. Beyond a caller's part of it a connection is hung up on, after
# as long as it would take to be refused, or who comes back at once would cost more than who waits.
HELD_MAX: Final = 4_096
HANG_UP_S: Final = 10.0
LARGE_MAX: Final = 32
# However many calls others have open, a caller may have so many.
CALLS_ALWAYS: Final = 8
LARGE_ALWAYS: Final = 2
# However many callers a party names, so many of these calls are theirs together.
PARTY_LARGE_MAX: Final = 8 * LARGE_MAX

# Messages of calls that come at once, whose length nobody knows until they are here, so that each may be as long as the
# longest: of all callers together, what each may always have, and a party's. Of streams only the first counts here.
ARRIVING_MAX: Final = 48
ARRIVING_ALWAYS: Final = 2
PARTY_ARRIVING_MAX: Final = 64
# Bytes of messages that have come and wait for their turn, of all callers together; and what each may always have.
WAITING_BYTES_MAX: Final = 128 * 1024 * 1024
WAITING_BYTES_ALWAYS: Final = 2 * MESSAGE_BYTES_MAX

# How long the node waits for a call's first message, and until an answer was taken.
REQUEST_S: Final = 30.0
ANSWER_TAKEN_S: Final = 30.0

# A round of the loop is left to whoever comes in for so much that a turn took.
ROUND_US: Final = 500.0

REQUEST_BYTE_PRICE: Final = 0.02
ANSWER_BYTE_PRICE: Final = 0.002
# While somebody else records, so many times as long as a turn took passes until who reads has another.
READING_REST: Final = 4.0
# Who has not asked for anything to be recorded for so long does not record.
RECORDING_S: Final = 1.0
# A caller pays so many times for a call that is refused for his own fault, and has turns among those of his kind alone
# until it is paid off, except for as much as may happen to anybody: ten calls at once, or ten a second.
REFUSED_PRICES: Final = 100.0
REFUSED_FREE_US: Final = 1_000_000.0
REFUSED_DEBT_MAX_US: Final = 10_000_000.0
# For what their turns take, so many times as long is left to everybody else.
REFUSED_REST: Final = 20.0

_ORDINARY_BYTES: Final = 4 * 1024  # an origin, a few numbers and hashes


RECORDS: Final = "records"
READS: Final = "reads"
WEIGHTS: Final = {RECORDS: 4.0, READS: 1.0}


@dataclass(frozen=True, slots=True)
class Bounds:
    """A row of the table."""

    request_bytes_max: int = _ORDINARY_BYTES
    call_us: float = 1_000
    answer_us: float = 0
    at_once_max: int = 64
    silence_s: float = REQUEST_S
    part: str = READS
    large: bool = False
    shared: bool = False


_READ: Final = Bounds(call_us=5_000, answer_us=5_000, at_once_max=16, large=True, shared=True)

BOUNDS: Final = {
    "tallystick.v1.Submit/Submit": Bounds(MESSAGE_BYTES_MAX, part=RECORDS),
    "tallystick.v1.Submit/SubmitMany": Bounds(
        MESSAGE_BYTES_MAX, call_us=500, at_once_max=8, silence_s=300, part=RECORDS
    ),
    "tallystick.v1.Ledger/GetCheckpoint": Bounds(),
    "tallystick.v1.Ledger/WatchCheckpoints": Bounds(),
    "tallystick.v1.Ledger/ProveConsistency": Bounds(),
    "tallystick.v1.Ledger/ProveInclusion": Bounds(),
    "tallystick.v1.Ledger/ProvePresence": Bounds(call_us=5_000),
    "tallystick.v1.Ledger/ReadEntries": _READ,
    # One that follows stays open for as long as its caller likes, and has a large answer to give once in a while.
    "tallystick.v1.Ledger/Find": Bounds(64 * 1024, call_us=10_000, answer_us=10_000, at_once_max=64, large=True),
    "tallystick.v1.Ledger/FindOpenings": Bounds(
        2 * STATEMENT_BYTES_MAX, call_us=10_000, answer_us=10_000, at_once_max=4
    ),
    # Has the node record a statement of its own first.
    "tallystick.v1.Ledger/Disclose": Bounds(call_us=5_000, at_once_max=4),
    # A witness that was shown a checkpoint says nothing until it has fetched and stored what leads to it.
    "tallystick.v1.Witness/Cosign": Bounds(
        NOTE_BYTES_MAX + _ORDINARY_BYTES, answer_us=500, at_once_max=4, silence_s=6 * 3600
    ),
    "tallystick.v1.Witness/GetHeld": Bounds(call_us=2_000),
    "tallystick.v1.Witness/GetCosigned": Bounds(),
    "tallystick.v1.Gossip/Swap": Bounds(ANSWER_BYTES_MAX, call_us=3_000, at_once_max=16),
    "tallystick.v1.Gossip/Tell": Bounds(
        max(MESSAGE_BYTES_MAX, EVIDENCE_BYTES_MAX, 2 * CHARTER_BYTES_MAX), call_us=3_000, at_once_max=4
    ),
    "tallystick.v1.Gossip/GetCharter": Bounds(at_once_max=16),
    "tallystick.v1.Operate/Backup": Bounds(answer_us=2_000, at_once_max=2, large=True),
    "grpc.health.v1.Health/Check": Bounds(),
    "grpc.health.v1.Health/List": Bounds(),
    "grpc.health.v1.Health/Watch": Bounds(at_once_max=16),
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": Bounds(at_once_max=4),
}

UNKNOWN: Final = Bounds(at_once_max=4)
"""Of a call that the node does not know, and refuses."""


def fits(mine: int, all_open: int, most: int, always: int) -> bool:
    """Whether one who has `mine` of `all_open` calls may have another, where there may be `most`.

    Nobody may have more than half as many as are left over, so that however many crowd in, some are left for who comes
    next; and everybody may have `always`.
    """
    return mine < max(always, (most - all_open) // 2)
