"""Receiving: the consumer's half of an exchange, which says what arrived, whatever the other half says."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from tallystick.core.commitment import salted_digest
from tallystick.core.errors import HalvesDiffer, Usage
from tallystick.core.identifiers import parse_version_ref, short_form_in
from tallystick.core.kinds import BY_NAME
from tallystick.sdk.citing import carry
from tallystick.sdk.digests import Progress, digest_file
from tallystick.sdk.exchange import (
    Desk,
    HandedOver,
    exchange_name,
    find_sent,
    given,
    parse_exchange,
    provided_in,
    record_failure,
    scope_of,
)
from tallystick.sdk.reader import Shown
from tallystick.sdk.receipt import Receipt
from tallystick.sdk.short_forms import HANDED_OVER, sent_under
from tallystick.sdk.verbs import HasVersion
from tallystick_proto.v1.statement_pb2 import Digest, VersionProvided


@contextmanager
def receiving(
    desk: Desk,
    exchange: str | bytes | UUID,
    what: str | HasVersion | None,
    sender: str | None,
    values: Mapping[str, object],
) -> Iterator[Receiving]:
    """Look the other half up, then let the block run and record what it received.

    Who sent it is `sender`, else whose receipt `what` is, else whoever in the charter recorded the sending. `values`
    are further keywords of DataReceived; those that are None are not given. Raises, before the block, Usage where
    nobody is known to have sent it, or where what may be a short form does not name one exchange (`short_forms`),
    Unreachable where that cannot be told, NotFound for a bureau nobody knows, VerificationFailed for what cannot be
    proven.
    """
    handed, name = parse_exchange(exchange), exchange_name(exchange)
    sender = sender or (what.bureau if isinstance(what, Receipt) else None)
    sent = find_sent(desk.ledgers, handed.exchange, desk.own.bureau.id, sender)
    if sent is None and (short_form := short_form_in(name)) is not None:
        sent = sent_under(desk.ledgers, short_form, desk.own.bureau.id, sender, name)
        handed = HandedOver(sent.read.statement.head.exchange, handed.salt)
    sender = sender or (sent.bureau if sent is not None else None)
    if sender is None:
        desk.own.refresh()  # where one's own node does not answer either, that is what is wrong
        raise Usage(
            f"nobody who answers recorded the sending of exchange {name[:80]!r}",
            expected=f"{HANDED_OVER}, or else the bureau it is from, as sender",
        )
    said: dict[str, object] = {**scope_of(what), "exchange": handed.exchange, "sender": sender, **given(values)}
    if sent is not None:
        said = carry(BY_NAME["DataReceived"], sent, said, own=desk.own.bureau.id) | {"sent": sent.ref}
        head = sent.read.statement.head
        if head.HasField("about"):
            said.setdefault("grant", head.about)
    made = Receiving(desk, said, sent, handed.salt, provided_in(what))
    try:
        yield made
    except BaseException as error:
        if made.receipt is None and error is not made.refused:
            names = ("exchange", "version", "resource", "system", "matter", "case", "officer")
            failed = {name: said.get(name) for name in names} | {"side": "receiving", "other": sender}
            record_failure(desk, error, sent, failed)
        raise


class Receiving:
    """What arrives of one exchange. `sent` is the other half as it was found, or None; `receipt` what was recorded.

    A block that ends without having said what arrived has received nothing: nothing is recorded, `receipt` stays None.
    The sender's half then stands alone, and an audit asks for this one when its time is up.
    """

    def __init__(
        self,
        desk: Desk,
        said: dict[str, object],
        sent: Shown | None,
        salt: bytes | None,
        provided: tuple[str, VersionProvided] | None,
    ) -> None:
        self.sent = sent
        self.receipt: Receipt | None = None
        self.refused: BaseException | None = None
        self._desk = desk
        self._said = said
        self._salt = salt
        self._provided = provided

    def file(self, path: str | os.PathLike[str], *, progress: Progress | None = None) -> Receipt:
        """Record that this file was received, by its digest and size; it is read here and goes nowhere.

        Raises HalvesDiffer where it is not what was sent, after it was recorded. Raises NotFound where the file cannot
        be read, and Usage where its digest needs a salt that was not handed over: then, and where recording fails,
        nothing is claimed, not even a failure of the exchange.
        """
        return self._once(lambda: self._file(Path(path), progress))

    def data(self, *, size: int | None = None, digest: Digest | str | None = None) -> Receipt:
        """Record that data was received which is no file, such as a service's answer. Raises HalvesDiffer."""
        return self._once(lambda: self._record({"size": size, "digest": digest}))

    def _once(self, record: Callable[[], Receipt]) -> Receipt:
        if self.receipt is not None:
            raise RuntimeError(f"this exchange was received already, at {self.receipt.reference}")
        try:
            return record()
        except BaseException as error:
            self.refused = error
            raise

    def _file(self, path: Path, progress: Progress | None) -> Receipt:
        form = self._digest_form()
        if form == "committed" and self._salt is None:
            raise Usage(
                "the digest of this version is salted, and no salt was handed over",
                where="exchange",
                expected="<exchange>.<salt>, as its sender was told to hand over",
            )
        if form == "committed" and "version" not in self._said:
            raise Usage("which version this is is not known", expected="the version whose digest was salted")
        hashed = digest_file(path, progress)
        return self._record({"size": hashed.size, "digest": self._digest(form, hashed.blake3)})

    def _digest_form(self) -> str | None:
        """How to make the digest: as the other half's, else as the version's own, else as what was handed over says.

        Where the other half stands without one there is nothing to compare with, and none is recorded: in the clear it
        could let small data be guessed.
        """
        form = None if self.sent is None else self.sent.read.statement.data_sent.digest.WhichOneof("of")
        if form is None and self._provided is not None:
            form = self._provided[1].digest.WhichOneof("of")
        if form is None and self.sent is None:
            return "blake3" if self._salt is None else "committed"
        return form

    def _digest(self, form: str | None, plain: bytes) -> Digest | None:
        if form != "committed":
            return Digest(blake3=plain) if form == "blake3" else None
        assert self._salt is not None
        producer = str(self._said["sender"]) if self._provided is None else self._provided[0]
        code, version = parse_version_ref(str(self._said["version"]))
        return Digest(committed=salted_digest(self._salt, producer, code, version, plain))

    def _record(self, received: dict[str, object]) -> Receipt:
        self.receipt = self._desk.record("DataReceived", **self._said, **given(received))
        if self.sent is not None:
            _check_halves(self.sent, self.receipt)
        return self.receipt


def _check_halves(sent: Shown, receipt: Receipt) -> None:
    """Raises HalvesDiffer where the two say different things of the data; what one of them leaves out is no claim."""
    there, here = sent.read.statement, receipt.statement
    claims = (
        ("version", here.head.version, there.head.version),
        ("digest", _digest_text(here.data_received.digest), _digest_text(there.data_sent.digest)),
        ("size", here.data_received.size, there.data_sent.size),
    )
    differing = [(name, ours, theirs) for name, ours, theirs in claims if ours and theirs and ours != theirs]
    if differing:
        raise HalvesDiffer(
            "received was " + ", ".join(f"{name} {ours}" for name, ours, _ in differing),
            where=receipt.reference,
            expected=", ".join(f"{name} {theirs}" for name, _, theirs in differing) + f", as {sent.reference} says",
        )


def _digest_text(digest: Digest) -> str:
    form = digest.WhichOneof("of")
    return "" if form is None else f"{form}:{getattr(digest, form).hex()}"
