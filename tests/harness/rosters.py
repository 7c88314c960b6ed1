"""Bureaus that are told apart: each with an id, keys and a credit code of its own; and observers."""

from __future__ import annotations

import msgspec

from tallystick.core.charter import Bureau
from tallystick_node.cluster.roster import roster
from tests.harness.ledger_maker import LedgerMaker


def roster_of(count: int) -> tuple[Bureau, ...]:
    """So many bureaus, b0, b1, and so on."""
    return tuple(
        msgspec.structs.replace(LedgerMaker(bureau=f"b{number}").bureau, credit_code=place.credit_code)
        for number, place in enumerate(roster(count))
    )


def observing(bureau: Bureau) -> Bureau:
    """The same bureau without a ledger."""
    return msgspec.structs.replace(bureau, ledger_key="", registrar_key="")
