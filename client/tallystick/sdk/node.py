"""A bureau's node as its own programs use it: record, one statement or many, and read what it holds, verified."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

from tallystick.core.charter import Charter
from tallystick.core.closing import Closing
from tallystick.core.errors import ConfigInvalid, TallystickError, Unreachable
from tallystick.core.identifiers import format_version_ref
from tallystick.core.keys import Signer
from tallystick.sdk.clock import new_salt, now_us
from tallystick.sdk.digests import Progress, digest_file, versioned
from tallystick.sdk.exchange import Desk
from tallystick.sdk.ledgers import Ledgers
from tallystick.sdk.profile import Profile
from tallystick.sdk.reader import LedgerReader
from tallystick.sdk.receipt import Receipt
from tallystick.sdk.receiving import Receiving, receiving
from tallystick.sdk.recorder import Recorder
from tallystick.sdk.salts import SALTS, SaltStore
from tallystick.sdk.sending import Sending, sending
from tallystick.sdk.singles import Singles
from tallystick.sdk.spool import Spool, spool_of
from tallystick.sdk.standing import standing_of
from tallystick.sdk.trust_store import TrustStore
from tallystick.sdk.verbs import HasRef, HasVersion, Verbs
from tallystick.sdk.wire import Wire
from tallystick_proto.v1.statement_pb2 import Digest, Document, Ref, ResourceDeclared

# What another bureau's node is asked during an exchange is worth a short wait: mostly the exchange goes on without it.
_PEER_DEADLINE_S = 5.0
# How long a sending waits for its witnesses before the data goes out all the same.
WAIT_WITNESSED_S = 5.0


class Node(LedgerReader, Verbs[Receipt]):
    """A connection to one bureau's node under one identity. Several threads may share it, and close it when none is at
    it any more.

    Every verb records at once and returns a checked receipt; `recorder` is for many. What is recorded and not yet
    witnessed stays in the spool, as a recorder's batches do.
    """

    def __init__(
        self, wire: Wire, trust: TrustStore, actor: str, key: Signer, state: Path, profile: Profile | None = None
    ) -> None:
        super().__init__(wire, trust)
        self.actor = actor
        self._key = key
        self._state = state
        self._profile = profile
        self._peers: Ledgers | None = None
        self._recording: Singles | None = None

    @classmethod
    def open(cls, profile: str | os.PathLike[str] | Profile | None = None) -> Self:
        """The node a profile names, under the profile's identity. Nothing is sent before the first call."""
        chosen = profile if isinstance(profile, Profile) else Profile.load(profile)
        chosen.check_current(now_us())
        return cls(
            Wire(chosen.bureau, credentials=chosen.credentials, patience=chosen.patience),
            chosen.trust_store,
            chosen.actor,
            chosen.signing_key(),
            chosen.state,
            chosen,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
            return
        with suppress(TallystickError):  # the block's own error is the one to be seen
            self.close()

    def close(self) -> None:
        """Write down what was verified, and close every connection.

        What stays in the spool a recorder sees to, as far as it can by this charter, and raises as it does in closing.
        """
        with ExitStack() as last:
            last.callback(super().close)
            if self._peers is not None:
                last.callback(self._peers.close)
            if self._singles.unwitnessed:
                with suppress(Unreachable, ConfigInvalid):
                    self.recorder(give_up_s=0.0).close()

    @property
    def peers(self) -> Ledgers:
        """Every ledger of the charter, this one among them, each read from its own node.

        Raises RuntimeError where this node was not opened by a profile, and knows no charter.
        """
        with self._lock:
            if self._peers is None:
                if self._profile is None:
                    raise RuntimeError("this node was opened without a profile, and knows no charter")
                self._peers = Ledgers(self._profile, own=self, deadline_s=_PEER_DEADLINE_S)
            return self._peers

    def record(self, kind: str, **values: object) -> Receipt:
        """Record one statement of a kind, named as in `DataUsed` or by its verb.

        Returns once it is durable and its receipt was checked. Raises what kept it from being recorded,
        InvalidStatement where it asks something of a closed bureau (`sdk.closed`), Overloaded where the spool is full
        of what is not witnessed yet; after StorageFailed or another Unreachable the outcome may be unknown, and what
        was tried under one id was recorded once or not at all.
        """
        return self._say(kind, values)

    def record_witnessed(self, kind: str, wait_s: float, /, **values: object) -> Receipt:
        """Record as `record` does, and wait until a quorum has cosigned it, at most `wait_s`; the receipt says which.

        A ledger without a quorum is not waited for.
        """
        return self._say(kind, values, wait_s)

    def _say(self, kind: str, values: dict[str, object], wait_witnessed_s: float = 0.0) -> Receipt:
        return self._singles.say(kind, values, wait_witnessed_s)

    def recorder(
        self,
        *,
        linger_ms: float = 5.0,
        batch_max: int = 1_000,
        in_flight_max: int = 16,
        give_up_s: float = 60.0,
        spool: bool = True,
    ) -> Recorder:
        """A recorder on a connection of its own. With `spool`, what is not answered, or not yet witnessed where this
        ledger has a quorum of witnesses, survives this program, and is seen to by the next recorder.
        """
        self.check_evidence()
        # It goes on as long as it was told to, whatever the node was a while ago.
        wire = Wire(self.bureau, self.wire.deadline_s, credentials=self.wire.credentials)
        return Recorder(
            LedgerReader(wire, self._trust),
            self.actor,
            self._key,
            linger_ms=linger_ms,
            batch_max=batch_max,
            in_flight_max=in_flight_max,
            give_up_s=give_up_s,
            spool=self._spool if spool else None,
            charter=self._charter,
            closings=self._closings,
        )

    @property
    def _singles(self) -> Singles:
        with self._lock:
            if self._recording is None:
                self._recording = Singles(self, self.actor, self._key, self._charter, self._spool, self._closings)
            return self._recording

    @property
    def _charter(self) -> Charter | None:
        return None if self._profile is None else self._profile.charter

    @property
    def _closings(self) -> Mapping[str, Closing]:
        return {} if self._profile is None else self._profile.closings

    @property
    def _spool(self) -> Spool:
        return Spool(spool_of(self._state, self.actor), self.bureau.origin, self._key)

    def declared(self, code: str) -> ResourceDeclared | None:
        """The declaration of a resource that stands on this ledger, or None."""
        standing = standing_of(self, code)
        return None if standing is None else standing.declared

    def provide(
        self,
        code: str,
        *,
        file: str | os.PathLike[str],
        version: str | None = None,
        rows: int | None = None,
        derived_from: Sequence[str | HasVersion] | None = None,
        quality: dict[str, object] | None = None,
        desensitised: dict[str, object] | None = None,
        system: str | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[Document | Mapping[str, object]] | None = None,
        progress: Progress | None = None,
    ) -> Receipt:
        """Record a version of a resource from its file: hashed here, and the data never leaves.

        Only a resource declared as unconditional shows its digest in the clear. Any other carries a salted one, and
        the salt is kept in this client's state folder, sealed, to travel with the data. Without `version`, it is named
        by its digest.
        """
        hashed = digest_file(Path(file), progress)
        declared = self.declared(code)
        open_digest = declared is not None and declared.sharing == ResourceDeclared.UNCONDITIONAL
        salt = None if open_digest else new_salt()
        if salt is not None and version is not None:
            salt = self.salts.kept_or(self.bureau.id, format_version_ref(code, version), salt)
        named, digest, salt = versioned(self.bureau.id, code, version, hashed.blake3, salt)
        if salt is not None:
            self.salts.keep(self.bureau.id, named, salt)
        return self.provide_version(
            named,
            digest=Digest(committed=digest) if salt is not None else Digest(blake3=digest),
            size=hashed.size,
            rows=rows,
            derived_from=derived_from,
            quality=quality,
            desensitised=desensitised,
            system=system,
            case=case,
            officer=officer,
            happened_at=happened_at,
            documents=documents,
        )

    @property
    def salts(self) -> SaltStore:
        """The salts of the versions that were provided from here."""
        return SaltStore(self._state / SALTS, self._key)

    @property
    def _desk(self) -> Desk:
        return Desk(self, self.peers, self.salts, self.record, self.record_witnessed)

    def sending(
        self,
        version: str | HasVersion | None,
        *,
        to: str,
        grant: str | Ref | HasRef | None = None,
        via: str | None = None,
        service: str | None = None,
        digest: Digest | str | None = None,
        size: int | None = None,
        request_size: int | None = None,
        exchange: bytes | UUID | str | None = None,
        system: str | None = None,
        matter: str | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[Document | Mapping[str, object]] | None = None,
        wait_witnessed_s: float = WAIT_WITNESSED_S,
    ) -> AbstractContextManager[Sending]:
        """Record the sending of a version before the block runs, or the block does not run.

        Where this ledger has a quorum of witnesses, the block also waits for it, at most `wait_witnessed_s`; after that
        it runs, and the receipt says that the quorum was not reached.

        `version` is the receipt of its providing or `CODE@VERSION`, and for a service the bare code of its resource.
        Digest and size are those it was provided with, unless given. `grant` is cited after it was read, and its
        system, matter and case go over to this half where they are not given. `exchange` is one's own id for it, else
        a new one. What the block raises is recorded as ExchangeFailed and raised again. See `tallystick.sdk.sending`.
        """
        said: dict[str, object] = {
            "via": via,
            "service": service,
            "digest": digest,
            "size": size,
            "request_size": request_size,
            "exchange": exchange,
            "system": system,
            "matter": matter,
            "case": case,
            "officer": officer,
            "happened_at": happened_at,
            "documents": documents,
        }
        return sending(self._desk, version, to, grant, said, wait_witnessed_s)

    def receiving(
        self,
        exchange: str | bytes | UUID,
        *,
        of: str | HasVersion | None = None,
        sender: str | None = None,
        grant: Ref | HasRef | None = None,
        service: str | None = None,
        request_size: int | None = None,
        system: str | None = None,
        matter: str | None = None,
        case: bytes | UUID | str | None = None,
        officer: str | None = None,
        happened_at: datetime | int | None = None,
        documents: Sequence[Document | Mapping[str, object]] | None = None,
    ) -> AbstractContextManager[Receiving]:
        """Look up who sent an exchange, and let the block record what it received: `receiving.file` or `.data`.

        `exchange` is the text that was handed over. `of` is the version, as its receipt or `CODE@VERSION`, or the bare
        code of a resource; without it, what the other half says. What the block raises before anything was recorded is
        recorded as ExchangeFailed and raised again. See `tallystick.sdk.receiving`.
        """
        said: dict[str, object] = {
            "grant": grant,
            "service": service,
            "request_size": request_size,
            "system": system,
            "matter": matter,
            "case": case,
            "officer": officer,
            "happened_at": happened_at,
            "documents": documents,
        }
        return receiving(self._desk, exchange, of, sender, said)
