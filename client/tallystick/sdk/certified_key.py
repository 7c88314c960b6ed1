"""A certificate and the private key it is for, in two files that change together without ever standing apart.

A new key waits beside the old one, as `<key>.next`, for its certificate. Then the certificate's file is replaced, and
then the new key's takes the old one's place; whoever reads takes whichever of the two keys the certificate is for. So a
reader at any moment, or after a crash at any step, finds a pair.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tallystick.core.certificate import Issued, parse_issued
from tallystick.core.certified import check_certified
from tallystick.core.charter import Charter
from tallystick.core.errors import ConfigInvalid, MalformedCertificate, NotAuthentic
from tallystick.core.holder import Holder
from tallystick.sdk.certificates import (
    CERTIFICATE_DAYS,
    CertificateAuthority,
    PrivateKey,
    load_tls_key,
    make_request,
    new_key,
    read_pem,
)
from tallystick.sdk.files import write_whole
from tallystick.sdk.key_file import passphrase_like, save_private
from tallystick.sdk.passphrase import Passphrase

_READS_MAX = 3


@dataclass(frozen=True, slots=True)
class CertifiedKey:
    """What one end of a connection shows and proves; both PEM, the key in the clear and never printed."""

    certificate: Issued
    certificate_pem: bytes
    key_pem: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CertifiedFiles:
    """Where a certificate and its key are."""

    certificate: Path
    key: Path

    @property
    def next_key(self) -> Path:
        """Where a new key waits for its certificate."""
        return self.key.with_name(f"{self.key.name}.next")

    def load(self, passphrase: Passphrase | None = None) -> CertifiedKey:
        """The pair. Raises ConfigInvalid or MalformedCertificate."""
        for _ in range(_READS_MAX):  # the files may change in between
            pem = read_pem(self.certificate)
            certificate = parse_issued(pem, str(self.certificate))
            for path in (self.key, self.next_key):
                key = load_tls_key(path, passphrase) if path.exists() else None
                if key is not None and key.public_key() == certificate.public:
                    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
                    return CertifiedKey(certificate, pem, plain)
        if not self.key.exists():
            load_tls_key(self.key)  # for what it raises
        raise ConfigInvalid(
            "it is not the key of the certificate", where=str(self.key), expected=f"that of {self.certificate}"
        )

    def request(self, holder: Holder, passphrase: Passphrase | None = None, secret: bytes = b"") -> bytes:
        """What asks for a holder's certificate, PEM; its key, new or still waiting, waits. Raises ConfigInvalid.

        A new key is encrypted under `secret`, where there is one, else as the key before is.
        """
        return make_request(holder, self._waiting(passphrase, secret))

    def renew(
        self,
        authority: CertificateAuthority,
        holder: Holder,
        now_us: int,
        days: int = CERTIFICATE_DAYS,
        charter: Charter | None = None,
        passphrase: Passphrase | None = None,
        secret: bytes = b"",
    ) -> Issued:
        """A new key and its certificate in the place of what is there. Raises as `CertificateAuthority.issue` and
        `install`.
        """
        pem = authority.issue(holder, self._waiting(passphrase, secret).public_key(), now_us, days)
        return self.install(pem, holder, now_us, charter, passphrase)

    def install(
        self,
        pem: bytes,
        holder: Holder,
        now_us: int,
        charter: Charter | None = None,
        passphrase: Passphrase | None = None,
        where: str = "certificate",
    ) -> Issued:
        """A certificate that was issued for the waiting key, and that key, in the place of what is there; `where` names
        it in the error.

        Raises ConfigInvalid where no key waits for it, MalformedCertificate, and NotAuthentic where it is another's, or
        the charter, if there is one yet, does not vouch for it.
        """
        certificate = parse_issued(pem, where)
        if certificate.holder != holder:
            raise NotAuthentic(f"it is the certificate of {certificate.holder.id}", expected=f"that of {holder.id}")
        if charter is not None:
            check_certified(charter, certificate, now_us)
        if not self.next_key.exists() or load_tls_key(self.next_key, passphrase).public_key() != certificate.public:
            raise ConfigInvalid(
                "no key waits for this certificate",
                where=str(self.next_key),
                expected="the one its request was made of",
            )
        write_whole(self.certificate, pem)
        os.replace(self.next_key, self.key)
        return certificate

    def _waiting(self, passphrase: Passphrase | None, secret: bytes) -> PrivateKey:
        self._settle(passphrase)
        if self.next_key.exists():
            return load_tls_key(self.next_key, passphrase)
        key = new_key()
        secret = secret or passphrase_like(self.next_key, self.key, passphrase or Passphrase())
        save_private(self.next_key, key, secret)
        return key

    def _settle(self, passphrase: Passphrase | None) -> None:
        """Whoever was interrupted after its certificate was in place: put the key there too."""
        if not (self.next_key.exists() and self.certificate.exists()):
            return
        try:
            certificate = parse_issued(read_pem(self.certificate))
        except MalformedCertificate:
            return
        if load_tls_key(self.next_key, passphrase).public_key() == certificate.public:
            os.replace(self.next_key, self.key)
