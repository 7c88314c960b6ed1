"""A local cluster's folder: where things stand in it, and how it is made.

    charter.note                      version 1, signed by keys/charter.key
    keys/charter.key, auditor.key
    tls/                              the auditor's authority and certificate
    <bureau>/                         a node's home: tallyd.toml, keys/, tls/, data/, node.log, node.pid
    profiles/<bureau>.toml            its officer <bureau>:clerk, with the registrar's key
    profiles/<bureau>-gateway.toml    its system <bureau>:gateway
    <observer>/                       the same without profiles, ledger and registrar
    profiles/auditor.toml             reads every ledger, records nothing
    state/…                           what each profile's client remembers

All paths in it are relative: it can be moved while nothing runs. It is made under another name and renamed when it
is whole.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tallystick.core.charter import Auditor, Bureau
from tallystick.core.charter_note import open_charter
from tallystick.core.errors import ConfigInvalid, Usage
from tallystick.core.holder import Holder
from tallystick.core.keys import Signer
from tallystick.core.note import VerifierKey
from tallystick.sdk.clock import now_us
from tallystick.sdk.files import write_whole
from tallystick.sdk.key_file import generate_key
from tallystick.sdk.profile import Profile
from tallystick_node.authority import certified_files, make_certificates
from tallystick_node.cluster.ports import HOST
from tallystick_node.cluster.roster import AUDITOR, AUDITOR_KEY, CHARTER_KEY, NAME, Place, witnesses
from tallystick_node.config import Config, Settings, Tls, Write
from tallystick_node.first_charter import sign_first_charter
from tallystick_node.founding import bureau_stanza, found, found_observer, made_whole, make_keys
from tallystick_node.home import CHARTER, SETTINGS
from tallystick_node.profiles import OFFICER, SYSTEM, first_actors, make_first_certificates, write_profile


def auditor_profile(folder: Path) -> Path:
    """The auditor's profile, which is also what tells a cluster's folder from any other."""
    return folder / "profiles" / "auditor.toml"


def officer_profile(folder: Path, bureau: str) -> Path:
    """The profile of a bureau's officer."""
    return folder / "profiles" / f"{bureau}.toml"


def system_profile(folder: Path, bureau: str) -> Path:
    """The profile of a bureau's system."""
    return folder / "profiles" / f"{bureau}-{SYSTEM}.toml"


def is_cluster(folder: Path) -> bool:
    """Whether a cluster was made here."""
    return auditor_profile(folder).exists()


def open_profile(folder: Path) -> Profile:
    """The auditor's profile with the cluster's charter. Raises ConfigInvalid, VerificationFailed."""
    if not is_cluster(folder):
        raise ConfigInvalid(
            "there is no cluster here",
            where=str(folder),
            expected="one that `tallyd cluster up` made; name it with --dir",
        )
    return Profile.load(auditor_profile(folder))


def make_cluster(
    folder: Path, places: Sequence[Place], ports: Sequence[int], write: Write, *, in_the_clear: bool = False
) -> None:
    """Make a folder with a home for each place, at a port: keys, certificates, charter, founded ledgers, profiles.

    `write` is what every node's settings say of its write path. Raises ConfigInvalid.
    """
    with made_whole(folder) as making:
        bureaus: list[Bureau] = []
        registrars: list[Signer | None] = []
        for number, (place, port) in enumerate(zip(places, ports, strict=True)):
            keys = make_keys(making / place.id, observer=place.observer)
            registrars.append(keys.registrar)
            stanza = bureau_stanza(
                keys,
                bureau=place.id,
                name=place.name,
                credit_code=place.credit_code,
                origin=place.origin,
                endpoint=f"{HOST}:{port}",
                certificate_authority=""
                if in_the_clear
                else make_first_certificates(making / place.id, place.id, now_us(), observer=place.observer),
            )
            bureaus.append(msgspec.structs.replace(stanza, witnesses=witnesses(places, number)))
        charter_key = generate_key(making / "keys" / "charter.key")
        auditor_key = generate_key(making / "keys" / "auditor.key")
        certifies = "" if in_the_clear else make_certificates(making, AUDITOR, [Holder(AUDITOR)], now_us())
        auditor = Auditor(AUDITOR, VerifierKey.of(AUDITOR_KEY, auditor_key.public).format(), certifies)
        note, digest = sign_first_charter(NAME, bureaus, CHARTER_KEY, charter_key, now_us(), [auditor])
        write_whole(making / CHARTER, note)
        charter = open_charter(note, digest)
        for bureau, registrar in zip(charter.bureau, registrars, strict=True):
            tls = Tls(in_the_clear=in_the_clear)
            config = Config(bureau.id, digest, charter=f"../{CHARTER}", listen=bureau.endpoint, write=write, tls=tls)
            settings = Settings(making / bureau.id / SETTINGS, config)
            settings.save()
            if bureau.is_observer:
                found_observer(settings, bureau)
                continue
            home, state = making / bureau.id, making / "state"
            found(settings, registrar, first_actors(home, settings.passphrase), now_us(), (charter, bureau))
            common: dict[str, Any] = {"charter": making / CHARTER, "digest": digest, "home": home, "bureau": bureau.id}
            for actor, path, name in (
                (OFFICER, officer_profile(making, bureau.id), bureau.id),
                (SYSTEM, system_profile(making, bureau.id), f"{bureau.id}-{SYSTEM}"),
            ):
                shows = None if in_the_clear else certified_files(home, actor)
                write_profile(path, **common, state=state / name, actor=actor, shows=shows)
        write_profile(
            auditor_profile(making),
            charter=making / CHARTER,
            digest=digest,
            state=making / "state" / AUDITOR,
            shows=None if in_the_clear else certified_files(making, AUDITOR),
        )


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other commands from starting and stopping nodes of a cluster meanwhile. Raises Usage.

    Where there is no folder yet nothing is held: making one is exclusive by itself.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        yield
        return
    except OSError as error:
        raise ConfigInvalid(f"cannot be opened: {error.strerror}", where=str(folder), expected="a folder") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Usage("another command is at work here", where=str(folder), expected="one at a time") from None
        yield
    finally:
        os.close(handle)
