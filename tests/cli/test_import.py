"""`tally import dcat` against real nodes and real files."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tallystick_node.cluster.local import LocalCluster
from tests.cli.conftest import Tally

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "dcat"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the agencies' catalogues are not here")
SIZES = {"dhs": 1093, "dol": 465, "gsa": 339, "opm": 134, "treasury": 233}


def catalogue(path: Path, *data_sets: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"conformsTo": "x", "dataset": data_sets}))
    return path


def some(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"identifier": f"I-{number}", "title": "t", "accessLevel": "public", **fields} for number in range(count)]


def size_of(tally: Tally, profile: Path) -> int:
    index: int = tally("log", "-n", 1, "--json", profile=profile).jsons[0]["index"]
    return index + 1


@needs_data
def test_all_agencies_come_in_whole_and_a_second_time_nothing_does(
    tally: Tally, cluster: LocalCluster, tmp_path: Path
) -> None:
    """2,264 data sets on one ledger; any of them is listed, shown, proven and verified."""
    profile = cluster["taxation"].profile
    for agency, size in SIZES.items():
        report = tally("import", "dcat", DATA / f"{agency}.json", "--json", profile=profile).json
        assert (report["data_sets"], report["recorded"], report["skipped"]) == (size, size, [])
    before = size_of(tally, profile)
    assert before == 3 + sum(SIZES.values())
    for agency, size in SIZES.items():
        report = tally("import", "dcat", DATA / f"{agency}.json", "--json", profile=profile).json
        assert (report["recorded"], report["unchanged"], report["changed"]) == (0, size, [])
    assert size_of(tally, profile) == before

    withheld = tally("log", "--resource", "015-BEP-001", "--json", profile=profile).jsons
    (entry,) = withheld
    assert entry["said"]["source"] == "dcat-us-1.1"
    evidence = tmp_path / "evidence"
    assert tally("show", entry["reference"], profile=profile).code == 0
    assert tally("prove", entry["reference"], "-o", evidence, profile=profile).code == 0
    assert tally("verify", evidence, profile=profile).code == 0


def test_a_changed_data_set_is_declared_again_and_one_that_went_is_named(
    tally: Tally, cluster: LocalCluster, tmp_path: Path
) -> None:
    """The rest stays as it is, and nothing is recorded for what is no longer listed."""
    profile = cluster["planning"].profile
    file = catalogue(tmp_path / "data.json", *some(5))
    assert tally("import", "dcat", file, profile=profile).code == 0
    changed = some(5)[1:]
    changed[0] |= {"accessLevel": "non-public", "rights": "private"}
    report = tally("import", "dcat", catalogue(file, *changed), "--json", profile=profile).json
    assert report["changed"] == ["I-1"]
    assert report["no_longer_listed"] == ["I-0"]
    assert (report["recorded"], report["unchanged"], report["withheld_without_basis"]) == (1, 3, 0)
    (latest, first) = tally("log", "--resource", "I-1", "--json", profile=profile).jsons
    assert latest["said"]["basis"] == {"words": "private"}
    assert "basis" not in first["said"]


def test_a_dry_run_records_nothing_and_says_the_same(
    tally: Tally, shared_cluster: LocalCluster, tmp_path: Path
) -> None:
    """What it would record is what it records then."""
    profile = shared_cluster["planning"].profile
    file = catalogue(tmp_path / "data.json", *some(3), {"title": "nameless"})
    before = size_of(tally, profile)
    planned = tally("import", "dcat", file, "--dry-run", "--json", "--scheme", "dry", profile=profile).json
    assert size_of(tally, profile) == before
    assert (planned["new"], planned["recorded"], planned["dry_run"]) == (3, 0, True)
    done = tally("import", "dcat", file, "--json", "--scheme", "dry", profile=profile).json
    assert (done["new"], done["recorded"]) == (3, 3)
    assert done["skipped"] == [{"position": 3, "identifier": "nameless", "reason": "no identifier"}]
    for key in ("dropped", "cut", "read_as", "skipped", "data_sets"):
        assert done[key] == planned[key]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_names_every_skipped_data_set(
    tally: Tally, shared_cluster: LocalCluster, tmp_path: Path, language: str
) -> None:
    """Each with its identifier and its reason, however many; and no control character of the file among it."""
    bad = [{"identifier": f"bad@{number}\x1b[2J", "title": "t", "accessLevel": "public"} for number in range(100)]
    odd = [{"identifier": "odd", "title": "x" * 500, "accessLevel": "PUBLIC", "contactPoint": {"fn": "x"}, "\x1b": 1}]
    file = catalogue(tmp_path / "data.json", *bad, *odd)
    said = tally("import", "dcat", file, "--dry-run", "--lang", language, profile=shared_cluster["planning"].profile)
    assert said.code == 0
    assert sum("bad@" in line for line in said.lines) == 100
    assert "\x1b" not in said.out
    for expected in ("PUBLIC", "contactPoint", "title", "\\x1b"):
        assert expected in said.out


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"not json", b"\xff\xff", b"[" * 200_000, b'{"dataset": 7}'], ids=lambda data: repr(data[:16])
)
def test_what_is_no_catalogue_is_refused_in_one_line(
    tally: Tally, shared_cluster: LocalCluster, tmp_path: Path, data: bytes
) -> None:
    """Exit code 4, with the file's name; 2 where it is a folder or none."""
    file = tmp_path / "data.json"
    file.write_bytes(data)
    for path in (file, tmp_path, tmp_path / "none"):
        said = tally("import", "dcat", path, profile=shared_cluster["planning"].profile)
        assert said.code == (4 if path == file else 2)
        assert said.out == ""
        assert str(path) in said.err


def test_a_scheme_that_is_none_is_refused(tally: Tally, shared_cluster: LocalCluster, tmp_path: Path) -> None:
    """Before anything is recorded."""
    file = catalogue(tmp_path / "data.json", *some(1))
    assert tally("import", "dcat", file, "--scheme", "No", profile=shared_cluster["planning"].profile).code == 2


@needs_data
def test_an_import_that_was_killed_is_finished_by_the_next(tally: Tally, cluster: LocalCluster) -> None:
    """Whatever the first one managed to record, every data set stands once in the end."""
    profile = cluster["taxation"].profile
    command = [
        sys.executable,
        "-m",
        "tallystick.cli.main",
        "--profile",
        str(profile),
        "import",
        "dcat",
        str(DATA / "dhs.json"),
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "tallystick.cli.main", "--profile", str(profile), "log", "--follow"],
        stdout=subprocess.PIPE,
    ) as watching:
        assert watching.stdout is not None
        for _ in range(3):
            watching.stdout.readline()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as importing:
            watching.stdout.readline()  # the first data set is on the ledger
            importing.send_signal(signal.SIGKILL)
        watching.kill()
    report = tally("import", "dcat", DATA / "dhs.json", "--json", profile=profile).json
    assert report["recorded"] + report["unchanged"] == SIZES["dhs"]
    codes = [
        entry["said"]["resource"]
        for entry in tally("log", "-n", 0, "--kind", "declare", "--json", profile=profile).jsons
    ]
    assert len(codes) == len(set(codes)) == SIZES["dhs"]
