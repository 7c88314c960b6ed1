"""A home's own certificate authority, and what it issues to those who are at home there.

    tls/authority.crt, authority.key    the authority; it may be taken elsewhere afterwards, as the registrar's key may
    tls/node.crt, node.key              what the node shows
    tls/clerk.crt, clerk.key, …         what the clients of the home's profiles show

A party that has no home, as an auditor, keeps the same files in a folder of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tallystick.core.holder import Holder
from tallystick.sdk.certificates import CertificateAuthority
from tallystick.sdk.certified_key import CertifiedFiles
from tallystick.sdk.passphrase import Passphrase

TLS: Final = "tls"


def certified_files(home: Path, name: str) -> CertifiedFiles:
    """Where a home keeps a certificate and its key."""
    return CertifiedFiles(home / TLS / f"{name}.crt", home / TLS / f"{name}.key")


def make_certificates(
    home: Path, party: str, holders: Iterable[Holder], now_us: int, passphrase: Passphrase | None = None
) -> str:
    """A party's new authority and certificates of it, in its home, their keys encrypted where there is a passphrase;
    returns what a charter pins of that authority.

    Raises ConfigInvalid where there is one already.
    """
    secret = b"" if passphrase is None else passphrase.chosen(str(home))
    authority = CertificateAuthority.make(party, now_us)
    files = certified_files(home, "authority")
    authority.save(files.certificate, files.key, secret)
    for holder in holders:
        certified_files(home, holder.name or holder.party).renew(
            authority, holder, now_us, passphrase=passphrase, secret=secret
        )
    return authority.pem
