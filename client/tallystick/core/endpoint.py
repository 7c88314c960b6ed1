"""Where a node listens: `host:port`, the host a name or an address, one of IPv6 in brackets."""

from __future__ import annotations

import ipaddress

from tallystick.core.errors import ConfigInvalid


def check_endpoint(text: str, where: str) -> None:
    """Raises ConfigInvalid where a text is no endpoint."""
    _, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdecimal()) or not 0 < int(port) < 65_536:
        raise ConfigInvalid(f"listen = {text!r}", where=where, expected="host:port, the port 1 to 65535")


def is_loopback(endpoint: str) -> bool:
    """Whether nobody but this machine can be meant: what is said there passes no network."""
    bare = endpoint.rpartition(":")[0].strip("[]")
    try:
        return bare == "localhost" or ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False
