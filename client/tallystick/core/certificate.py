"""X.509 certificates by which the two ends of a connection know each other, strictly.

Every party of the charter (a bureau or an auditor) is its own certificate authority. Keys are P-256, signatures ECDSA
with SHA-256. `holder` says whom a certificate names.

An *authority* is self-signed, may sign certificates and nothing below it may, and its name is `CN=<party>` and nothing
else: so no two parties' authorities can be taken for each other by any way of comparing names. A charter pins one in a
party's stanza, two while one takes the other's place, as the PEM that OpenSSL writes: nothing before, between or after.
The two go by one name, so that a TLS library finds the one it needs by its key's identifier: each has one of its own,
and a certificate says whose of them signed it. Otherwise it might try the wrong one, or the one that has ended, alone.

A *certificate* was issued by an authority directly. A node's serves both ends of a connection, any other the caller's
end alone, so that no actor can pass for a node. Other extensions are left to the TLS library, which refuses the
critical ones it does not know.

Nothing here is of the ledger: a certificate says who is at the other end of a connection, never who recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, SignatureAlgorithmOID

from tallystick.core.errors import MalformedCertificate
from tallystick.core.holder import Holder, holder_of
from tallystick.core.limits import AUTHORITIES_MAX, CERTIFICATE_BYTES_MAX

_DAY_US: Final = 24 * 3600 * 1_000_000
# Whoever has an authority can make any number of certificates, as long as they may be: this much of them is remembered.
_CACHED_MAX: Final = 1_024
UNREADABLE: Final = (
    CryptographyDeprecationWarning,  # where warnings are errors
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the library says of bytes that are no certificate or request, or none it can read."""
PublicKey = EllipticCurvePublicKey


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate, by its DER. Valid from `begins_us` up to and without `ends_us`, in microseconds since 1970."""

    der: bytes
    begins_us: int
    ends_us: int

    def __str__(self) -> str:
        return f"{self.fingerprint} until {datetime.fromtimestamp(self.ends_us // 1_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"

    def valid(self, now_us: int) -> bool:
        return self.begins_us <= now_us < self.ends_us

    def ends_soon(self, now_us: int) -> bool:
        """Whether less than a third of its term is left, or none."""
        return now_us >= self.ends_us - (self.ends_us - self.begins_us) // 3

    def days_left(self, now_us: int) -> int:
        """How many whole days it lasts; below 0 where it has ended."""
        return (self.ends_us - now_us) // _DAY_US

    @property
    def fingerprint(self) -> str:
        """`sha256:` and the hash of the DER in hex, as OpenSSL reckons it."""
        return f"sha256:{_load_der(self.der).fingerprint(SHA256()).hex()}"

    @property
    def public(self) -> PublicKey:
        """The P-256 key."""
        return _key_of(_load_der(self.der))


@dataclass(frozen=True, slots=True)
class Authority(Certificate):
    """A party's certificate authority."""

    party: str


@dataclass(frozen=True, slots=True)
class Issued(Certificate):
    """A certificate of whoever it names; who issued it, only `issued_by` says."""

    holder: Holder

    def issued_by(self, authority: Authority) -> bool:
        """Whether that authority's key signed it, for its own party."""
        return self.holder.party == authority.party and _issued_by(self.der, authority.der)


def parse_authorities(pem: str, party: str) -> tuple[Authority, ...]:
    """The authorities a party's stanza pins: one or two. Raises MalformedCertificate."""
    return _parse_authorities(pem, party)


@lru_cache(maxsize=_CACHED_MAX)
def _parse_authorities(pem: str, party: str) -> tuple[Authority, ...]:
    where = f"certificate authority of {party}"
    found = _load_pem(pem.encode(errors="replace"), where)
    if not 1 <= len(found) <= AUTHORITIES_MAX:
        raise MalformedCertificate(f"{len(found)} certificates", where=where, expected=f"1 to {AUTHORITIES_MAX}")
    if pem != "".join(each.public_bytes(Encoding.PEM).decode() for each in found):
        raise MalformedCertificate("there is more than certificates", where=where, expected="PEM as OpenSSL writes it")
    authorities = tuple(_authority(each, party, where) for each in found)
    if len({_identifier(each) for each in found}) < len(found):
        raise MalformedCertificate(
            "both have one key",
            where=where,
            expected="a new key for what takes another's place, or the later one alone",
        )
    return authorities


def parse_issued(pem: bytes, where: str = "certificate") -> Issued:
    """The certificate of an actor, node or auditor. Raises MalformedCertificate."""
    return _parse_issued(pem, where)


@lru_cache(maxsize=_CACHED_MAX)
def _parse_issued(pem: bytes, where: str) -> Issued:
    found = _load_pem(pem, where)
    if len(found) != 1:
        raise MalformedCertificate(f"{len(found)} certificates", where=where, expected="one")
    certificate = found[0]
    try:
        _check_form(certificate, where)
        if _is_authority(certificate):
            raise MalformedCertificate("it is an authority's", where=where, expected="one that an authority issued")
        holder = holder_of(certificate.extensions, where)
        wanted = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if holder.is_node else [])]
        signer = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        if not signer:
            raise MalformedCertificate(
                "which of its issuer's keys signed it is not said", where=where, expected="the key's identifier"
            )
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        if len(list(usages)) != len(wanted) or set(usages) != set(wanted):
            raise MalformedCertificate(
                f"it does not serve what a certificate of {holder.id} serves",
                where=where,
                expected="clientAuth, and serverAuth for a node alone",
            )
    except x509.ExtensionNotFound:
        raise MalformedCertificate(
            "its names, its use or its issuer's key are missing",
            where=where,
            expected="a URI, an extended key usage and the identifier of the key that signed it",
        ) from None
    except UNREADABLE as error:
        raise _unreadable(error, where) from None
    return Issued(certificate.public_bytes(Encoding.DER), *_term(certificate), holder)


def authority_name(party: str) -> x509.Name:
    """The name of a party's authority, which is the issuer's in every certificate of it."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, party)])


@lru_cache(maxsize=_CACHED_MAX)
def _issued_by(der: bytes, authority: bytes) -> bool:
    try:
        _load_der(der).verify_directly_issued_by(_load_der(authority))
    except (*UNREADABLE, InvalidSignature):
        return False
    return True


def _authority(certificate: x509.Certificate, party: str, where: str) -> Authority:
    expected = f"CN={party}, signed by itself, P-256, with its key's identifier, that may sign certificates alone"
    try:
        _check_form(certificate, where)
        parts = [(each.oid, each.value) for each in certificate.subject]
        if parts != [(NameOID.COMMON_NAME, party)] or not _is_authority(certificate):
            raise MalformedCertificate("it is not that of an authority of this party", where=where, expected=expected)
        _identifier(certificate)
        certificate.verify_directly_issued_by(certificate)
    except (*UNREADABLE, InvalidSignature):
        raise MalformedCertificate("it is no authority that signed itself", where=where, expected=expected) from None
    return Authority(certificate.public_bytes(Encoding.DER), *_term(certificate), party)


def _identifier(authority: x509.Certificate) -> bytes:
    """What an authority calls its key. Raises ExtensionNotFound."""
    return authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def _is_authority(certificate: x509.Certificate) -> bool:
    """Whether it may sign certificates; half an authority, which may and may not, is none that this format knows."""
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    if not constraints.value.ca:
        return False
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    if not (constraints.critical and constraints.value.path_length == 0 and usage.value.key_cert_sign):
        raise ValueError("an authority with other rights")
    return True


def _check_form(certificate: x509.Certificate, where: str) -> None:
    _key_of(certificate, where)
    if certificate.serial_number <= 0:
        raise MalformedCertificate("its serial number is not positive", where=where, expected="one as RFC 5280 has it")
    if certificate.signature_algorithm_oid != SignatureAlgorithmOID.ECDSA_WITH_SHA256:
        raise MalformedCertificate("it is signed in another way", where=where, expected="ECDSA with SHA-256")


def _key_of(certificate: x509.Certificate, where: str = "") -> PublicKey:
    key = certificate.public_key()
    if not (isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)):
        raise MalformedCertificate("its key is of another kind", where=where, expected="P-256")
    return key


def _term(certificate: x509.Certificate) -> tuple[int, int]:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return int(begins.timestamp()) * 1_000_000, int(ends.timestamp()) * 1_000_000


def _load_pem(pem: bytes, where: str) -> Sequence[x509.Certificate]:
    if len(pem) > CERTIFICATE_BYTES_MAX:
        raise MalformedCertificate(f"{len(pem)} bytes", where=where, expected=f"at most {CERTIFICATE_BYTES_MAX}")
    try:
        return x509.load_pem_x509_certificates(pem)
    except UNREADABLE as error:
        raise _unreadable(error, where) from None


@lru_cache(maxsize=_CACHED_MAX)
def _load_der(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def _unreadable(error: Exception, where: str) -> MalformedCertificate:
    return MalformedCertificate(
        f"it does not read ({type(error).__name__})", where=where, expected="an X.509 certificate in PEM"
    )
