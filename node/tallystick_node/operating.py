"""The calls to one's own running node, for whoever may read its home: what `services/operate` answers."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import msgspec

from tallystick.sdk.credentials import shown_to
from tallystick.sdk.dialling import failed, open_channel
from tallystick_node.config import Settings
from tallystick_node.operator_token import read_token
from tallystick_proto.v1.operate_pb2 import BackupPiece, BackupRequest
from tallystick_proto.v1.operate_pb2_grpc import OperateStub


def pieces_of_running(settings: Settings) -> Iterator[BackupPiece]:
    """What the database of a home's running node holds, in pieces. Raises Unreachable, NotAuthentic, ConfigInvalid."""
    request = BackupRequest(token=read_token(settings.operator_token))
    _, bureau = settings.open_charter()
    node = msgspec.structs.replace(bureau, endpoint=settings.config.listen)
    with open_channel(node, shown_to(node, settings.credentials)) as channel:
        stream = OperateStub(channel).Backup(request)
        try:
            yield from stream
        except grpc.RpcError as error:
            raise failed(error, node, settings.credentials) from None
        finally:
            stream.cancel()
