"""What the commands say of nodes that are gone, or that do not tell the truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tallystick.core.merkle import root_of
from tallystick_node.cluster.local import LocalCluster
from tallystick_proto.v1.ledger_pb2 import Bundle, CheckpointAnswer, PresenceAnswer
from tests.cli.conftest import Bent, Tally
from tests.harness.members import witnessed

OTHER_ROOT = root_of([b"\x07" * 32])


DECLARING = ("declare", "A", "--title", "t", "--scheme", "local", "--sharing", "withheld")


def test_a_ledger_whose_node_is_gone_is_shown_by_a_copy(tally: Tally, cluster: LocalCluster) -> None:
    """Every reading command says so, in both languages and to programs; `status` still exits with 3, and nothing is
    recorded.
    """
    planning = cluster["planning"]
    witnessed(planning, "A")
    planning.kill()
    auditor = cluster.auditor_profile
    proving = ("prove", "planning#3", "--force", "-o")
    file = auditor.with_name("x.tlog-proof")
    for command in (
        ("log", "planning"),
        ("show", "planning#3"),
        ("who", "A"),
        ("audit",),
        ("identity", "show"),
        (*proving, file),
        (*proving, "-"),
    ):
        profile = planning.profile if command[0] == "identity" else auditor
        english, chinese = tally(*command, profile=profile), tally(*command, "--lang", "zh", profile=profile)
        assert (english.code, chinese.code) == (0, 0), command
        assert "the copy of market-regulation shows it" in english.out + english.err, command
        assert "市场监管局所存副本" in chinese.out + chinese.err, command
    for command in (("show", "planning#3"), (*proving, file)):
        assert tally(*command, "--json", profile=auditor).json["keeper"] == "market-regulation"
    assert {entry["keeper"] for entry in tally("log", "planning", "--json", profile=auditor).jsons} == {
        "market-regulation"
    }
    coverage = tally("audit", "--json", profile=auditor).json["coverage"]
    assert {ledger["bureau"]: ledger["keeper"] for ledger in coverage["ledgers"]} == {
        "market-regulation": None,
        "taxation": None,
        "planning": "market-regulation",
    }
    assert all(ledger["complete"] and not ledger["unwitnessed"] for ledger in coverage["ledgers"])
    assert tally("status", profile=auditor).code == 3
    rows = {row["bureau"]: row for row in tally("status", "--json", profile=auditor).json["ledgers"]}
    assert {bureau: row["state"] for bureau, row in rows.items()} == {
        "market-regulation": "answers",
        "taxation": "answers",
        "planning": "unreachable",
    }
    assert (rows["planning"]["entries"], rows["planning"]["keeper"]) == (4, "market-regulation")
    assert tally(*DECLARING, profile=planning.profile).code == 3


def test_a_ledger_that_nobody_shows_is_unreachable(tally: Tally, cluster: LocalCluster) -> None:
    """Exit code 3; the sentence names the ledger's own node, and is one line."""
    for member in cluster:
        member.kill()
    own = cluster["planning"].profile
    for command in (("log",), ("show", "planning#0"), ("identity", "show"), DECLARING):
        said = tally(*command, profile=own)
        assert said.code == 3
        assert said.out == ""
        assert len(said.err.splitlines()) == 1
        assert "planning at 127.0.0.1:" in said.err
    assert tally("status", profile=own).code == 3
    states = [row["state"] for row in tally("status", "--json", profile=own).json["ledgers"]]
    assert states == ["unreachable"] * 3


def test_an_honest_node_is_believed(tally: Tally, bent: Bent) -> None:
    """The same node, before a test bends it."""
    assert tally("status", profile=bent.profile).code == 0
    assert len(tally("log", "--json", profile=bent.profile).jsons) == 3
    assert tally("show", "market#1", profile=bent.profile).code == 0


def fork(bent: Bent) -> Callable[[CheckpointAnswer], None]:
    """The same size under another root, signed."""

    def lie(answer: CheckpointAnswer) -> None:
        answer.checkpoint = bent.office.note(3, OTHER_ROOT)

    return lie


def roll_back(bent: Bent) -> Callable[[CheckpointAnswer], None]:
    """A smaller ledger, signed."""

    def lie(answer: CheckpointAnswer) -> None:
        answer.checkpoint = bent.office.note(1, OTHER_ROOT)

    return lie


def unproven(bent: Bent) -> Callable[[CheckpointAnswer], None]:
    """A larger ledger without a proof that it extends the smaller."""

    def lie(answer: CheckpointAnswer) -> None:
        answer.checkpoint = bent.office.note(9, OTHER_ROOT)

    return lie


def unsigned(bent: Bent) -> Callable[[CheckpointAnswer], None]:
    """A note whose signature was touched."""

    def lie(answer: CheckpointAnswer) -> None:
        answer.checkpoint = answer.checkpoint.replace(b"\n3\n", b"\n4\n")

    return lie


@pytest.mark.parametrize("lie", [fork, roll_back, unproven, unsigned])
def test_a_checkpoint_that_does_not_extend_what_was_trusted_is_named(
    tally: Tally, bent: Bent, lie: Callable[[Bent], Any]
) -> None:
    """Exit code 5 and one clear sentence, whatever was asked; nothing that it answers is shown."""
    assert tally("status", profile=bent.profile).code == 0
    bent.node.lies["GetCheckpoint"] = lie(bent)
    for arguments in (["log"], ["show", "market#1"], ["identity", "show"], ["prove", "market#1", "-o", "never"]):
        said = tally(*arguments, profile=bent.profile)
        assert said.code == 5
        assert said.out == ""
        assert len(said.err.splitlines()) == 1
        assert "market" in said.err
    status = tally("status", profile=bent.profile)
    assert status.code == 5
    assert "NOT TO BE BELIEVED" in status.out


def test_an_entry_that_is_not_in_the_ledger_is_never_shown(tally: Tally, bent: Bent) -> None:
    """One altered byte, and it is not shown: neither in a list nor alone."""

    def alter(bundle: Bundle) -> None:
        bundle.entry[0] = bundle.entry[0][:-1] + bytes([bundle.entry[0][-1] ^ 1])

    def alter_presence(answer: PresenceAnswer) -> None:
        answer.presence.entry = answer.presence.entry[:-1] + bytes([answer.presence.entry[-1] ^ 1])

    bent.node.lies |= {"ReadEntries": alter, "Find": alter, "ProvePresence": alter_presence}
    for arguments in (["log"], ["log", "--kind", "70"], ["show", "market#1"], ["identity", "show"]):
        said = tally(*arguments, profile=bent.profile)
        assert said.code == 5
        assert said.out == ""
        assert "market" in said.err


def test_an_omission_from_a_range_is_noticed(tally: Tally, bent: Bent) -> None:
    """Where a list says that nothing can be missing, nothing can."""
    bent.node.lies["ReadEntries"] = lambda bundle: []
    said = tally("log", profile=bent.profile)
    assert said.code == 5
    assert said.out == ""


def test_an_expired_charter_ends_reading_but_not_the_charter_itself(
    tally: Tally, bent: Bent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its term a charter can be shown and verified by; nothing live is believed under it."""
    from tallystick.sdk import clock

    later = clock.now_us() + 2 * 365 * 24 * 3600 * 1_000_000
    monkeypatch.setattr(clock, "now_us", lambda: later)
    for arguments in (["status"], ["log"], ["show", "market#1"]):
        said = tally(*arguments, profile=bent.profile)
        assert said.code == 5
        assert "expired" in said.err
    shown = tally("charter", "show", profile=bent.profile)
    assert shown.code == 0
    assert "EXPIRED" in shown.out


def test_a_charter_of_another_digest_is_not_read(tally: Tally, bent: Bent) -> None:
    """The digest in the profile is the only thing that is believed."""
    text = bent.profile.read_text()
    bent.profile.write_text(text.replace("blake3:", "blake3:00").replace('00"', '"'))
    for arguments in (["charter", "show"], ["status"], ["verify", "x"]):
        said = tally(*arguments, profile=bent.profile)
        assert said.code in (2, 5)
        assert said.out == ""
