"""`tally import xroad` against real nodes and real records."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tallystick_node.cluster.local import LocalCluster
from tests.cli.conftest import Tally
from tests.harness.xroad import DATA, FORMS, MARKET, RECORD, SAMPLE_MAP_TEXT, TAXATION, both, lines, needs_data

MAP = f"""
"ee-dev/COM/1" = "{MARKET}"
"ee-dev/COM/2/office" = "{TAXATION}"
"""
FOUR = ("imported", "duplicates", "others", "skipped")


@pytest.fixture
def map_file(tmp_path: Path) -> Path:
    """A map of the records that `RECORD` is one of."""
    file = tmp_path / "map.toml"
    file.write_text(MAP)
    return file


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def counts(report: dict[str, Any]) -> tuple[int, ...]:
    """Imported, duplicates, others', skipped; which add up."""
    assert sum(report[name] for name in FOUR) == report["records"]
    return tuple(report[name] for name in FOUR)


def exchanges(tally: Tally, profile: Path, kind: str) -> dict[str, dict[str, Any]]:
    """What the ledger says of each exchange, by its id."""
    found = tally("log", "-n", 0, "--kind", kind, "--json", profile=profile).jsons
    by_id = {entry["said"]["exchange"]: entry["said"] for entry in found}
    assert len(by_id) == len(found)
    return by_id


@needs_data
def test_two_bureaus_import_the_open_data_and_their_halves_pair(
    tally: Tally, cluster: LocalCluster, tmp_path: Path
) -> None:
    """Fifty halves on each ledger, the same in service and sizes; a second run, over the file twice, adds none."""
    file = tmp_path / "sample.toml"
    file.write_text(SAMPLE_MAP_TEXT)
    for bureau in (MARKET, TAXATION):
        profile = cluster[bureau].profile
        report = tally("import", "xroad", DATA, "--map", file, "--json", profile=profile).json
        assert counts(report) == (50, 0, 50, 0)
        assert report["recorded"] == 50
        assert report["first"].startswith(f"{bureau}#")
        again = tally("import", "xroad", DATA, DATA, "--map", file, "--json", profile=profile).json
        assert counts(again) == (0, 100, 100, 0)
        assert (again["recorded"], again["on_the_ledger"], again["first"]) == (0, 100, None)
    sent = exchanges(tally, cluster[MARKET].profile, "send")
    received = exchanges(tally, cluster[TAXATION].profile, "receive")
    assert len(sent) == 50
    assert sent.keys() == received.keys()
    for exchange, half in sent.items():
        other = received[exchange]
        assert (half["to"], other["sender"]) == (TAXATION, MARKET)
        assert half["source"] == other["source"] == "xroad"
        for name in ("service", "request_size", "size", "happened_at"):
            assert half[name] == other[name]
        assert not {"digest", "version", "resource"} & (half.keys() | other.keys())


def test_each_record_is_one_of_four_things(tally: Tally, cluster: LocalCluster, tmp_path: Path, map_file: Path) -> None:
    """Several files, failures, duplicates, orphans, strangers and garbage; the report has all, by file and line."""
    profile = cluster[MARKET].profile
    first = [*both(), RECORD, {**RECORD, "messageId": "orphan"}, {**RECORD, "responseSize": 7}]
    second = [
        {**RECORD, "messageId": "failed", "succeeded": "f", "faultCode": "Server.Failed"},
        {**RECORD, "messageId": "m", "clientMemberCode": "9"},
        {**RECORD, "messageId": None},
        {**RECORD, "messageId": "odd", "securityServerType": "PRODUCER"},
    ]
    one = written(tmp_path / "one.json", json.dumps({"records": first}).encode())
    two = written(tmp_path / "two.ndjson", lines(second) + b'{"broken": \n')
    report = tally("import", "xroad", one, two, "--map", map_file, "--json", profile=profile).json
    assert counts(report) == (4, 1, 1, 4)
    assert report["kinds"] == {"DataSent": 3, "ExchangeFailed": 1}
    assert report["unmapped"] == [{"identifier": "ee-dev/COM/9/office", "count": 1}]
    examples = {each["reason"]: each["examples"][0] for each in report["reasons"]}
    exchange = RECORD["messageId"].replace("-", "")
    assert examples == {
        "another record of this message and side says otherwise": f"{one}, record 5: exchange {exchange}",
        "not in the map": f"{two}, line 2: ee-dev/COM/9/office",
        "missing": f"{two}, line 3",
        "not JSON": examples["not JSON"],
    }
    assert examples["not JSON"].startswith(f"{two}, line 5")
    assert report["read_as"][0]["given"] in ("PRODUCER", "f")
    (failed,) = exchanges(tally, profile, "fail").values()
    assert (failed["side"], failed["reason"], failed["other"]) == ("sending", "Server.Failed", TAXATION)
    again = tally("import", "xroad", one, two, "--map", map_file, "--json", profile=profile).json
    assert counts(again) == (0, 5, 1, 4)


def test_a_dry_run_records_nothing_and_lists_what_the_map_lacks(
    tally: Tally, shared_cluster: LocalCluster, tmp_path: Path
) -> None:
    """It does without a map, so that one can be written; recording does not."""
    profile = shared_cluster["planning"].profile
    file = written(tmp_path / "records", lines(both(messageId="dry")))
    said = tally("import", "xroad", file, "--dry-run", profile=profile)
    assert said.code == 0
    assert '2\t"ee-dev/COM/1/registry"' in said.out
    assert '2\t"ee-dev/COM/2/office"' in said.out
    assert tally("import", "xroad", file, profile=profile).code == 2
    map_file = tmp_path / "map.toml"
    map_file.write_text('"ee-dev/COM/1" = "planning"\n"ee-dev/COM/2" = "planning"\n')
    planned = tally("import", "xroad", file, "--dry-run", "--json", "--map", map_file, profile=profile).json
    assert (counts(planned), planned["recorded"]) == ((2, 0, 0, 0), 0)
    done = tally("import", "xroad", file, "--json", "--map", map_file, profile=profile).json
    assert (counts(done), done["recorded"]) == ((2, 0, 0, 0), 2)


def test_standard_input_is_read_once(
    tally: Tally, shared_cluster: LocalCluster, map_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-` is what comes by a pipe, in any of the forms."""
    data = FORMS["the open data's columns"]([{**RECORD, "messageId": "by pipe"}])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    profile = shared_cluster[MARKET].profile
    assert counts(tally("import", "xroad", "-", "--map", map_file, "--json", profile=profile).json) == (1, 0, 0, 0)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_names_what_was_left_out(
    tally: Tally, shared_cluster: LocalCluster, tmp_path: Path, map_file: Path, language: str
) -> None:
    """In both languages, and with no control character of the file."""
    records = [
        {**RECORD, "messageId": None},
        {**RECORD, "clientSubsystemCode": "\x1b[2J"},
        {**RECORD, "messageUserId": "EE1", "securityServerType": "PRODUCER", "serviceCode": "x" * 300},
        {**RECORD, "requestSize": None, "messageId": "x"},
    ]
    file = written(tmp_path / "records", lines(records))
    arguments = ("import", "xroad", file, "--dry-run", "--map", map_file, "--lang", language)
    said = tally(*arguments, profile=shared_cluster[MARKET].profile)
    assert said.code == 0
    assert "\x1b" not in said.out
    reason = {"en": "not in the map", "zh": "映射表中没有"}[language]
    for expected in ("messageId", "line 1", reason, "\\x1b", "PRODUCER", "messageUserId", "requestSize", "256"):
        assert expected in said.out
    assert "EE1" not in said.out


@pytest.mark.parametrize("data", [b"hello\n", b"\xff\xff\xff", b"a,b\n"], ids=repr)
def test_what_has_none_of_the_forms_is_refused_before_anything_is_recorded(
    tally: Tally, shared_cluster: LocalCluster, tmp_path: Path, map_file: Path, data: bytes
) -> None:
    """Exit code 4, with the file's name, though a good file stands before it; 2 where it is a folder or none."""
    profile = shared_cluster[MARKET].profile
    good = written(tmp_path / "good", lines([{**RECORD, "messageId": "never recorded"}]))
    bad = written(tmp_path / "bad", data)
    for path in (bad, tmp_path, tmp_path / "none"):
        said = tally("import", "xroad", good, path, "--map", map_file, profile=profile)
        assert (said.code, said.out) == (4 if path == bad else 2, "")
        assert str(path) in said.err
    planned = tally("import", "xroad", good, "--dry-run", "--map", map_file, "--json", profile=profile).json
    assert planned["imported"] == 1


def test_a_file_that_ends_too_soon_is_imported_as_far_as_it_goes_and_refused(
    tally: Tally, shared_cluster: LocalCluster, tmp_path: Path, map_file: Path
) -> None:
    """The report says what was recorded, and the exit code that it is not all."""
    records = [{**RECORD, "messageId": f"cut short {number}"} for number in range(3)]
    file = written(tmp_path / "records", json.dumps({"records": records}).encode()[:-30])
    said = tally("import", "xroad", file, "--map", map_file, "--json", profile=shared_cluster[MARKET].profile)
    assert said.code == 4
    assert counts(said.json) == (2, 0, 0, 1)
    assert said.json["cut_short"][0]["file"] == str(file)


@pytest.mark.parametrize("text", ["[", '"DEV/COM" = "taxation"', '"ee-dev/COM/1" = "nobody"'])
def test_a_bad_map_is_refused_in_one_line(
    tally: Tally, shared_cluster: LocalCluster, tmp_path: Path, text: str
) -> None:
    """As any settings file: exit code 2, and where."""
    map_file = tmp_path / "map.toml"
    map_file.write_text(text)
    file = written(tmp_path / "records", lines(both()))
    said = tally("import", "xroad", file, "--map", map_file, profile=shared_cluster[MARKET].profile)
    assert (said.code, said.out) == (2, "")
    assert str(map_file) in said.err


def test_an_import_that_was_killed_is_finished_by_the_next(
    tally: Tally, cluster: LocalCluster, tmp_path: Path, map_file: Path
) -> None:
    """Whatever the first one managed to record, every half stands once in the end."""
    profile = cluster[MARKET].profile
    file = written(tmp_path / "records", lines([{**RECORD, "messageId": f"m{number}"} for number in range(8000)]))
    tally_command = [sys.executable, "-m", "tallystick.cli.main", "--profile", str(profile)]
    with subprocess.Popen([*tally_command, "log", "--follow"], stdout=subprocess.PIPE) as watching:
        assert watching.stdout is not None
        for _ in range(3):
            watching.stdout.readline()
        command = [*tally_command, "import", "xroad", str(file), "--map", str(map_file)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as importing:
            watching.stdout.readline()  # the first half is on the ledger
            importing.send_signal(signal.SIGKILL)
        watching.kill()
    report = tally("import", "xroad", file, "--map", map_file, "--json", profile=profile).json
    assert report["recorded"] + report["on_the_ledger"] == 8000
    assert len(exchanges(tally, profile, "send")) == 8000
