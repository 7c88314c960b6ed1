"""What the commands say of witnesses: of a receipt whether a quorum came, of every ledger how far it is witnessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tallystick.core.moments import moment_text
from tallystick_node.cluster.layout import auditor_profile, officer_profile
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tallystick_node.first_charter import TIME_ZONE
from tests.cli.conftest import Tally
from tests.harness.clusters import checked_cluster
from tests.harness.members import witnessed

MARKET = "market-regulation"
SENT = ("send", "R-1@1", "--to", "taxation", "--digest", f"blake3:{'ab' * 32}", "--size", "7")


def test_send_says_whether_witnesses_hold_it(tally: Tally, shared_cluster: LocalCluster) -> None:
    """A sending waits for the quorum and says who came; told not to wait, it says that it is not witnessed yet."""
    profile = officer_profile(shared_cluster.folder, MARKET)
    assert "witnessed by 2" in tally(*SENT, profile=profile).lines[0]
    assert "已入账并经 2 家见证" in tally(*SENT, "--lang", "zh", profile=profile).lines[0]
    said = tally(*SENT, "--json", profile=profile).json
    assert said["standing"] == "witnessed"
    assert sorted(said["cosigned_by"]) == ["planning", "taxation"]
    assert "recorded; not witnessed yet" in tally(*SENT, "--no-wait", profile=profile).lines[0]


def test_a_quorum_that_does_not_come_is_said_to_be_missing(tally: Tally, cluster: LocalCluster) -> None:
    """With a witness away the receipt is of what was recorded, and status names who is behind and how far,
    and when who is away was last seen, by whose cosignature shows it. A floor that is proposed then says so too.
    """
    for bureau in ("taxation", MARKET):
        witnessed(cluster[bureau], f"W-{bureau}")
    cluster["taxation"].stop()
    profile = officer_profile(cluster.folder, MARKET)
    first = tally(*SENT, profile=profile)
    assert first.code == 0
    assert "recorded; not witnessed in time (1 cosigned it)" in first.lines[0]
    said = tally("status", "--json", profile=auditor_profile(cluster.folder))
    assert said.code == 3
    (row,) = [row for row in said.json["ledgers"] if row["bureau"] == MARKET]
    assert (row["entries"], row["witnessed"], row["quorum"]) == (5, 4, 2)
    assert {each["witness"]: each["lag"] for each in row["witnesses"]} == {"taxation": 1, "planning": 0}
    shown = tally("status", profile=auditor_profile(cluster.folder)).out
    assert "5\t4\ttaxation 1\tnow\t" in shown
    away, here, _ = rows_of(said.json, "taxation", MARKET, "planning")
    cosigned = [each["cosigned_at"] for each in row["witnesses"] if each["witness"] == "taxation"]
    assert cosigned[0] <= away["last_seen"] <= here["last_seen"]
    assert moment_text(away["last_seen"] * 1_000_000, ZoneInfo(TIME_ZONE)) in shown
    assert {each["witness"] for each in away["witnesses"] if each["cosigned_at"]} == {MARKET, "planning"}
    edits, auditor = cluster.folder / "edits.toml", auditor_profile(cluster.folder)
    edits.write_text("")
    proposing = ("charter", "propose", edits, "--floor", MARKET, "--floor", "planning", "-o")
    floors = tally(*proposing, cluster.folder / "a.toml", "--json", profile=auditor).json["floors"]
    assert [(each["bureau"], each["size"] - each["witnessed"]) for each in floors] == [(MARKET, 1), ("planning", 0)]
    lines = tally(*proposing, cluster.folder / "b.toml", profile=auditor).lines
    assert [line for line in lines if "The floor of" in line] == [
        f"The floor of {MARKET} is 5 entries, of which a quorum is shown to have cosigned 4."
    ]


def rows_of(status: dict[str, Any], *bureaus: str) -> list[dict[str, Any]]:
    """Their rows among a status's ledgers."""
    return [next(row for row in status["ledgers"] if row["bureau"] == bureau) for bureau in bureaus]


def test_a_node_that_waits_for_its_witnesses_is_said_to_be_starting(tally: Tally, cluster: LocalCluster) -> None:
    """Status shows what it can be read for, and why it records nothing; whoever records is told the same, and waits."""
    witnessed(cluster[MARKET], "W-1")
    cluster.stop()
    cluster[MARKET].start()
    auditor, officer = auditor_profile(cluster.folder), officer_profile(cluster.folder, MARKET)
    for language, says in (("en", "records nothing now"), ("zh", "暂不记录")):
        said = tally("status", "--lang", language, profile=auditor)
        (line,) = [line for line in said.lines if cluster[MARKET].bureau.endpoint in line]
        assert says in line
        assert "0 of the 2 witnesses needed have answered" in line
        refused = tally(*SENT, "--lang", language, profile=officer)
        assert refused.code == 3
        assert "0 of the 2 witnesses needed have answered" in refused.err
    (row,) = rows_of(tally("status", "--json", profile=auditor).json, MARKET)
    assert (row["state"], row["entries"]) == ("answers", 4)
    assert "0 of the 2" in row["not_recording"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_status_shows_how_far_each_ledger_is_witnessed(
    tally: Tally, shared_cluster: LocalCluster, language: str
) -> None:
    """What a quorum has cosigned stands beside what there is, and nobody is behind where all came."""
    size = witnessed(shared_cluster[MARKET], "W-1").index + 1
    said = tally("status", "--lang", language, profile=auditor_profile(shared_cluster.folder))
    assert f"\t{size}\t{size}\t" in said.out
    assert ("quorum" if language == "en" else "副署") in said.lines[-1]


def test_status_and_audit_know_an_observer(tally: Tally, tmp_path: Path, nursery: Nursery) -> None:
    """Status says what it has cosigned of each ledger; an audit read from it says from whose copies it was."""
    with checked_cluster(tmp_path / "observed", 2, nursery, observers=1) as cluster:
        receipts = [witnessed(cluster[bureau], f"W-{bureau}") for bureau in (MARKET, "taxation")]
        profile = auditor_profile(cluster.folder)
        said = tally("status", "--json", profile=profile)
        assert said.code == 0
        (row,) = said.json["observers"]
        assert (row["bureau"], row["state"]) == ("observer-1", "answers")
        assert [each["ledger"] for each in row["holds"]] == [MARKET, "taxation"]
        assert all(each["cosigned"] > receipt.index for each, receipt in zip(row["holds"], receipts, strict=True))
        for language, name, market, kept in (
            ("en", "observer-1", MARKET, "the copies that observer-1 keeps"),
            ("zh", "观察者1", "市场监管局", "据 观察者1 所存副本核查"),
        ):
            shown = tally("status", "--lang", language, profile=profile).out
            assert f"{name}\t{market} {row['holds'][0]['cosigned']}" in shown
            for asked in ("audit", "owed", "inbox", "catalogue", "systems", "lookups", "shown", "reconcile"):
                asks = officer_profile(cluster.folder, MARKET) if asked == "inbox" else profile
                found = tally(asked, "--from", "observer-1", "--lang", language, profile=asks)
                assert kept in found.out
        report = tmp_path / "report.html"
        assert tally("report", "--from", "observer-1", "-o", report, profile=profile).code == 0
        assert "--from observer-1" in report.read_text()
        cluster["observer-1"].stop()
        gone = tally("status", "--json", profile=profile)
        assert gone.code == 3
        assert [each["state"] for each in gone.json["observers"]] == ["unreachable"]
        (away,) = gone.json["observers"]
        assert max(each["cosigned_at"] for each in row["holds"]) <= away["last_seen"] <= row["last_seen"]
        assert tally("audit", "--from", "observer-1", profile=profile).code == 3
        assert "no bureau 'nobody'" in tally("audit", "--from", "nobody", profile=profile).err
