"""Free loopback ports for nodes, held until the nodes listen on them.

They lie below the range from which the kernel draws ports for outgoing connections, so that no connection takes one
meanwhile. Probing is by binding, from a random start. A port found free stays bound, not listening, and then allows
its address to be shared: who probes in this way finds it taken, and a server that asks for address reuse, as gRPC
does, can listen on it.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tallystick.core.errors import Unreachable

HOST = "127.0.0.1"
_LOWEST = 10_000
_FALLBACK_HIGHEST = 32_767
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


@contextmanager
def held_ports(count: int) -> Iterator[list[int]]:
    """So many free ports, held for the length of the block. Raises Unreachable where there are too few."""
    highest = _highest()
    span = highest - _LOWEST + 1
    start = random.randrange(span)
    ports: list[int] = []
    with ExitStack() as holding:
        for step in range(span):
            if len(ports) == count:
                break
            port = _LOWEST + (start + step) % span
            held = _hold(port)
            if held is not None:
                holding.enter_context(held)
                ports.append(port)
        if len(ports) < count:
            raise Unreachable(
                f"{len(ports)} of {count} ports are free",
                where=f"{HOST}:{_LOWEST} to {highest}",
                expected="enough of them",
            )
        yield ports


def _hold(port: int) -> socket.socket | None:
    held = socket.socket()
    try:
        held.bind((HOST, port))
    except OSError:
        held.close()
        return None
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return held


def _highest() -> int:
    try:
        lowest_drawn = int(_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return _FALLBACK_HIGHEST
    return lowest_drawn - 1 if lowest_drawn > 2 * _LOWEST else _FALLBACK_HIGHEST
