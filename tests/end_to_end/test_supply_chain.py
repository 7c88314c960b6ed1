"""What tallystick is made of: every part pinned by its hashes, written down and asked after; what was not is said."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scripts.bill_of_materials import bill_of_materials, read_lock
from scripts.known_vulnerabilities import judged

ROOT = Path(__file__).parents[2]
LOCKS = sorted(ROOT.glob("requirements*.lock"))
FINE = {"name": "a", "version": "1", "vulns": []}
SKIPPED = {"name": "b", "skip_reason": "not found"}
BAD = {
    "name": "c",
    "version": "2",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}, {"id": "X", "fix_versions": []}],
}


def report(*packages: object) -> str:
    return json.dumps({"dependencies": packages})


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_is_pinned_by_its_hashes(lock: Path) -> None:
    """No lock file names a package without a version and the hashes of the files that may be installed."""
    locked = read_lock(lock.read_text())
    assert locked
    assert all(hashes and len(set(hashes)) == len(hashes) for _, hashes in locked.values())


def test_a_package_without_hashes_is_refused() -> None:
    """A lock that names one is not taken for whole."""
    with pytest.raises(SystemExit, match="2 packages, 1 of them with hashes"):
        read_lock(f"a==1 \\\n    --hash=sha256:{'0' * 64}\nb==2\n")


def test_the_bill_of_materials_is_the_lock_s() -> None:
    """It names every package of the lock, in its version and with all its hashes, and no other; it is as checked in."""
    written = (ROOT / "sbom.cdx.json").read_text(encoding="utf-8")
    assert written == bill_of_materials()
    bill = json.loads(written)
    locked = read_lock((ROOT / "requirements.lock").read_text())
    found = {each["name"]: (each["version"], [has["content"] for has in each["hashes"]]) for each in bill["components"]}
    assert found == dict(locked)
    assert all(each["licenses"] for each in bill["components"])


def test_the_bill_of_materials_says_what_is_shipped() -> None:
    """What an installed tallystick needs, directly or not, is required; what an extra needs besides is optional; tools
    of its development are neither.
    """
    bill = json.loads(bill_of_materials())
    scopes = {each["name"]: each["scope"] for each in bill["components"]}
    project = (ROOT / "pyproject.toml").read_text()
    direct = re.findall(r'"([\w-]+)[>=]', project.partition("dependencies = [")[2].partition("]")[0])
    assert len(direct) > 10
    assert {scopes[name] for name in (*direct, "typing-extensions", "cffi")} == {"required"}
    assert [name for name, scope in scopes.items() if scope == "optional"] == ["asn1crypto", "python-pkcs11"]
    assert {scopes[name] for name in ("pytest", "mypy", "ruff", "hypothesis")} == {"excluded"}
    references = {each["bom-ref"] for each in bill["components"]}
    assert {ref for each in bill["dependencies"] for ref in each["dependsOn"]} <= references


def test_what_was_not_asked_is_not_called_fine() -> None:
    """Where the registry answers for no package, nothing is audited, and that is said; so is what it leaves out."""
    assert judged([report(SKIPPED), report(SKIPPED)]).sentence.startswith("NOT AUDITED")
    part = judged([report(FINE, SKIPPED)])
    assert part.sentence == "1 of 2 packages have no known vulnerability; NOT AUDITED: b"
    assert judged([report(FINE)]).sentence == "1 of 1 packages have no known vulnerability"


def test_a_vulnerability_is_named() -> None:
    """With its version, its number, and what mends it."""
    audited = judged([report(FINE), report(BAD, FINE)])
    assert audited.vulnerable == ("c 2: PYSEC-1, mended in 3", "c 2: X, mended in no version")
    assert (audited.fine, audited.unanswered) == (1, ())
