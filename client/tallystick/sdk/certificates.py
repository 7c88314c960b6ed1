"""A party's own certificate authority: made once, it issues the certificates of its node and its actors.

The authority's key stays at home, or on a medium that is taken away; what it issues is made beside the key it is for,
or from a *request*, so that no private key has to travel. A request is PKCS#10, signed by the key it asks for, and
names whom it is for as the certificate will (`core.certificate`); whoever issues looks at that name first.

A certificate begins an hour before it is made, since clocks differ, and never outlasts the authority.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from tallystick.core.certificate import UNREADABLE, Authority, PublicKey, authority_name, parse_authorities
from tallystick.core.errors import ConfigInvalid, MalformedCertificate, NotAllowed
from tallystick.core.holder import NODE_HOST, Holder, holder_of
from tallystick.core.limits import CERTIFICATE_BYTES_MAX, CERTIFICATE_DAYS_MAX
from tallystick.sdk.files import read_some, write_whole
from tallystick.sdk.key_file import load_private, not_such_a_key, save_private
from tallystick.sdk.passphrase import Passphrase

AUTHORITY_DAYS: Final = 3_650
AUTHORITY_DAYS_MAX: Final = 36_500
CERTIFICATE_DAYS: Final = 90
_BACKDATED: Final = timedelta(hours=1)

PrivateKey = EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """A party's authority with its key: what can issue."""

    authority: Authority
    pem: str
    key: PrivateKey

    @classmethod
    def make(
        cls, party: str, now_us: int, days: int = AUTHORITY_DAYS, key: PrivateKey | None = None
    ) -> CertificateAuthority:
        """The certificate by which a key, new if none is given, calls itself the authority of a party.

        Raises ConfigInvalid where that is no term.
        """
        key = key or new_key()
        name = authority_name(party)
        begins, ends = _term(now_us, days, AUTHORITY_DAYS_MAX)
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=False,
            encipher_only=False,
            decipher_only=False,
        )
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), begins, ends)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, SHA256())
        )
        return cls._of(made.public_bytes(Encoding.PEM).decode(), party, key)

    @classmethod
    def load(
        cls, certificate: Path, key: Path, party: str, passphrase: Passphrase | None = None
    ) -> CertificateAuthority:
        """The authority of a party in its two files. Raises ConfigInvalid or MalformedCertificate."""
        private = load_tls_key(key, passphrase)
        pem = read_pem(certificate).decode(errors="replace")
        try:
            made = cls._of(pem, party, private)
        except MalformedCertificate as error:
            raise error.at(str(certificate)) from None
        if made.authority.public != private.public_key():
            raise ConfigInvalid("it is the key of another certificate", where=str(key), expected=str(certificate))
        return made

    @classmethod
    def _of(cls, pem: str, party: str, key: PrivateKey) -> CertificateAuthority:
        authorities = parse_authorities(pem, party)
        return cls(authorities[0], pem, key)

    def save(self, certificate: Path, key: Path, passphrase: bytes = b"") -> None:
        """Into two new files, the key's of mode 0600. Raises ConfigInvalid where there is one already."""
        refuse_existing(certificate)
        save_private(key, self.key, passphrase)
        write_whole(certificate, self.pem.encode())

    def issue(self, holder: Holder, public: PublicKey, now_us: int, days: int = CERTIFICATE_DAYS) -> bytes:
        """The certificate of a holder, PEM. Raises NotAllowed where it is another party's, or the authority's term is
        over, and ConfigInvalid where that is no term.
        """
        party = self.authority.party
        if holder.party != party:
            raise NotAllowed(
                f"{holder.id} is not of {party}", where="certificate authority", expected=f"one of {party}"
            )
        if not self.authority.valid(now_us):
            raise NotAllowed("it is not in its term", where=f"certificate authority of {party}", expected="a new one")
        begins, ends = _term(now_us, days, CERTIFICATE_DAYS_MAX)
        over = _moment(self.authority.ends_us)
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if holder.is_node else [])]
        signer = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        return (
            x509.CertificateBuilder(
                authority_name(party),
                x509.Name([]),
                public,
                x509.random_serial_number(),
                begins,
                min(ends, over),
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_names(holder), critical=True)  # as it must be where the subject is empty
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signer), critical=False)
            .sign(self.key, SHA256())
            .public_bytes(Encoding.PEM)
        )


def new_key() -> PrivateKey:
    """A new P-256 key."""
    return generate_private_key(SECP256R1())


def make_request(holder: Holder, key: PrivateKey) -> bytes:
    """What asks a party's authority for a certificate of this key, PEM."""
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))
        .add_extension(_names(holder), critical=False)
        .sign(key, SHA256())
        .public_bytes(Encoding.PEM)
    )


def read_request(pem: bytes, where: str) -> tuple[Holder, PublicKey]:
    """Whom a request is for, and the key it was signed with. Raises MalformedCertificate."""
    expected = "a request as `tally identity renew` or `tallyd cert renew` makes them"
    if len(pem) > CERTIFICATE_BYTES_MAX:
        raise MalformedCertificate(f"{len(pem)} bytes", where=where, expected=expected)
    try:
        request = x509.load_pem_x509_csr(pem)
        key = request.public_key()
        if not (isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)):
            raise MalformedCertificate("its key is of another kind", where=where, expected="P-256")
        if not request.is_signature_valid:
            raise MalformedCertificate("the key it asks for did not sign it", where=where, expected=expected)
        return holder_of(request.extensions, where), key
    except UNREADABLE as error:
        raise MalformedCertificate(
            f"it does not read ({type(error).__name__})", where=where, expected=expected
        ) from None


def load_tls_key(path: Path, passphrase: Passphrase | None = None) -> PrivateKey:
    """The P-256 key in a file. Raises ConfigInvalid as `key_file.load_key`."""
    key = load_private(path, passphrase)
    if not (isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1)):
        raise not_such_a_key(path, "a P-256 key")
    return key


def read_pem(path: Path) -> bytes:
    """A certificate's or a request's file. Raises ConfigInvalid."""
    return read_some(path, CERTIFICATE_BYTES_MAX, "a PEM file")


def refuse_existing(path: Path) -> None:
    """Raises ConfigInvalid where there is a file already."""
    if path.exists():
        raise ConfigInvalid("there is a file already", where=str(path), expected="a path without one")


def _names(holder: Holder) -> x509.SubjectAlternativeName:
    node = [x509.DNSName(NODE_HOST)] if holder.is_node else []
    return x509.SubjectAlternativeName([x509.UniformResourceIdentifier(holder.uri), *node])


def _term(now_us: int, days: int, most: int) -> tuple[datetime, datetime]:
    if not 1 <= days <= most:
        raise ConfigInvalid(f"{days} days", expected=f"1 to {most}")
    now = _moment(now_us)
    return now - _BACKDATED, now + timedelta(days=days)


def _moment(at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us // 1_000_000, UTC)
