"""All the ledgers of a charter, read and verified, each from its own node or a copy, or all from one: what an auditor
uses.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from threading import Lock
from types import TracebackType
from typing import Self

from tallystick.core.errors import ProofFailed
from tallystick.core.evidence import Proven
from tallystick.core.hashing import leaf_hash
from tallystick.core.identifiers import parse_entry_ref
from tallystick.sdk.clock import now_us
from tallystick.sdk.copy_reader import CopyReader
from tallystick.sdk.dialling import DEADLINE_S
from tallystick.sdk.profile import Profile
from tallystick.sdk.reader import LedgerReader
from tallystick.sdk.wire import Wire
from tallystick.sdk.witnessing import most_cosigned
from tallystick_proto.v1.statement_pb2 import Ref


class Ledgers:
    """Readers of a charter's ledgers, opened when first asked for. Several threads may share them.

    A reader that is there already can be given as `own`; it stays its opener's to close. With `source`, a bureau's id,
    every ledger is read from that bureau's node, which keeps copies of the others. Raises NotFound.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        own: LedgerReader | None = None,
        deadline_s: float = DEADLINE_S,
        source: str | None = None,
    ) -> None:
        self.profile = profile
        self.charter = profile.charter
        self._trust = profile.trust_store
        self._own = own
        self._source = None if source is None else profile.charter.by_id(source)
        self._deadline_s = deadline_s
        self._readers: dict[str, LedgerReader] = {}
        self._opening = Lock()

    @classmethod
    def open(cls, profile: str | os.PathLike[str] | Profile | None = None, *, source: str | None = None) -> Self:
        """The ledgers of a profile's charter. Raises CharterMismatch once that has expired, NotFound."""
        chosen = profile if isinstance(profile, Profile) else Profile.load(profile)
        chosen.check_current(now_us())
        return cls(chosen, source=source)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __getitem__(self, bureau: str) -> LedgerReader:
        """The reader of a bureau's ledger. Raises NotFound, for an observer too."""
        if self._own is not None and bureau == self._own.bureau.id:
            return self._own
        with self._opening:
            reader = self._readers.get(bureau)
            if reader is None:
                ledger = self.charter.ledger_of(bureau)
                wire = Wire(ledger, self._deadline_s, self._source, self.profile.credentials, self.profile.patience)
                copies = self.charter.witnesses_of(ledger) if self.charter.quorum_of(ledger) else ()
                own = wire.at is wire.bureau
                reader = LedgerReader(wire, self._trust, copies) if own else CopyReader(wire, self._trust)
                self._readers[bureau] = reader
            return reader

    def __iter__(self) -> Iterator[LedgerReader]:
        return (self[bureau.id] for bureau in self.charter.ledgers)

    def close(self) -> None:
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

    def locate(self, reference: str | Ref) -> tuple[LedgerReader, int]:
        """The ledger and index of `bureau#index` or of a citation. Raises InvalidIdentifier, NotFound."""
        if isinstance(reference, Ref):
            return self[self.charter.by_origin(reference.origin).id], reference.index
        parsed = parse_entry_ref(reference)
        return self[parsed.bureau], parsed.index

    def show(self, reference: str | Ref, disclose: Sequence[str] | None = None) -> Proven:
        """An entry with its author, verified. A citation's leaf must be the one found there (ProofFailed).

        `disclose` as `LedgerReader.show` takes it.
        """
        reader, index = self.locate(reference)
        proven = reader.show(index, disclose)
        if isinstance(reference, Ref) and reference.leaf and leaf_hash(proven.entry.raw) != reference.leaf:
            raise ProofFailed(
                f"the entry there has leaf {leaf_hash(proven.entry.raw).hex()}",
                where=proven.reference,
                expected=f"{reference.leaf.hex()}, which was cited",
            )
        return proven

    def prove(self, reference: str | Ref, disclose: Sequence[str] | None = None) -> bytes:
        """An evidence file for an entry, verified; `disclose` as `LedgerReader.show` takes it.

        Its checkpoint carries a quorum's cosignatures where they are shown, and is no older than a revocation of the
        author's key that is known.
        """
        reader, index = self.locate(reference)
        author = reader.show(index).author
        least = index if author.index is None or author.revoked is None else max(index, author.revoked)
        return reader.prove(index, disclose, most_cosigned(reader, self.charter, least + 1))
