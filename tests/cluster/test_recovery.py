"""A bureau loses its disk: its ledger comes back from its witnesses' copies, and nothing witnessed is missing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.core.compose import Sensitive
from tallystick.core.entry import decode_entry
from tallystick.core.errors import BehindSigned, StoreDamaged
from tallystick.core.kinds import BY_NAME
from tallystick.core.statement import read
from tallystick.core.values import exchange_id
from tallystick.sdk.ledgers import Ledgers
from tallystick.sdk.profile import Profile
from tallystick_node.authority import TLS
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.member import Member
from tallystick_node.cluster.nursery import Nursery
from tallystick_node.server import Node as Server
from tests.harness.charters import adopt_at_clients, adopt_at_nodes, signed_next
from tests.harness.clusters import checked_cluster
from tests.harness.members import entries_of, witnessed
from tests.harness.processes import BIN, refused, tallyd
from tests.harness.waiting import WAIT_S, until

MARKET, TAXATION, PLANNING = "market-regulation", "taxation", "planning"
BLANK = "the id of a bureau with the same credit code, whose stanza stands below"


@pytest.fixture
def five(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[LocalCluster]:
    """Five nodes of its own."""
    with checked_cluster(tmp_path_factory.mktemp("five"), 5, nursery) as made:
        yield made


def surveyed(member: Member, *options: str) -> tuple[str, str]:
    """What `tallyd recover survey` says, and the edits it wrote."""
    done = tallyd("recover", "survey", member.home, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout, (member.home / "recover-2.toml").read_text()


def everybody(cluster: LocalCluster) -> list[Path]:
    return sorted((cluster.folder / "profiles").glob("*.toml"))


def test_a_bureau_whose_disk_is_wiped_goes_on(five: LocalCluster) -> None:
    """All that was witnessed is there again; the others and the clients go by the version with its keys, and go on."""
    planning = five[PLANNING]
    for number in range(3):
        planning.gateway.use("R-1@1", purpose="joint-supervision", case="one", subject=Sensitive(f"person {number}"))
    last = witnessed(planning, "GH-1")
    witnessed(five[MARKET], "SCJG-1")
    planning.stop()
    before = entries_of(planning)
    assert len(before) == last.index + 1
    shutil.rmtree(planning.home / "data")
    with pytest.raises(StoreDamaged):
        Server.open(planning.settings)

    said, edits = surveyed(planning)
    assert f"the largest, {len(before)} entries, is the floor to pin" in said
    assert surveyed(planning) == (said, edits)
    version = signed_next(five, edits)
    done = tallyd("recover", "rebuild", planning.home, version)
    assert done.returncode == 0, done.stderr
    assert "0 of 3 disclosures" in done.stdout
    assert "recovered by this version already" in tallyd("recover", "rebuild", planning.home, version).stdout

    adopt_at_nodes((member for member in five if member is not planning), version)
    planning.start()
    adopt_at_clients(everybody(five), version)
    later = witnessed(planning, "GH-2")
    assert set(later.cosigned_by) <= {member.id for member in five} - {PLANNING}
    with Ledgers.open(Profile.load(five.auditor_profile)) as auditor:
        assert auditor.show(f"{PLANNING}#{last.index}").entry.raw == last.entry
    witnessed(five[MARKET], "SCJG-2")
    five.stop()
    after = entries_of(planning)
    assert after[: len(before)] == before
    recovered = read(_statement(after[len(before)])).statement.recovery_performed
    assert (recovered.size, recovered.lost_above) == (len(before), len(before))
    assert {copy.bureau for copy in recovered.copies} == {member.id for member in five} - {PLANNING}
    assert read(_statement(after[len(before) + 1])).kind == BY_NAME["CharterAdopted"]


def test_a_torn_tail_says_what_was_lost_and_keeps_disclosures(cluster: LocalCluster) -> None:
    """What a node signed alone is lost, and counted; what opens commitments is taken from the old database."""
    planning, others = cluster[PLANNING], (cluster[MARKET], cluster[TAXATION])
    for number in range(3):
        planning.gateway.use("R-1@1", purpose="joint-supervision", case="one", subject=Sensitive(f"person {number}"))
    last = witnessed(planning, "GH-1")
    saved = planning.home.with_name("saved")
    assert tallyd("backup", planning.home, saved).returncode == 0
    for other in others:
        other.kill()
    alone = planning.sdk.declare("GH-2", scheme="pudong", title="alone", sharing="unconditional")
    evidence = cluster.folder / "alone.tlog-proof"
    evidence.write_bytes(cluster.auditor.prove(alone.reference))
    planning.stop()
    shutil.rmtree(planning.settings.database)
    (saved / "data" / "ledger").rename(planning.settings.database)
    for other in others:
        other.start()
    with pytest.raises(BehindSigned):
        Server.open(planning.settings)
    said, edits = surveyed(planning)
    assert f"{last.index + 1} entries, is the floor" in said
    assert "more had been signed, and no witness holds them" in said
    version = signed_next(cluster, edits)
    done = tallyd("recover", "rebuild", planning.home, version)
    assert done.returncode == 0, done.stderr
    assert "3 of 3 disclosures" in done.stdout
    assert "they are lost" in done.stdout
    assert planning.fsck().clean
    adopt_at_clients([cluster.auditor_profile], version)
    judged = subprocess.run(
        [BIN / "tally", "verify", evidence, "--profile", cluster.auditor_profile], capture_output=True, text=True
    )
    assert judged.returncode == 5
    assert f"the charter ends that key at {last.index + 1}" in judged.stderr
    assert "whether that is still there, only its ledger can show" in judged.stderr
    adopt_at_nodes(others, version)
    planning.close_clients()
    planning.start()
    adopt_at_clients([planning.profile], version)
    witnessed(planning, "GH-3")
    status = subprocess.run(
        [BIN / "tally", "status", "--profile", cluster.auditor_profile], capture_output=True, text=True
    )
    assert f"acknowledged-lost: {planning.bureau.name.en} signed {alone.index + 1} entries" in status.stdout


def test_a_spool_brings_back_what_no_witness_held(cluster: LocalCluster) -> None:
    """What a recorder was told is recorded, and no witness ever saw, is on the recovered ledger too; all of it once."""
    planning, others = cluster[PLANNING], (cluster[MARKET], cluster[TAXATION])
    cases = [f"case {number}" for number in range(60)]
    with planning.gateway.recorder(batch_max=7) as record:
        for case in cases[:20]:
            record.use("R-1@1", purpose="joint-supervision", case=case)
    for other in others:
        other.kill()
    with planning.gateway.recorder(batch_max=7) as record:
        for case in cases[20:40]:
            record.use("R-1@1", purpose="joint-supervision", case=case)
        record.flush(WAIT_S)
        assert record.unwitnessed
    planning.stop()
    shutil.rmtree(planning.home / "data")
    for other in others:
        other.start()
    version = signed_next(cluster, surveyed(planning)[1])
    assert tallyd("recover", "rebuild", planning.home, version).returncode == 0
    adopt_at_nodes(others, version)
    planning.start()
    adopt_at_clients(everybody(cluster), version)
    with planning.gateway.recorder(batch_max=7) as record:
        for case in cases[40:]:
            record.use("R-1@1", purpose="joint-supervision", case=case)
        record.flush(WAIT_S)
        until(lambda: not record.unwitnessed)
    planning.stop()
    said = [read(_statement(raw)).statement.head.case for raw in entries_of(planning)]
    assert sorted(case for case in said if case) == sorted(map(exchange_id, cases))


def test_a_witness_that_does_not_answer_blocks_by_name(cluster: LocalCluster) -> None:
    """What it holds would be denied: nothing is made without its answer, until a version of the charter removes it."""
    planning, taxation = cluster[PLANNING], cluster[TAXATION]
    size = witnessed(planning, "GH-1").index + 1
    planning.stop()
    planning.settings.database.rename(planning.home / "away")
    _, edits = surveyed(planning)
    version = signed_next(cluster, edits)
    (planning.home / "recover-2.toml").unlink()
    taxation.kill()
    assert f"not known what {TAXATION} holds" in refused(3, "recover", "survey", planning.home)
    assert not (planning.home / "recover-2.toml").exists()
    assert f"not known what {TAXATION} holds" in refused(3, "recover", "rebuild", planning.home, version)
    assert planning.settings.config.data == "data"
    removed = signed_next(cluster, f'[[bureau]]\nid = "{TAXATION}"\nstate = "suspended"\n', "without.note")
    assert "does not name a new ledger key" in refused(2, "recover", "rebuild", planning.home, removed)
    adopt_at_clients([cluster.auditor_profile], removed)
    assert tallyd("recover", "survey", planning.home, removed).returncode == 0
    version = signed_next(cluster, (planning.home / "recover-3.toml").read_text(), "third.note")
    assert tallyd("recover", "rebuild", planning.home, version).returncode == 0
    assert planning.settings.config.data == "data-3"
    assert planning.fsck().size == size + 2


def test_a_suspended_bureau_is_recovered_as_an_active_one(cluster: LocalCluster) -> None:
    """Suspended it could not record that it was recovered: the edits make it active again, and the survey says so."""
    planning = cluster[PLANNING]
    size = witnessed(planning, "GH-1").index + 1
    planning.stop()
    shutil.rmtree(planning.home / "data")
    suspended = signed_next(cluster, f'[[bureau]]\nid = "{PLANNING}"\nstate = "suspended"\n', "suspended.note")
    adopt_at_clients([cluster.auditor_profile], suspended)
    surveyed = tallyd("recover", "survey", planning.home, suspended)
    assert surveyed.returncode == 0, surveyed.stderr
    assert f"{PLANNING} is suspended" in surveyed.stdout
    version = signed_next(cluster, (planning.home / "recover-3.toml").read_text(), "third.note")
    rebuilt = tallyd("recover", "rebuild", planning.home, version)
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert planning.settings.open_charter()[1].state == "active"
    assert planning.fsck().size == size + 2


def test_a_running_nodes_ledger_is_not_surveyed(cluster: LocalCluster) -> None:
    """What it recorded next would stand above the floor: it goes on, and nothing is made."""
    planning = cluster[PLANNING]
    assert "another process holds" in refused(4, "recover", "survey", planning.home)
    assert not list(planning.home.glob("recover-*"))
    assert not list((planning.home / "keys").glob("*-2.key"))
    witnessed(planning, "GH-1")


def test_what_is_not_lost_is_not_recovered(cluster: LocalCluster) -> None:
    """A stopped node whose database holds all that was signed makes no keys and no edits, and is simply run."""
    planning = cluster[PLANNING]
    witnessed(planning, "GH-1")
    planning.stop()
    assert "nothing is lost" in refused(2, "recover", "survey", planning.home, "--registrar")
    assert not list(planning.home.glob("recover-*"))
    assert not list((planning.home / "keys").glob("*-2.key"))
    planning.start()
    witnessed(planning, "GH-2")


def test_a_home_that_is_gone_comes_back_from_charter_and_network(cluster: LocalCluster) -> None:
    """With nothing but the charter, its digest, and the bureau's authority, which was kept elsewhere: new keys, the
    ledger from its witnesses, and a node that serves.
    """
    planning = cluster[PLANNING]
    last = witnessed(planning, "GH-1")
    planning.stop()
    (planning.home).rename(cluster.folder / "burnt")
    profile = Profile.load(cluster.auditor_profile)
    made = tallyd(
        *("init", planning.home, "--bureau", PLANNING),
        *("--charter", profile.charter_path, "--charter-digest", profile.charter_digest),
    )
    assert made.returncode == 0, made.stderr
    assert "node.crt: cannot be read" in refused(2, "recover", "survey", planning.home)
    (planning.home / TLS).mkdir(mode=0o700)
    for kept in (cluster.folder / "burnt" / TLS).glob("authority.*"):
        kept.rename(planning.home / TLS / kept.name)
    renewed = tallyd("cert", "renew", planning.home)
    assert renewed.returncode == 0, renewed.stderr
    said, edits = surveyed(planning, "--registrar")
    assert "no longer knows" in said
    version = signed_next(cluster, edits)
    done = tallyd("recover", "rebuild", planning.home, version)
    assert done.returncode == 0, done.stderr
    adopt_at_nodes([cluster[MARKET], cluster[TAXATION]], version)
    planning.start()
    assert {each.bureau: each.state for each in cluster.status()}[PLANNING] == "unchecked"
    adopt_at_clients(everybody(cluster), version)
    with Ledgers.open(Profile.load(cluster.auditor_profile)) as auditor:
        assert auditor.show(f"{PLANNING}#{last.index}").entry.raw == last.entry
        assert auditor.show(f"{PLANNING}#{last.index + 1}").read.kind == BY_NAME["RecoveryPerformed"]
    shutil.rmtree(cluster.folder / "burnt")


def test_what_exists_nowhere_is_closed_and_succeeded(tmp_path: Path, nursery: Nursery) -> None:
    """Two bureaus never witness: the survey says that the ledger ends, and with a successor named that follows."""
    with checked_cluster(tmp_path / "two", 2, nursery) as two:
        market = two[MARKET]
        market.sdk.declare("SCJG-1", scheme="pudong", title="alone", sharing="unconditional")
        market.stop()
        market.broken_on_purpose = True
        shutil.rmtree(market.home / "data")
        said, edits = surveyed(market)
        assert "exists nowhere any more" in said
        wish = ("--origin", "pudong.example/market-2", "--credit-code", market.bureau.credit_code)
        made = tallyd("init", tmp_path / "heir", "--bureau", "market-2", *wish)
        assert made.returncode == 0, made.stderr
        heir = (tmp_path / "heir" / "bureau.toml").read_text()
        version = signed_next(two, f"{edits.replace('# successor', 'successor').replace(BLANK, 'market-2')}\n{heir}")
        found = adopt_at_clients(everybody(two), version).charter.by_id(MARKET)
        assert (found.state, found.successor) == ("closed", "market-2")
        assert "an active bureau" in refused(2, "recover", "rebuild", market.home, version)
        assert "no version opens it again" in refused(2, "recover", "survey", market.home, version)


def _statement(raw: bytes) -> bytes:
    return decode_entry(raw).statement
