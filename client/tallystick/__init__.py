"""Tallystick: the shared ledger of data exchanged between bureaus, for programs that record and ask.

    from tallystick import Node, Sensitive

The names are fetched when first used: the commands' help must not wait for gRPC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tallystick.core.compose import Sensitive as Sensitive
    from tallystick.core.errors import TallystickError as TallystickError
    from tallystick.sdk.ledgers import Ledgers as Ledgers
    from tallystick.sdk.node import Node as Node
    from tallystick.sdk.profile import Profile as Profile
    from tallystick.sdk.receipt import Receipt as Receipt
    from tallystick.sdk.recorder import Recorder as Recorder

_PLACES = {
    "Ledgers": "tallystick.sdk.ledgers",
    "Node": "tallystick.sdk.node",
    "Profile": "tallystick.sdk.profile",
    "Receipt": "tallystick.sdk.receipt",
    "Recorder": "tallystick.sdk.recorder",
    "Sensitive": "tallystick.core.compose",
    "TallystickError": "tallystick.core.errors",
}
__all__ = ["Ledgers", "Node", "Profile", "Receipt", "Recorder", "Sensitive", "TallystickError"]


def __getattr__(name: str) -> object:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module 'tallystick' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(place), name)
