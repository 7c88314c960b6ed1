"""Everything that proves one entry and its author, gathered from a ledger for an evidence file."""

from __future__ import annotations

from tallystick.core.actors import Actors
from tallystick.core.entry import Entry
from tallystick.core.errors import StoreDamaged
from tallystick.core.hashing import leaf_hash
from tallystick.core.merkle import parents, prove_inclusion
from tallystick_node.ledger import Ledger
from tallystick_proto.v1.entry_pb2 import Authorship, Presence, Registration


def presence_of(ledger: Ledger, actors: Actors, index: int, size: int) -> Presence:
    """The entry at `index` with its authorship, and how its author's key was registered, and revoked if it was, for the
    tree of `size`.
    """
    entry = ledger.decoded(index)
    authorship = _authorship(ledger, entry)
    presence = Presence(entry=entry.raw, authorship=authorship)
    registered = actors.by_key(authorship.signature.key)
    if registered is not None and registered.index is not None:
        presence.registration.CopyFrom(_said_of_key(ledger, registered.index, size))
        if registered.revoked is not None and registered.revoked < size:
            presence.revocation.CopyFrom(_said_of_key(ledger, registered.revoked, size))
    return presence


def _said_of_key(ledger: Ledger, index: int, size: int) -> Registration:
    """An entry by which the registrar registered or revoked a key, proven in the tree of `size`."""
    entry = ledger.decoded(index)
    return Registration(
        index=index,
        entry=entry.raw,
        inclusion=prove_inclusion(index, size, ledger.reader()),
        authorship=_authorship(ledger, entry),
    )


def _authorship(ledger: Ledger, entry: Entry) -> Authorship:
    """The submission's signature, and the path of this statement among its statements."""
    opening = entry if entry.signed is not None else ledger.decoded(entry.first)
    if opening.signed is None:
        raise StoreDamaged(
            "it carries no signature", where=f"{ledger.origin}#{entry.first}", expected="a submission's first entry"
        )
    count = opening.signed.count
    leaves = [leaf_hash(each.statement) for each in ledger.decoded_all(entry.first, entry.first + count)]
    rows = _Rows(leaves)
    return Authorship(signature=opening.signed, path=prove_inclusion(entry.index - entry.first, count, rows.read))


class _Rows:
    """The complete nodes of a small tree held whole."""

    def __init__(self, leaves: list[bytes]) -> None:
        self._rows = [leaves]
        while len(self._rows[-1]) > 1:
            self._rows.append(parents(self._rows[-1]))

    def read(self, level: int, index: int) -> bytes:
        return self._rows[level][index]
