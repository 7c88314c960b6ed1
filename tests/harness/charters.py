"""The charter of a local cluster from version to version: its one holder signs, everybody adopts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tallystick.core.charter_chain import Version, read_version
from tallystick.core.charter_draft import draft
from tallystick.core.charter_note import sign_charter
from tallystick.sdk.charter_files import next_version
from tallystick.sdk.clock import now_us
from tallystick.sdk.key_file import load_key
from tallystick.sdk.profile import Profile
from tallystick_node.adoption import adopt_version
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.member import Member
from tallystick_node.cluster.roster import CHARTER_KEY


def signed_next(cluster: LocalCluster, edits: str, name: str = "next.note") -> Path:
    """The version after the one that the auditor's profile goes by, with these edits; its file."""
    before = read_version(Profile.load(cluster.auditor_profile).charter_path.read_bytes())
    key = load_key(cluster.folder / "keys" / "charter.key")
    path = cluster.folder / name
    path.write_bytes(sign_charter(draft(before, edits, before.charter.issued), [(CHARTER_KEY, key)]))
    return path


def adopt_at_nodes(members: Iterable[Member], file: Path) -> None:
    """Stop nodes, have them go by a version, and start them again."""
    for member in members:
        member.stop()
        adopt_version(member.settings, file, now_us())
        member.start()


def adopt_at_clients(profiles: Iterable[Path], file: Path) -> Version:
    """Have profiles go by a version."""
    for path in profiles:
        profile = Profile.load(path)
        known, version = next_version(profile.charter_path, profile.charter_digest, file)
        profile.adopt(known, version)
    return version
