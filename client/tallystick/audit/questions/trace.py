"""Where a version came from and where it went: a tree across bureaus, over what was derived and what was exchanged.

    {"version": "SCJG-0012@2027-03", "bureau": "market-regulation" or null, "provided": "market-regulation#7" or null,
     "recalled": "market-regulation#12" or null, "again": false, "cut": false,
     "exchanges": [… as in `questions.holders`], "used": [{"bureau": "taxation", "last_use": "taxation#90"}],
     "made_from": [{… the same without "made_into"}], "made_into": [{… the same without "made_from"}]}

That a version was made from another is the word of who provided it; that they held the other, the exchange shows that
brought it to them, and of what something was made from that one alone is told. Each version is told once: where it
stands again, `again` is true and nothing hangs from it. A null proves nothing, since an index may leave out what it
has.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tallystick.audit.entry import On
from tallystick.audit.inquiry import Cited, Find, Inquiry
from tallystick.audit.questions.entries import reference_json
from tallystick.audit.questions.holders import Holder, Holders, brought, exchange_json, moved, used
from tallystick.audit.seen import Seen
from tallystick.audit.views.catalogue import Version
from tallystick.core.charter import Charter
from tallystick.core.identifiers import parse_version_ref
from tallystick_proto.v1.statement_pb2 import (
    ResourceDeclared,
    ResourceWithdrawn,
    VersionProvided,
    VersionRecalled,
)

DEPTH_MAX: Final = 64
"""So many steps up and down are followed; a longer line of versions is asked about from where it was left."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A version in the tree: what was shown of its providing, who holds it, and what hangs from it.

    `again` where it was told before; `cut` where the tree ends at its greatest depth, and may go on.
    """

    name: str
    version: Version | None
    holders: tuple[Holder, ...]
    next: tuple[Branch, ...] = ()
    again: bool = False
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Trace:
    """Both trees of a version: `root` with its holders and all that was made from it, and what it was made from."""

    root: Branch
    made_from: tuple[Branch, ...]

    @property
    def is_known(self) -> bool:
        """Whether anything was shown of it."""
        return bool(self.root.version or self.root.holders or self.root.next)


def inquire(version: str, charter: Charter) -> Inquiry:
    """The version, what it was made from and what brought that there, what was made from it and who holds any of it."""
    yield from _upstream(version, charter)
    yield from downstream(version, charter)


def downstream(version: str, charter: Charter) -> Generator[Find | Cited, Sequence[On[Any]], list[str]]:
    """A version and everything made from it, with who holds any of that; the names that were asked about."""
    told, asked, names = {version}, list[str](), [version]
    for _ in range(DEPTH_MAX + 1):
        following = []
        for name in names:
            yield from _state(name)
            yield from moved(charter, version=name)
            yield from used(name)
            for made in (yield Find.of(VersionProvided, derived_from=name)):
                if made.head.version not in told:
                    told.add(made.head.version)
                    following.append(made.head.version)
        asked += names
        names = following
    return asked


def _upstream(version: str, charter: Charter) -> Inquiry:
    told, names = {version}, [version]
    for _ in range(DEPTH_MAX + 1):
        following = []
        for name in names:
            yield from _state(name)
            for provided in (yield Find.of(VersionProvided, version=name)):
                for source in provided.head.derived_from:
                    yield from brought(charter, source, provided.bureau)
                    if source not in told:
                        told.add(source)
                        following.append(source)
        names = following


def _state(version: str) -> Inquiry:
    """Who provided a version, whether it was recalled, and whose its resource is."""
    yield Find.of(VersionProvided, VersionRecalled, version=version)
    yield Find.of(ResourceDeclared, ResourceWithdrawn, resource=parse_version_ref(version).code)


def trace(version: str, seen: Seen) -> Trace:
    """The trees of a version, as far as was shown."""
    held = Holders(seen)
    root = _Tree(version, _made_into, held, seen).branch(version, None, DEPTH_MAX)
    return Trace(root, _Tree(version, _made_from, held, seen).next(version, DEPTH_MAX))


Following = Callable[[str, Seen], Iterator[tuple[str, str | None]]]
"""The versions next to one, each with the one bureau whose holding of it matters; None where every holder's does."""


def _made_into(version: str, seen: Seen) -> Iterator[tuple[str, str | None]]:
    for name in dict.fromkeys(seen.catalogue.derived.get(version, ())):
        yield name, None


def _made_from(version: str, seen: Seen) -> Iterator[tuple[str, str | None]]:
    made = seen.catalogue.versions.get(version)
    if made is not None:
        for name in dict.fromkeys(made.derived_from):
            yield name, made.bureau


class _Tree:
    """One of the trees, being told: each version once."""

    def __init__(self, version: str, following: Following, held: Holders, seen: Seen) -> None:
        self._told = {version}
        self._following = following
        self._held = held
        self._seen = seen

    def branch(self, version: str, at: str | None, depth: int) -> Branch:
        """A version and what hangs from it; its holders, or only the one `at` a bureau."""
        found = self._seen.catalogue.versions.get(version)
        held = tuple(holder for holder in self._held.of(version) if at in (None, holder.bureau))
        if depth == 0:
            return Branch(version, found, held, cut=any(self._following(version, self._seen)))
        return Branch(version, found, held, self.next(version, depth))

    def next(self, version: str, depth: int) -> tuple[Branch, ...]:
        """What hangs from a version."""
        branches = []
        for name, at in self._following(version, self._seen):
            if name in self._told:
                branches.append(Branch(name, self._seen.catalogue.versions.get(name), (), again=True))
            else:
                self._told.add(name)
                branches.append(self.branch(name, at, depth - 1))
        return tuple(branches)


def trace_json(answer: Trace, seen: Seen) -> dict[str, Any]:
    """The answer for programs."""
    root = _branch_json(answer.root, "made_into", seen)
    return {**root, "made_from": [_branch_json(each, "made_from", seen) for each in answer.made_from]}


def _branch_json(branch: Branch, following: str, seen: Seen) -> dict[str, Any]:
    version = branch.version
    return {
        "version": branch.name,
        "bureau": None if version is None else version.bureau,
        "provided": None if version is None else version.reference,
        "recalled": None if version is None else reference_json(version.recalled),
        "again": branch.again,
        "cut": branch.cut,
        "exchanges": [exchange_json(each, seen) for holder in branch.holders for each in holder.exchanges],
        "used": [
            {"bureau": holder.bureau, "last_use": holder.holding.last_use}
            for holder in branch.holders
            if holder.holding is not None and holder.holding.last_use
        ],
        following: [_branch_json(each, following, seen) for each in branch.next],
    }
