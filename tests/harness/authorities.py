"""Certificate authorities of parties, each made once, and certificates that they would never issue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from tallystick.core.certificate import authority_name
from tallystick.core.holder import Holder
from tallystick.sdk.certificates import CertificateAuthority, PrivateKey, new_key
from tests.harness.ledger_maker import START_US

Party = TypeVar("Party", bound=msgspec.Struct)
Shown = tuple[bytes, bytes]
"""A private key and its certificate, as a connection takes them."""
CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


@lru_cache
def authority_of(party: str, now_us: int = START_US, days: int = 3_650) -> CertificateAuthority:
    """A party's authority, the same at every call."""
    return CertificateAuthority.make(party, now_us, days)


def pinning(party: Party, *authorities: CertificateAuthority) -> Party:
    """The same party, with these authorities in its stanza."""
    return msgspec.structs.replace(party, certificate_authority="".join(each.pem for each in authorities))


def pem_of(key: PrivateKey) -> bytes:
    """A private key as a connection takes it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def issued(authority: CertificateAuthority, holder: str, now_us: int = START_US, days: int = 90) -> bytes:
    """A certificate for a new key."""
    return authority.issue(Holder.parse(holder), generate_private_key(SECP256R1()).public_key(), now_us, days)


def shown_by(authority: CertificateAuthority, holder: str, at_us: int) -> Shown:
    """A new key, and a certificate of it that an authority issues."""
    key = new_key()
    return pem_of(key), authority.issue(Holder.parse(holder), key.public_key(), at_us)


def shown_falsely(authority: CertificateAuthority, *uris: str, at_us: int) -> Shown:
    """A new key, and a certificate with these URIs, which an authority's key signed though it never would."""
    key = new_key()
    return pem_of(key), bent(authority, *map(x509.UniformResourceIdentifier, uris), key=key, now_us=at_us)


def bent(
    authority: CertificateAuthority,
    *names: x509.GeneralName,
    usages: Sequence[x509.ObjectIdentifier] = (CLIENT,),
    issuer: str | None = None,
    subject: str = "",
    ca: bool = False,
    identified: bool = True,
    key: Any = None,
    algorithm: Any = None,
    now_us: int = START_US,
    days: int = 1,
) -> bytes:
    """What an authority's key can sign, whether or not `issue` would."""
    start = datetime.fromtimestamp(now_us // 1_000_000, UTC)
    builder = x509.CertificateBuilder(
        authority_name(issuer or authority.authority.party),
        authority_name(subject) if subject else x509.Name([]),
        (key or generate_private_key(SECP256R1())).public_key(),
        x509.random_serial_number(),
        start - timedelta(hours=1),
        start + timedelta(days=days),
    ).add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(names)), critical=True)
    if identified:
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
        builder = builder.add_extension(signer, critical=False)
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(usages)), critical=False)
    return builder.sign(authority.key, algorithm or SHA256()).public_bytes(Encoding.PEM)
