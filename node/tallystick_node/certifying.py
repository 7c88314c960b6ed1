"""Certificates of a home, or of an auditor's folder: what its authority issues, and what is renewed there.

Nothing is issued by an authority that the charter does not pin, where the folder is a home that goes by one: nobody
would accept it. An authority that is to take the other's place waits beside it, as `authority-next`, until a version of
the charter pins both; then its files are moved into the other's place.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tallystick.core.certificate import Certificate, Issued, parse_authorities, parse_issued
from tallystick.core.certified import check_certified, check_own_node
from tallystick.core.charter import Charter
from tallystick.core.counted import counted
from tallystick.core.errors import ConfigInvalid, MalformedCertificate, NotAuthentic, Usage
from tallystick.core.holder import NODE_NAME, Holder
from tallystick.sdk.certificates import CertificateAuthority, read_pem, read_request
from tallystick.sdk.certified_key import CertifiedFiles
from tallystick.sdk.files import check_new, write_whole
from tallystick.sdk.key_file import passphrase_like
from tallystick.sdk.passphrase import Passphrase
from tallystick_node.authority import TLS, certified_files
from tallystick_node.config import Settings
from tallystick_node.home import SETTINGS

AUTHORITY: Final = "authority"
NEXT: Final = "authority-next"


class Certifying:
    """A folder with a party's authority. `party` names an auditor's; a home's settings name its bureau. `passphrase`
    opens the keys in it that are encrypted, and a new key is put under it beside such a one.

    Raises Usage where neither says whose it is, or both and otherwise.
    """

    def __init__(self, folder: Path, party: str | None = None, passphrase: Passphrase | None = None) -> None:
        self.folder = folder
        self._passphrase = passphrase or Passphrase()
        path = folder / SETTINGS
        self.settings = Settings.load(path, self._passphrase) if path.exists() else None
        if self.settings is None and party is None:
            raise Usage(
                "whose certificates these are is not said", where=str(folder), expected="a node's home, or --party"
            )
        if self.settings is not None and party not in (None, self.settings.config.bureau):
            raise Usage(
                f"--party {party}", where=str(folder), expected=f"{self.settings.config.bureau}, whose home it is"
            )
        self.party = party or (self.settings.config.bureau if self.settings is not None else "")
        self.charter: Charter | None = None
        """What the home goes by, where it goes by one yet."""
        if self.settings is not None and self.settings.config.charter_digest:
            self.charter = self.settings.open_charter()[0]

    # The authority.

    def make_authority(self, now_us: int, days: int, *, succeeding: bool, encrypt: bool = False) -> dict[str, Any]:
        """What the charter is to say of the party's authority, which is made where there is none yet; `succeeding`: of
        that and the one that is to take its place. A new key is put under a passphrase where that is asked for, or
        where the first one's is. Raises ConfigInvalid.
        """
        for name in (AUTHORITY, *([NEXT] if succeeding else [])):
            files = self.files(name)
            if not files.certificate.exists():
                secret = (
                    self._passphrase.chosen(str(files.key))
                    if encrypt
                    else passphrase_like(files.key, self.files(AUTHORITY).key, self._passphrase)
                )
                CertificateAuthority.make(self.party, now_us, days).save(files.certificate, files.key, secret)
        pinned = [self._pem(AUTHORITY), *([self._pem(NEXT)] if succeeding else [])]
        return {"id": self.party, "certificate_authority": "".join(pinned)}

    def _pem(self, name: str) -> str:
        path = self.files(name).certificate
        pem = read_pem(path).decode(errors="replace")
        try:
            parse_authorities(pem, self.party)
        except MalformedCertificate as error:
            raise error.at(str(path)) from None
        return pem

    def _authority(self) -> CertificateAuthority:
        files = self.files(AUTHORITY)
        if not files.key.exists():
            raise ConfigInvalid(
                "the authority's key is not here",
                where=str(files.key),
                expected="it, or a request (--request FILE) that is taken to where it is",
            )
        found = CertificateAuthority.load(files.certificate, files.key, self.party, self._passphrase)
        if self.charter is not None and found.authority not in self.charter.by_id(self.party).authorities:
            raise ConfigInvalid(
                "the charter does not pin this authority",
                where=str(files.certificate),
                expected="the one it pins; nobody accepts what another issues",
            )
        return found

    # What it issues.

    def issue(
        self, name: str, now_us: int, days: int, request: Path | None, target: Path | None
    ) -> tuple[Holder, Path]:
        """Issue a certificate: for a new key, both beside the authority, or for a request's, into `target`; whom it is
        for, and where it is. Raises ConfigInvalid, MalformedCertificate, NotAllowed, Usage.
        """
        holder = self.holder(name)
        if request is None and (holder.name or holder.party) in (AUTHORITY, NEXT):
            raise Usage(f"{name} has the name of the authority's own files", expected="another, or a request")
        authority = self._authority()
        if request is None:
            files = self.files(holder.name or holder.party)
            like = files.key if files.key.exists() else self.files(AUTHORITY).key
            secret = passphrase_like(files.next_key, like, self._passphrase)
            files.renew(authority, holder, now_us, days, self.charter, self._passphrase, secret)
            return holder, files.certificate
        if target is None:
            raise Usage("a request's certificate goes into a file", expected="--output FILE")
        check_new(target)
        asked, public = read_request(read_pem(request), str(request))
        if asked != holder:
            raise Usage(f"the request is for {asked.id}", where=str(request), expected=f"one for {holder.id}")
        write_whole(target, authority.issue(holder, public, now_us, days))
        return holder, target

    def renew(self, now_us: int, days: int) -> Issued:
        """A new key and certificate of this home's node. Raises ConfigInvalid, NotAllowed, Usage."""
        return self.node_files.renew(self._authority(), self.node, now_us, days, self.charter, self._passphrase)

    def holder(self, name: str) -> Holder:
        """Whom a name means here: `<bureau>:<name>` says it wholly, in a home `<name>` does too; elsewhere it is the
        party itself. Raises Usage, InvalidIdentifier.
        """
        if ":" in name:
            return Holder.parse(name)
        if self.settings is not None:
            return Holder(self.party, name)
        if name != self.party:
            raise Usage(f"{name} is nobody here", where=str(self.folder), expected=f"{self.party} or {self.party}:NAME")
        return Holder(name)

    @property
    def node(self) -> Holder:
        return Holder(self.party, NODE_NAME)

    @property
    def node_files(self) -> CertifiedFiles:
        """Where the settings say the node's certificate and key are. Raises Usage where this is no home, or one in the
        clear.
        """
        if self.settings is None or self.settings.credentials is None:
            raise Usage(
                "no node shows a certificate here", where=str(self.folder), expected="the home of one that does"
            )
        return self.settings.credentials.files

    def files(self, name: str) -> CertifiedFiles:
        return certified_files(self.folder, name)

    def warning(self, now_us: int) -> str:
        """What is to be known of the certificate of this home's node; empty where all is well, or there is none."""
        if self.settings is None or self.settings.credentials is None:
            return ""
        files = self.node_files
        try:
            certificate = parse_issued(read_pem(files.certificate), str(files.certificate))
        except (ConfigInvalid, MalformedCertificate) as error:
            return f"{self.party}: {error}"
        renew = f"tallyd cert renew {self.folder}"
        if trouble := self._trouble(certificate, now_us):
            return f"{self.party}: the certificate of its node: {trouble}: {renew}"
        if not certificate.ends_soon(now_us):
            return ""
        left = counted(certificate.days_left(now_us), "day")
        return f"{self.party}: the certificate of its node ends in {left}: {renew}"

    def listed(self, now_us: int) -> Iterator[tuple[str, str, Certificate | None, str]]:
        """Every certificate in the folder: its file's name, whose it is, itself, and what is wrong with it or empty."""
        for path in sorted((self.folder / TLS).glob("*.crt")):
            try:
                if path.stem in (AUTHORITY, NEXT):
                    yield path.name, f"the authority of {self.party}", *self._of_authority(path)
                else:
                    issued = parse_issued(read_pem(path), path.name)
                    yield path.name, issued.holder.id, issued, self._trouble(issued, now_us)
            except MalformedCertificate as error:
                yield path.name, str(error), None, ""

    def _of_authority(self, path: Path) -> tuple[Certificate, str]:
        found = parse_authorities(self._pem(path.stem), self.party)[0]
        pinned = self.charter is None or found in self.charter.by_id(self.party).authorities
        away = not self.files(path.stem).key.exists()
        said = ("" if pinned else "not pinned by the charter", "its key is not here" if away else "")
        return found, "; ".join(filter(None, said))

    def _trouble(self, issued: Issued, now_us: int) -> str:
        if self.charter is None:
            return "" if issued.valid(now_us) else "not in its term"
        try:
            if issued.holder == self.node:
                check_own_node(self.charter.by_id(self.party), issued, now_us)
            else:
                check_certified(self.charter, issued, now_us)
        except NotAuthentic as error:
            return error.what
        return ""
