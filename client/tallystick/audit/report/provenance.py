"""Where a resource comes from and where it went: the resources its versions were made from, and those made of them.

One node a resource, with its versions counted; one edge where a version of one was made from a version of the other.
`depth` is how many steps away: negative upstream, 0 the resource itself, positive downstream. What is derived from
something nobody provided within the coverage leads to a node that is not `known`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tallystick.audit.seen import Seen
from tallystick.audit.views.catalogue import Version
from tallystick.core.errors import NotFound

NODES_MAX: Final = 24
DEPTH_MAX: Final = 3
"""So many steps either way are drawn, so that it can be read on paper."""
VERSIONS_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class Node:
    """A resource in the graph: what it is called, whose it is, how many versions of it took part, who holds any."""

    code: str
    title: str
    bureau: str
    depth: int
    versions: int
    recalled: int
    holders: tuple[str, ...]
    known: bool


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version: the entry that provided it, those that received it, and the one that recalled it, if any."""

    name: str
    bureau: str
    reference: str
    derived_from: tuple[str, ...]
    received: tuple[str, ...]
    recalled: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """The graph of one resource; `cut` counts the resources, `versions_cut` the versions that are not shown."""

    code: str
    nodes: tuple[Node, ...]
    edges: Mapping[tuple[str, str], int]
    versions: tuple[VersionLine, ...]
    cut: int
    versions_cut: int


def provenance(seen: Seen, code: str | None) -> Provenance | None:
    """The graph of a resource, else of that with the most versions derived from its own; None where none is derived.

    Raises NotFound where nobody declared, provided or named the resource.
    """
    if code is None:
        code = _most_derived(seen)
        if code is None:
            return None
    # A version may be known only as the source of another.
    named = dict.fromkeys((*seen.catalogue.versions, *seen.catalogue.derived))
    own = [name for name in named if name.rpartition("@")[0] == code]
    if not own and not seen.catalogue.was_declared(code):
        raise NotFound(
            f"no resource {code[:256]!r} within the coverage", expected="a code that was declared or provided"
        )
    depths = dict.fromkeys(own, 0)
    _walk(own, lambda name: seen.catalogue.derived.get(name, ()), 1, depths)
    _walk(own, lambda name: _sources(seen, name), -1, depths)
    return _graph(seen, code, depths)


def _most_derived(seen: Seen) -> str | None:
    counted = Counter[str]()
    for source, derived in seen.catalogue.derived.items():
        counted[source.rpartition("@")[0]] += len(set(derived))
    return min(counted, key=lambda code: (-counted[code], code), default=None)


def _sources(seen: Seen, name: str) -> tuple[str, ...]:
    version = seen.catalogue.versions.get(name)
    return () if version is None else version.derived_from


def _walk(own: Iterable[str], onward: Callable[[str], Iterable[str]], step: int, depths: dict[str, int]) -> None:
    """Every version reachable, nearest first, with how many steps it is away; the first way found counts."""
    queue = list(own)
    for name in queue:  # grows as it goes
        for other in onward(name):
            if other not in depths:
                depths[other] = depths[name] + step
                queue.append(other)


def _graph(seen: Seen, code: str, depths: Mapping[str, int]) -> Provenance:
    by_code: dict[str, list[str]] = {code: []}
    for name in depths:
        by_code.setdefault(name.rpartition("@")[0], []).append(name)
    # A resource may be reached at several depths, by several of its versions: the nearest counts.
    at = {each: min((depths[name] for name in names), key=abs, default=0) for each, names in by_code.items()}
    near = (each for each in by_code if abs(at[each]) <= DEPTH_MAX)
    nearest = sorted(near, key=lambda each: (abs(at[each]), at[each], each))[:NODES_MAX]
    names = [name for each in nearest for name in by_code[each]]
    edges = Counter[tuple[str, str]]()
    for name in names:
        for source in _sources(seen, name):
            ends = source.rpartition("@")[0], name.rpartition("@")[0]
            if source in depths and ends[0] in nearest and ends[0] != ends[1]:
                edges[ends] += 1
    nodes = tuple(_node(seen, each, at[each], by_code[each]) for each in nearest)
    provided = [seen.catalogue.versions[name] for name in names if name in seen.catalogue.versions]
    return Provenance(
        code,
        nodes,
        dict(sorted(edges.items())),
        tuple(_line(seen, version) for version in provided[:VERSIONS_MAX]),
        len(by_code) - len(nearest),
        max(0, len(provided) - VERSIONS_MAX),
    )


def _node(seen: Seen, code: str, depth: int, names: list[str]) -> Node:
    versions = [seen.catalogue.versions[name] for name in names if name in seen.catalogue.versions]
    declarers = seen.catalogue.declarers(code)
    bureau = versions[0].bureau if versions else next(iter(declarers), "")
    declared = seen.catalogue.standing(bureau, code)
    return Node(
        code,
        "" if declared is None else declared.said.title,
        bureau,
        depth,
        len(versions),
        sum(version.recalled is not None for version in versions),
        tuple(dict.fromkeys(holding for version in versions for holding in _received(seen, version))),
        bool(versions or declarers),
    )


def _received(seen: Seen, version: Version) -> Iterable[str]:
    return (holding.bureau for holding in seen.holdings.holders(version.name) if holding.received)


def _line(seen: Seen, version: Version) -> VersionLine:
    return VersionLine(
        version.name,
        version.bureau,
        version.reference,
        version.derived_from,
        tuple(holding.received for holding in seen.holdings.holders(version.name) if holding.received),
        "" if version.recalled is None else version.recalled.reference,
    )
