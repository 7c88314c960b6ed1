"""The catalogue: every declaration that stands, how it is shared and on what ground, and its latest version.

    {"resources": [{"bureau": "planning", "resource": "GH-0007", "scheme", "title", "sharing": "withheld",
     "public": false, "level": "core" or null, "ground": "art. 12, …" or null, "update_cycle", "steward",
     "reference": "planning#3", "declared_at": "…Z", "versions": 2, "latest": {"version": "GH-0007@2027-03",
     "reference": "planning#9", "provided_at": "…Z", "recalled": "planning#12" or null} or null}],
     "sharing": {"unconditional": 12, "conditional": 3, "withheld": 1}}

A ground is what a resource that is withheld states as its basis, or one shared on conditions as its condition. Each
resource is its bureau's own word, signed; that no other is declared holds within the coverage.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tallystick.audit.entry import On
from tallystick.audit.seen import Seen
from tallystick.audit.views.catalogue import Version
from tallystick.core.kinds import enum_label
from tallystick.core.moments import moment_json
from tallystick_proto.v1.statement_pb2 import ResourceDeclared

SHARING = ResourceDeclared.Sharing.DESCRIPTOR


@dataclass(frozen=True, slots=True)
class Resource:
    """A declaration that stands, and the versions its bureau provided of it, oldest first."""

    entry: On[ResourceDeclared]
    versions: tuple[Version, ...]

    @property
    def code(self) -> str:
        return self.entry.head.resource

    @property
    def ground(self) -> str:
        """What it states for not being shared with everybody, its code before its words; "" where it states nothing."""
        said = self.entry.said
        ground = {ResourceDeclared.WITHHELD: said.basis, ResourceDeclared.CONDITIONAL: said.condition}.get(said.sharing)
        return "" if ground is None else " ".join(filter(None, (ground.code, ground.words)))

    @property
    def latest(self) -> Version | None:
        return self.versions[-1] if self.versions else None


def resources(seen: Seen, bureau: str = "", sharing: str = "") -> list[Resource]:
    """What is declared, of one bureau or all, of one sharing class or all; by bureau and code."""
    versions: dict[tuple[str, str], list[Version]] = {}
    for version in seen.catalogue.versions.values():
        versions.setdefault((version.bureau, version.code), []).append(version)
    return [
        Resource(entry, tuple(sorted(versions.get(key, ()), key=lambda each: (each.provided_at_us, each.name))))
        for key, entry in sorted(seen.catalogue.resources.items())
        if bureau in ("", entry.bureau) and sharing in ("", sharing_name(entry))
    ]


def sharing_name(entry: On[ResourceDeclared], language: str = "en") -> str:
    """What its sharing class is called."""
    return enum_label(SHARING, entry.said.sharing, language)


def shared(found: Iterable[Resource]) -> Counter[int]:
    """How many there are of each sharing class, by its number."""
    return Counter(resource.entry.said.sharing for resource in found)


def catalogue_json(found: list[Resource]) -> dict[str, Any]:
    """The answer for programs."""
    counts = shared(found)
    return {
        "resources": [_resource_json(resource) for resource in found],
        "sharing": {enum_label(SHARING, number, "en"): counts[number] for number in sorted(counts)},
    }


def _resource_json(resource: Resource) -> dict[str, Any]:
    entry, latest = resource.entry, resource.latest
    said = entry.said
    return {
        "bureau": entry.bureau,
        "resource": resource.code,
        "scheme": said.scheme,
        "title": said.title,
        "sharing": sharing_name(entry),
        "public": said.public,
        "level": enum_label(ResourceDeclared.Level.DESCRIPTOR, said.level, "en") if said.level else None,
        "ground": resource.ground or None,
        "update_cycle": said.update_cycle or None,
        "steward": said.steward or None,
        "reference": entry.reference,
        "declared_at": moment_json(entry.since_us),
        "versions": len(resource.versions),
        "latest": None
        if latest is None
        else {
            "version": latest.name,
            "reference": latest.reference,
            "provided_at": moment_json(latest.provided_at_us),
            "recalled": None if latest.recalled is None else latest.recalled.reference,
        },
    }
