"""Operating over the wire: what whoever may read the home's data folder may ask of the running node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from grpc.aio import ServicerContext

from tallystick_node.operator_token import check_token
from tallystick_node.pieces import take_apart
from tallystick_node.store.store import Store
from tallystick_proto.v1.operate_pb2 import BackupPiece, BackupRequest
from tallystick_proto.v1.operate_pb2_grpc import OperateServicer

# For each moment that a backup takes of the event loop, so many are left to everything else. In a thread of its own it
# would cost the writer more: each of them lets go of the interpreter's lock at every key.
_REST: Final = 3.0


class OperateService(OperateServicer):
    """Operates one node. `store` is the database as it is open now."""

    def __init__(self, token: bytes, store: Callable[[], Store]) -> None:
        self._token = token
        self._store = store

    async def Backup(self, request: BackupRequest, context: ServicerContext[Any, Any]) -> AsyncIterator[BackupPiece]:
        check_token(self._token, request.token)
        clock = asyncio.get_running_loop().time
        pieces = take_apart(self._store())
        while True:
            began = clock()
            piece = next(pieces, None)
            if piece is None:
                return
            took_s = clock() - began
            yield piece
            await asyncio.sleep(_REST * took_s)
