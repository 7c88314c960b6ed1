"""What the commands say while nodes are away: no good news of what nobody read, and nothing of what nobody shows."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from grpc import Channel

from tallystick.cli import output
from tallystick.core.bureau import Bureau
from tallystick.sdk import auditing, gossip, patience, wire
from tallystick.sdk.certified_key import CertifiedKey
from tallystick.sdk.clock import now_us
from tallystick.sdk.dialling import open_channel
from tallystick.sdk.wire import Wire
from tallystick_node.cluster.local import LocalCluster
from tallystick_proto.v1.witness_pb2 import CosignedAnswer
from tests.cli.conftest import Bent, Said, Tally
from tests.harness.clusters import all_witnessed
from tests.harness.silent import Silent

MARKET, TAX, PLANNING = "market-regulation", "taxation", "planning"
HANGS_S = 1.2
"""So long a node that hangs is waited for here: enough to count as silence."""
HOUR_US = 3_600 * 1_000_000
VERSION, CASE = "SCJG-0012@1", "1" * 32

QUESTIONS: tuple[tuple[str, ...], ...] = (
    ("owed",),
    ("owed", MARKET),
    ("who", "SCJG-0012"),
    ("trace", VERSION),
    ("trace", VERSION, "--format", "dot"),
    ("access", "SCJG-0012"),
    ("impact", VERSION),
    ("case", CASE),
    ("catalogue",),
    ("systems",),
    ("lookups",),
    ("shown",),
    ("reconcile",),
    ("reconcile", "--exchange", "1" * 32),
    ("audit",),
    ("report", "-o", "-"),
)


@pytest.fixture
def witnessed(cluster: LocalCluster) -> LocalCluster:
    """Three nodes, each of which has said something that both its witnesses hold."""
    for member in cluster:
        member.sdk.declare(f"{member.id}-1", scheme="s", title="t", sharing="unconditional")
    all_witnessed(cluster)
    return cluster


def test_where_no_ledger_is_read_nothing_is_said(tally: Tally, cluster: LocalCluster, tmp_path: Path) -> None:
    """Not that nothing is owed, found or declared, in no form: exit code 3, no answer, and each ledger by its name."""
    for member in cluster:
        member.kill()
    for question in QUESTIONS:
        for form in ((), ("--json",), ("--lang", "zh")):
            said = tally(*question, *form, profile=cluster.auditor_profile)
            assert (said.code, said.out) == (3, ""), question
            assert "none of 3 ledgers was read, so that nothing can be said" in said.err.splitlines()[-1]
            for member in cluster:
                assert any(member.bureau.endpoint in line for line in said.err.splitlines()[:-1])
            assert "full pass" not in said.err
    page = tmp_path / "audit.html"
    assert tally("report", "-o", page, profile=cluster.auditor_profile).code == 3
    assert not page.exists()


def test_what_is_silent_is_not_closed_while_its_node_is_away(
    tally: Tally, witnessed: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its ledger is read whole from a copy, and what that shows of witnesses is not that they vouch for it again."""
    later_us = HOUR_US
    monkeypatch.setattr(auditing, "now_us", lambda: now_us() + later_us)

    def audit(*options: object) -> Said:
        return tally("audit", "--json", "--rule", "silent-ledger", *options, profile=witnessed.auditor_profile)

    last = tmp_path / "last.json"
    with witnessed[PLANNING].stopped():
        first = audit()
        last.write_text(first.out)
        found = {each["facts"]["bureau"]: each["id"] for each in first.json["findings"]}
        assert set(found) == {MARKET, TAX, PLANNING}
        assert [each["id"] for each in audit("--bureau", TAX).json["findings"]] == [found[TAX]]
        with witnessed[TAX].stopped():
            said = audit("--since-report", last).json
            assert [ledger["complete"] for ledger in said["coverage"]["ledgers"]] == [True, True, True]
            assert {each["facts"]["bureau"]: each["life"] for each in said["findings"]} == {MARKET: "open"}
            assert set(said["not_judged"]) == {found[TAX], found[PLANNING]}
            assert said["closed"] == []
    later_us = 0
    all_witnessed(witnessed)
    said = audit("--since-report", last).json
    assert (said["findings"], said["not_judged"], set(said["closed"])) == ([], [], set(found.values()))


def test_that_witnesses_are_away_is_not_said_to_be_that_nothing_is_witnessed(
    tally: Tally, witnessed: LocalCluster
) -> None:
    """Status, log, show and the coverage: not shown now, in both languages; null where programs read it."""
    profile = witnessed.auditor_profile
    with witnessed[PLANNING].stopped(), witnessed[TAX].stopped():
        for language, words in (("en", "ot shown now"), ("zh", "此刻未示")):
            status = tally("status", "--lang", language, profile=profile)
            (row,) = [line.split("\t") for line in status.lines if witnessed[PLANNING].bureau.endpoint in line]
            assert all(words in cell for cell in row[2:4])
            log = tally("log", PLANNING, "--lang", language, profile=profile)
            assert words in log.err
            shown = tally("show", f"{PLANNING}#0", "--lang", language, profile=profile)
            assert words in shown.out
            catalogue = tally("catalogue", "--lang", language, profile=profile)
            assert words in catalogue.out
        (row,) = [each for each in tally("status", "--json", profile=profile).json["ledgers"] if each["keeper"]][:1]
        assert (row["witnessed"], row["quorum"]) == (None, 2)
        assert {each["witnessed"] for each in tally("log", PLANNING, "--json", profile=profile).jsons} == {None}


def test_an_evidence_file_says_by_whom_it_was_cosigned_and_whether_that_is_a_quorum(
    tally: Tally, witnessed: LocalCluster, tmp_path: Path
) -> None:
    """From the ledger's node both witnesses', and from theirs while it is away; of one alone that is said where it is
    made. A forged one proves nothing."""
    profile, file = witnessed.auditor_profile, tmp_path / "declared.tlog-proof"

    def verified(*options: object) -> Said:
        return tally("verify", file, *options, profile=profile)

    assert tally("prove", f"{PLANNING}#3", "-o", file, profile=profile).code == 0
    assert (
        "Witnessed: its checkpoint is cosigned by market-regulation, taxation: 2 of its 2 witnesses" in verified().out
    )
    assert "已获见证：其封账点由市场监管局、税务局副署" in verified("--lang", "zh").out
    said = verified("--json").json
    assert (said["witnessed"], said["cosigned_by"]) == (True, [MARKET, TAX])
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-2]))
    assert "Not proven to be witnessed: its checkpoint carries no witness's cosignature: 0 of its 2" in verified().out
    forged = lines[-1][:-20] + b"AAAAAAAAAAAAAAAAA==\n"
    file.write_bytes(b"".join([*lines[:-1], forged]))
    assert verified().code == 5
    with witnessed[PLANNING].stopped():
        made = tally("prove", f"{PLANNING}#3", "-o", file, "--force", profile=profile)
        assert "Witnessed: its checkpoint is cosigned by market-regulation, taxation: 2 of its 2" in made.out
        assert verified("--json").json["cosigned_by"] == [MARKET, TAX]
        witnessed[MARKET].stop()
        made = tally("prove", f"{PLANNING}#3", "-o", file, "--force", "--json", profile=profile)
        assert (made.json["witnessed"], made.json["cosigned_by"]) == (False, [TAX])
        to_pipe = tally("prove", f"{PLANNING}#3", "-o", "-", profile=profile).err
        assert (
            "Not proven to be witnessed: its checkpoint is cosigned by taxation: 1 of its 2 witnesses, and 2" in to_pipe
        )
    witnessed[MARKET].start()
    said = verified("--json").json
    assert (said["witnessed"], said["cosigned_by"]) == (False, [TAX])
    assert "未证明已获见证：" in verified("--lang", "zh").out


def test_a_node_that_has_not_heard_its_witnesses_yet_hides_nothing(
    tally: Tally, witnessed: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that was just started: what it does not tell of what this client saw witnessed, its witnesses do."""
    profile = witnessed.auditor_profile
    before = tally("status", "--json", profile=profile).json["ledgers"]
    assert all(row["witnessed"] == row["entries"] for row in before)
    monkeypatch.setattr(Wire, "cosigned", lambda _: CosignedAnswer())
    after = tally("status", "--json", profile=profile).json["ledgers"]
    for earlier, later in zip(before, after, strict=True):
        assert later["witnessed"] >= earlier["witnessed"]
        assert [each["lag"] for each in later["witnesses"]] == [0, 0]


def test_a_node_that_hangs_is_waited_for_once_by_a_command(
    tally: Tally, witnessed: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that stands still: `status` opens one connection to it, says that it is out of reach and what a copy
    shows in its place, and accuses nobody.
    """
    monkeypatch.setattr(gossip, "DEADLINE_S", HANGS_S)
    monkeypatch.setattr(patience, "SILENCE_MAX_S", 1.5 * HANGS_S)
    opened: list[str] = []

    def counted(bureau: Bureau, shown: CertifiedKey | None) -> Channel:
        opened.append(bureau.id)
        return open_channel(bureau, shown)

    monkeypatch.setattr(wire, "open_channel", counted)
    running = witnessed[PLANNING].running
    assert running is not None
    running.send(signal.SIGSTOP)
    try:
        said = tally("status", "--json", profile=witnessed.auditor_profile)
    finally:
        running.send(signal.SIGCONT)
    assert (said.code, said.json["alarms"], opened.count(PLANNING)) == (3, [], 1)
    (row,) = (row for row in said.json["ledgers"] if row["bureau"] == PLANNING)
    assert (row["state"], row["keeper"]) == ("unreachable", MARKET)
    assert row["entries"] is not None
    assert f"planning at {witnessed[PLANNING].bureau.endpoint}: no answer in time" in row["why"]
    assert tally("status", "--json", profile=witnessed.auditor_profile).code == 0


def test_for_whom_is_waited_is_said_on_a_terminal_alone(
    tally: Tally, bent: Bent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line beside the answer, however many calls wait; elsewhere none, and the answer is the same."""
    bent.node.stop()
    monkeypatch.setattr(gossip, "DEADLINE_S", HANGS_S)
    monkeypatch.setattr(patience, "SILENCE_MAX_S", 1.5 * HANGS_S)
    monkeypatch.setattr(patience, "SAID_AFTER_S", 0.1)
    with Silent() as silent:
        bent.office.bureau = silent.of(bent.office.bureau)
        note, digest = bent.office.charter()
        (bent.profile.parent / "hangs.note").write_bytes(note)
        profile = bent.profile.parent / "hangs.toml"
        profile.write_text(f'charter = "hangs.note"\ncharter_digest = "{digest}"\nstate = "state"\n')
        piped = tally("status", profile=profile)
        monkeypatch.setattr(output, "seen_remarks", lambda: True)
        shown = tally("status", profile=profile)
        assert (piped.code, piped.err) == (3, "")
        assert shown.err == f"waiting for market at {silent.endpoint}, which has not answered yet\n"
        assert shown.out == piped.out
        assert "正在等待市场监督管理局" in tally("status", "--lang", "zh", profile=profile).err
