"""The first identities of a node's home, the officer `clerk` and the system `gateway`, with their certificates and
profiles; of an observer's home, a `reader`.
"""

from __future__ import annotations

import os
from pathlib import Path

import tomli_w

from tallystick.core.holder import NODE_NAME, Holder
from tallystick.sdk.certified_key import CertifiedFiles
from tallystick.sdk.files import write_whole
from tallystick.sdk.key_file import generate_key_like, load_key
from tallystick.sdk.passphrase import Passphrase
from tallystick_node.authority import make_certificates
from tallystick_node.founding import FirstActor, key_path
from tallystick_proto.v1.meta_pb2 import Role

OFFICER, SYSTEM, READER = "clerk", "gateway", "reader"


def first_actors(home: Path, passphrase: Passphrase) -> list[FirstActor]:
    """The first officer and system, with keys under `home`/keys that are made where there are none yet, encrypted as
    the registrar's is.
    """
    found = []
    for name, role in ((OFFICER, Role.OFFICER), (SYSTEM, Role.SYSTEM)):
        path = key_path(home, name)
        if path.exists():
            key = load_key(path, passphrase)
        else:
            key = generate_key_like(path, key_path(home, "registrar"), passphrase)
        found.append(FirstActor(name, role, key))
    return found


def make_first_certificates(
    home: Path, bureau: str, now_us: int, passphrase: Passphrase | None = None, *, observer: bool
) -> str:
    """A bureau's authority, with certificates for its node and whoever has a profile in its home; returns what the
    charter pins. Their keys are encrypted where there is a passphrase. Raises ConfigInvalid.
    """
    names = (NODE_NAME, READER) if observer else (NODE_NAME, OFFICER, SYSTEM)
    return make_certificates(home, bureau, [Holder(bureau, name) for name in names], now_us, passphrase)


def write_profile(
    path: Path,
    *,
    charter: Path,
    digest: str,
    state: Path,
    home: Path | None = None,
    bureau: str = "",
    actor: str = "",
    shows: CertifiedFiles | None = None,
) -> None:
    """Write a profile that shows a certificate, if any; with a home, one that records there as `actor`, and whose
    officer may register others.
    """

    def seen(other: Path) -> str:
        return os.path.relpath(other, path.parent)

    profile: dict[str, object] = {"charter": seen(charter), "charter_digest": digest, "state": seen(state)}
    if home is not None:
        profile |= {"bureau": bureau, "identity": {"actor": f"{bureau}:{actor}", "key": seen(key_path(home, actor))}}
        if actor == OFFICER:
            profile["registrar"] = {"key": seen(key_path(home, "registrar"))}
    if shows is not None:
        profile["tls"] = {"certificate": seen(shows.certificate), "key": seen(shows.key)}
    write_whole(path, tomli_w.dumps(profile).encode())
