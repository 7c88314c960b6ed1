"""A node's own keys and certificate, and whether they are the ones that the charter names or vouches for. It names no
disclosure key: nobody else needs to know it.
"""

from __future__ import annotations

from functools import cache
from random import SystemRandom

from tallystick.core.certified import check_own_node
from tallystick.core.charter import Bureau, Charter
from tallystick.core.errors import ConfigInvalid, NotAuthentic
from tallystick.core.holder import NODE_NAME
from tallystick.core.keys import Signer
from tallystick.core.note import VerifierKey
from tallystick.sdk.certified_key import CertifiedKey
from tallystick.sdk.key_file import load_key
from tallystick.sdk.rulebook import rulebook_of
from tallystick_node.config import Settings
from tallystick_node.disclosures import Disclosures


def load_ledger_key(settings: Settings, bureau: Bureau) -> Signer:
    """The key that signs this ledger's checkpoints. Raises ConfigInvalid where the charter names another."""
    return _load(settings, settings.config.keys.ledger, "ledger", bureau, bureau.ledger_verifier)


def load_witness_key(settings: Settings, bureau: Bureau) -> Signer:
    """The key that cosigns other ledgers' checkpoints. Raises ConfigInvalid where the charter names another."""
    return _load(settings, settings.config.keys.witness, "witness", bureau, bureau.witness_verifier)


def load_disclosures(settings: Settings, charter: Charter, bureau: Bureau) -> Disclosures:
    """What seals and opens this ledger's disclosures. Raises ConfigInvalid where its key does not read."""
    key = load_key(settings.place(settings.config.keys.disclosure), settings.passphrase)
    # Read once: it takes milliseconds, and one submission may erase a thousand.
    return Disclosures(bureau.origin, key, SystemRandom(), cache(lambda: rulebook_of(charter).retention))


def load_certificate(settings: Settings, bureau: Bureau, now_us: int) -> CertifiedKey | None:
    """What the node shows; None where it listens in the clear. Raises ConfigInvalid where others would not accept it:
    they go by the charter, which pins an authority of the node's bureau or does not.
    """
    where = str(settings.path)
    credentials = settings.credentials
    if credentials is None:
        if bureau.certificate_authority:
            raise ConfigInvalid(
                "tls.in_the_clear = true",
                where=where,
                expected=f"a certificate: the charter pins an authority of {bureau.id}, so that others speak TLS to it",
            )
        return None
    if not bureau.certificate_authority:
        raise ConfigInvalid(
            f"the charter pins no certificate authority of {bureau.id}",
            where=where,
            expected="a charter that does, or a loopback address and tls.in_the_clear = true",
        )
    place = str(credentials.files.certificate)
    try:
        shown = credentials.read()
        check_own_node(bureau, shown.certificate, now_us)
    except NotAuthentic as error:
        raise ConfigInvalid(error.what, where=place, expected=error.expected) from None
    holder = shown.certificate.holder
    if holder.party != bureau.id or not holder.is_node:
        raise ConfigInvalid(
            f"it is the certificate of {holder.id}", where=place, expected=f"that of {bureau.id}:{NODE_NAME}"
        )
    return shown


def _load(settings: Settings, file: str, name: str, bureau: Bureau, named: VerifierKey) -> Signer:
    path = settings.place(file)
    key = load_key(path, settings.passphrase)
    if key.public != named.public:
        raise ConfigInvalid(
            f"this is not the {name} key of {bureau.id}",
            where=str(path),
            expected=f"the private half of {named.format()}",
        )
    return key
