"""The values behind commitments, kept beside the ledger and sealed, each under a key of its own.

    d <index> <field>    AES-256-GCM under the data key, with a nonce of zeros, of
                         salt (32) ‖ length of the value, u16 BE ‖ value ‖ zeros up to a multiple of 64
    k <index> <field>    nonce (12, random) ‖ AES-256-GCM under the wrapping key of
                         the data key (32, random, used for this alone)

Both are sealed to their place: the associated data is `tallystick/disclosure/v1\\n<origin>\\n` and what stands after
the first letter of the record's key. The wrapping key is what the node's disclosure key derives for
"tallystick disclosure key v1". So whoever has not that key learns from the database how many disclosures there are, and
in steps of 64 bytes how long; and one of them is gone once its `k` is.

Each is stored in the same batch as its entry, after it was opened against its commitment by `submission.prepare`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tallystick.audit.rulebook import Retention
from tallystick.core.errors import ConfigInvalid, StoreDamaged
from tallystick.core.keys import Signer
from tallystick.core.limits import SALT_BYTES
from tallystick.core.submission import Prepared
from tallystick_node import keyspace
from tallystick_node.store.store import Batch, Store, after

_CONTEXT: Final = "tallystick disclosure key v1"
_PLACE: Final = "tallystick/disclosure/v1\n{}\n"
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_NO_NONCE: Final = bytes(_NONCE_BYTES)
_PADDED_TO_BYTES: Final = 64
_LENGTH: Final = struct.Struct(">H")


class Opening(NamedTuple):
    """What opens a commitment. Neither is ever logged or put into an error."""

    salt: bytes
    value: bytes


class Sealed(NamedTuple):
    """The two records of a disclosure; either is None where it is missing."""

    value: bytes | None
    key: bytes | None


NOTHING: Final = Sealed(None, None)


class Disclosures:
    """Seals and opens the disclosures of one ledger. `chance` makes the data keys, so it is a secret's in a node;
    `retention` says how long they are kept, and may raise MalformedCharter.
    """

    def __init__(
        self, origin: str, key: Signer, chance: Random, retention: Callable[[], Retention] = Retention
    ) -> None:
        self.retention = retention
        self._place = _PLACE.format(origin).encode()
        self._origin = origin
        self._wrapping = AESGCM(key.derive(_CONTEXT))
        self._chance = chance

    def __repr__(self) -> str:
        return f"Disclosures({self._origin!r})"

    def keep(self, submission: Prepared, first: int, batch: Batch) -> None:
        """Add a submission's disclosures to the batch that records it from index `first` on."""
        for disclosure in submission.disclosures:
            index, field = first + disclosure.position, disclosure.field
            at = self._at(index, field)
            key, nonce = self._chance.randbytes(_KEY_BYTES), self._chance.randbytes(_NONCE_BYTES)
            sealed = AESGCM(key).encrypt(_NO_NONCE, _padded(disclosure.salt, disclosure.value), at)
            put_sealed(batch, index, field, Sealed(sealed, nonce + self._wrapping.encrypt(nonce, key, at)))

    def open(self, index: int, field: str, sealed: Sealed) -> Opening | None:
        """What opens a commitment; None where nothing is held. Raises StoreDamaged."""
        if sealed == NOTHING:
            return None
        at = self._at(index, field)
        if sealed.value is None or sealed.key is None:
            raise self._damaged(index, "half of its disclosure is missing", "its value and its key, or neither")
        try:
            key = self._unwrapped(sealed.key, at)
        except (InvalidTag, ValueError):
            raise self._damaged(
                index, "the key of its disclosure cannot be opened", "what was sealed under this node's disclosure key"
            ) from None
        try:
            return _unpadded(AESGCM(key).decrypt(_NO_NONCE, sealed.value, at))
        except (InvalidTag, ValueError, struct.error):
            raise self._damaged(index, "its disclosure cannot be opened", "what was sealed under its key") from None

    def check_key(self, store: Store, where: str) -> None:
        """This is the key that a database's disclosures are sealed under, as its first one tells; `where` it is kept.

        Raises ConfigInvalid.
        """
        for key, sealed in store.range(keyspace.DATA_KEY, after(keyspace.DATA_KEY)):
            try:
                self._unwrapped(sealed, self._place + key[1:])
            except (InvalidTag, ValueError):
                raise ConfigInvalid(
                    f"this is not the key under which the disclosures of {self._origin} are sealed",
                    where=where,
                    expected="the disclosure key that the home was made with",
                ) from None
            return

    def _unwrapped(self, sealed: bytes, at: bytes) -> bytes:
        """Raises InvalidTag or ValueError."""
        return self._wrapping.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], at)

    def _at(self, index: int, field: str) -> bytes:
        return self._place + keyspace.place_in_entry(index, field)

    def _damaged(self, index: int, what: str, expected: str) -> StoreDamaged:
        return StoreDamaged(what, where=f"{self._origin}#{index}", expected=expected)


def read_sealed(store: Store, index: int, field: str) -> Sealed:
    """The records of one disclosure as they are stored, both of one moment."""
    sealed = _read(store, index, field)
    if None in sealed and sealed != NOTHING:  # it may have been erased between the two
        sealed = _read(store, index, field)
    return sealed


def sealed_within(store: Store, first: int, end: int) -> Callable[[int, str], Sealed]:
    """The records of the disclosures of entries [first, end), all read at once."""
    values = dict(store.range(keyspace.disclosure(first, ""), keyspace.disclosure(end, "")))
    keys = dict(store.range(keyspace.data_key(first, ""), keyspace.data_key(end, "")))

    def within(index: int, field: str) -> Sealed:
        sealed = Sealed(values.get(keyspace.disclosure(index, field)), keys.get(keyspace.data_key(index, field)))
        return read_sealed(store, index, field) if None in sealed else sealed  # as there

    return within


def _read(store: Store, index: int, field: str) -> Sealed:
    return Sealed(store.get(keyspace.disclosure(index, field)), store.get(keyspace.data_key(index, field)))


def put_sealed(batch: Batch, index: int, field: str, sealed: Sealed) -> None:
    """Store the records of a disclosure."""
    for key, data in zip((keyspace.disclosure(index, field), keyspace.data_key(index, field)), sealed, strict=True):
        if data is not None:
            batch.put(key, data)


def _padded(salt: bytes, value: bytes) -> bytes:
    data = salt + _LENGTH.pack(len(value)) + value
    return data + bytes(-len(data) % _PADDED_TO_BYTES)


def _unpadded(data: bytes) -> Opening:
    """Raises ValueError or struct.error for what `_padded` did not make."""
    start = SALT_BYTES + _LENGTH.size
    (length,) = _LENGTH.unpack_from(data, SALT_BYTES)
    opening = Opening(data[:SALT_BYTES], data[start : start + length])
    if _padded(*opening) != data:
        raise ValueError
    return opening
