"""What is declared and provided: resources by bureau and code, versions by reference, open digests by value.

A later declaration supersedes, a withdrawal ends; a declaration is judged as it stands at the end, not as it once
stood. A version belongs to the bureau that provided it first, unless another that provides it declared its code before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from blake3 import blake3

from tallystick.audit.entry import On
from tallystick.audit.views.closings import Closings
from tallystick.audit.views.view import AsOf, View, folds
from tallystick_proto.v1.statement_pb2 import (
    Item,
    ResourceDeclared,
    ResourceWithdrawn,
    VersionProvided,
    VersionRecalled,
)

_DIGEST_OF_NOTHING: Final = blake3(b"").digest()


@dataclass(frozen=True, slots=True)
class Code:
    """One scheme and code that stands on several ledgers: where each bureau declared it first, the earliest first."""

    declared: tuple[On[ResourceDeclared], ...]


@dataclass(frozen=True, slots=True)
class Coded:
    """One open digest under two codes: the first version that carried it, and a later one of another code."""

    first: Version
    again: On[VersionProvided]


@dataclass(slots=True)
class Version:
    """One state of a resource, as it was provided; `recalled` is the entry that recalled it."""

    name: str
    bureau: str
    reference: str
    provided_at_us: int
    derived_from: tuple[str, ...]
    digest: bytes
    open_digest: bool
    size: int
    recalled: On[VersionRecalled] | None = None

    @property
    def code(self) -> str:
        return self.name.rpartition("@")[0]


class Catalogue(View):
    """Resources and their versions."""

    def __init__(self, closings: Closings) -> None:
        self._closings = closings
        self.resources: dict[tuple[str, str], On[ResourceDeclared]] = {}
        self.versions: dict[str, Version] = {}
        self.derived: dict[str, dict[str, None]] = {}
        self._first: dict[tuple[str, str], On[ResourceDeclared]] = {}
        self._bureaus: dict[str, dict[str, None]] = {}
        self._ever: dict[str, dict[str, None]] = {}
        self._digests: dict[bytes, Version] = {}

    @folds(ResourceDeclared)
    def _declared(self, entry: On[ResourceDeclared]) -> None:
        code = entry.head.resource
        self.resources[entry.bureau, code] = entry
        first = self._first.setdefault((entry.bureau, code), entry)
        if first.said.scheme != entry.said.scheme:
            self._first[entry.bureau, code] = entry
        self._bureaus.setdefault(code, {})[entry.bureau] = None
        self._ever.setdefault(code, {})[entry.bureau] = None

    @folds(ResourceWithdrawn)
    def _withdrawn(self, entry: On[ResourceWithdrawn]) -> None:
        if self.resources.pop((entry.bureau, entry.head.resource), None) is not None:
            del self._first[entry.bureau, entry.head.resource]
            del self._bureaus[entry.head.resource][entry.bureau]

    @folds(VersionProvided)
    def _provided(self, entry: On[VersionProvided]) -> Iterator[Coded]:
        name, digest = entry.head.version, entry.said.digest
        known = self.versions.get(name)
        if known is not None and not self._replaces(entry, known):
            return
        version = Version(
            name,
            entry.bureau,
            entry.reference,
            entry.since_us,
            tuple(entry.head.derived_from),
            digest.blake3 or digest.committed,
            bool(digest.blake3),
            entry.said.size,
        )
        self.versions[name] = version
        for source in version.derived_from:
            self.derived.setdefault(source, {})[name] = None
        if version.open_digest and version.digest != _DIGEST_OF_NOTHING:
            first = self._digests.get(version.digest)
            if first is None or self._is_over(first, entry.recorded_at_us):
                self._digests[version.digest] = version
            elif first.code != version.code:
                yield Coded(first, entry)

    @folds(VersionRecalled)
    def _recalled(self, entry: On[VersionRecalled]) -> None:
        version = self.versions.get(entry.head.version)
        if version is not None and version.bureau == entry.bureau and version.recalled is None:
            version.recalled = entry

    def finish(self, as_of: AsOf) -> Iterator[object]:
        """Every declaration that stands, and every scheme and code that stands on several ledgers."""
        by_code: dict[tuple[str, str], list[On[ResourceDeclared]]] = {}
        for entry in self._first.values():
            by_code.setdefault((entry.said.scheme, entry.head.resource), []).append(entry)
        yield from self.resources.values()
        for entries in by_code.values():
            if len(entries) > 1:
                yield Code(tuple(sorted(entries, key=lambda entry: (entry.recorded_at_us, entry.place))))

    def declared(self, bureau: str, code: str) -> On[ResourceDeclared] | None:
        """What a bureau declares of a code now."""
        return self.resources.get((bureau, code))

    def declarers(self, code: str) -> tuple[str, ...]:
        """The bureaus that declare a code now."""
        return tuple(self._bureaus.get(code, ()))

    def was_declared(self, code: str) -> bool:
        """Whether anybody ever declared a code."""
        return code in self._ever

    def has_declared(self, bureau: str, code: str) -> bool:
        """Whether a bureau ever declared a code, withdrawn since or not."""
        return bureau in self._ever.get(code, ())

    def is_of(self, bureau: str, version: str) -> bool:
        """Whether a version is a bureau's: it provided it or, where nobody did, no other bureau declared its code."""
        provided = self.versions.get(version)
        if provided is not None:
            return provided.bureau == bureau
        code = version.rpartition("@")[0]
        return self.has_declared(bureau, code) or not self.was_declared(code)

    def is_whose_alone(self, code: str) -> bool:
        """Whether one bureau and no other ever declared a code: whose a version of it is, is then no matter of names.

        Anybody may declare a code, or provide a version of one that nobody declares.
        """
        return len(self._ever.get(code, ())) == 1

    def standing(self, bureau: str, code: str) -> On[ResourceDeclared] | None:
        """The declaration that says how a bureau may share a code: its own, else the only other's."""
        own = self.declared(bureau, code)
        if own is not None:
            return own
        others = self.declarers(code)
        return self.declared(others[0], code) if len(others) == 1 else None

    def _replaces(self, again: On[VersionProvided], known: Version) -> bool:
        """Whether a version that is provided again counts: anew after its recall, or by who declared its code first."""
        if again.bureau == known.bureau:
            return known.recalled is not None
        first = next((each for each in self._ever.get(again.code, ()) if each in (again.bureau, known.bureau)), None)
        return first == again.bureau

    def _is_over(self, version: Version, at_us: int) -> bool:
        """Whether a version was recalled, or its code withdrawn, or its bureau closed before a moment."""
        withdrawn = self.has_declared(version.bureau, version.code) and not self.declared(version.bureau, version.code)
        return version.recalled is not None or withdrawn or self._closings.before(version.bureau, at_us) is not None

    def sensitive_fields(self, bureau: str, code: str) -> frozenset[str]:
        """The names of a resource's fields that are personal or secret."""
        entry = self.standing(bureau, code)
        fields: Any = () if entry is None else entry.said.fields
        return frozenset(item.name for item in fields if item.sensitivity != Item.NEITHER)
