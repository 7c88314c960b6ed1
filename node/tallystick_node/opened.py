"""A node's directory, opened: everything it will serve with, and how to let go of it.

Opening refuses early and clearly: settings, charter, keys, the directory, then the database against what was signed. An
observer's node has no ledger: no key for one, no note of what was signed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tallystick.core.charter import Bureau, Charter
from tallystick.core.errors import ConfigInvalid
from tallystick.core.evidence import actors_of
from tallystick.sdk.certified_key import CertifiedKey
from tallystick.sdk.clock import now_us
from tallystick.sdk.heard_versions import HeardVersions
from tallystick_node import observer
from tallystick_node.adoption import adoption_due, check_floor
from tallystick_node.config import Settings
from tallystick_node.engine import Engine, Who
from tallystick_node.identity import load_certificate, load_disclosures, load_ledger_key, load_witness_key
from tallystick_node.ledger import Ledger, check_against_signed
from tallystick_node.ledger_state import check_no_entries
from tallystick_node.own_certificate import OwnCertificate
from tallystick_node.peers import Peer
from tallystick_node.sequencer import Sequencer
from tallystick_node.signed_size import SignedSize
from tallystick_node.store.leveldb import LevelDbStore


@dataclass(frozen=True, slots=True)
class Opened:
    """A node that does not run yet. `own_certificate` is what it shows, None where it listens in the clear; `close`
    lets go of the directory.
    """

    settings: Settings
    charter: Charter
    bureau: Bureau
    own_certificate: OwnCertificate | None
    engine: observer.Observer
    close: Callable[[], None]

    @classmethod
    def open(cls, settings: Settings, clock: Callable[[], int] = now_us) -> Opened:
        """Raises ConfigInvalid, VerificationFailed or StorageFailed."""
        charter, bureau = settings.open_charter()
        if charter.expired(clock()):
            raise ConfigInvalid(
                f"the charter expired on {charter.expires.isoformat()}",
                where=str(settings.place(settings.config.charter)),
                expected="a later version; an expired charter records nothing",
            )
        place, digest = settings.place(settings.config.charter), settings.config.charter_digest
        versions = HeardVersions.open(place, digest, settings.path.parent)
        own = _own_certificate(settings, charter, bureau, clock)
        reach = partial(Peer, credentials=settings.credentials)
        witness_key = load_witness_key(settings, bureau)
        key = None if bureau.is_observer else load_ledger_key(settings, bureau)
        config = settings.config
        disclosures = None if key is None else load_disclosures(settings, charter, bureau)
        store = LevelDbStore.open(settings.database)
        try:
            if key is None or disclosures is None:
                check_no_entries(store, bureau.origin)
                onlooker = observer.Who(versions, bureau, witness_key, clock, reach, random.SystemRandom())
                engine = observer.Observer(onlooker, store, config.gossip.interval_s, config.write.shown_s)
                return cls(settings, charter, bureau, own, engine, store.close)
            signed = SignedSize.open(settings.signed_size, bureau.origin)
            try:
                ledger = Ledger.open(store, bureau.origin)
                check_against_signed(ledger, signed)
                check_floor(ledger, bureau, str(settings.place(settings.config.charter)))
                disclosures.check_key(store, str(settings.place(settings.config.keys.disclosure)))
                due = adoption_due(ledger, key, charter, settings.config.charter_digest, bureau)
                sequencer = Sequencer(
                    ledger,
                    signed,
                    key,
                    actors_of(bureau),
                    disclosures,
                    now_us=clock,
                    reopen=lambda: LevelDbStore.open(settings.database),
                    linger_s=settings.config.write.linger_ms / 1_000,
                    queue_bytes_max=settings.config.write.queue_mib * 1024 * 1024,
                    expires_us=charter.expires_us,
                    state=bureau.state,
                )
            except BaseException:
                signed.close()
                raise
        except BaseException:
            store.close()
            raise

        def close() -> None:
            sequencer.ledger.store.close()  # the one that is open by then
            signed.close()

        who = Who(versions, bureau, witness_key, clock, reach, random.SystemRandom(), key)
        writer = Engine(
            who, sequencer, due, config.write.witness_times_s, config.gossip.interval_s, config.write.shown_s
        )
        return cls(settings, charter, bureau, own, writer, close)


def _own_certificate(
    settings: Settings, charter: Charter, bureau: Bureau, clock: Callable[[], int]
) -> OwnCertificate | None:
    """What the node shows, None where it listens in the clear. Raises ConfigInvalid."""

    def read() -> CertifiedKey | None:
        return load_certificate(settings, bureau, clock())

    shown = read()
    return None if shown is None else OwnCertificate(shown, read, clock)
