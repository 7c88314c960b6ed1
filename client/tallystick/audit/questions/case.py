"""A case: everything recorded for it on any ledger, in causal order, and what answers that without naming it.

    {"case": "hex", "steps": [{"reference": "taxation#1042", "bureau", "kind", "recorded_at": "…Z", "actor": "…",
     "answers": "market-regulation#7" or null, "said": {…}}], "exchanges": [{"exchange", "from", "to", "sent",
     "received"}]}

An exchange of the case that shows one half alone is listed with the other half null: that the indexes showed none
proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tallystick.audit.entry import On
from tallystick.audit.inquiry import Find, Inquiry, answers_to
from tallystick.audit.seen import Seen
from tallystick.audit.views.exchanges import Exchange


@dataclass(frozen=True, slots=True)
class Case:
    """A case: its entries in causal order, and the exchanges among them."""

    id: bytes
    entries: tuple[On[Any], ...]
    exchanges: tuple[Exchange, ...]


def inquire(case: bytes) -> Inquiry:
    """Everything that names the case, then everything that answers it, at any remove."""
    wanted: list[On[Any]] = list((yield Find.of(case=case)))
    found = {entry.place for entry in wanted}
    while wanted:
        entry = wanted.pop()
        for answer in (yield answers_to(entry)):
            if answer.place not in found:
                found.add(answer.place)
                wanted.append(answer)
        if entry.head.exchange:
            for half in (yield Find.of(exchange=entry.head.exchange)):
                if half.place not in found:
                    found.add(half.place)
                    wanted.append(half)


def case(id_: bytes, entries: Sequence[On[Any]], seen: Seen) -> Case:
    """The case, from its entries in causal order."""
    ids = dict.fromkeys(entry.head.exchange for entry in entries if entry.head.exchange)
    return Case(id_, tuple(entries), tuple(exchange for each in ids for exchange in seen.exchanges.of(each)))


def case_json(answer: Case, steps: Iterable[dict[str, Any]], seen: Seen) -> dict[str, Any]:
    """The answer for programs; `steps` are its entries as `cli.describe` writes them."""
    return {
        "case": answer.id.hex(),
        "steps": list(steps),
        "exchanges": [
            {
                "exchange": seen.exchange_name(exchange.key.id),
                "from": exchange.key.sender,
                "to": exchange.key.receiver,
                "sent": None if exchange.sent is None else exchange.sent.reference,
                "received": None if exchange.received is None else exchange.received.reference,
            }
            for exchange in answer.exchanges
        ],
    }
