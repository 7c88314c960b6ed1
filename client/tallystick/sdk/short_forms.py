"""What the short form of an exchange means, which a person typed in place of what was handed over.

It is a hash that no index knows, so what was sent to this bureau is gone through, newest first, on the sender's ledger
or on all. It is taken for an exchange only where that is the only one, on ledgers that all answer: a receipt recorded
under any other id would look as if the sender had sent nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tallystick.core.errors import StorageFailed, TallystickError, Unreachable, Usage
from tallystick.core.identifiers import exchange_short_form
from tallystick.core.kinds import TERM_FIELDS
from tallystick.sdk.ledgers import Ledgers
from tallystick.sdk.reader import LedgerReader, Shown
from tallystick.sdk.standing import kind_term

SENDINGS_LOOKED_AT_MAX: Final = 10_000
"""So many sendings to this bureau are gone through on a ledger, from the newest back."""

HANDED_OVER: Final = "the text that `tally send` gave to hand over with the data"


def sent_under(ledgers: Ledgers, short_form: str, own: str, sender: str | None, named: str) -> Shown:
    """The one sending to `own` whose exchange has this short form.

    Raises Usage where there is none or more than one, and Unreachable where a ledger that is asked does not answer;
    both repeat what was typed, `named`. What else a ledger raises goes on: Forked, VerificationFailed, NotFound.
    """
    found: dict[bytes, Shown] = {}
    asked = [each for each in ledgers if each.bureau.id != own] if sender is None else [ledgers[sender]]
    for reader in asked:
        try:
            for shown in _sent_to(reader, own):
                exchange = shown.read.statement.head.exchange
                if exchange_short_form(exchange) == short_form:
                    found.setdefault(exchange, shown)
        except (Unreachable, StorageFailed) as error:
            why = f"the ledger of {reader.bureau.id}, which may hold it, does not answer ({error})"
            raise _refused(Unreachable, named, why) from None
    match list(found.values()):
        case [shown]:
            return shown
        case []:
            by = "" if sender is None else f" by {sender}"
            raise _refused(Usage, named, f"nothing that was sent to {own}{by} is shown under it")
        case several:
            which = ", ".join(shown.reference for shown in several)
            raise _refused(Usage, named, f"more than one exchange has it: {which}")


def _sent_to(reader: LedgerReader, own: str) -> Iterable[Shown]:
    terms = (kind_term("DataSent"), (TERM_FIELDS["counterparty"], own.encode()))
    return reader.find(terms, newest_first=True, limit=SENDINGS_LOOKED_AT_MAX)


def _refused(error: type[TallystickError], named: str, why: str) -> TallystickError:
    what = f"{named!r} is what the short form of an exchange looks like, and {why}"
    return error(what, where="exchange", expected=HANDED_OVER)
