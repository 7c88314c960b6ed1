"""Citing: an entry is read and verified before it is cited, and who answers it takes its scope over.

What an answer carries follows from the uses of its kind's head and from nothing else: a resource, version, exchange,
case, system or matter that the cited entry names, where the answer's kind has that field under the same name, and the
other bureau, which is the one on whose ledger the entry stands, or whom one's own entry names. So a question that names
any of them finds the answer too. Never carried is a field whose absence is a finding: only its author can say it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tallystick.core.entry import decode_entry
from tallystick.core.errors import InvalidStatement, NotFound
from tallystick.core.identifiers import parse_version_ref
from tallystick.core.kinds import BY_NAME, Kind, keyword_of
from tallystick.core.statement import read
from tallystick.sdk.ledgers import Ledgers
from tallystick.sdk.reader import Shown
from tallystick.sdk.receipt import Receipt
from tallystick.sdk.verbs import HasRef
from tallystick_proto.v1.statement_pb2 import Head, Ref

_SCOPE: Final = frozenset({"resource", "version", "exchange", "case", "system", "matter"})


def cite(ledgers: Ledgers, reference: str | Ref | HasRef, *kinds: str) -> Shown:
    """The entry that `bureau#index`, a citation, or anything with a `.ref` names; its author was verified too.

    A receipt was checked when it came, and is not read again. Raises InvalidIdentifier or NotFound where there is no
    such entry, VerificationFailed, Unreachable, and InvalidStatement where it is none of `kinds`, if any are named.
    """
    shown = shown_in(reference) if isinstance(reference, Receipt) else _read(ledgers, reference)
    if kinds and (shown.read.kind is None or shown.read.kind.name not in kinds):
        found = shown.read.kind.en if shown.read.kind is not None else f"kind {shown.read.statement.head.kind}"
        raise InvalidStatement(
            f"{shown.reference} is {_a(found)}", expected=" or ".join(_a(BY_NAME[kind].en) for kind in kinds)
        )
    return shown


def carry(kind: Kind, cited: Shown, values: Mapping[str, object], *, own: str) -> dict[str, object]:
    """`values` and what a statement of `kind` takes over from the entry it cites; what `values` names stays as it is.

    `own` is the bureau that records.
    """
    head = cited.read.statement.head
    carried = dict(values)
    for use in kind.head_uses:
        if use.name in values or use.absent:
            continue
        name = use.field.name
        found: object = None
        if name == "counterparty":
            found = cited.bureau if cited.bureau != own else head.counterparty
            found = None if found == own else found
        elif name == "resource":
            found = None if "version" in values else _resource(kind, head)
        elif name in _SCOPE and use.name == keyword_of(name):
            found = getattr(head, name)
        if found:
            carried[use.name] = found
    return carried


def shown_in(receipt: Receipt) -> Shown:
    """The entry of a receipt. Raises RuntimeError where it came with a batch, as `Receipt.ref` does."""
    if receipt.entry is None:
        raise RuntimeError(f"the receipt of {receipt.reference} came with a batch; read the entry to cite it")
    entry = decode_entry(receipt.entry)
    return Shown(receipt.bureau, receipt.origin, entry, read(entry.statement))


def _read(ledgers: Ledgers, reference: str | Ref | HasRef) -> Shown:
    named = reference if isinstance(reference, (str, Ref)) else reference.ref
    try:
        proven = ledgers.show(named)
    except NotFound as error:
        raise (error.at(named) if isinstance(named, str) else error) from None
    return Shown(proven.bureau.id, proven.bureau.origin, proven.entry, proven.read)


def _resource(kind: Kind, head: Head) -> str:
    """The resource an entry speaks of; nothing where the answer says the version itself, which names it too."""
    if head.resource or not head.version:
        return head.resource
    version = kind.use("version")
    return "" if version is not None and version.in_head else parse_version_ref(head.version).code


def _a(label: str) -> str:
    return f"an {label}" if label[0] in "aeiou" else f"a {label}"
