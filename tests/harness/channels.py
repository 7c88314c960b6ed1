"""Raw connections to a home's node, for calls that no client makes."""

from __future__ import annotations

import grpc
import msgspec

from tallystick.sdk.credentials import shown_to
from tallystick.sdk.dialling import open_channel
from tallystick_node.config import Settings


def channel_to(settings: Settings) -> grpc.Channel:
    """A connection under the node's own certificate, or in the clear where it has none."""
    _, bureau = settings.open_charter()
    node = msgspec.structs.replace(bureau, endpoint=settings.config.listen)
    return open_channel(node, shown_to(node, settings.credentials))
