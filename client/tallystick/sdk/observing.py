"""What an observer holds of each ledger, as its node says and its cosignature proves: all of it, up to there.

That it holds no more than it shows is its word, as is that it holds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tallystick.core.charter import Bureau, Charter
from tallystick.core.checkpoint import open_checkpoint
from tallystick.core.cosignature import check_cosignature
from tallystick.core.errors import NotFound, VerificationFailed
from tallystick.core.note import parse_note
from tallystick.sdk.credentials import Credentials
from tallystick.sdk.patience import Patience
from tallystick.sdk.wire import Wire


@dataclass(frozen=True, slots=True)
class Holding:
    """A ledger, how many of its entries an observer has cosigned, and the second at which; 0 for not any."""

    ledger: str
    size: int = 0
    at_s: int = 0


def holdings(
    observer: Bureau,
    charter: Charter,
    deadline_s: float,
    credentials: Credentials | None,
    patience: Patience | None = None,
) -> list[Holding]:
    """Of every ledger of the charter. Raises Unreachable, or MalformedNote and SignatureInvalid for what is shown."""
    wire = Wire(observer, deadline_s, credentials=credentials, patience=patience)
    try:
        return [_holding(wire, ledger, observer) for ledger in charter.ledgers]
    finally:
        wire.close()


def _holding(wire: Wire, ledger: Bureau, observer: Bureau) -> Holding:
    """The largest that is shown: a second note is one that contradicts it, and then it cosigns that ledger no more."""
    try:
        notes = wire.held(ledger.origin).note
    except NotFound:
        return Holding(ledger.id)
    return max(_cosigned(notes, ledger, observer), key=lambda held: held.size, default=Holding(ledger.id))


def _cosigned(notes: Iterable[bytes], ledger: Bureau, observer: Bureau) -> Iterator[Holding]:
    key = observer.witness_verifier
    for note in notes:
        try:
            checkpoint = open_checkpoint(note, ledger.ledger_verifier, ledger.ends)
        except VerificationFailed as error:
            raise error.at(f"checkpoint of {ledger.id} that {observer.id} holds") from None
        text = parse_note(note)
        for signature in text.signatures:
            if (signature.name, signature.key_id) == (key.name, key.key_id):
                yield Holding(ledger.id, checkpoint.size, check_cosignature(text.text, signature, key))
