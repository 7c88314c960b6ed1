"""The calls to one's own running node, for whoever may read its home: what `services/operate` answers."""

from __future__ import annotations

from collections.abc import Iterator

import grpc

from tallystick.sdk.wire import CHANNEL_OPTIONS
from tallystick.sdk.wire_errors import from_rpc
from tallystick_node.config import Settings
from tallystick_node.operator_token import read_token
from tallystick_proto.v1.operate_pb2 import BackupPiece, BackupRequest
from tallystick_proto.v1.operate_pb2_grpc import OperateStub


def pieces_of_running(settings: Settings) -> Iterator[BackupPiece]:
    """What the database of a home's running node holds, in pieces. Raises Unreachable, NotAuthentic, ConfigInvalid."""
    request = BackupRequest(token=read_token(settings.operator_token))
    listen = settings.config.listen
    with grpc.insecure_channel(listen, options=CHANNEL_OPTIONS) as channel:
        stream = OperateStub(channel).Backup(request)
        try:
            yield from stream
        except grpc.RpcError as error:
            raise from_rpc(error, settings.config.bureau, listen) from None
        finally:
            stream.cancel()
