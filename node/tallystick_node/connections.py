"""What a connection to this node is like, how many a caller may have, and the end of one that takes nothing.

The transport holds a caller to what is said here before any of it costs the node's event loop: a message that is too
long is refused unread, a compressed one altogether (its length says nothing of what comes out of it), further calls
wait at the client's, and a connection that does not shake hands, is silent, or is one too many is closed.

Receive windows do not grow by what the other side sends (`bdp_probe`): what nobody has asked to read yet stays with
the sender. Asking for a message makes the window as long as the message.
"""

from __future__ import annotations

import asyncio
import os
import re
import resource
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import structlog

from tallystick_node.bounds import (
    CALLER_CONNECTIONS,
    CONNECTION_CALLS_MAX,
    MESSAGE_BYTES_MAX,
    METADATA_BYTES_MAX,
    PARTY_CONNECTIONS,
)
from tallystick_node.fair_queue import Owner

log = structlog.get_logger()

# Clients ask now and then whether a quiet node is still there; more often than this, a client is sent away.
PING_INTERVAL_MS_MIN = 5_000
HANDSHAKE_MS_MAX: Final = 10_000
# A connection without a call is closed, and opened again by whoever needs it.
IDLE_MS_MAX: Final = 300_000
# One whose other side is gone is noticed by this node's asking.
KEEPALIVE_MS: Final = 60_000
KEEPALIVE_ANSWER_MS: Final = 20_000
# After this time new calls go over a new connection, under certificates as they are then; old ones go on.
AGE_MS_MAX: Final = 3_600_000
_NO_COMPRESSION: Final = 1  # the set of allowed algorithms, in bits: none but "as it is"

# Files that the database and the node itself may have open beside connections.
_FILES: Final = 2_200
_MAPPED: Final = "::ffff:"  # how a socket for both has an IPv4 address
_MOMENT_S: Final = 0.1
_LOOK_S: Final = 1.0  # between two looks at all connections
_ADDRESS: Final = re.compile(r"ipv[46]:\[?([^\]]+)\]?:([0-9]+)")


def options(connections_max: int) -> list[tuple[str, int]]:
    """The server's settings. Beyond `connections_max` a connection is closed as soon as it is there."""
    return [
        ("grpc.so_reuseport", 0),  # or a second node would share the port unnoticed
        ("grpc.max_allowed_incoming_connections", connections_max),
        ("grpc.server_handshake_timeout_ms", HANDSHAKE_MS_MAX),
        ("grpc.max_concurrent_streams", CONNECTION_CALLS_MAX),
        ("grpc.max_metadata_size", METADATA_BYTES_MAX),
        ("grpc.absolute_max_metadata_size", METADATA_BYTES_MAX),
        ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
        ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
        ("grpc.compression_enabled_algorithms_bitset", _NO_COMPRESSION),
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.min_ping_interval_without_data_ms", PING_INTERVAL_MS_MIN),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_ANSWER_MS),
        ("grpc.http2.max_pings_without_data", 0),  # ask as often as it takes
        ("grpc.max_connection_idle_ms", IDLE_MS_MAX),
        ("grpc.max_connection_age_ms", AGE_MS_MAX),
    ]


def make_room(connections_max: int) -> None:
    """Let this process have as many files open as connections and the database need, or as many as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections_max + _FILES
    if hard != resource.RLIM_INFINITY and hard < needed:
        log.warning("few files may be open at once", allowed=hard, needed=needed)
        needed = hard
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


class Ending:
    """Breaks connections, those of a moment together. Use within one event loop.

    gRPC hands out no connection; the kernel knows it by the address of its other end.
    """

    def __init__(self) -> None:
        self._peers: set[str] = set()

    def end(self, peer: str) -> bool:
        """Break the connection from a peer, as a call's context names it, in a moment; False where it was to end."""
        if peer in self._peers:
            return False
        if not self._peers:
            asyncio.get_running_loop().call_later(_MOMENT_S, self._end_all)
        self._peers.add(peer)
        return True

    def _end_all(self) -> None:
        peers, self._peers = self._peers, set()
        addresses = {_address_of(each) for each in peers}
        for address, connection in _connections():
            if address in addresses:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class Held:
    """Whose connections there are, of those that were called over; ends what one caller has beyond his part of
    `connections_max`, or a party, the latest first. Use within one event loop.

    Nobody says when a connection has gone. So the kernel is asked, where somebody seems to have too many.
    """

    def __init__(self, connections_max: int, ending: Ending) -> None:
        self._caller_max = max(1, int(connections_max * CALLER_CONNECTIONS))
        self._party_max = max(1, int(connections_max * PARTY_CONNECTIONS))
        self._all_max = 2 * connections_max
        self._ending = ending
        self._whose: dict[str, Owner] = {}  # by peer, in the order in which they came
        self._callers: Counter[str] = Counter()
        self._parties: Counter[str] = Counter()
        self._looking = False

    def called(self, owner: Owner) -> None:
        """A call came in. In the clear each connection is a caller, and none has too many."""
        if owner.who == owner.connection or self._whose.get(owner.connection) == owner:
            return
        self._forget(owner.connection)
        self._whose[owner.connection] = owner
        self._callers[owner.who] += 1
        self._parties[owner.party] += 1
        if not self._looking and self._seems_too_many(owner):
            self._looking = True
            asyncio.get_running_loop().call_later(_LOOK_S, self._look)

    def _seems_too_many(self, owner: Owner) -> bool:
        return (
            self._callers[owner.who] > self._caller_max
            or self._parties[owner.party] > self._party_max
            or len(self._whose) > self._all_max
        )

    def _forget(self, peer: str) -> None:
        owner = self._whose.pop(peer, None)
        if owner is not None:
            for counter, name in ((self._callers, owner.who), (self._parties, owner.party)):
                counter[name] -= 1
                if not counter[name]:
                    del counter[name]

    def _look(self) -> None:
        self._looking = False
        there = {address for address, _ in _connections()}
        for peer in list(self._whose):
            if _address_of(peer) not in there:
                self._forget(peer)
        callers, parties = Counter[str](), Counter[str]()
        for peer, owner in self._whose.items():
            if callers[owner.who] < self._caller_max and parties[owner.party] < self._party_max:
                callers[owner.who] += 1
                parties[owner.party] += 1
            elif self._ending.end(peer):
                log.warning("hung up", caller=owner.who, peer=peer, reason="has too many connections")


def _address_of(peer: str) -> tuple[str, str] | None:
    """A peer's address and port, as a call's context names it."""
    match = _ADDRESS.fullmatch(unquote(peer))
    return match and (match[1], match[2])


def _connections() -> Iterator[tuple[tuple[str, str], socket.socket]]:
    """This process's connections by the address and port of their other ends, each under another number as long as it
    is looked at, so that none can become another's meanwhile.
    """
    for name in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            own = os.dup(int(name.name))
            try:
                opened = socket.socket(fileno=own)
            except OSError:  # a file
                os.close(own)
                continue
            with opened:
                if opened.family in (socket.AF_INET, socket.AF_INET6):
                    address, port = opened.getpeername()[:2]
                    yield (address.removeprefix(_MAPPED), str(port)), opened
