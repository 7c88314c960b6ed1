"""Writes the bill of materials, CycloneDX 1.6 as JSON: all that requirements.lock names, and nothing that it does not.

  scripts/sbom            write sbom.cdx.json
  scripts/sbom --check    exit with 1 where it is not what would be written

A component has its version, the SHA-256 of every file that the lock lets be installed, and its licence in the words of
its own metadata; where that says none, none is given. `required` is what an installed tallystick needs, `optional` what
one of its extras needs besides, `excluded` what only its development does. The same lock makes the same bytes: there is
neither a time nor a chance in it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any, Final

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_ROOT: Final = Path(__file__).parents[1]
_FILE: Final = _ROOT / "sbom.cdx.json"
_LOCKED: Final = re.compile(r"^([\w.-]+)==(\S+)((?: \\\n +--hash=sha256:[0-9a-f]{64})+)", re.MULTILINE)
_HASH: Final = re.compile(r"sha256:([0-9a-f]{64})")
_LICENCE_CHARS_MAX: Final = 64
_DEVELOPMENT: Final = "dev"
"""The extra that nobody installs who only uses it."""

Hashes = list[str]
Locked = Mapping[str, tuple[str, Hashes]]
"""By name: the version, and the hashes of its files."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the bill, or compare it."""
    parser = argparse.ArgumentParser(
        prog="scripts/sbom", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    said = parser.parse_args(arguments)
    written = bill_of_materials()
    if not said.check:
        _FILE.write_text(written, encoding="utf-8")
    elif not _FILE.is_file() or _FILE.read_text(encoding="utf-8") != written:
        print(f"{_FILE.name} is not what requirements.lock says: run scripts/sbom", file=sys.stderr)
        return 1
    return 0


def bill_of_materials() -> str:
    """The document, a component a line, so that a change of one is a change of one line."""
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = read_lock((_ROOT / "requirements.lock").read_text(encoding="utf-8"))
    needs = {name: sorted(set(_needs(name)) & locked.keys()) for name in locked}
    own = _named(project["dependencies"])
    required = set(_reached(own, needs))
    extras = chain.from_iterable(
        needed for extra, needed in project["optional-dependencies"].items() if extra != _DEVELOPMENT
    )
    optional = set(_reached(_named(extras), needs)) - required
    root = _reference(project["name"], project["version"])
    references = {name: _reference(name, version) for name, (version, _) in locked.items()}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": project["name"],
                "version": project["version"],
                "description": project["description"],
                "licenses": [{"license": {"id": project["license"]}}],
                "purl": root,
            }
        },
        "components": [
            {
                "type": "library",
                "bom-ref": references[name],
                "name": name,
                "version": version,
                "scope": "required" if name in required else "optional" if name in optional else "excluded",
                "hashes": [{"alg": "SHA-256", "content": each} for each in hashes],
                **_licences(name),
                "purl": references[name],
            }
            for name, (version, hashes) in locked.items()
        ],
        "dependencies": [
            {"ref": root, "dependsOn": [references[name] for name in own]},
            *({"ref": references[name], "dependsOn": [references[each] for each in needs[name]]} for name in locked),
        ],
    }
    return _formatted(document)


def read_lock(text: str) -> Locked:
    """What a lock names, by name in order."""
    found = {canonicalize_name(name): (version, _HASH.findall(rest)) for name, version, rest in _LOCKED.findall(text)}
    named = [line for line in text.splitlines() if re.match(r"[\w.-]+==", line)]
    if len(found) != len(named):
        raise SystemExit(f"requirements.lock: {len(named)} packages, {len(found)} of them with hashes")
    return dict(sorted(found.items()))


def _reference(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


def _named(requirements: Iterable[str]) -> list[str]:
    return sorted({canonicalize_name(Requirement(each).name) for each in requirements})


def _needs(name: str) -> Iterator[str]:
    """What an installed package needs, without its extras, on the Python that the lock was made with."""
    environment: dict[str, str] = {**default_environment()}  # type: ignore[dict-item]  # all of them are text
    environment.update(extra="", python_version="3.11", python_full_version="3.11.0")
    for said in metadata.requires(name) or ():
        requirement = Requirement(said)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            yield canonicalize_name(requirement.name)


def _reached(names: Iterable[str], needs: Mapping[str, Sequence[str]]) -> Iterator[str]:
    waiting, seen = list(names), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += needs[name]
            yield name


def _licences(name: str) -> dict[str, Any]:
    """What a package says of its licence: an SPDX expression, else its own words, else the classifiers'."""
    said = metadata.metadata(name).json
    expression = str(said.get("license_expression", ""))
    if expression and " " not in expression:
        return {"licenses": [{"license": {"id": expression}}]}
    if expression:
        return {"licenses": [{"expression": expression}]}
    words = str(said.get("license", "")).partition("\n")[0].strip()
    classified = [each.rpartition(" :: ")[2] for each in said.get("classifier", ()) if each.startswith("License")]
    names = [words] if 0 < len(words) <= _LICENCE_CHARS_MAX else classified
    return {"licenses": [{"license": {"name": each}} for each in names]} if names else {}


def _formatted(document: Mapping[str, Any]) -> str:
    """JSON with each item of a list at the top on a line of its own."""
    lines = []
    for name, value in document.items():
        if isinstance(value, list):
            items = ",\n".join(f"    {json.dumps(item, ensure_ascii=False)}" for item in value)
            lines.append(f"  {json.dumps(name)}: [\n{items}\n  ]")
        else:
            lines.append(f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    sys.exit(main())
