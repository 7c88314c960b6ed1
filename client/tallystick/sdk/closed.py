"""Nothing new is asked of a bureau that the charter has closed, nor promised to it: refused before it is recorded.

Refused is what opens something that the bureau it names would owe or be owed, as the table of obligations has it: a
request, a grant, a sending, a concern, an assignment. Whatever answers, ends or releases what there was, and a receipt
of what the bureau sent, is recorded as ever. So is what says that it happened before, and what was brought in. A closed
bureau itself records nothing: its node would say so, and may not run any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tallystick.audit.obligations import OBLIGATIONS
from tallystick.core.closing import Closing
from tallystick.core.errors import InvalidStatement, NotAllowed
from tallystick.core.kinds import KINDS
from tallystick.core.values import moment_us

_OPENING: Final = {obligation.opens.DESCRIPTOR.name for obligation in OBLIGATIONS}
_NAMED: Final = {
    called: use.name
    for kind in KINDS.values()
    if kind.name in _OPENING
    for use in kind.head_uses
    if use.field.name == "counterparty"
    for called in (kind.name, kind.verb)
}
"""By a kind's name and its verb, the keyword of the bureau that is asked or promised something."""


def check_open(own: str, kind: str, values: Mapping[str, object], closings: Mapping[str, Closing]) -> None:
    """Neither the bureau that records nor whom a statement addresses is closed. `values` were composed.

    Raises NotAllowed of the first, InvalidStatement of the other.
    """
    if own in closings:
        raise NotAllowed(_sentence(closings[own]), expected="a bureau that is not closed, to record anything")
    keyword = _NAMED.get(kind)
    closing = closings.get(str(values.get(keyword))) if keyword is not None else None
    if keyword is None or closing is None or values.get("source"):
        return
    happened = values.get("happened_at")
    if happened and (closing.issued is None or moment_us(happened) < closing.since_us):
        return
    instead = closing.successor or "a bureau that is not closed"
    raise InvalidStatement(
        _sentence(closing), where=keyword, expected=f"{instead}, or when it happened, where that was before"
    )


def _sentence(closing: Closing) -> str:
    since = "or by one before it" if closing.issued is None else f"issued {closing.issued.date().isoformat()}"
    version, heir = closing.version, closing.successor or "nobody"
    return f"{closing.bureau} is closed by version {version} of the charter, {since}, and succeeded by {heir}"
