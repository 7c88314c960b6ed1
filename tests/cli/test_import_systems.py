"""`tally import systems` against real nodes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallystick_node.cluster.local import LocalCluster
from tests.cli.conftest import Tally

HEADER = "系统编码,系统名称,批复日期,验收日期,运维单位,备注"


def stock(path: Path, *rows: str, encoding: str = "gb18030") -> Path:
    path.write_bytes("\r\n".join([HEADER, *rows, ""]).encode(encoding))
    return path


def test_a_second_run_records_nothing_and_a_changed_row_its_change(
    tally: Tally, cluster: LocalCluster, tmp_path: Path
) -> None:
    """A system that was retired since is left so, and one that went from the file is named."""
    profile = cluster["planning"].profile
    rows = [f"S-{number},系统{number},2019年1月{number + 1}日,2020/6/5,云中心,x" for number in range(5)]
    file = stock(tmp_path / "stock.csv", *rows)
    planned = tally("import", "systems", file, "--dry-run", "--json", profile=profile).json
    assert (planned["new"], planned["recorded"]) == (5, 0)
    report = tally("import", "systems", file, "--json", profile=profile).json
    assert (report["rows"], report["recorded"], report["encoding"]) == (5, 5, "gb18030")
    assert report["unknown_columns"] == ["备注"]
    (entry,) = tally("log", "--system", "S-3", "--json", profile=profile).jsons
    said = entry["said"]
    assert (said["name"], said["approved_on"], said["accepted_on"]) == ("系统3", "2019-01-04", "2020-06-05")
    assert said["source"] == "csv"
    again = tally("import", "systems", file, "--json", profile=profile).json
    assert (again["recorded"], again["unchanged"], again["changed"]) == (0, 5, [])

    cluster["planning"].sdk.retire_system("S-4")
    stock(file, *rows[1:2], rows[2].replace("云中心", "科创中心"), *rows[3:], encoding="utf-8-sig")
    report = tally("import", "systems", file, "--json", profile=profile).json
    assert (report["recorded"], report["changed"], report["unchanged"]) == (1, ["S-2"], 2)
    assert [each["code"] for each in report["retired"]] == ["S-4"]
    assert report["no_longer_listed"] == ["S-0"]
    (latest, _) = tally("log", "--system", "S-2", "--json", profile=profile).jsons
    assert latest["said"]["operator"] == "科创中心"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_names_every_row_that_was_not_registered(
    tally: Tally, shared_cluster: LocalCluster, tmp_path: Path, language: str
) -> None:
    """By its line, with the reason; and no control character of the file among it."""
    rows = ["A,一", ",二", "B,", "A,三", "C\x1b,四", "D,五,昨天", ",,,"]
    arguments = ("import", "systems", stock(tmp_path / "stock.csv", *rows), "--dry-run", "--lang", language)
    said = tally(*arguments, profile=shared_cluster["planning"].profile)
    assert said.code == 0
    assert "\x1b" not in said.out
    for line in (3, 4, 5, 6):
        assert {"en": f"line {line}", "zh": f"第 {line} 行"}[language] in said.out
    for expected in ("no code", "no name", "approved_on", "昨天", "\\x1b", "备注"):
        assert expected in said.out


@pytest.mark.parametrize("data", [b"", b"name\nx", b"\xff\xff", b'code,name\nA,"x'], ids=repr)
def test_what_is_no_such_file_is_refused_in_one_line(
    tally: Tally, shared_cluster: LocalCluster, tmp_path: Path, data: bytes
) -> None:
    """Exit code 4, with the file's name; 2 where it is a folder or none."""
    file = tmp_path / "stock.csv"
    file.write_bytes(data)
    for path in (file, tmp_path, tmp_path / "none"):
        said = tally("import", "systems", path, profile=shared_cluster["planning"].profile)
        assert (said.code, said.out) == (4 if path == file else 2, "")
        assert str(path) in said.err
