"""A profile: which charter, which node and which identity a command or program uses. One TOML file.

    charter = "charter.note"              the charter's signed note
    charter_digest = "blake3:…"           given out of band; the only thing that is believed
    bureau = "taxation"                   whose node to speak to; an auditor's profile has none
    state = "state"                       what this client remembers: trusted checkpoints, salts, the spool
    language = "en"                       or "zh"

    [identity]                            who signs; without it nothing can be recorded
    actor = "taxation:clerk"
    key = "keys/clerk.key"

    [tls]                                 what the nodes are shown; without it, only those on loopback in the clear
    certificate = "tls/clerk.crt"
    key = "tls/clerk.key"

    [registrar]                           for `tally identity register` and `revoke` only
    key = "keys/registrar.key"

Relative paths are relative to the file. Without `state` it is kept in the user's state folder, by charter. Adopting a
later version of the charter changes `charter` and `charter_digest`, and writes down a `state` that was not named, so
that nothing is forgotten.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

import msgspec

from tallystick.core.charter import Bureau, Charter
from tallystick.core.charter_chain import Version
from tallystick.core.charter_note import open_charter
from tallystick.core.closing import Closing, closings
from tallystick.core.errors import (
    CharterForked,
    CharterMismatch,
    ConfigInvalid,
    InvalidIdentifier,
    NotFound,
    VerificationFailed,
)
from tallystick.core.identifiers import split_actor
from tallystick.core.keys import Signer
from tallystick.core.toml_text import parse_toml
from tallystick.sdk.certified_key import CertifiedFiles
from tallystick.sdk.charter_files import adopt, forks_in, known_versions, next_version, read_note
from tallystick.sdk.credentials import Credentials
from tallystick.sdk.heard_versions import HeardVersions
from tallystick.sdk.key_file import load_key
from tallystick.sdk.passphrase import Passphrase
from tallystick.sdk.patience import Patience
from tallystick.sdk.secret_file import check_folder
from tallystick.sdk.trust_store import TrustStore

ENVIRONMENT = "TALLYSTICK_PROFILE"
_PROFILE = "a profile, which is TOML in UTF-8 with at least charter and charter_digest"


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An actor and its key file."""

    actor: str
    key: str


class RegistrarKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The registrar's key file."""

    key: str


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The files of a certificate and its key."""

    certificate: str
    key: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    charter: str
    charter_digest: str
    bureau: str = ""
    state: str = ""
    language: Literal["en", "zh"] = "en"
    identity: Identity | None = None
    tls: Tls | None = None
    registrar: RegistrarKey | None = None


class Profile:
    """A profile read from its file, its charter opened and trusted by its digest."""

    def __init__(
        self,
        path: Path,
        file: _File,
        charter: Charter,
        passphrase: Passphrase | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.path = path
        self.passphrase = passphrase or Passphrase()
        self.patience = patience or Patience()
        self.charter = charter
        self.language = file.language
        self._file = file

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str] | None = None,
        passphrase: Passphrase | None = None,
        patience: Patience | None = None,
    ) -> Profile:
        """Read a profile: the path given, else $TALLYSTICK_PROFILE, else the user's configuration folder. Its keys are
        opened when they are needed, by `passphrase`; nodes are called with `patience`, one without end if not given.

        Raises ConfigInvalid, also where others may write what is kept, or VerificationFailed where the charter is not
        the one trusted.
        """
        place = Path(path or os.environ.get(ENVIRONMENT, "") or default_path())
        try:
            text = place.read_text(encoding="utf-8")
            if not text.strip():
                raise ConfigInvalid("it is empty", where=str(place), expected=_PROFILE)
            file = msgspec.convert(parse_toml(text), _File)
        except OSError as error:
            raise ConfigInvalid(
                f"cannot be read: {error.strerror}",
                where=str(place),
                expected=f"a profile, by --profile or {ENVIRONMENT}",
            ) from None
        except UnicodeDecodeError as error:
            raise ConfigInvalid(f"it is no UTF-8 at byte {error.start}", where=str(place), expected=_PROFILE) from None
        except (ValueError, msgspec.ValidationError) as error:
            raise ConfigInvalid(str(error), where=str(place), expected=_PROFILE) from None
        charter = load_charter(place.parent / file.charter, file.charter_digest)
        profile = cls(place, file, charter, passphrase, patience)
        profile._check()
        check_folder(profile.state)
        return profile

    def _check(self) -> None:
        try:
            if self._file.bureau:
                self.charter.ledger_of(self._file.bureau)
            if self._file.identity is not None:
                bureau, _ = split_actor(self._file.identity.actor)
                if bureau != self._file.bureau:
                    raise ConfigInvalid(
                        f"{self._file.identity.actor} is no actor of {self._file.bureau or 'a bureau (none is named)'}",
                        where=str(self.path),
                        expected="an identity of the profile's bureau",
                    )
        except (InvalidIdentifier, NotFound) as error:
            raise ConfigInvalid(error.what, where=str(self.path), expected=error.expected) from None

    @property
    def bureau(self) -> Bureau:
        """The bureau whose node this profile speaks to. Raises ConfigInvalid for an auditor's profile."""
        if not self._file.bureau:
            raise ConfigInvalid("it names no bureau", where=str(self.path), expected="a bureau's profile")
        return self.charter.by_id(self._file.bureau)

    @cached_property
    def credentials(self) -> Credentials | None:
        """What the charter's nodes are shown; None where the profile names nothing."""
        if (tls := self._file.tls) is None:
            return None
        files = CertifiedFiles(self.path.parent / tls.certificate, self.path.parent / tls.key)
        return Credentials(files, self.passphrase)

    def check_current(self, now_us: int) -> None:
        """Whether the charter may be read live and recorded under.

        Raises CharterMismatch once it has expired, CharterForked where this client holds two of it, or of a later one.
        """
        if self.charter.expired(now_us):
            raise CharterMismatch(
                f"the charter expired on {self.charter.expires.isoformat()}",
                where=str(self.path),
                expected="a later version; an expired one still verifies evidence",
            )
        if forks_in(self.state / "trust"):
            heard = self.heard_versions()
            if (fork := heard.unsettled) is not None:
                raise CharterForked(
                    f"{fork.sentence}; this client goes by {self.charter_digest}, and {heard.place(fork)} is kept",
                    where=str(self.path),
                    expected="a version after the two, adopted; evidence is still verified",
                    known=fork.number,
                )

    @property
    def trust_store(self) -> TrustStore:
        """What this client was shown before, under this charter."""
        return TrustStore(self.state / "trust", self.charter.expires_us)

    def heard_versions(self) -> HeardVersions:
        """The versions that this client knows, with those it heard of. Raises ConfigInvalid."""
        return HeardVersions.open(self.charter_path, self.charter_digest, self.state / "trust")

    @cached_property
    def closings(self) -> Mapping[str, Closing]:
        """Who is closed, as the versions tell that this profile went by. Raises ConfigInvalid, VerificationFailed."""
        if all(bureau.state != "closed" for bureau in self.charter.ledgers):
            return {}
        known = known_versions(self.charter_path, self.charter_digest)
        return {closing.bureau: closing for closing in closings(known)}

    @property
    def has_bureau(self) -> bool:
        return bool(self._file.bureau)

    @property
    def state(self) -> Path:
        """The folder of what this client remembers."""
        if self._file.state:
            return self.path.parent / self._file.state
        from platformdirs import user_state_path

        return user_state_path("tallystick") / self._file.charter_digest.removeprefix("blake3:")[:16]

    @property
    def charter_digest(self) -> str:
        return self._file.charter_digest

    @property
    def charter_path(self) -> Path:
        """The file of the charter's note."""
        return self.path.parent / self._file.charter

    def next_version(self, file: Path) -> tuple[list[Version], Version]:
        """The versions this profile knows, and the one in a file, which follows the last or is it.

        One that the holders signed beside a version of its number is kept. Raises as `charter_files.next_version`.
        """
        try:
            return next_version(self.charter_path, self.charter_digest, file)
        except CharterForked as error:
            raise self._kept(error, read_note(file)) from None

    def _kept(self, error: CharterForked, note: bytes) -> CharterForked:
        path = self.trust_store.keep_charter_fork(note)
        return CharterForked(
            f"{error.what}; it is kept as {path}", where=error.where, expected=error.expected, known=error.known
        )

    def adopt(self, known: Sequence[Version], version: Version) -> list[Path]:
        """Go by a version that follows the charter this profile was read with; what it is read with now stays.

        A checkpoint that this client trusted, and for which no key vouches any more, is set aside: the files it is in.
        Adopting the same version again sets aside what an interruption left. Raises as `charter_files.adopt`.
        """
        if version.digest != self.charter_digest:
            more = {} if self._file.state else {("", "state"): str(self.state.absolute())}
            try:
                adopt(self.path, self._file.charter, known, version, more)
            except CharterForked as error:
                raise self._kept(error, version.note) from None
        trust = self.trust_store
        return [
            place for bureau in version.charter.ledgers if (place := trust.set_aside_unvouched(bureau, version.number))
        ]

    @property
    def actor(self) -> str:
        """Who signs. Raises ConfigInvalid."""
        return self._identity().actor

    def signing_key(self) -> Signer:
        """The actor's key. Raises ConfigInvalid."""
        return load_key(self.path.parent / self._identity().key, self.passphrase)

    def registrar_key(self) -> Signer:
        """The registrar's key. Raises ConfigInvalid."""
        if self._file.registrar is None:
            raise ConfigInvalid(
                "it names no registrar key", where=str(self.path), expected="[registrar] key, or --registrar-key"
            )
        return load_key(self.path.parent / self._file.registrar.key, self.passphrase)

    def _identity(self) -> Identity:
        if self._file.identity is None:
            raise ConfigInvalid(
                "it names no identity", where=str(self.path), expected="[identity] with actor and key, to record"
            )
        return self._file.identity


def default_path() -> Path:
    """Where a profile is looked for when none is named."""
    from platformdirs import user_config_path

    return user_config_path("tallystick") / "profile.toml"


def load_charter(path: Path, digest: str) -> Charter:
    """The charter in a file. Raises ConfigInvalid or VerificationFailed, naming the file."""
    try:
        return open_charter(read_note(path), digest)
    except VerificationFailed as error:
        raise error.at(str(path)) from None
