"""Which process is at the other end of a loopback connection, as Linux tells: socket diagnosis (sock_diag(7)) names the
connection's inode, and the process that holds it has a descriptor of that name.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_NETLINK_SOCK_DIAG = 4
_BY_FAMILY = 20
_REQUEST = 1
_ERROR = 2
_ANY_STATE = 0xFFFFFFFF
_NO_COOKIE = b"\xff" * 8
_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_FAMILY = struct.Struct("=BBBBI")  # family, protocol, extensions, padding, states
_PORTS = struct.Struct(">HH")
_INODE = struct.Struct("=I")
_INODE_AT = _HEADER.size + 4 + 48 + 16  # after the message's state, the connection's id, and four counters
_HERE = socket.inet_aton("127.0.0.1") + bytes(12)
_ANSWER_BYTES_MAX = 4096


def holds(pids: Iterable[int], caller: int, port: int) -> bool:
    """Whether one of these processes holds the socket that calls `port` from the port `caller`."""
    wanted = f"socket:[{_inode(caller, port)}]"
    return any(wanted in _descriptors(pid) for pid in pids)


def _inode(caller: int, port: int) -> int:
    """The inode of a connection's calling end; 0 where it is gone."""
    ends = _PORTS.pack(caller, port) + _HERE + _HERE + bytes(4) + _NO_COOKIE
    asked = _FAMILY.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, 0, _ANY_STATE) + ends
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
        kernel.send(_HEADER.pack(_HEADER.size + len(asked), _BY_FAMILY, _REQUEST, 0, 0) + asked)
        answer = kernel.recv(_ANSWER_BYTES_MAX)
    gone = _HEADER.unpack_from(answer)[1] == _ERROR
    return 0 if gone else int(_INODE.unpack_from(answer, _INODE_AT)[0])


def _descriptors(pid: int) -> set[str]:
    found = set()
    with suppress(OSError):  # the process has ended, or closed one meanwhile
        for each in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                found.add(os.readlink(each))
    return found
