"""A bureau's home: made by itself, complete at once with a charter of its own, or waiting for one that others sign.

tallyd.toml          the settings
bureau.toml          the stanza for the charter's holders
keys/                ledger, witness, disclosure, registrar, clerk, gateway; charter, where it has one of its own
tls/                 its certificate authority, and the certificates of its node, clerk and gateway (`authority`)
charter.note         the charter it adopted
data/                the database and the note of what was signed
profile.toml         for the officer <bureau>:clerk; profile-gateway.toml for the system <bureau>:gateway
state/               what those profiles' clients remember

An observer's home has a witness's key alone, a database without a ledger, and as profile.toml one that only reads,
under the certificate of a `reader`. One whose node listens in the clear has no tls/.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import tomli_w

from tallystick.core.charter import Bureau, Name
from tallystick.core.charter_note import open_charter
from tallystick.core.errors import ConfigInvalid, NotFound, VerificationFailed
from tallystick.core.note import VerifierKey
from tallystick.sdk.certified_key import CertifiedFiles
from tallystick.sdk.clock import now_us
from tallystick.sdk.files import write_whole
from tallystick.sdk.key_file import generate_key, load_key
from tallystick.sdk.passphrase import Passphrase
from tallystick_node.authority import certified_files
from tallystick_node.config import Config, Settings, Tls, check_listen
from tallystick_node.first_charter import sign_first_charter
from tallystick_node.founding import (
    bureau_stanza,
    check_roster_entry,
    found,
    found_observer,
    key_path,
    made_whole,
    make_keys,
)
from tallystick_node.identity import load_certificate, load_ledger_key, load_witness_key
from tallystick_node.profiles import OFFICER, READER, SYSTEM, first_actors, make_first_certificates, write_profile

SETTINGS = "tallyd.toml"
STANZA = "bureau.toml"
CHARTER = "charter.note"
PROFILES = {OFFICER: "profile.toml", SYSTEM: "profile-gateway.toml"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a bureau says of itself."""

    bureau: str
    origin: str
    name: Name
    credit_code: str
    listen: str
    observer: bool = False
    in_the_clear: bool = False


def make_home(folder: Path, wish: Wish, *, own_charter: bool, passphrase: Passphrase | None = None) -> str:
    """Make a home, whole or not at all, its keys encrypted where there is a passphrase; returns the digest of its own
    charter, or "".

    Raises InvalidIdentifier for a bad name, ConfigInvalid where the folder is in use.
    """
    check_roster_entry(wish.bureau, wish.credit_code, wish.origin)
    check_listen(wish.listen, "--listen", in_the_clear=wish.in_the_clear)
    chosen = b"" if passphrase is None else passphrase.chosen(str(folder))
    with made_whole(folder) as making:
        keys = make_keys(making, observer=wish.observer, passphrase=chosen)
        stanza = bureau_stanza(
            keys,
            bureau=wish.bureau,
            name=wish.name,
            credit_code=wish.credit_code,
            origin=wish.origin,
            endpoint=wish.listen,
            certificate_authority=""
            if wish.in_the_clear
            else make_first_certificates(making, wish.bureau, now_us(), passphrase, observer=wish.observer),
        )
        write_whole(making / STANZA, format_stanza(stanza).encode())
        digest = ""
        if own_charter:
            key = generate_key(key_path(making, "charter"), chosen)
            note, digest = sign_first_charter(wish.bureau, [stanza], f"{wish.origin}/charter", key, now_us())
            write_whole(making / CHARTER, note)
        tls = Tls(in_the_clear=wish.in_the_clear)
        config = Config(wish.bureau, digest, charter=CHARTER, listen=wish.listen, tls=tls)
        settings = Settings(making / SETTINGS, config, passphrase)
        settings.save()
        if own_charter:
            found(settings, keys.registrar, first_actors(making, settings.passphrase), now_us())
            _write_profiles(making, settings)
        return digest


def adopt_charter(folder: Path, note: bytes, digest: str, passphrase: Passphrase | None = None) -> Bureau:
    """Found a home's ledger, or an observer's database, under a charter that names it; returns what that says of it.

    Its first actors are registered where the registrar's key is in the home. Raises ConfigInvalid, VerificationFailed
    where charter, digest and keys do not fit; then nothing was written.
    """
    settings = Settings.load(folder / SETTINGS, passphrase)
    if settings.config.charter_digest not in ("", digest):
        raise ConfigInvalid(
            f"it adopted the charter {settings.config.charter_digest}",
            where=str(settings.path),
            expected="a home without one",
        )
    if settings.database.parent.exists():
        raise ConfigInvalid(
            "the ledger was founded already", where=str(settings.database.parent), expected="a home without one"
        )
    try:
        charter = open_charter(note, digest)
        bureau = charter.by_id(settings.config.bureau)
    except NotFound as error:
        raise ConfigInvalid(error.what, where="--charter", expected=error.expected) from None
    except VerificationFailed as error:
        raise error.at("--charter") from None
    if charter.expired(now_us()):
        raise ConfigInvalid(
            f"it expired on {charter.expires.isoformat()}", where="--charter", expected="a later version"
        )
    config = msgspec.structs.replace(settings.config, charter_digest=digest)
    settings = Settings(settings.path, config, settings.passphrase)
    _check_keys(settings, folder, bureau)
    load_certificate(settings, bureau, now_us())
    # The ledger comes last: a home without it can be brought here again, by the same charter.
    write_whole(settings.place(config.charter), note)
    settings.save()
    if bureau.is_observer:
        found_observer(settings, bureau)
        _write_reader(folder, settings)
    elif has_registrar(folder):
        registrar = load_key(key_path(folder, "registrar"), settings.passphrase)
        found(settings, registrar, first_actors(folder, settings.passphrase), now_us())
        _write_profiles(folder, settings)
    else:
        found(settings, None, (), now_us())
    return bureau


def has_registrar(folder: Path) -> bool:
    """Whether the registrar's key is in a home."""
    return key_path(folder, "registrar").exists()


def make_lost_home(folder: Path, bureau: str, note: bytes, digest: str) -> Bureau:
    """Make a home, whole or not at all, of a bureau that a charter names and that has lost its own: settings and
    charter, neither keys nor certificates nor ledger; returns what the charter says of it.

    Raises ConfigInvalid, VerificationFailed.
    """
    try:
        charter = open_charter(note, digest)
        named = charter.by_id(bureau)
    except NotFound as error:
        raise ConfigInvalid(error.what, where="--bureau", expected=error.expected) from None
    except VerificationFailed as error:
        raise error.at("--charter") from None
    tls = Tls(in_the_clear=not named.certificate_authority)
    check_listen(named.endpoint, f"charter: endpoint of {bureau}", in_the_clear=tls.in_the_clear)
    with made_whole(folder) as making:
        write_whole(making / CHARTER, note)
        Settings(making / SETTINGS, Config(bureau, digest, charter=CHARTER, listen=named.endpoint, tls=tls)).save()
    return named


def _check_keys(settings: Settings, folder: Path, bureau: Bureau) -> None:
    load = load_witness_key if bureau.is_observer else load_ledger_key
    load(settings, bureau)
    for name, named in (("witness", bureau.witness_key), ("registrar", bureau.registrar_key)):
        path = settings.place(settings.config.keys.witness) if name == "witness" else key_path(folder, name)
        if path.exists() and load_key(path, settings.passphrase).public != VerifierKey.parse(named).public:
            raise ConfigInvalid(
                f"this is not the {name} key of {bureau.id}", where=str(path), expected=f"the private half of {named}"
            )


def _write_profiles(home: Path, settings: Settings) -> None:
    for actor, name in PROFILES.items():
        write_profile(
            home / name,
            charter=settings.place(settings.config.charter),
            digest=settings.config.charter_digest,
            state=home / "state" / actor,
            home=home,
            bureau=settings.config.bureau,
            actor=actor,
            shows=_shows(home, settings, actor),
        )


def _write_reader(home: Path, settings: Settings) -> None:
    charter, digest = settings.place(settings.config.charter), settings.config.charter_digest
    shows = _shows(home, settings, READER)
    write_profile(home / PROFILES[OFFICER], charter=charter, digest=digest, state=home / "state" / READER, shows=shows)


def _shows(home: Path, settings: Settings, name: str) -> CertifiedFiles | None:
    return None if settings.config.tls.in_the_clear else certified_files(home, name)


def format_stanza(bureau: Bureau) -> str:
    """A bureau as the charter's text has it."""
    said = {key: value for key, value in msgspec.to_builtins(bureau).items() if value}
    said["name"] = {key: value for key, value in said["name"].items() if value}
    return tomli_w.dumps({"bureau": [said]})
