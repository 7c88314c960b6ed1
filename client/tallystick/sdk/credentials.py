"""Who one is on the wire: a certificate and its key, two PEM files, and how a bureau's node may be spoken to with them.

A bureau whose stanza in the charter pins a certificate authority is spoken to over TLS and in no other way: that
authority is the only root, and the name looked for is `node.tallystick`, wherever the node is. One that pins none is
spoken to in the clear, and then on loopback alone. Nothing ever falls back from the one to the other.

The files are looked at anew for every connection, so that a renewed certificate needs no restart.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from tallystick.core.bureau import Bureau
from tallystick.core.endpoint import is_loopback
from tallystick.core.errors import ConfigInvalid, MalformedCertificate, Unreachable
from tallystick.sdk.certified_key import CertifiedFiles, CertifiedKey
from tallystick.sdk.passphrase import Passphrase

_Stamps = tuple[tuple[Path, int, int, int, int], ...]


class Credentials:
    """Where a certificate and its key are, and what opens the key if it is encrypted."""

    def __init__(self, files: CertifiedFiles, passphrase: Passphrase | None = None) -> None:
        self.files = files
        self._passphrase = passphrase
        self._last: tuple[_Stamps, CertifiedKey] | None = None

    def read(self) -> CertifiedKey:
        """The pair as it is now. Raises ConfigInvalid: that one's own files do not read is nobody else's doing."""
        stamps = self._stamps()
        if self._last is None or self._last[0] != stamps:  # opening an encrypted key takes a while
            try:
                self._last = stamps, self.files.load(self._passphrase)
            except MalformedCertificate as error:
                raise ConfigInvalid(error.what, where=error.where, expected=error.expected) from None
        return self._last[1]

    def _stamps(self) -> _Stamps:
        """What tells the files from those that were there before."""
        found = []
        for path in (self.files.certificate, self.files.key, self.files.next_key):
            with suppress(OSError):
                told = path.stat()
                found.append((path, told.st_ino, told.st_mtime_ns, told.st_size, told.st_mode))
        return tuple(found)


def shown_to(bureau: Bureau, credentials: Credentials | None) -> CertifiedKey | None:
    """What a bureau's node is shown; None where it is spoken to in the clear.

    Raises Unreachable where it is neither pinned an authority nor on this machine, ConfigInvalid where it asks for a
    certificate and none is named, and as `Credentials.read`.
    """
    where = f"{bureau.id} at {bureau.endpoint}"
    if not bureau.certificate_authority:
        if not is_loopback(bureau.endpoint):
            raise Unreachable(
                "the charter pins no certificate authority of it",
                where=where,
                expected="one: in the clear nobody is spoken to but on loopback",
            )
        return None
    if credentials is None:
        raise ConfigInvalid(
            "it speaks TLS, and there is no certificate to show it",
            where=where,
            expected="[tls] with a certificate and its key, in the profile or the settings",
        )
    return credentials.read()
